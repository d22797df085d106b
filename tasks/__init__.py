"""One step each, with Prefect's retries, tags, limits; thin over `tradewind.sync`. Tasks take ids, never payloads."""
