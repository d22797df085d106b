"""Quantities that an app changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from tradewind.sandbox.shopify import webhooks
from tradewind.sandbox.shopify.catalog import Location, Variant
from tradewind.sandbox.shopify.refusal import RefusalError
from tradewind.sandbox.shopify.stock import UNAVAILABLE, Level

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore

# Source: shopify.dev, "Manage inventory quantities and states", and the mutations' own descriptions.
REASONS: Final = frozenset(
    {
        *("correction", "cycle_count_available", "damaged", "other", "promotion", "quality_control", "received"),
        *("movement_canceled", "movement_created", "movement_received", "movement_updated"),
        *("reservation_created", "reservation_deleted", "reservation_updated"),
        *("restock", "safety_stock", "shrinkage"),
    }
)
ADJUSTABLE: Final = ("available", *UNAVAILABLE)
SETTABLE: Final = ("available", "on_hand")
LIMIT: Final = 1_000_000_000


@dataclass(frozen=True)
class Wish:
    """A change that an app asks for.

    number: a delta, or the quantity to set; expected: what the app believes to be there.
    """

    item_id: int | None
    location_id: int | None
    number: int
    expected: int | None
    document: str | None = None


@dataclass(frozen=True)
class Change:
    """A change that was made."""

    name: str
    delta: int
    after: int
    variant: Variant
    location: Location
    document: str | None


@dataclass(frozen=True)
class AdjustmentGroup:
    """All changes of one request."""

    id: int
    created_at: datetime
    reason: str
    reference: str | None
    changes: list[Change]


def adjust(
    store: ShopifyStore, name: str, reason: str, reference: str | None, wishes: Sequence[Wish]
) -> AdjustmentGroup:
    """Change quantities by deltas: all or none. Raises RefusalError. Source: shopify.dev, inventoryAdjustQuantities."""
    if name not in ADJUSTABLE:
        raise RefusalError(
            "The quantity name is invalid: it must be available, damaged, quality_control, reserved or safety_stock.",
            field=["input", "name"],
            code="INVALID_QUANTITY_NAME",
        )
    _check_reason(reason)
    deltas = []
    for index, wish in enumerate(wishes):
        where = ["input", "changes", str(index)]
        _check_document(name, wish, where)
        level = _level(store, wish, where)
        _check_expected(level.quantity(name), wish, where)
        _check_range(level.quantity(name) + wish.number, [*where, "delta"])
        deltas.append((level, wish.number))
    return _apply(store, name, reason, reference, wishes, deltas)


def set_to(
    store: ShopifyStore, name: str, reason: str, reference: str | None, wishes: Sequence[Wish]
) -> AdjustmentGroup:
    """Set quantities: all or none. Raises RefusalError. Source: shopify.dev, inventorySetQuantities."""
    if name not in SETTABLE:
        raise RefusalError(
            "The quantity name must be either 'available' or 'on_hand'.", field=["input", "name"], code="INVALID_NAME"
        )
    _check_reason(reason)
    deltas = []
    seen: set[tuple[int | None, int | None]] = set()
    for index, wish in enumerate(wishes):
        where = ["input", "quantities", str(index)]
        if (wish.item_id, wish.location_id) in seen:
            raise RefusalError(
                "The combination of inventoryItemId and locationId must be unique.",
                field=where,
                code="NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR",
            )
        seen.add((wish.item_id, wish.location_id))
        level = _level(store, wish, where)
        _check_expected(level.quantity(name), wish, where)
        if name == "on_hand" and wish.number < 0:
            raise RefusalError(
                "The quantity can't be negative.", field=[*where, "quantity"], code="INVALID_QUANTITY_NEGATIVE"
            )
        _check_range(wish.number, [*where, "quantity"])
        deltas.append((level, wish.number - level.quantity(name)))
    return _apply(store, "available", reason, reference, wishes, deltas)


def _apply(
    store: ShopifyStore,
    name: str,
    reason: str,
    reference: str | None,
    wishes: Sequence[Wish],
    deltas: Sequence[tuple[Level, int]],
) -> AdjustmentGroup:
    happening, at = store.happening(), store.now()
    changes = []
    for (level, delta), wish in zip(deltas, wishes, strict=True):
        if not delta:
            continue
        level.move(at, **{name: delta})
        variant, location = store.catalog.by_item[level.item_id], store.catalog.locations[level.location_id]
        for changed in (name, "on_hand"):
            changes.append(Change(changed, delta, level.quantity(changed), variant, location, wish.document))
    if name == "available":
        webhooks.levels_changed(store, happening, [level for level, delta in deltas if delta])
    return AdjustmentGroup(store.ids.next(), at, reason, reference, changes)


def _level(store: ShopifyStore, wish: Wish, where: list[str]) -> Level:
    if wish.item_id not in store.catalog.by_item:
        raise RefusalError(
            "The specified inventory item could not be found.",
            field=[*where, "inventoryItemId"],
            code="INVALID_INVENTORY_ITEM",
        )
    if wish.location_id not in store.catalog.locations:
        raise RefusalError(
            "The specified location could not be found.", field=[*where, "locationId"], code="INVALID_LOCATION"
        )
    return store.stock.stocked(wish.item_id, wish.location_id, store.now())


def _check_reason(reason: str) -> None:
    if reason not in REASONS:
        raise RefusalError("The specified reason is invalid.", field=["input", "reason"], code="INVALID_REASON")


def _check_document(name: str, wish: Wish, where: list[str]) -> None:
    field = [*where, "ledgerDocumentUri"]
    if name == "available" and wish.document is not None:
        raise RefusalError(
            "A ledger document URI is not allowed when adjusting available.",
            field=field,
            code="INVALID_AVAILABLE_DOCUMENT",
        )
    if name != "available" and wish.document is None:
        raise RefusalError(
            "A ledger document URI is required except when adjusting available.",
            field=field,
            code="INVALID_QUANTITY_DOCUMENT",
        )


def _check_expected(quantity: int, wish: Wish, where: list[str]) -> None:
    if wish.expected is not None and wish.expected != quantity:
        raise RefusalError(
            "The changeFromQuantity argument no longer matches the persisted quantity.",
            field=[*where, "changeFromQuantity"],
            code="CHANGE_FROM_QUANTITY_STALE",
        )


def _check_range(quantity: int, where: list[str]) -> None:
    if quantity > LIMIT:
        raise RefusalError("The quantity is too high.", field=where, code="INVALID_QUANTITY_TOO_HIGH")
    if quantity < -LIMIT:
        raise RefusalError("The quantity is too low.", field=where, code="INVALID_QUANTITY_TOO_LOW")
