"""The stores of a sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tradewind.sandbox.shopify.store import ShopifyStore

if TYPE_CHECKING:
    from tradewind.sandbox.kernel import Sandbox


def create_accounts(sandbox: Sandbox) -> dict[str, ShopifyStore]:
    """Two empty stores of one merchant. The second's clock is an hour ahead: its webhooks say so."""
    return {
        "north": ShopifyStore("north", sandbox=sandbox, currency="GBP", zone_hours=0),
        "south": ShopifyStore("south", sandbox=sandbox, currency="GBP", zone_hours=1),
    }
