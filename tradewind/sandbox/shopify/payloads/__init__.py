"""Webhook bodies: JSON with the keys and types of Shopify's published samples (version 2026-07)."""
