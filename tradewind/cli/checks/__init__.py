"""What `tradewind doctor` looks at: each finding says what was found and, if that is wrong, what to do."""

from tradewind.cli.checks.check import Check

__all__ = ["Check"]
