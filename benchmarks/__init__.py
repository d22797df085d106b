"""What tradewind must reach, measured. `python -m benchmarks.NAME [--quick]` prints one JSON line last."""
