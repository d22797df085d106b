"""Bugs that the simulation must find, each a patch that is in force for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Plant = Callable[[], Any]
BUGS: dict[str, Plant] = {}


@contextmanager
def planted(bug: str) -> Iterator[None]:
    """The core with one bug. Raises KeyError for one that is not known."""
    with BUGS[bug]():
        yield
