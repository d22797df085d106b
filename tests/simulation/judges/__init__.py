"""The judges. They know the ledger's tables, by SQL, and what happened at the providers, and no code of the core."""
