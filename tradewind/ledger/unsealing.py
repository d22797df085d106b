"""Sealed rows one by one: what cannot be opened is known as such, and its row's plain text says what it was about."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError
from sqlalchemy import Connection, select

from tradewind.domain.commands import command_adapter
from tradewind.domain.events import Resource
from tradewind.errors import LedgerError, SealBroken
from tradewind.ledger.dialect import AnyRow
from tradewind.ledger.keyring import KeyRing
from tradewind.ledger.tables import inbox, outbox

Opened = bytes | SealBroken | None
_READABLE = ("order", "payment", "dispute", "label")


def open_each(keys: KeyRing, values: Sequence[tuple[bytes, str]]) -> list[Opened]:
    """Each (sealed, row) decrypted; None where its key was erased, an error where it cannot be opened for any other
    reason: changed, moved from another row, or sealed with a key that the key store has never had.

    Raises ConfigurationError when nothing could be: the master key is another one.
    """
    try:
        opened: list[Opened] = list(keys.open_many(values))
    except LedgerError:
        keys.confirm()
        opened = [_open(keys, sealed, row) for sealed, row in values]
    lost = [place for place, one in enumerate(opened) if one is None]
    for place, known in zip(lost, keys.known([values[place][0] for place in lost]), strict=True):
        if not known:
            opened[place] = SealBroken(f"{values[place][1]}: the key store does not have its key")
    return opened


def about(conn: Connection, delivery_id: int) -> Resource | None:
    """What a delivery is about, by what its row tells in plain text: the resource that was listed or that a command
    changed, else the order that it was taken for before. None when that cannot be told."""
    columns = (inbox.c.source, inbox.c.connection, inbox.c.delivery_key, inbox.c.order_id, inbox.c.correlation)
    row = conn.execute(select(*columns, inbox.c.replay_of).where(inbox.c.id == delivery_id)).one_or_none()
    if row is None:
        return None
    match row.source:
        case "poll":
            return _listed(row)
        case "outcome":
            return _answered(conn, row.correlation)
        case "replay":
            return about(conn, row.replay_of)
        case _:
            return order_resource(row.order_id)


def order_resource(order_id: str | None) -> Resource | None:
    """The order at its store."""
    if order_id is None:
        return None
    connection, _, external_id = order_id.partition("/")
    return Resource(connection=connection, kind="order", external_id=external_id)


def _open(keys: KeyRing, sealed: bytes, row: str) -> Opened:
    try:
        return keys.open(sealed, row=row)
    except SealBroken as error:
        return error


def _listed(row: AnyRow) -> Resource | None:
    """A listing's key is the resource's address and a digest."""
    kind, _, rest = row.delivery_key.partition("/")
    external_id = rest.rpartition("/")[0]
    if kind == "scan":
        kind, external_id = "label", f"tracking_number={external_id}"
    if kind not in _READABLE:
        return order_resource(row.order_id)
    return Resource(connection=row.connection, kind=kind, external_id=external_id)


def _answered(conn: Connection, key: str | None) -> Resource | None:
    command = conn.execute(select(outbox.c.command).where(outbox.c.key == key)).scalar()
    try:
        return None if command is None else command_adapter.validate_json(command).target
    except ValidationError:
        return None
