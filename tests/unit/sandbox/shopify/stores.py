"""A small store inside the test: its clock stands still, and what it sends to subscribers waits in the sender."""

import json
from decimal import Decimal
from typing import Any

from tradewind.sandbox.clock import ManualClock
from tradewind.sandbox.kernel import Sandbox
from tradewind.sandbox.sender import Hook
from tradewind.sandbox.shopify import PlacedLine, ShopifyStore, StoreOrder
from tradewind.sandbox.shopify.graphql_api import GraphqlApi, Request

TOPICS = (
    "ORDERS_CREATE",
    "ORDERS_UPDATED",
    "ORDERS_PAID",
    "ORDERS_CANCELLED",
    "ORDERS_FULFILLED",
    "ORDERS_PARTIALLY_FULFILLED",
    "FULFILLMENTS_CREATE",
    "FULFILLMENTS_UPDATE",
    "REFUNDS_CREATE",
    "ORDER_TRANSACTIONS_CREATE",
    "PRODUCTS_CREATE",
    "PRODUCTS_UPDATE",
    "INVENTORY_LEVELS_UPDATE",
    "ORDERS_EDITED",
    "ORDERS_RISK_ASSESSMENT_CHANGED",
    "FULFILLMENT_ORDERS_PLACED_ON_HOLD",
    "FULFILLMENT_ORDERS_HOLD_RELEASED",
    "RETURNS_REQUEST",
    "RETURNS_APPROVE",
    "RETURNS_UPDATE",
    "RETURNS_CLOSE",
    "APP_UNINSTALLED",
)
ADDRESS = {
    "first_name": "Ada",
    "last_name": "Khan",
    "name": "Ada Khan",
    "address1": "1 High Street",
    "city": "Leeds",
    "zip": "LS1 4AP",
    "country_code": "GB",
    "phone": "+442071234567",
}


class Shop:
    """A store with two locations and three SKUs: MUG and JUG at both, LAMP at Leeds alone."""

    def __init__(self, *, account: str = "north") -> None:
        self.clock = ManualClock()
        self.sandbox = Sandbox(seed=1, faults="none", base_url="http://sandbox", clock=self.clock)
        self.store = ShopifyStore(account, sandbox=self.sandbox, currency="GBP", zone_hours=1)
        self.sandbox.shopify[account] = self.store
        self.api = GraphqlApi()
        for name in ("London", "Leeds"):
            self.store.add_location(name, {"address1": "1 Wharf", "city": name, "zip": "E1 1AA", "country_code": "GB"})
        for sku, price, stock in (
            ("MUG", "9.99", {"London": 10, "Leeds": 10}),
            ("JUG", "20.00", {"London": 2, "Leeds": 10}),
            ("LAMP", "35.50", {"Leeds": 5}),
        ):
            self.store.add_product(
                sku.title(), "Potter", [{"sku": sku, "title": "Small", "price": Decimal(price)}], {sku: stock}
            )

    def subscribe(self, *topics: str) -> None:
        """Listen to topics, all of them by default."""
        for topic in topics or TOPICS:
            self.store.subscriptions.create(topic, "http://127.0.0.1:9/hook", self.store.now())

    def sent(self) -> list[Hook]:
        """What has been sent since the last look."""
        hooks, self.sandbox.sender.backlog = self.sandbox.sender.backlog, []
        return hooks

    def place(self, *lines: PlacedLine, **given: Any) -> StoreOrder:
        """An order, by default of three mugs paid by Shopify Payments."""
        terms: dict[str, Any] = {
            "customer": {"first_name": "Ada", "last_name": "Khan", "email": "ada@example.com"},
            "shipping_address": ADDRESS,
            "email": "ada@example.com",
            "shipping": Decimal("3.95"),
            "tax_rate": Decimal("0.20"),
            "taxes_included": True,
            "gateway": "shopify_payments",
            "kind": "sale",
            "payment_id": None,
        }
        return self.store.place_order(lines=lines or (PlacedLine("MUG", 3, Decimal("9.99")),), **{**terms, **given})

    def ask(self, query: str, /, **variables: Any) -> dict[str, Any]:
        """The whole answer to a GraphQL document."""
        return self.api.run(self.store, Request(query, variables))

    def data(self, query: str, /, **variables: Any) -> dict[str, Any]:
        """The data of an answer without errors."""
        answer = self.ask(query, **variables)
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    def quantities(self, sku: str, location: str) -> dict[str, int]:
        """What lies at a location."""
        variant = self.store.catalog.by_sku[sku]
        level = self.store.stock.level(variant.item_id, self.store.catalog.location_named(location).id)
        assert level is not None
        return {name: level.quantity(name) for name in ("available", "committed", "on_hand")}


def body(hook: Hook) -> dict[str, Any]:
    """The parsed body of a webhook."""
    parsed: dict[str, Any] = json.loads(hook.body)
    return parsed


def gid(kind: str, number: int | str) -> str:
    """A global id."""
    return f"gid://shopify/{kind}/{number}"
