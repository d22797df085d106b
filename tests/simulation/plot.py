"""What shoppers and the merchant are going to do: planned from the seed."""

from __future__ import annotations

import dataclasses
import random

from tests.simulation.doings import ACTS
from tests.simulation.front import Front
from tests.simulation.story import Planned, Story
from tradewind.sandbox.kernel import Sandbox
from tradewind.sandbox.shoppers import plan_purchases

DAY_S = 86_400.0
TRADING_S = 2.75 * DAY_S

# What becomes of an order, and how often of a hundred.
KINDS = {
    "ship": 44,
    "cancel_at_once": 7,
    "cancel_later": 8,
    "cancel_waiting": 5,
    "refund_line": 5,
    "refund_by_hand": 3,
    "refund_twice": 4,
    "refund_unheard": 4,
    "refund_before_sweep": 4,
    "refund_shipping": 2,
    "returned": 4,
    "line_added": 3,
    "quantity_lowered": 3,
    "reviewed": 2,
    "fraud": 1,
    "dispute_won": 1,
    "dispute_lost": 1,
    "dispute_open": 1,
}
AT_PROCESSOR = ("refund_by_hand", "dispute_won", "dispute_lost", "dispute_open")


def tell(
    sandbox: Sandbox, seed: int, orders: int, decided: dict[int, bool] | None = None, front: Front | None = None
) -> Story:
    """A story of so many orders over the first days."""
    rng = random.Random(f"{seed}/story")
    products = sandbox.world._products
    stores = tuple(sandbox.shopify)
    purchases = plan_purchases(rng, products, stores=stores, count=orders, rate_per_s=orders / TRADING_S)
    scale = min(1.0, TRADING_S / purchases[-1].after_s)
    planned = []
    for number, purchase in enumerate(purchases):
        what = rng.choices(tuple(KINDS), tuple(KINDS.values()))[0]
        if what in AT_PROCESSOR and purchase.store != "north":
            what = "refund_line"
        after_s = {
            "cancel_at_once": rng.uniform(0, 1.0),
            "cancel_later": 2.0 ** rng.uniform(0.0, 8.0),
            "cancel_waiting": rng.uniform(300.0, 1500.0),
            "line_added": 2.0 ** rng.uniform(0.0, 10.0),
            "quantity_lowered": 2.0 ** rng.uniform(0.0, 10.0),
        }.get(what, rng.uniform(1, 3600))
        moved = dataclasses.replace(purchase, after_s=purchase.after_s * scale, cancel_after_s=None)
        planned.append(Planned(number, moved, what, after_s))
    return Story(sandbox, planned, ACTS, decided or {}, front)
