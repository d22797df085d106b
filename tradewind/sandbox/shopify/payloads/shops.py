"""The body about the shop itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tradewind.sandbox.shopify.payloads.common import Body, when

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


def shop(store: ShopifyStore) -> Body:
    """app/uninstalled."""
    home = next(store.catalog.by_priority(), None)
    email = f"owner@{store.account}.example.com"
    return {
        "id": store.shop_id,
        "name": store.account.title(),
        "email": email,
        "domain": store.domain,
        "province": None,
        "country": "GB",
        "address1": home.address.address1 if home else None,
        "zip": home.address.zip if home else None,
        "city": home.address.city if home else None,
        "source": None,
        "phone": None,
        "latitude": None,
        "longitude": None,
        "primary_locale": "en",
        "address2": None,
        "created_at": when(store, store.opened_at),
        "updated_at": when(store, store.opened_at),
        "country_code": "GB",
        "country_name": "United Kingdom",
        "currency": store.currency,
        "customer_email": email,
        "timezone": f"({store.zone_name}) {store.zone_name}",
        "iana_timezone": store.zone_name,
        "shop_owner": "Ada Merchant",
        "money_format": "£{{amount}}",
        "money_with_currency_format": f"£{{{{amount}}}} {store.currency}",
        "weight_unit": "kg",
        "province_code": None,
        "taxes_included": True,
        "auto_configure_tax_inclusivity": None,
        "tax_shipping": None,
        "county_taxes": None,
        "plan_display_name": "Shopify",
        "plan_name": "professional",
        "has_discounts": True,
        "has_gift_cards": False,
        "myshopify_domain": store.domain,
        "google_apps_domain": None,
        "google_apps_login_enabled": None,
        "money_in_emails_format": "£{{amount}}",
        "money_with_currency_in_emails_format": f"£{{{{amount}}}} {store.currency}",
        "eligible_for_payments": True,
        "requires_extra_payments_agreement": False,
        "password_enabled": False,
        "has_storefront": True,
        "finances": True,
        "primary_location_id": home.id if home else None,
        "checkout_api_supported": True,
        "multi_location_enabled": True,
        "setup_required": False,
        "pre_launch_enabled": False,
        "enabled_presentment_currencies": [store.currency],
        "marketing_sms_consent_enabled_at_checkout": False,
        "transactional_sms_disabled": False,
    }
