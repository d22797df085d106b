"""Nested pages: what did not fit into an order's first answer is read until nothing is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from tradewind.errors import SchemaMismatch
from tradewind.providers.shopify.api import AdminApi
from tradewind.providers.shopify.documents import (
    FULFILLMENT_ORDER_LINES_REST,
    FULFILLMENT_ORDERS_REST,
    FULFILLMENTS_ALL,
    LEVELS_REST,
    LINES_REST,
    REFUND_LINES_REST,
    REFUNDS_ALL,
    RETURNS,
    SHIPPING_LINES_REST,
    TRANSACTIONS_ALL,
    Document,
)
from tradewind.providers.shopify.wire import (
    FulfillmentNode,
    FulfillmentOrderNode,
    InventoryItemNode,
    LineNode,
    OrderHead,
    OrderNode,
    Page,
    PageInfo,
    RefundNode,
    ReturnNode,
    ShippingLineNode,
    TransactionNode,
    Wire,
)
from tradewind.transport import parsed

W = TypeVar("W", bound=Wire)

NO_RETURN = "NO_RETURN"


async def completed(api: AdminApi, order: OrderNode, sizes: Mapping[str, int]) -> OrderNode:
    """The order with every page of it. sizes: with which it was selected. Raises the transport's errors."""
    return order.model_copy(
        update={
            "line_items": await _rest(api, LINES_REST, order.id, ("order", "lineItems"), order.line_items, LineNode),
            "shipping_lines": await _rest(
                api, SHIPPING_LINES_REST, order.id, ("order", "shippingLines"), order.shipping_lines, ShippingLineNode
            ),
            "fulfillment_orders": await _fulfillment_orders(api, order),
            "transactions": await transactions(api, order.id, order.transactions, sizes),
            "fulfillments": await fulfillments(api, order.id, order.fulfillments, sizes),
            "refunds": await _refunds(api, order, sizes),
            "returns": await returns(api, order),
        }
    )


async def returns(api: AdminApi, order: OrderHead | OrderNode) -> tuple[ReturnNode, ...]:
    """Every return of an order, which most have none of."""
    if order.return_status == NO_RETURN:
        return ()
    first: Page[ReturnNode] = Page(nodes=(), pageInfo=PageInfo(hasNextPage=True))
    return (await _rest(api, RETURNS, order.id, ("order", "returns"), first, ReturnNode)).nodes


async def transactions(
    api: AdminApi, order_id: str, first: tuple[TransactionNode, ...], sizes: Mapping[str, int]
) -> tuple[TransactionNode, ...]:
    return await _whole(api, TRANSACTIONS_ALL, order_id, "transactions", first, sizes, TransactionNode)


async def fulfillments(
    api: AdminApi, order_id: str, first: tuple[FulfillmentNode, ...], sizes: Mapping[str, int]
) -> tuple[FulfillmentNode, ...]:
    return await _whole(api, FULFILLMENTS_ALL, order_id, "fulfillments", first, sizes, FulfillmentNode)


async def with_all_levels(api: AdminApi, item: InventoryItemNode) -> InventoryItemNode:
    """The inventory item with its stock at every location."""
    return await _with_rest(api, LEVELS_REST, item, ("inventoryItem", "inventoryLevels"), "inventory_levels")


async def _fulfillment_orders(api: AdminApi, order: OrderNode) -> Page[FulfillmentOrderNode]:
    path = ("order", "fulfillmentOrders")
    page = await _rest(api, FULFILLMENT_ORDERS_REST, order.id, path, order.fulfillment_orders, FulfillmentOrderNode)
    inner = ("fulfillmentOrder", "lineItems")
    nodes = [await _with_rest(api, FULFILLMENT_ORDER_LINES_REST, work, inner, "line_items") for work in page.nodes]
    return page.model_copy(update={"nodes": tuple(nodes)})


async def _refunds(api: AdminApi, order: OrderNode, sizes: Mapping[str, int]) -> tuple[RefundNode, ...]:
    refunds = await _whole(api, REFUNDS_ALL, order.id, "refunds", order.refunds, sizes, RefundNode)
    inner = ("node", "refundLineItems")
    return tuple([await _with_rest(api, REFUND_LINES_REST, refund, inner, "refund_line_items") for refund in refunds])


async def _with_rest(api: AdminApi, document: Document, owner: W, path: tuple[str, str], name: str) -> W:
    """The owner with the whole of its page `name`."""
    page: Page[Any] = getattr(owner, name)
    if not page.page_info.has_next_page:
        return owner
    node = type(page.nodes[0])
    whole = await _rest(api, document, getattr(owner, "id"), path, page, node)  # noqa: B009 - every owner has one
    return owner.model_copy(update={name: whole})


async def _rest(
    api: AdminApi, document: Document, owner_id: str, path: tuple[str, str], page: Page[W], node: type[W]
) -> Page[W]:
    """The page with all that follow it. The owner being gone meanwhile is a SchemaMismatch: read it anew."""
    while page.page_info.has_next_page:
        data = await api.query(document, {"id": owner_id, "after": page.page_info.end_cursor})
        following = parsed(Page[node], _inside(data, path, document), document.name)  # type: ignore[valid-type]
        page = following.model_copy(update={"nodes": (*page.nodes, *following.nodes)})
    return page


async def _whole(
    api: AdminApi,
    document: Document,
    order_id: str,
    name: str,
    first: tuple[W, ...],
    sizes: Mapping[str, int],
    node: type[W],
) -> tuple[W, ...]:
    """A list without pages: when it came back full, all of it is read."""
    if len(first) < sizes[name]:
        return first
    data = await api.query(document, {"id": order_id})
    listed = _inside(data, ("order", name), document)
    return tuple(parsed(node, value, document.name) for value in listed)


def _inside(data: dict[str, Any], path: tuple[str, str], document: Document) -> Any:
    value: Any = data
    for name in path:
        if not isinstance(value, dict) or value.get(name) is None:
            raise SchemaMismatch(f"{document.name}: the answer has no {'.'.join(path)}")
        value = value[name]
    return value
