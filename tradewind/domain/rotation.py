"""Several live secrets under one name: the current one, and older ones until their grace is over.

`webhook_secret` is the current one; `webhook_secret_previous`, `webhook_secret_previous_2`, … are older, each with the
time until which it is good beside it (`…_until`). One without a time is good until it is taken away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import count


def live(secrets: Mapping[str, str], names: tuple[str, ...], now: datetime) -> Iterator[tuple[str, str]]:
    """What a signature may have been made with, as (name, value), the current one of each name first."""
    for name in names:
        if secrets.get(name):
            yield name, secrets[name]
        for slot, value, until in _older(secrets, name):
            if until is None or now < until:
                yield slot, value


def rotated(secrets: Mapping[str, str], name: str, value: str, *, now: datetime, grace: timedelta) -> dict[str, str]:
    """The secrets that change when `value` becomes the current one under `name`.

    What was current stays good for `grace`; no older one is good for longer than that. Nothing changes when `value` is
    the current one already.
    """
    current = secrets.get(name)
    if current == value:
        return {}
    last = now + grace
    kept = [(current, last)] if current else []
    kept += [(old, min(until or last, last)) for _, old, until in _older(secrets, name)]
    kept = [(old, until) for old, until in kept if until > now and old != value]
    changes = {name: value}
    for number, (old, until) in enumerate(kept, start=1):
        changes |= {_slot(name, number): old, f"{_slot(name, number)}_until": until.isoformat()}
    # Secrets are merged into those that are there: a place that is free now has to say so.
    for slot, _, _ in _older(secrets, name):
        changes.setdefault(slot, "")
    return changes


def _older(secrets: Mapping[str, str], name: str) -> Iterator[tuple[str, str, datetime | None]]:
    for number in count(1):
        slot = _slot(name, number)
        if slot not in secrets:
            return
        if secrets[slot]:
            yield slot, secrets[slot], _time(secrets.get(f"{slot}_until"))


def _slot(name: str, number: int) -> str:
    return f"{name}_previous" if number == 1 else f"{name}_previous_{number}"


def _time(text: str | None) -> datetime | None:
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
