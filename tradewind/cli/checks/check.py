"""One finding."""

from __future__ import annotations

from dataclasses import dataclass

from tradewind.errors import ConfigurationError, TradewindError


@dataclass(frozen=True)
class Check:
    """subject: what was looked at. found: how it is. advice: one line that says what to do; None when all is well."""

    subject: str
    found: str
    advice: str | None = None

    @property
    def wrong(self) -> bool:
        return self.advice is not None


def of_error(subject: str, error: TradewindError, advice: str) -> Check:
    """An error as a finding; a wrong setting brings its own advice."""
    if isinstance(error, ConfigurationError):
        return Check(subject, f"{error.setting} (from {error.source})", error.advice)
    return Check(subject, str(error) or type(error).__name__, advice)
