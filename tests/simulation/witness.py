"""What is seen from outside: every acknowledged delivery, every reading of an order, the shelves of the stores."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from tests.simulation.front import Front
from tradewind.sandbox.outcomes import order_outcomes

_GID = re.compile(r"gid://shopify/Order/(\d+)")


@dataclass
class Witness:
    """What was seen from outside: every acknowledged delivery, every reading of an order, the shelves."""

    front: Front
    acknowledged: set[tuple[str, str]] = field(default_factory=set)
    sent: set[tuple[str, str]] = field(default_factory=set)
    happened: set[tuple[str, str]] = field(default_factory=set)
    scans: set[tuple[str, str]] = field(default_factory=set)
    read: defaultdict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    shelves_before: dict[tuple[str, str, str], int] = field(default_factory=dict)
    shelves_after: dict[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)
    planned: list[Any] = field(default_factory=list)
    orders: dict[tuple[str, str], Any] = field(default_factory=dict)
    poison: set[str] = field(default_factory=set)
    paused: list[tuple[str, float, float]] = field(default_factory=list)
    started_at: datetime | None = None
    topics: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    subscribed: dict[str, set[str]] = field(default_factory=dict)
    accounts: list[dict[str, Any]] = field(default_factory=list)

    def note(self, at_s: float, delivered: bool, request: Any, status: int) -> None:
        """A request was answered. delivered: it was a webhook to the gateway."""
        if delivered:
            name = _name_of(request)
            self.sent.add(name)
            if 200 <= status < 300:
                self.acknowledged.add(name)
                self._note_scan(request, name[0])
        elif "/graphql.json" in request.url.path and status < 300:
            store = request.url.path.split("/")[2]
            for number in set(_GID.findall(request.content.decode())):
                self.read[store, number].append(at_s)

    def _note_scan(self, request: Any, connection: str) -> None:
        if connection.startswith("shipstation"):
            told = json.loads(request.content).get("data") or {}
            for event in told.get("events", ()):
                at = datetime.fromisoformat(event["occurred_at"]).astimezone(UTC).isoformat()
                self.scans.add((connection, f"tracking/{told['tracking_number']}/{at}"))

    def seconds(self, at: datetime) -> float:
        """Since the beginning."""
        assert self.started_at is not None
        return (at - self.started_at).total_seconds()

    def _subscribe(self, account: str, create: Any, topic: str, *arguments: Any, **more: Any) -> Any:
        self.topics[account].add(topic)
        return create(topic, *arguments, **more)

    def note_start(self, sandbox: Any) -> None:
        self.started_at = sandbox.clock.now()
        self.shelves_before = {place: held[0] for place, held in _shelves(sandbox).items()}
        for account, store in sandbox.shopify.items():
            store.subscriptions.create = partial(self._subscribe, account, store.subscriptions.create)

        tell = sandbox.sender.send

        def telling(hook: Any) -> None:
            if hook.connection.startswith("stripe:"):
                self.happened.add((hook.connection, json.loads(hook.body)["id"]))
            tell(hook)

        sandbox.sender.send = telling

    def note_end(self, sandbox: Any, planned: list[Any], poison: list[str], paused: list[Any]) -> None:
        self.shelves_after = _shelves(sandbox)
        self.planned, self.poison, self.paused = planned, set(poison), paused
        self.subscribed = {name: {one.topic for one in store.subscriptions} for name, store in sandbox.shopify.items()}
        self.accounts = order_outcomes(sandbox.truth)
        self.orders = {(one.store, one.order_id): sandbox.shopify[one.store].order(one.order_id)
                       for one in planned if one.order_id}  # fmt: skip


def _name_of(request: Any) -> tuple[str, str]:
    """A delivery by its connection and by what its provider promises to be the same for every repetition."""
    provider, account = request.url.path.split("/")[2:4]
    connection = f"{provider}:{account}"
    if provider == "shopify":
        return connection, request.headers["x-shopify-webhook-id"]
    told = json.loads(request.content)
    if provider == "stripe":
        return connection, told["id"]
    return connection, f"{told['resource_type']}|{told['resource_url']}|{told.get('data')}"


def _shelves(sandbox: Any) -> dict[tuple[str, str, str], tuple[int, int]]:
    """On hand and committed, by store, location number and SKU."""
    found = {}
    for account, store in sandbox.shopify.items():
        for product in store.catalog.products.values():
            for variant in product.variants:
                for level in store.stock.of_item(variant.item_id):
                    held = (level.quantity("on_hand"), level.quantity("committed"))
                    found[account, str(level.location_id), variant.sku] = held
    return found
