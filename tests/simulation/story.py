"""A story of shoppers and merchant: who orders what, and what becomes of it; the same with and without faults."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from tests.simulation.front import Front
from tradewind.sandbox.checkout import PROCESSOR_STORE, Checkout, Order
from tradewind.sandbox.kernel import Sandbox
from tradewind.sandbox.shopify.ids import Ids
from tradewind.sandbox.shopify.order import IN_DOUBT, UNASSESSED, PlacedLine, StoreOrder
from tradewind.sandbox.shopify.store import ShopifyStore
from tradewind.sandbox.shoppers import Purchase

ID_BASE = 7_000_000_000_000

HELD = {
    "line_added": "OTHER",
    "quantity_lowered": "OTHER",
    "reviewed": "HIGH_RISK_OF_FRAUD",
    "fraud": "HIGH_RISK_OF_FRAUD",
}


@dataclass
class Planned:
    """One shopper's story. what: one of `plot.KINDS`; after_s: how long they, or the merchant, think before they act.

    cancelled: whether the store took the cancellation. excess: what the merchant gave back because too much was taken.
    """

    number: int
    purchase: Purchase
    what: str
    after_s: float
    order_id: str = ""
    intent: str | None = None
    cancelled: bool | None = None
    excess: Decimal = Decimal(0)
    done: bool = False

    @property
    def store(self) -> str:
        return self.purchase.store


@dataclass
class Story:
    """acts: what happens by kind, once an order was placed. decided: what became of the cancellations in another run of
    the same story, which this one repeats.
    """

    sandbox: Sandbox
    orders: list[Planned]
    acts: Mapping[str, Callable[[Story, Planned], Awaitable[None]]]
    decided: dict[int, bool] = field(default_factory=dict)
    front: Front | None = None
    sweep_every_s: float = 6 * 3600.0
    placing: Planned | None = None  # whose order is being placed at this moment
    _placed: dict[str, int] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Everybody has done what they were going to."""
        return all(one.done for one in self.orders)

    def start(self) -> None:
        self.checkout = Checkout(self.sandbox)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._live(one)) for one in self.orders]

    def shop(self, one: Planned) -> ShopifyStore:
        return self.sandbox.shopify[one.store]

    def order(self, one: Planned) -> StoreOrder:
        return self.shop(one).order(one.order_id)

    async def _live(self, one: Planned) -> None:
        await asyncio.sleep(one.purchase.after_s)
        self._place(one)
        await self.acts[one.what](self, one)
        one.done = True

    def _place(self, one: Planned) -> None:
        purchase = one.purchase
        # The n-th orders of both stores have the same ids: a key that forgets its connection is found out.
        ids = self.sandbox.shopify[one.store].ids
        count = self._placed[one.store] = self._placed.get(one.store, 0) + 1
        ids._last = max(ids._last, ID_BASE + 10_000 * count)
        ids.next = partial(_next, ids)  # type: ignore[method-assign]
        lines = [
            PlacedLine(
                sku=line.variant.sku,
                quantity=line.quantity,
                unit_price=line.variant.price,
                discount=line.discount,
                title=line.title,
                requires_shipping=line.variant.requires_shipping,
            )
            for line in purchase.lines
        ]
        order = Order(
            store=one.store,
            lines=lines,
            total=purchase.total,
            shopper=purchase.shopper,
            payment_id=purchase.payment_id,
            kind=purchase.kind,
            shipping=purchase.shipping,
            hold=HELD.get(one.what),
            risk=IN_DOUBT if one.what in ("reviewed", "fraud") else UNASSESSED,
        )
        self.placing = one
        placed = self.checkout.place(order)
        self.placing, one.order_id = None, placed.id
        one.intent = self.checkout.intents.get(placed.id) if one.store == PROCESSOR_STORE else None


def _next(ids: Ids) -> int:
    ids._last += 1
    return ids._last
