"""The use cases: apply what came in, dispatch what is wanted, sweep for what was missed, reconcile, repair."""
