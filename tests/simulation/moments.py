"""Faults that wait for the moment at which they do most harm. How often each strikes follows from the seed alone."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from datetime import timedelta
from typing import Any

from tests.simulation.front import Asked, Fate, Front
from tests.simulation.story import Planned, Story
from tradewind.sandbox.kernel import Sandbox
from tradewind.sandbox.sender import Hook
from tradewind.sandbox.shopify import queries

HOUR_S = 3600.0
INDEXED_AFTER = timedelta(seconds=40)
"""A store lists a change only when its index knows of it. Source: shopify.dev, "API response status and error codes"
promises no time; changes of the last seconds are commonly missing."""

LOST_WHOLE = 0.05
"""Of what happens in a store: all that would tell of it is lost."""
LISTING_FAILS = 0.5
"""After that: the next listing ends in an error, for as long as it is tried again."""
ANSWERS_LOST = 0.15
"""Of a processor's effects: every answer is lost for a while, however often it is asked for."""
FAILS = 0.15
"""Of them: the first attempt fails once it has begun. Half of such failures are kept under their key."""
_UNHEARD = ("refund_unheard", "refund_before_sweep")


class Moments:
    """Of one seed. Without `start` nothing goes wrong."""

    def __init__(self, sandbox: Sandbox, story: Story, front: Front, rng: random.Random, fired: Counter[str]) -> None:
        self._sandbox = sandbox
        self._story = story
        self._front = front
        self._rng = rng
        self._fired = fired
        self._send = sandbox.sender.send
        self._fails_from: dict[str, float | None] = {}
        self._lost_until: dict[tuple[str, str], float] = {}
        self._whole: dict[str, str] = {}  # what becomes of everything that tells of a happening
        self._carrier_away_until = 0.0
        self._over = False

    def start(self) -> None:
        self._send = self._sandbox.sender.send
        self._sandbox.sender.send = self._tell  # type: ignore[method-assign]
        self._front.rules += [self._carrier_away, self._listing_fails, self._effect_fails]

    def end(self) -> None:
        self._over = True

    # At the providers

    def _carrier_away(self, asked: Asked) -> Fate:
        """While an order waits for a label and its shopper makes up their mind."""
        if not asked.connection.startswith("shipstation:") or asked.at_s >= self._carrier_away_until:
            return None
        self._fired["carrier_away"] += 1
        return "refuse"

    def _listing_fails(self, asked: Asked) -> Fate:
        if not asked.is_listing or asked.connection not in self._fails_from:
            return None
        began_s = self._fails_from[asked.connection]
        if began_s is None:
            began_s = self._fails_from[asked.connection] = asked.at_s
            self._fired["listing_fails"] += 1
        if asked.at_s < began_s + 600.0:
            return "refuse"
        del self._fails_from[asked.connection]
        return None

    def _effect_fails(self, asked: Asked) -> Fate:
        if self._over or asked.method != "POST" or asked.connection != "stripe:main":
            return None
        if not asked.path.endswith(("/capture", "/refunds", "/cancel")):
            return None
        effect = (asked.path, asked.body)
        if effect not in self._lost_until:
            draw = self._rng.random()
            self._lost_until[effect] = asked.at_s + self._rng.uniform(20.0, 150.0) if draw < ANSWERS_LOST else 0.0
            if ANSWERS_LOST <= draw < ANSWERS_LOST + FAILS:
                self._fired["effect_fails"] += 1
                return "fail"
        if asked.at_s >= self._lost_until[effect]:
            return None
        self._fired["answers_lost"] += 1
        return "lose"

    # On the way to the gateway

    def _tell(self, hook: Hook) -> None:
        if self._over or not hook.connection.startswith("shopify:"):
            self._send(hook)
            return
        happening = hook.headers(self._sandbox.clock.now())["X-Shopify-Event-Id"]
        if happening not in self._whole:
            self._whole[happening] = self._fate_of(hook)
        match self._whole[happening]:
            case "lost":
                return
            case "late":
                loop = asyncio.get_running_loop()
                loop.call_later(self._rng.uniform(1.0, 4.0) * HOUR_S, self._send, hook)
            case _:
                self._send(hook)

    def _fate_of(self, hook: Hook) -> str:
        """Of everything that tells of what this hook is the first to tell of."""
        one = self._story.placing or self._story_of(hook)
        if one is not None and one.what == "cancel_waiting":
            return self._of_waiting(one, hook)
        unheard = one is not None and one.what in _UNHEARD and hook.topic == "refunds/create"
        if not unheard and self._rng.random() >= LOST_WHOLE:
            return "told"
        self._fired["lost_whole"] += 1
        if one is not None and one.what == "refund_before_sweep":
            return "lost"
        if self._rng.random() < LISTING_FAILS or unheard:
            self._fails_from.setdefault(hook.connection, None)
        return "lost"

    def _of_waiting(self, one: Planned, hook: Hook) -> str:
        if hook.topic == "orders/create":
            now_s = self._sandbox.clock.monotonic()
            self._carrier_away_until = max(self._carrier_away_until, now_s + 1.2 * HOUR_S)
        if hook.topic != "orders/cancelled":
            return "told"
        self._fired["late_whole"] += 1
        return "late"

    def _story_of(self, hook: Hook) -> Planned | None:
        try:
            told: Any = json.loads(hook.body)
        except ValueError:
            return None
        if not isinstance(told, dict):
            return None
        number = str(told.get("order_id") or told.get("id"))
        account = hook.connection.partition(":")[2]
        found = (one for one in self._story.orders if (one.store, one.order_id) == (account, number))
        return next(found, None)


def index_late() -> None:
    """Stores list what changed a little late, as all of them do."""
    listed = queries._orders

    def known(store: Any, query: str | None) -> list[Any]:
        found = listed(store, query)
        if not query or "updated_at:" not in query:
            return found
        return [order for order in found if store.clock.now() - order.updated_at >= INDEXED_AFTER]

    if listed.__name__ != known.__name__:
        queries._orders = known
