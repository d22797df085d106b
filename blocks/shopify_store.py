"""Block of one Shopify store."""

from typing import ClassVar

from pydantic import Field, SecretStr

from blocks.connected_account import ConnectedAccount
from tradewind.domain.connections import NOTIFIERS, OVERCAPTURE_REFUNDS, Notifier, OvercaptureRefund


class ShopifyStore(ConnectedAccount):
    """A Shopify store, reached by an app of its own with the client-credentials grant.

    Example:
        ```python
        from blocks import ShopifyStore

        store = ShopifyStore.load("shopify-north")
        print(store.key, store.shop_domain)
        ```
    """

    _block_type_name = "Shopify Store"
    _block_type_slug = "tradewind-shopify-store"
    _description = "A Shopify store: orders and stock come from it, tracking goes back to it."
    _logo_url = "https://cdn.simpleicons.org/shopify"  # type: ignore[assignment]
    provider: ClassVar[str] = "shopify"

    shop_domain: str = Field(description="The store's own domain at Shopify, e.g. `north.myshopify.com`.")
    base_url: str = Field(description="Where its API is, e.g. `https://north.myshopify.com`.")
    client_id: SecretStr = Field(description="Client id of the app in the Dev Dashboard.")
    client_secret: SecretStr = Field(description="Client secret of the app; it also signs the webhooks.")
    plan: str = Field(default="standard", description="The store's plan; it sets the published rate limit.")
    processor_gateways: str = Field(
        default="stripe",
        description="Gateways (comma list) whose payments are captured at the processor itself.",
    )
    processor: str | None = Field(default=None, description="Connection that captures them, if there are several.")
    carrier: str | None = Field(default=None, description="Connection that ships its orders, if there are several.")
    notify_customer: Notifier = Field(
        default=NOTIFIERS[0], description="Who tells the shopper that a parcel is on its way."
    )
    refund_overcapture: OvercaptureRefund = Field(
        default=OVERCAPTURE_REFUNDS[0],
        description="Who gives back what was captured beyond what an edited order costs: tradewind at once "
        "(`automatic`), or a person (`manual`) who hears of it from the reconciliation.",
    )
