"""Connections: settings in plain text, secrets sealed, every change of state audited."""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection as SqlConnection
from sqlalchemy import bindparam, select, update

from tradewind.domain.connections import (
    NOTIFIERS,
    OVERCAPTURE_REFUNDS,
    Connection,
    ConnectionKey,
    ConnectionState,
    Notifier,
    OvercaptureRefund,
    Role,
    Routes,
)
from tradewind.ledger import audit, cursors
from tradewind.ledger.dialect import AnyRow, db_now, insert
from tradewind.ledger.keyring import KeyRing
from tradewind.ledger.prepared import Prepared
from tradewind.ledger.tables import connection as table

RESUMED = "resumed"
"""Cursor: when a person last resumed the connection."""

_ALL = Prepared(select(table).order_by(table.c.key))
_ONE = Prepared(select(table).where(table.c.key == bindparam("key")))
_STATE = Prepared(select(table.c.state).where(table.c.key == bindparam("key")))
_REVISION = Prepared(select(table.c.revision).where(table.c.key == bindparam("key")))
_ROUTED = Prepared(select(table.c.key, table.c.role, table.c.settings).order_by(table.c.key))
_PLAIN = ("key", "role", "state", "live_from", "settings", "revision", "paused_reason")
_UNSEALED = Prepared(select(*(table.c[name] for name in _PLAIN)).order_by(table.c.key))


def list(conn: SqlConnection, keys: KeyRing) -> builtins.list[Connection]:
    """Every connection, by key."""
    return [_opened(keys, row) for row in _ALL.rows(conn)]


def without_secrets(conn: SqlConnection) -> dict[str, Connection]:
    """Every connection by its key, as far as it is in plain text: for whoever reads them for every batch."""
    return {row.key: _plain(*row) for row in _UNSEALED.rows(conn)}


def connected(conn: SqlConnection, keys: KeyRing) -> builtins.list[Connection]:
    """Every connection but those that were disconnected on purpose, by key."""
    return [one for one in list(conn, keys) if one.state is not ConnectionState.DISCONNECTED]


def get(conn: SqlConnection, keys: KeyRing, key: str | ConnectionKey) -> Connection:
    """Raises LookupError when there is no such connection."""
    row = _ONE.first(conn, key=str(key))
    if row is None:
        raise LookupError(f"there is no connection {key}")
    return _opened(keys, row)


def state(conn: SqlConnection, key: str | ConnectionKey) -> ConnectionState:
    """Its state alone: nothing is unsealed. Raises LookupError when there is no such connection."""
    found = _STATE.scalar(conn, key=str(key))
    if found is None:
        raise LookupError(f"there is no connection {key}")
    return ConnectionState(found)


def revision(conn: SqlConnection, key: str | ConnectionKey) -> int | None:
    """The revision alone; None when there is no such connection."""
    found: int | None = _REVISION.scalar(conn, key=str(key))
    return found


def changed_at(conn: SqlConnection, key: str | ConnectionKey) -> datetime:
    """When its state was last changed, or what it holds. Raises LookupError when there is no such connection."""
    at: datetime | None = conn.execute(select(table.c.changed_at).where(table.c.key == str(key))).scalar_one_or_none()
    if at is None:
        raise LookupError(f"there is no connection {key}")
    return at


def put(conn: SqlConnection, keys: KeyRing, connection: Connection, *, actor: str = "tradewind") -> bool:
    """Store the connection, unless the one that is there is of a newer revision; gives whether it was stored.

    State, live_from and pause of one that is there stay as they are (see `set_state`), and so do secrets that the
    given one does not name: tokens obtained at run time exist here alone.
    """
    key = str(connection.key)
    before = conn.execute(select(table).where(table.c.key == key).with_for_update()).one_or_none()
    if before is None:
        values = _row(keys, connection) | {"changed_at": db_now(conn)}
        conn.execute(insert(conn, table).values(values))
        audit.append(conn, actor, "connection.added", {"connection": key, "role": connection.role.value})
        return True
    if before.revision > connection.revision:
        return False
    known = _opened(keys, before)
    kept = {"state": known.state, "live_from": known.live_from, "paused_reason": known.paused_reason}
    merged = connection.model_copy(update={**kept, "secrets": {**known.secrets, **connection.secrets}})
    if merged != known:
        conn.execute(update(table).where(table.c.key == key).values(_row(keys, merged) | {"changed_at": db_now(conn)}))
        audit.append(conn, actor, "connection.changed", {"connection": key, "revision": connection.revision})
    return True


def set_state(
    conn: SqlConnection,
    key: str | ConnectionKey,
    state: ConnectionState,
    *,
    actor: str = "tradewind",
    reason: str | None = None,
    live_from: datetime | None = None,
) -> None:
    """Change the state, audited. live_from: set when the connection goes live for the first time, then kept.

    Raises LookupError when there is no such connection.
    """
    query = select(table.c.state, table.c.live_from).where(table.c.key == str(key)).with_for_update()
    row = conn.execute(query).first()
    if row is None:
        raise LookupError(f"there is no connection {key}")
    values = {
        "state": state.value,
        "live_from": row.live_from or live_from,
        "paused_reason": reason if state is ConnectionState.PAUSED else None,
        "changed_at": db_now(conn),
    }
    conn.execute(update(table).where(table.c.key == str(key)).values(values))
    detail = {"connection": str(key), "from": row.state, "to": state.value, "reason": reason}
    audit.append(conn, actor, f"connection.{state.value}", detail)


