"""The fields of QueryRoot."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tradewind.sandbox.shopify.access import guarded
from tradewind.sandbox.shopify.catalog import Location, Product, Variant
from tradewind.sandbox.shopify.lookup import found_by_gid
from tradewind.sandbox.shopify.order import StoreOrder
from tradewind.sandbox.shopify.pages import Key, page
from tradewind.sandbox.shopify.payment import financial_status, fulfillment_status
from tradewind.sandbox.shopify.search import Fields, compile_query
from tradewind.sandbox.shopify.subscriptions import Subscription
from tradewind.sandbox.shopify.views import goods, orders, shops
from tradewind.sandbox.shopify.views.base import View, time

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore

R = TypeVar("R")
Info = Any

_FULFILLMENT_WORDS: Final[dict[str, list[str]]] = {
    "UNFULFILLED": ["unfulfilled", "unshipped"],
    "PARTIALLY_FULFILLED": ["partial"],
    "FULFILLED": ["fulfilled", "shipped"],
}
_ORDER_FIELDS: Final[Fields] = {
    "id": lambda each: each.legacy_id,
    "name": lambda each: [each.name, each.name.lstrip("#")],
    "created_at": lambda each: each.created_at,
    "processed_at": lambda each: each.processed_at,
    "updated_at": lambda each: each.updated_at,
    "email": lambda each: each.email,
    "financial_status": financial_status,
    "fulfillment_status": lambda each: _FULFILLMENT_WORDS[fulfillment_status(each)],
    "gateway": lambda each: each.gateway,
    "payment_id": lambda each: [transaction.payment_id for transaction in each.transactions],
    "sku": lambda each: [line.sku for line in each.lines],
    "status": lambda each: _order_statuses(each),
    "tag": lambda each: each.tags,
    "test": lambda each: False,
    "confirmation_number": lambda each: each.confirmation_number,
}
_PRODUCT_FIELDS: Final[Fields] = {
    "id": lambda each: each.id,
    "title": lambda each: each.title,
    "handle": lambda each: each.handle,
    "vendor": lambda each: each.vendor,
    "status": lambda each: "active",
    "sku": lambda each: [variant.sku for variant in each.variants],
    "created_at": lambda each: each.created_at,
    "updated_at": lambda each: each.updated_at,
}
_VARIANT_FIELDS: Final[Fields] = {
    "id": lambda each: each.id,
    "sku": lambda each: each.sku,
    "title": lambda each: each.title,
    "product_id": lambda each: each.product.id,
    "updated_at": lambda each: each.updated_at,
}
_ITEM_FIELDS: Final[Fields] = {
    "id": lambda each: each.item_id,
    "sku": lambda each: each.sku,
    "created_at": lambda each: each.created_at,
    "updated_at": lambda each: each.updated_at,
}
_LOCATION_FIELDS: Final[Fields] = {
    "id": lambda each: each.id,
    "name": lambda each: each.name,
    "created_at": lambda each: each.created_at,
}

# Sorted by what is not listed here, records come by id.
_ORDER_KEYS: Final[dict[str, Key[StoreOrder]]] = {
    "CREATED_AT": lambda each: (time(each.created_at), each.legacy_id),
    "PROCESSED_AT": lambda each: (time(each.processed_at), each.legacy_id),
    "UPDATED_AT": lambda each: (time(each.updated_at), each.legacy_id),
    "TOTAL_PRICE": lambda each: (float(each.total), each.legacy_id),
    "CURRENT_TOTAL_PRICE": lambda each: (float(each.current_total), each.legacy_id),
    "ORDER_NUMBER": lambda each: (each.number, each.legacy_id),
}
_PRODUCT_KEYS: Final[dict[str, Key[Product]]] = {
    "CREATED_AT": lambda each: (time(each.created_at), each.id),
    "UPDATED_AT": lambda each: (time(each.updated_at), each.id),
    "TITLE": lambda each: (each.title, each.id),
    "VENDOR": lambda each: (each.vendor, each.id),
}
_VARIANT_KEYS: Final[dict[str, Key[Variant]]] = {
    "SKU": lambda each: (each.sku, each.id),
    "TITLE": lambda each: (each.title, each.id),
    "POSITION": lambda each: (each.position, each.id),
}
_LOCATION_KEYS: Final[dict[str, Key[Location]]] = {"NAME": lambda each: (each.name, each.id)}
_SUBSCRIPTION_KEYS: Final[dict[str, Key[Subscription]]] = {
    "CREATED_AT": lambda each: (time(each.created_at), each.id),
}


def root(store: ShopifyStore) -> View:
    """QueryRoot."""
    return {
        "shop": lambda _: shops.shop(store),
        "currentAppInstallation": lambda _: shops.app_installation(store),
        **_order_fields(store),
        **_goods_fields(store),
        **_app_fields(store),
        "node": lambda _, id: found_by_gid(store, id),
        "nodes": lambda _, ids: [found_by_gid(store, each) for each in ids],
    }


def _order_fields(store: ShopifyStore) -> View:
    def listed(_: Info, query: str | None = None, **arguments: Any) -> View:
        key = _ORDER_KEYS.get(arguments["sortKey"], lambda each: (each.legacy_id,))
        return page(_orders(store, query), lambda each: orders.order(store, each), arguments, key)

    def count(_: Info, query: str | None = None, limit: int | None = None) -> View:
        number = len(_orders(store, query))
        capped = limit is not None and number > limit
        return {"count": limit if capped else number, "precision": "AT_LEAST" if capped else "EXACT"}

    return {
        "order": guarded(store, "read_orders", "order", _one(store, "Order")),
        "orders": guarded(store, "read_orders", "orders", listed),
        "return": guarded(store, "read_returns", "return", _one(store, "Return")),
        "ordersCount": guarded(store, "read_orders", "ordersCount", count),
        "fulfillmentOrder": guarded(
            store,
            "read_merchant_managed_fulfillment_orders",
            "fulfillmentOrder",
            _one(store, "FulfillmentOrder"),
        ),
    }


def _goods_fields(store: ShopifyStore) -> View:
    catalog = store.catalog

    def products(_: Info, query: str | None = None, **arguments: Any) -> View:
        found = _search(catalog.products.values(), query, _PRODUCT_FIELDS, lambda each: each.title)
        key = _PRODUCT_KEYS.get(arguments["sortKey"], lambda each: (each.id,))
        return page(found, lambda each: goods.product(store, each), arguments, key)

    def variants(_: Info, query: str | None = None, **arguments: Any) -> View:
        found = _search(catalog.variants.values(), query, _VARIANT_FIELDS, lambda each: f"{each.title} {each.sku}")
        key = _VARIANT_KEYS.get(arguments["sortKey"], lambda each: (each.id,))
        return page(found, lambda each: goods.variant(store, each), arguments, key)

    def items(_: Info, query: str | None = None, **arguments: Any) -> View:
        found = _search(catalog.by_item.values(), query, _ITEM_FIELDS, lambda each: each.sku)
        return page(found, lambda each: goods.item(store, each), arguments, lambda each: (each.item_id,))

    def locations(_: Info, query: str | None = None, **arguments: Any) -> View:
        found = _search(catalog.locations.values(), query, _LOCATION_FIELDS, lambda each: each.name)
        key = _LOCATION_KEYS.get(arguments["sortKey"], lambda each: (each.id,))
        return page(found, lambda each: goods.location(store, each), arguments, key)

    def location(_: Info, id: str | None = None) -> View | None:
        if id is not None:
            return found_by_gid(store, id, "Location")
        first = next(catalog.by_priority(), None)
        return goods.location(store, first) if first else None

    return {
        "product": guarded(store, "read_products", "product", _one(store, "Product")),
        "products": guarded(store, "read_products", "products", products),
        "productVariant": guarded(store, "read_products", "productVariant", _one(store, "ProductVariant")),
        "productVariants": guarded(store, "read_products", "productVariants", variants),
        "location": guarded(store, "read_locations", "location", location),
        "locations": guarded(store, "read_locations", "locations", locations),
        "inventoryItem": guarded(store, "read_inventory", "inventoryItem", _one(store, "InventoryItem")),
        "inventoryItems": guarded(store, "read_inventory", "inventoryItems", items),
        "inventoryLevel": guarded(store, "read_inventory", "inventoryLevel", _one(store, "InventoryLevel")),
    }


def _app_fields(store: ShopifyStore) -> View:
    def subscriptions(
        _: Info, topics: list[str] | None = None, uri: str | None = None, format: str | None = None, **arguments: Any
    ) -> View:
        found = [
            each
            for each in store.subscriptions
            if (not topics or each.topic in topics) and uri in (None, each.uri) and format in (None, each.format)
        ]
        key = _SUBSCRIPTION_KEYS.get(arguments["sortKey"], lambda each: (each.id,))
        return page(found, shops.subscription, arguments, key)

    def job(_: Info, id: str) -> View | None:
        found = store.jobs.by_id.get(id.rpartition("/")[2])
        return shops.job(found, root(store)) if found else None

    return {
        "webhookSubscription": _one(store, "WebhookSubscription"),
        "webhookSubscriptions": subscriptions,
        "job": job,
    }


def _one(store: ShopifyStore, kind: str) -> Callable[..., View | None]:
    """One record of a kind by its global id; None if there is none."""
    return lambda _, id: found_by_gid(store, id, kind)


def _orders(store: ShopifyStore, query: str | None) -> list[StoreOrder]:
    return _search(store.orders.values(), query, _ORDER_FIELDS, lambda each: f"{each.name} {each.email or ''}")


def _search(records: Iterable[R], query: str | None, fields: Fields, text: Callable[[Any], str]) -> list[R]:
    matches = compile_query(query, fields, text)
    return [each for each in records if matches(each)]


def _order_statuses(given: StoreOrder) -> list[str]:
    if given.cancelled_at is not None:
        return ["cancelled", "closed"]
    return ["closed"] if given.closed_at else ["open", "not_closed"]
