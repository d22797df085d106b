"""What tradewind puts into a Prefect server: deployments, limits, blocks, automations. See `tradewind deploy`."""
