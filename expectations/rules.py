"""How an expectation speaks to a merchant: its name, what it says, and what to do when it does not hold."""

from __future__ import annotations

from typing import TypedDict


class Rule(TypedDict):
    """The `meta` of an expectation. rule: unique name. says: one plain sentence. advice: what to do."""

    rule: str
    says: str
    advice: str


def rule(name: str, says: str, advice: str) -> dict[str, object]:
    """Keyword arguments that every expectation here is given."""
    meta = Rule(rule=name, says=says, advice=advice)
    return {"meta": dict(meta), "description": says}
