"""Reading orders: whole, complete, and no dearer than needed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from tradewind.providers.shopify.api import AdminApi
from tradewind.providers.shopify.documents import CHANGES, ORDER, ORDER_HEAD, ORDERS, Document
from tradewind.providers.shopify.limits import (
    CHANGES_PER_PAGE,
    ORDER_HEAD_SIZES,
    ORDER_SIZES,
    ORDERS_PER_PAGE,
    PAGE_SIZES,
)
from tradewind.providers.shopify.memory import OrderMemory, renewed
from tradewind.providers.shopify.pages import completed, fulfillments, returns, transactions
from tradewind.providers.shopify.wire import ChangeNode, OrderHead, OrderNode, Page, Wire
from tradewind.transport import parsed

W = TypeVar("W", bound=Wire)


class Orders:
    def __init__(self, api: AdminApi) -> None:
        self._api = api
        self._memory = OrderMemory()

    async def read(self, order_id: str) -> OrderNode | None:
        """The order as it is now; None when the store does not know it."""
        if self._memory.get(order_id) is None:
            return await self.read_whole(order_id)
        data = await self._api.query(ORDER_HEAD, {"id": order_id, **ORDER_HEAD_SIZES})
        return await self.told(order_id, data.get("order"))

    async def told(self, order_id: str, head: Any) -> OrderNode | None:
        """The order after its head was told, by a read or by the answer to a mutation."""
        known = self._memory.get(order_id)
        if head is None or known is None:
            return await self.read_whole(order_id)
        order = renewed(known, await self._complete_head(parsed(OrderHead, head, "OrderHead")))
        if order is None:
            return await self.read_whole(order_id)
        order = order.model_copy(update={"returns": await returns(self._api, order)})
        self._memory.put(order)
        return order

    async def read_whole(self, order_id: str) -> OrderNode | None:
        self._memory.forget(order_id)
        data = await self._api.query(ORDER, {"id": order_id, **ORDER_SIZES})
        if data.get("order") is None:
            return None
        order = await completed(self._api, parsed(OrderNode, data["order"], "Order"), ORDER_SIZES)
        self._memory.put(order)
        return order

    async def changed(self, since: datetime, until: datetime) -> AsyncIterator[Sequence[OrderNode]]:
        """Pages of whole orders changed in [since, until], oldest change first."""
        sizes = {"first": ORDERS_PER_PAGE, **PAGE_SIZES}
        async for page in self._pages(ORDERS, OrderNode, since, until, sizes):
            yield [await completed(self._api, order, PAGE_SIZES) for order in page]

    async def changes(self, since: datetime, until: datetime) -> AsyncIterator[Sequence[ChangeNode]]:
        """As `changed`, with only as much of each order as tells whether it is news: a point or two an order."""
        async for page in self._pages(CHANGES, ChangeNode, since, until, {"first": CHANGES_PER_PAGE}):
            yield page

    async def _pages(
        self, document: Document, node: type[W], since: datetime, until: datetime, sizes: Mapping[str, int]
    ) -> AsyncIterator[Sequence[W]]:
        """The filter counts whole seconds, so both ends are widened to the full second.

        Source: shopify.dev, `orders` with the filter `updated_at` and the sort key UPDATED_AT.
        """
        query = f"updated_at:>='{_second(since)}' AND updated_at:<='{_second(until + timedelta(seconds=1))}'"
        after: str | None = None
        while True:
            data = await self._api.query(document, {"query": query, "after": after, **sizes})
            page = parsed(Page[node], data.get("orders"), document.name)  # type: ignore[valid-type]
            if page.nodes:
                yield page.nodes
            if not page.page_info.has_next_page:
                return
            after = page.page_info.end_cursor

    async def _complete_head(self, head: OrderHead) -> OrderHead:
        return head.model_copy(
            update={
                "transactions": await transactions(self._api, head.id, head.transactions, ORDER_HEAD_SIZES),
                "fulfillments": await fulfillments(self._api, head.id, head.fulfillments, ORDER_HEAD_SIZES),
            }
        )


def _second(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
