"""What goes wrong on purpose, and how often. The table is explained in docs/sandbox.md."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class Rate:
    """How often a fault strikes, and how long it lasts at most where it has a length."""

    probability: float
    max_s: float = 0.0


WEBHOOK_KINDS: Final = ("duplicate", "reorder", "delay", "lose")
API_KINDS: Final = ("throttle_storm", "server_error", "lost_answer", "slow_answer")
KINDS: Final = (*WEBHOOK_KINDS, *API_KINDS)

LEVELS: Final = MappingProxyType(
    {
        "none": {kind: Rate(0.0) for kind in KINDS},
        "mild": {
            "duplicate": Rate(0.10, 3.0),
            "reorder": Rate(0.10, 3.0),
            "delay": Rate(0.05, 5.0),
            "lose": Rate(0.03),
            "throttle_storm": Rate(0.01),
            "server_error": Rate(0.01),
            "lost_answer": Rate(0.02),
            "slow_answer": Rate(0.02, 1.0),
        },
        "hostile": {
            "duplicate": Rate(0.30, 15.0),
            "reorder": Rate(0.30, 10.0),
            "delay": Rate(0.15, 30.0),
            "lose": Rate(0.10),
            "throttle_storm": Rate(0.03, 2.0),
            "server_error": Rate(0.03),
            "lost_answer": Rate(0.06),
            "slow_answer": Rate(0.06, 4.0),
        },
    }
)


@dataclass(frozen=True)
class Injected:
    """A fault handed on to a provider that knows better than the middleware what it looks like there."""

    kind: str
    length_s: float = 0.0


class Faults:
    """The level in force and a count of what struck."""

    def __init__(self, level: str) -> None:
        self.fired: Counter[str] = Counter()
        self.set_level(level)

    def set_level(self, level: str) -> None:
        """Change the level from now on. Raises ValueError for an unknown one."""
        if level not in LEVELS:
            raise ValueError(f"unknown fault level {level!r}: expected one of {', '.join(LEVELS)}")
        self.level = level
        self._rates: Mapping[str, Rate] = LEVELS[level]

    def set_rates(self, rates: Mapping[str, Rate]) -> None:
        """Rates of one's own from now on; what is not named never strikes. Raises ValueError for an unknown kind."""
        if unknown := sorted(set(rates) - set(KINDS)):
            raise ValueError(f"unknown fault {', '.join(unknown)}: expected some of {', '.join(KINDS)}")
        self.level = "custom"
        self._rates = {**LEVELS["none"], **rates}

    def strikes(self, kind: str, rng: random.Random) -> bool:
        """Whether this fault happens now. Counts it when it does; always draws once, so a seed's choices line up."""
        struck = rng.random() < self._rates[kind].probability
        if struck:
            self.fired[kind] += 1
        return struck

    def length_s(self, kind: str, rng: random.Random) -> float:
        """How long this occurrence lasts, in seconds: from a fifth of the longest up to it."""
        return self._rates[kind].max_s * rng.uniform(0.2, 1.0)
