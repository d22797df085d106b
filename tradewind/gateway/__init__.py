"""The webhook receiver: verify, store, acknowledge. It calls no provider and imports no Prefect."""
