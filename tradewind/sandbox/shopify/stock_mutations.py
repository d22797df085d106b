"""inventoryAdjustQuantities and inventorySetQuantities."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError

from tradewind.sandbox.shopify import idempotent, inventory
from tradewind.sandbox.shopify.access import guarded
from tradewind.sandbox.shopify.ids import gid, number_of
from tradewind.sandbox.shopify.inventory import AdjustmentGroup, Change, Wish
from tradewind.sandbox.shopify.refusal import RefusalError
from tradewind.sandbox.shopify.views import goods
from tradewind.sandbox.shopify.views.base import View, time

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore

Act = Callable[["ShopifyStore", str, str, str | None, list[Wish]], AdjustmentGroup]


def stock_fields(store: ShopifyStore) -> View:
    """The two mutations."""
    adjust = _mutation(store, "changes", "InventoryChangeInput", "delta", inventory.adjust)
    set_to = _mutation(store, "quantities", "InventoryQuantityInput", "quantity", inventory.set_to)
    return {
        "inventoryAdjustQuantities": guarded(store, "write_inventory", "inventoryAdjustQuantities", adjust),
        "inventorySetQuantities": guarded(store, "write_inventory", "inventorySetQuantities", set_to),
    }


def _mutation(store: ShopifyStore, rows: str, row_type: str, number: str, act: Act) -> Callable[..., View]:
    def answer(info: Any, input: dict[str, Any]) -> View:
        for row in input[rows]:
            if "changeFromQuantity" not in row:
                raise GraphQLError(
                    f"{row_type} must include the following argument: changeFromQuantity.",
                    extensions={"code": "INVALID_FIELD_ARGUMENTS"},
                )

        def carry_out() -> AdjustmentGroup:
            wishes = [_wish(row, number) for row in input[rows]]
            return act(store, input["name"], input["reason"], input.get("referenceDocumentUri"), wishes)

        try:
            made = idempotent.once(store, info, input, carry_out)
        except RefusalError as refusal:
            return {"userErrors": [{"field": refusal.field, "message": refusal.message, "code": refusal.code}]}
        return {"inventoryAdjustmentGroup": _group(store, made), "userErrors": []}

    return answer


def _wish(row: dict[str, Any], number: str) -> Wish:
    return Wish(
        item_id=number_of(row["inventoryItemId"], "InventoryItem"),
        location_id=number_of(row["locationId"], "Location"),
        number=row[number],
        expected=row["changeFromQuantity"],
        document=row.get("ledgerDocumentUri"),
    )


def _group(store: ShopifyStore, given: AdjustmentGroup) -> View:
    def changes(_: Any, **wanted: Any) -> list[View]:
        return [_change(store, each) for each in given.changes if _is_wanted(each, wanted)]

    return {
        "__typename": "InventoryAdjustmentGroup",
        "id": gid("InventoryAdjustmentGroup", given.id),
        "createdAt": time(given.created_at),
        "reason": given.reason,
        "referenceDocumentUri": given.reference,
        "changes": changes,
    }


def _is_wanted(given: Change, wanted: dict[str, Any]) -> bool:
    items, locations, names = (wanted.get(key) for key in ("inventoryItemIds", "locationIds", "quantityNames"))
    return (
        (items is None or gid("InventoryItem", given.variant.item_id) in items)
        and (locations is None or gid("Location", given.location.id) in locations)
        and (names is None or given.name in names)
    )


def _change(store: ShopifyStore, given: Change) -> View:
    return {
        "name": given.name,
        "delta": given.delta,
        "quantityAfterChange": given.after,
        "item": lambda _: goods.item(store, given.variant),
        "location": lambda _: goods.location(store, given.location),
        "ledgerDocumentUri": given.document,
    }
