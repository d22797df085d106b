"""Products, inventory, locations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tradewind.sandbox.shopify.catalog import Location, Product, Variant
from tradewind.sandbox.shopify.ids import gid, level_gid, number_of
from tradewind.sandbox.shopify.money import text
from tradewind.sandbox.shopify.pages import bad_request, by_id, page
from tradewind.sandbox.shopify.stock import NAMES, Level
from tradewind.sandbox.shopify.views.base import View, time

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


def product(store: ShopifyStore, given: Product) -> View:
    """Product."""
    return {
        "__typename": "Product",
        "id": gid("Product", given.id),
        "legacyResourceId": str(given.id),
        "title": given.title,
        "handle": given.handle,
        "vendor": given.vendor,
        "productType": "",
        "status": "ACTIVE",
        "descriptionHtml": "",
        "tags": [],
        "createdAt": time(given.created_at),
        "updatedAt": time(given.updated_at),
        "publishedAt": time(given.created_at),
        "totalInventory": lambda _: sum(store.stock.available(each.item_id) for each in given.variants),
        "tracksInventory": True,
        "hasOnlyDefaultVariant": [each.title for each in given.variants] == ["Default Title"],
        "isGiftCard": False,
        "variantsCount": {"count": len(given.variants), "precision": "EXACT"},
        "options": lambda _, **__: [
            {
                "id": gid("ProductOption", given.id + 1),
                "name": "Title",
                "position": 1,
                "values": [each.title for each in given.variants],
            }
        ],
        "variants": lambda _, **arguments: page(
            given.variants, lambda each: variant(store, each), arguments, lambda each: (each.position, each.id)
        ),
    }


def variant(store: ShopifyStore, given: Variant) -> View:
    """ProductVariant."""
    default = given.title == "Default Title"
    return {
        "__typename": "ProductVariant",
        "id": gid("ProductVariant", given.id),
        "legacyResourceId": str(given.id),
        "title": given.title,
        "displayName": given.product.title if default else f"{given.product.title} - {given.title}",
        "sku": given.sku,
        "barcode": None,
        "price": text(given.price, store.currency),
        "compareAtPrice": None,
        "position": given.position,
        "taxable": True,
        "inventoryQuantity": lambda _: store.stock.available(given.item_id),
        "inventoryPolicy": "DENY",
        "inventoryItem": lambda _: item(store, given),
        "product": lambda _: product(store, given.product),
        "createdAt": time(given.created_at),
        "updatedAt": time(given.updated_at),
        "availableForSale": lambda _: store.stock.available(given.item_id) > 0,
        "selectedOptions": [{"name": "Title", "value": given.title}],
    }


def item(store: ShopifyStore, given: Variant) -> View:
    """InventoryItem: a variant as something that lies in stock."""

    def level_at(_: Any, locationId: str, **__: Any) -> View | None:  # noqa: N803 -- the argument's name in the schema
        found = store.stock.level(given.item_id, number_of(locationId, "Location") or 0)
        return level(store, found) if found else None

    return {
        "__typename": "InventoryItem",
        "id": gid("InventoryItem", given.item_id),
        "legacyResourceId": str(given.item_id),
        "sku": given.sku,
        "tracked": True,
        "requiresShipping": given.requires_shipping,
        "createdAt": time(given.created_at),
        "updatedAt": time(given.updated_at),
        "unitCost": None,
        "measurement": {"id": gid("InventoryItemMeasurement", given.item_id), "weight": None},
        "locationsCount": lambda _: {"count": len(store.stock.of_item(given.item_id)), "precision": "EXACT"},
        "inventoryLevel": level_at,
        "inventoryLevels": lambda _, **arguments: levels(store, store.stock.of_item(given.item_id), arguments),
        "variants": lambda _, **arguments: page([given], lambda each: variant(store, each), arguments, by_id),
    }


def levels(store: ShopifyStore, given: list[Level], arguments: dict[str, Any]) -> View:
    """Inventory levels, page by page."""
    return page(given, lambda each: level(store, each), arguments, lambda each: (each.item_id, each.location_id))


def level(store: ShopifyStore, given: Level) -> View:
    """InventoryLevel."""
    own_id = level_gid(given.item_id, given.location_id)

    def quantities(_: Any, names: list[str]) -> list[View]:
        if unknown := sorted(set(names) - set(NAMES)):
            raise bad_request(f"The specified quantity names are invalid: {', '.join(unknown)}")
        return [
            {
                "id": f"gid://shopify/InventoryQuantity/{given.location_id}?inventory_item_id={given.item_id}&name={name}",
                "name": name,
                "quantity": given.quantity(name),
                "updatedAt": time(given.updated_at),
            }
            for name in names
        ]

    return {
        "__typename": "InventoryLevel",
        "id": own_id,
        "item": lambda _: item(store, store.catalog.by_item[given.item_id]),
        "location": lambda _: location(store, store.catalog.locations[given.location_id]),
        "quantities": quantities,
        "createdAt": time(given.created_at),
        "updatedAt": time(given.updated_at),
        "isActive": True,
        "canDeactivate": False,
    }


def location(store: ShopifyStore, given: Location) -> View:
    """Location."""
    address = given.address
    lines = [address.address1, address.address2, f"{address.city or ''} {address.zip or ''}".strip(), address.country]

    def level_of(_: Any, inventoryItemId: str, **__: Any) -> View | None:  # noqa: N803 -- as in the schema
        found = store.stock.level(number_of(inventoryItemId, "InventoryItem") or 0, given.id)
        return level(store, found) if found else None

    return {
        "__typename": "Location",
        "id": gid("Location", given.id),
        "legacyResourceId": str(given.id),
        "name": given.name,
        "address": {
            "address1": address.address1,
            "address2": address.address2,
            "city": address.city,
            "country": address.country,
            "countryCode": address.country_code,
            "formatted": [line for line in lines if line],
            "phone": address.phone,
            "province": address.province,
            "provinceCode": address.province_code,
            "zip": address.zip,
            "latitude": None,
            "longitude": None,
        },
        "isActive": True,
        "fulfillsOnlineOrders": True,
        "shipsInventory": True,
        "hasActiveInventory": lambda _: any(each.quantity("on_hand") for each in store.stock.at_location(given.id)),
        "isFulfillmentService": False,
        "createdAt": time(given.created_at),
        "updatedAt": time(given.updated_at),
        "inventoryLevel": level_of,
        "inventoryLevels": lambda _, **arguments: levels(store, store.stock.at_location(given.id), arguments),
    }
