"""`python -m tradewind` is the same as `tradewind`."""

from tradewind.cli import main

main(prog_name="tradewind")
