"""One step each, with Prefect's retries, tags and limits; thin over `tradewind.sync`. Tasks take ids, never payloads."""
