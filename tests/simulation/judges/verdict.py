"""What a judge comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class End:
    """How a telling ended, in what must be the same however it was told."""

    orders: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    stock: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)


@dataclass
class Verdict:
    problems: list[str] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    end: End = field(default_factory=End)