def revoke(conn: SqlConnection, key: str | ConnectionKey, *, reason: str, occurred_at: datetime) -> bool:
    """The provider has ended our access: pause the connection. Gives whether that was news.

    It is none for one that is paused or disconnected, and for one that was resumed since: a notice that comes late, or
    again, must not hold up a connection that works.
    """
    row = conn.execute(select(table.c.state).where(table.c.key == str(key)).with_for_update()).one_or_none()
    if row is None or row.state not in (ConnectionState.LIVE, ConnectionState.READ_ONLY):
        return False
    resumed = cursors.get(conn, f"{key}/{RESUMED}")
    if resumed is not None and occurred_at <= resumed.updated_at:
        return False
    set_state(conn, key, ConnectionState.PAUSED, actor="provider", reason=reason)
    return True


def resume(conn: SqlConnection, key: str | ConnectionKey, state: ConnectionState, *, actor: str) -> None:
    """Give a paused connection the state back that it had, audited. Raises LookupError when there is none."""
    set_state(conn, key, state, actor=actor)
    cursors.set(conn, f"{key}/{RESUMED}", cursors.Cursor(db_now(conn)))


def update_settings(conn: SqlConnection, keys: KeyRing, key: str | ConnectionKey, changes: Mapping[str, str]) -> None:
    """Set what is learnt at run time and no secret, such as a provider's public keys. Raises LookupError."""
    _change(conn, keys, key, "settings", changes)


def update_secrets(conn: SqlConnection, keys: KeyRing, key: str | ConnectionKey, changes: Mapping[str, str]) -> None:
    """Set secrets obtained at run time, such as a refreshed token. Raises LookupError."""
    _change(conn, keys, key, "secrets", changes)


def routes(conn: SqlConnection) -> Mapping[str, Routes]:
    """Which processor and carrier serve each storefront: those its settings name, else the only one of the role."""
    return _routes(tuple([tuple(row) for row in _ROUTED.rows(conn)]))


@lru_cache(maxsize=16)
def _routes(rows: tuple[tuple[str, str, str], ...]) -> Mapping[str, Routes]:
    """rows: key, role and settings. They are read for every batch, and hardly ever change."""
    processors = [key for key, role, _ in rows if role == Role.PAYMENT_PROCESSOR]
    carriers = [key for key, role, _ in rows if role == Role.CARRIER]
    result = {}
    for key, role, told in rows:
        if role == Role.STOREFRONT:
            settings = json.loads(told)
            result[key] = Routes(
                processor=settings.get("processor") or (processors[0] if len(processors) == 1 else None),
                carrier=settings.get("carrier") or (carriers[0] if len(carriers) == 1 else None),
                notify_customer=_notifier(settings),
                refund_overcapture=_overcapture_refund(settings),
            )
    return result


def _notifier(settings: Mapping[str, str]) -> Notifier:
    # Another word is refused when the storefront is connected; here it must not stop every other order.
    return next((known for known in NOTIFIERS if known == settings.get("notify_customer")), NOTIFIERS[0])


def _overcapture_refund(settings: Mapping[str, str]) -> OvercaptureRefund:
    said = settings.get("refund_overcapture")
    if said is None:
        return OVERCAPTURE_REFUNDS[0]
    # Refused when it is connected, as above; whoever meant to set it did not want what happens unless told.
    return next((known for known in OVERCAPTURE_REFUNDS if known == said), "manual")


def _change(
    conn: SqlConnection, keys: KeyRing, key: str | ConnectionKey, part: str, changes: Mapping[str, str]
) -> None:
    row = conn.execute(select(table).where(table.c.key == str(key)).with_for_update()).one_or_none()
    if row is None:
        raise LookupError(f"there is no connection {key}")
    known = _opened(keys, row)
    changed = known.model_copy(update={part: {**getattr(known, part), **changes}})
    if changed != known:
        values = _row(keys, changed) | {"changed_at": db_now(conn)}
        conn.execute(update(table).where(table.c.key == str(key)).values(values))


def _row_name(key: str) -> str:
    return f"connection/{key}"


def _row(keys: KeyRing, connection: Connection) -> dict[str, Any]:
    name = _row_name(str(connection.key))
    return {
        "key": str(connection.key),
        "role": connection.role.value,
        "state": connection.state.value,
        "live_from": connection.live_from,
        "settings": json.dumps(connection.settings, sort_keys=True),
        "sealed": keys.seal(json.dumps(connection.secrets).encode(), row=name, subject=name),
        "revision": connection.revision,
        "paused_reason": connection.paused_reason,
    }


def _opened(keys: KeyRing, row: AnyRow) -> Connection:
    secrets = keys.open(row.sealed, row=_row_name(row.key))
    known = _plain(*(getattr(row, name) for name in _PLAIN))
    return known if secrets is None else known.model_copy(update={"secrets": json.loads(secrets)})


@lru_cache(maxsize=256)
def _plain(
    key: str,
    role: str,
    state: str,
    live_from: datetime | None,
    settings: str,
    revision: int,
    paused_reason: str | None,
) -> Connection:
    """A connection without its secrets, from the columns of its row that are in plain text."""
    return Connection(
        key=ConnectionKey.parse(key),
        role=Role(role),
        state=ConnectionState(state),
        live_from=live_from,
        settings=json.loads(settings),
        revision=revision,
        paused_reason=paused_reason,
    )
