"""What shoppers and the merchant do: planned from the seed, the same with and without faults."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from dataclasses import dataclass, field
from functools import partial

from tradewind.sandbox.checkout import Checkout, Order
from tradewind.sandbox.kernel import Sandbox
from tradewind.sandbox.shopify.ids import Ids
from tradewind.sandbox.shopify.order import PlacedLine
from tradewind.sandbox.shoppers import Purchase, plan_purchases

DAY_S = 86_400.0
TRADING_S = 2.75 * DAY_S
ID_BASE = 7_000_000_000_000


@dataclass
class Planned:
    """One shopper's story. what: `ship`, `cancel_at_once`, `cancel_later`, `refund_line`, `refund_by_hand`."""

    number: int
    purchase: Purchase
    what: str
    after_s: float
    order_id: str = ""
    intent: str | None = None
    cancelled: bool | None = None  # whether the store took the cancellation
    refunded: bool = False

    @property
    def store(self) -> str:
        return self.purchase.store


@dataclass
class Story:
    """decided: what became of the cancellations in another run of the same story, which this one repeats."""

    sandbox: Sandbox
    orders: list[Planned]
    decided: dict[int, bool] = field(default_factory=dict)
    _placed: dict[str, int] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Everybody has done what they were going to."""
        return all(one.order_id and self._acted(one) for one in self.orders)

    def start(self) -> None:
        self._checkout = Checkout(self.sandbox)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._live(one)) for one in self.orders]

    def _acted(self, one: Planned) -> bool:
        if one.what.startswith("cancel"):
            return one.cancelled is not None
        return one.refunded or not one.what.startswith("refund")

    async def _live(self, one: Planned) -> None:
        await asyncio.sleep(one.purchase.after_s)
        self._place(one)
        store = self.sandbox.shopify[one.store]
        if one.what.startswith("cancel"):
            if one.number in self.decided:
                one.cancelled = False
                if not self.decided[one.number]:
                    return
            await asyncio.sleep(one.after_s if one.number not in self.decided else 0.01)
            one.cancelled = store.cancel_order(one.order_id, reason="CUSTOMER", refund=True)
        elif one.what == "refund_line":
            await self._until_shipped(one)
            await asyncio.sleep(one.after_s)
            line = store.order(one.order_id).lines[0]
            assert store.refund_order(one.order_id, [(line.id, 1)], None, "broken")
            one.refunded = True
        elif one.what == "refund_by_hand":
            await self._until_shipped(one)
            await asyncio.sleep(one.after_s)
            if one.intent is not None:
                self.sandbox.stripe["main"].refund_from_dashboard(one.intent, 100)
            one.refunded = True

    async def _until_shipped(self, one: Planned) -> None:
        order = self.sandbox.shopify[one.store].order(one.order_id)
        # The world looks now and then.
        while any(work.status != "CLOSED" for work in order.fulfillment_orders):  # noqa: ASYNC110
            await asyncio.sleep(600.0)

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
        )
        placed = self._checkout.place(order)
        one.order_id = placed.id
        one.intent = self._checkout.intents.get(placed.id)


def _next(ids: Ids) -> int:
    ids._last += 1
    return ids._last


def tell(sandbox: Sandbox, seed: int, orders: int, decided: dict[int, bool] | None = None) -> Story:
    """A story of so many orders over the first days."""
    rng = random.Random(f"{seed}/story")
    products = sandbox.world._products
    stores = tuple(sandbox.shopify)
    purchases = plan_purchases(rng, products, stores=stores, count=orders, rate_per_s=orders / TRADING_S)
    scale = min(1.0, TRADING_S / purchases[-1].after_s)
    planned = []
    for number, purchase in enumerate(purchases):
        what = rng.choices(
            ("ship", "cancel_at_once", "cancel_later", "refund_line", "refund_by_hand"), (60, 9, 13, 10, 8)
        )[0]
        if what == "refund_by_hand" and purchase.store != "north":
            what = "refund_line"
        after_s = {"cancel_at_once": rng.uniform(0, 1.0), "cancel_later": 2.0 ** rng.uniform(0.0, 8.0)}.get(
            what, rng.uniform(1, 3600)
        )
        moved = dataclasses.replace(purchase, after_s=purchase.after_s * scale, cancel_after_s=None)
        planned.append(Planned(number, moved, what, after_s))
    return Story(sandbox, planned, decided or {})
