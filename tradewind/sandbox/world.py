"""The merchant and its shoppers: what happens in the world while tradewind looks on."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tradewind.sandbox.catalogue import LOCATIONS, invent_products, products_of, stock_store
from tradewind.sandbox.checkout import VAT, Checkout, Order
from tradewind.sandbox.doings import Doings
from tradewind.sandbox.life import LIVES, PENNY, PLAIN, Fate, fate_of, journey_of
from tradewind.sandbox.plants import NotNow, Plants
from tradewind.sandbox.replay import History, ReplayReport, read_history
from tradewind.sandbox.replay.classes import PLACED
from tradewind.sandbox.replay.orders import goods_sold
from tradewind.sandbox.replay.player import Player
from tradewind.sandbox.shopify.money import Currencies
from tradewind.sandbox.shopify.order import IN_DOUBT, UNASSESSED, PlacedLine
from tradewind.sandbox.shopify.placing import Terms
from tradewind.sandbox.shoppers import Purchase, plan_purchases
from tradewind.sandbox.timetable import Timetable

if TYPE_CHECKING:
    from tradewind.sandbox.kernel import Sandbox


class World:
    """One merchant, its goods at every store, and the people who buy them."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._timetable = Timetable(sandbox.clock)
        self._checkout = Checkout(sandbox)
        self._doings = Doings(sandbox, self._checkout, self._timetable)
        self._plants = Plants(sandbox, self._checkout)
        self._rng = sandbox.rng("world")
        self._life_rng = sandbox.rng("life")
        self._products = invent_products(sandbox.rng("catalogue"))
        self._planned = 0
        self._history: History | None = None
        self._played = False
        self.report: ReplayReport | None = None
        for store in sandbox.shopify.values():
            for name, address in LOCATIONS.items():
                store.add_location(name, dict(address))
            stock_store(store, self._products)

    def start(self, *, orders: int, rate_per_s: float, life: str = "plain") -> None:
        """Let this many shoppers come, rate_per_s on average. May be called again for more.

        life: "plain", or "full" for everything that `life` knows. Raises ValueError for another.
        """
        if life not in LIVES:
            raise ValueError(f"unknown life {life!r}: expected one of {', '.join(LIVES)}")
        stores = tuple(self._sandbox.shopify)
        purchases = plan_purchases(self._rng, self._products, stores=stores, count=orders, rate_per_s=rate_per_s)
        self._planned += len(purchases)
        fates = [fate_of(self._life_rng, purchase) if life == "full" else PLAIN for purchase in purchases]
        if life == "full":
            self._let_parcels_fail()
        steps = [
            (purchase.after_s, partial(self._buy, purchase, fate))
            for purchase, fate in zip(purchases, fates, strict=True)
        ]
        self._timetable.run(steps)

    def _let_parcels_fail(self) -> None:
        for account in self._sandbox.shipstation.values():
            account.shipping.journey_of = partial(journey_of, self._sandbox)
            account.shipping.on_sent_back = self._doings.take_back_undeliverable

    def prepare_replay(self, path: str | Path) -> History:
        """Read a history and put its goods on sale, so that they are there before anyone connects.

        The stores sell in its currency from then on. Raises HistoryUnreadable; NotNow if another history was prepared
        before, or the stores have sold in another currency.
        """
        if self._history is not None:
            if str(path) != self._history.path:
                raise NotNow(f"this world replays {self._history.path} already")
            return self._history
        history = read_history(path)
        stores = self._sandbox.shopify.values()
        if any(store.orders and store.currency != history.currency for store in stores):
            raise NotNow(f"{history.path} is in {history.currency}, and the stores have sold in another one already")
        products = products_of(goods_sold(history.invoices))
        for store in stores:
            store.currency = history.currency
            stock_store(store, products)
        self._history, self.report = history, ReplayReport(history)
        return history

    def start_replay(self, path: str | Path, *, rate_per_s: float) -> None:
        """Act a history out, rate_per_s entries a second, in the order of the file.

        Raises HistoryUnreadable, or NotNow: a world replays one history, once.
        """
        history = self.prepare_replay(path)
        if self._played or self.report is None:
            raise NotNow(f"{history.path} has been replayed already")
        self._played = True
        self._planned += sum(found.kind in PLACED for found in history.entries)
        player = Player(self._sandbox, self._checkout, self._timetable, history, self.report)
        self._timetable.run(player.steps(rate_per_s))

    def progress(self) -> dict[str, Any]:
        """How far it is. quiet: nothing is left to happen, and no webhook is on its way."""
        truth = self._sandbox.truth
        return {
            "planned": self._planned,
            "placed": len(truth.of("order_accepted")),
            "labels": len(truth.of("label_requested")),
            "fulfilled": len({(fact["store"], fact["order_id"]) for fact in truth.of("order_fulfilled")}),
            "cancelled": len(truth.of("cancel_acknowledged")),
            "failures": list(self._timetable.failures),
            "quiet": self._timetable.idle and self._sandbox.sender.idle,
        }

    def plant(self, kind: str) -> dict[str, Any]:
        """Plant a fault in the books that no webhook tells of, and say what it was.

        Raises ValueError for an unknown kind, NotNow if nothing is there to be spoilt.
        """
        return self._plants.plant(kind)

    async def stop(self) -> None:
        """Nothing more happens."""
        await self._timetable.stop()

    def _buy(self, purchase: Purchase, fate: Fate) -> None:
        store = self._sandbox.shopify[purchase.store]
        lines = [
            PlacedLine(
                sku=line.variant.sku,
                quantity=line.quantity,
                unit_price=line.variant.price,
                discount=line.discount,
                title=line.title,
                requires_shipping=line.variant.requires_shipping,
                duty=(line.variant.price * line.quantity * fate.duty_rate).quantize(PENNY),
            )
            for line in purchase.lines
        ]
        shown = Currencies(store.currency, fate.currency or store.currency, fate.rate)
        terms = Terms(purchase.shipping, VAT, not fate.tax_added, shown, fate.tip)
        placed = self._checkout.place(
            Order(
                store=purchase.store,
                lines=lines,
                total=terms.total(lines),
                shopper=purchase.shopper,
                payment_id=purchase.payment_id,
                kind=purchase.kind,
                shipping=purchase.shipping,
                taxes_included=terms.taxes_included,
                money=shown,
                tip=fate.tip,
                gift_card=fate.gift_card,
                risk=IN_DOUBT if fate.doing in ("reviewed", "fraud") else UNASSESSED,
                hold=fate.hold,
            )
        )
        self._doings.follow(purchase.store, placed, fate)
        if purchase.cancel_after_s is not None:
            cancel = partial(store.cancel_order, placed.id, reason="CUSTOMER", refund=True)
            self._timetable.later(purchase.cancel_after_s, cancel)
