"""The ledger: what came in, what is known, what is asked for. Synchronous, short functions that take a connection."""
