"""How many deliveries a second the gateway takes durably, beside itself without a store and beside its peers."""
