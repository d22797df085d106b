"""The providers, one folder each, always the same rooms: client, mapping, webhooks, limits."""
