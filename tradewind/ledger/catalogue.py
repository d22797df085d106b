"""The catalogue: what each storefront sells, and its own count of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, select, tuple_

from tradewind.domain.catalogue import CatalogueItem, StockLevel
from tradewind.domain.money import Money
from tradewind.ledger.dialect import db_now, insert
from tradewind.ledger.tables import catalogue_item, catalogue_level

CHUNK = 200


def upsert_items(conn: Connection, items: Sequence[CatalogueItem]) -> int:
    """Write the items with their levels; gives how many. One that is known with a later updated_at stays."""
    latest = {(item.connection, item.external_id): item for item in sorted(items, key=lambda item: item.updated_at)}
    identities = sorted(latest)
    for start in range(0, len(identities), CHUNK):
        _upsert(conn, [latest[identity] for identity in identities[start : start + CHUNK]])
    return len(identities)


def items(conn: Connection, *, connection: str | None = None) -> list[CatalogueItem]:
    """Every item, or those of one storefront, by external id."""
    query = select(catalogue_item).order_by(catalogue_item.c.connection, catalogue_item.c.external_id)
    level_query = select(catalogue_level).order_by(catalogue_level.c.location)
    if connection is not None:
        query = query.where(catalogue_item.c.connection == connection)
        level_query = level_query.where(catalogue_level.c.connection == connection)
    levels: dict[tuple[str, str], list[StockLevel]] = defaultdict(list)
    for row in conn.execute(level_query):
        levels[row.connection, row.external_id].append(
            StockLevel(
                location=row.location, location_name=row.location_name, on_hand=row.on_hand, available=row.available
            )
        )
    return [_item(row, levels[row.connection, row.external_id]) for row in conn.execute(query)]


def _upsert(conn: Connection, items: Sequence[CatalogueItem]) -> None:
    now = db_now(conn)
    statement = insert(conn, catalogue_item)
    changed = {column.name: statement.excluded[column.name] for column in catalogue_item.c if not column.primary_key}
    newer = statement.excluded.updated_at >= catalogue_item.c.updated_at
    upsert = statement.on_conflict_do_update(
        index_elements=[catalogue_item.c.connection, catalogue_item.c.external_id], set_=changed, where=newer
    ).returning(catalogue_item.c.connection, catalogue_item.c.external_id)
    rows = [_row(item) | {"seen_at": now} for item in items]
    written = {(row[0], row[1]) for row in conn.execute(upsert, rows)}
    if not written:
        return
    identity = tuple_(catalogue_level.c.connection, catalogue_level.c.external_id)
    conn.execute(delete(catalogue_level).where(identity.in_(sorted(written))))
    level_rows = [
        {"connection": item.connection, "external_id": item.external_id, **level.model_dump()}
        for item in items
        if (item.connection, item.external_id) in written
        for level in item.levels
    ]
    if level_rows:
        conn.execute(catalogue_level.insert(), level_rows)


def _row(item: CatalogueItem) -> dict[str, Any]:
    return {
        **item.model_dump(exclude={"price", "levels"}),
        "currency": item.price.currency,
        "price": item.price.minor,
    }


def _item(row: Any, levels: Sequence[StockLevel]) -> CatalogueItem:
    return CatalogueItem(
        connection=row.connection,
        external_id=row.external_id,
        inventory_item_id=row.inventory_item_id,
        sku=row.sku,
        title=row.title,
        price=Money(minor=row.price, currency=row.currency),
        updated_at=row.updated_at,
        backorders=row.backorders,
        levels=tuple(levels),
    )
