"""Going live, pausing and resuming: explicit, audited, and never losing what waits."""

from __future__ import annotations

from datetime import datetime

from tradewind.domain.connections import Connection, ConnectionState
from tradewind.errors import ConfigurationError
from tradewind.ledger import connections
from tradewind.ledger.engine import Ledger


def go_live(ledger: Ledger, key: str, *, at: datetime, actor: str) -> Connection:
    """Let tradewind write to the connection, for what is placed from `at` on; gives it as it is now.

    One that has been live keeps its first `live_from`. Raises ConfigurationError for an unknown or disconnected one.
    """
    known = _known(ledger, key)
    if known.state is ConnectionState.DISCONNECTED:
        raise ConfigurationError("connection", key, "is disconnected; connect it again first")
    if known.state is ConnectionState.LIVE:
        return known
    return _set_state(ledger, key, ConnectionState.LIVE, actor=actor, live_from=at)


def pause(ledger: Ledger, key: str, *, reason: str, actor: str) -> Connection:
    """Hold every write to the connection; deliveries are stored and applied, commands wait in the outbox.

    Raises ConfigurationError for an unknown connection, and for one that is not live: there is nothing to hold.
    """
    known = _known(ledger, key)
    if known.state is ConnectionState.PAUSED:
        return known
    if known.state is not ConnectionState.LIVE:
        raise ConfigurationError("connection", key, f"is {_word(known.state)}: nothing is written to it")
    return _set_state(ledger, key, ConnectionState.PAUSED, actor=actor, reason=reason)


def resume(ledger: Ledger, key: str, *, actor: str) -> Connection:
    """Send what waited: the connection is again what it was before the pause, live or read-only.

    Raises ConfigurationError for an unknown connection, and for one that is not paused.
    """
    known = _known(ledger, key)
    if known.state is not ConnectionState.PAUSED:
        raise ConfigurationError("connection", key, f"is not paused but {_word(known.state)}")
    state = ConnectionState.LIVE if known.live_from is not None else ConnectionState.READ_ONLY
    with ledger.write() as database:
        connections.resume(database, key, state, actor=actor)
        return connections.get(database, ledger.keys, key)


def end_access(ledger: Ledger, key: str, *, reason: str, at: datetime) -> bool:
    """Pause a connection whose credentials its provider does not take any more; gives whether that was news."""
    with ledger.write() as database:
        return connections.revoke(database, key, reason=reason, occurred_at=at)


def _known(ledger: Ledger, key: str) -> Connection:
    with ledger.read() as database:
        found = {str(one.key): one for one in connections.list(database, ledger.keys)}
    if key not in found:
        names = ", ".join(sorted(found)) or "none yet, see `tradewind connect`"
        raise ConfigurationError("connection", key, f"is not connected; there is: {names}")
    return found[key]


def _set_state(
    ledger: Ledger,
    key: str,
    state: ConnectionState,
    *,
    actor: str,
    reason: str | None = None,
    live_from: datetime | None = None,
) -> Connection:
    with ledger.write() as database:
        connections.set_state(database, key, state, actor=actor, reason=reason, live_from=live_from)
        return connections.get(database, ledger.keys, key)


def _word(state: ConnectionState) -> str:
    return state.value.replace("_", "-")
