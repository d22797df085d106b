"""A label as a command asks for it and as the carrier answers."""

from typing import Any

from tradewind.domain.commands import BuyLabel
from tradewind.domain.money import Money
from tradewind.domain.order import Address
from tradewind.domain.roles import ShippingDetails

NAME = "shipstation:main"
SETTINGS = {"carrier_id": "se-123", "service_code": "usps_priority_mail", "warehouse_id": "se-9"}
COMMAND = BuyLabel(
    connection=NAME,
    order_id="shopify:north/gid://shopify/Order/1",
    fulfillment_order="gid://shopify/FulfillmentOrder/11",
    external_shipment_id="tw-0123456789abcdef01234567",
    storefront="shopify:north",
    order="gid://shopify/Order/1",
    items=(
        ("85123A", "WHITE HANGING HEART T-LIGHT HOLDER", 6, Money(minor=255, currency="GBP")),
        ("22423", "REGENCY CAKESTAND 3 TIER", 1, Money(minor=1275, currency="GBP")),
    ),
)
DETAILS = ShippingDetails(
    order_name="#1001",
    ship_to=Address(
        name="Ada Byron",
        line1="12 St James's Square",
        line2="Flat 2",
        city="London",
        region="Greater London",
        postal_code="SW1Y 4JH",
        country="GB",
        phone="+44 20 7946 0000",
    ),
    email="ada@example.com",
)


def label_object(**changes: Any) -> dict[str, Any]:
    return {
        "label_id": "se-77",
        "status": "completed",
        "created_at": "2026-11-01T11:00:00Z",
        "external_shipment_id": COMMAND.external_shipment_id,
        "external_order_id": COMMAND.order,
        "voided": False,
        "tracking_number": "9400111",
        "tracking_url": "https://track/9400111",
        "tracking_status": "in_transit",
        "carrier_code": "stamps_com",
        "shipment_cost": {"amount": 6.35, "currency": "gbp"},
        "packages": [{"external_package_id": COMMAND.fulfillment_order, "weight": {"value": 500, "unit": "gram"}}],
        **changes,
    }
