"""One store: its state, and what the merchant and the shoppers do to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tradewind.sandbox.shopify import cancelling, merchandise, placing, refunding, webhooks
from tradewind.sandbox.shopify.catalog import Catalog, Location, Product
from tradewind.sandbox.shopify.desk import Desk
from tradewind.sandbox.shopify.idempotency import IdempotencyKeys
from tradewind.sandbox.shopify.ids import Ids
from tradewind.sandbox.shopify.jobs import Jobs
from tradewind.sandbox.shopify.money import ZERO, Currencies, minor_units
from tradewind.sandbox.shopify.oauth import Tokens
from tradewind.sandbox.shopify.order import UNASSESSED
from tradewind.sandbox.shopify.people import Customer
from tradewind.sandbox.shopify.refusal import RefusalError
from tradewind.sandbox.shopify.stock import Stock
from tradewind.sandbox.shopify.subscriptions import Happening, Subscriptions
from tradewind.sandbox.shopify.throttle import Throttle

if TYPE_CHECKING:
    from tradewind.sandbox.kernel import Sandbox
    from tradewind.sandbox.shopify.editing import EditSession
    from tradewind.sandbox.shopify.order import PlacedLine, Risk, StoreOrder, Transaction

SCOPES: Final = (
    "read_all_orders",
    "read_customers",
    "read_fulfillments",
    "read_inventory",
    "read_locations",
    "read_merchant_managed_fulfillment_orders",
    "read_orders",
    "read_products",
    "read_returns",
    "write_fulfillments",
    "write_inventory",
    "write_merchant_managed_fulfillment_orders",
    "write_order_edits",
    "write_orders",
    "write_returns",
)


class ShopifyStore:
    """A store with one app installed. Times are in whole seconds, as Shopify's are."""

    def __init__(self, account: str, *, sandbox: Sandbox, currency: str, zone_hours: int) -> None:
        self.account = account
        self.connection = f"shopify:{account}"
        self.domain = f"{account}.myshopify.com"
        self.base_url = f"{sandbox.base_url}/shopify/{account}"
        self.currency = currency
        self.zone = timezone(timedelta(hours=zone_hours))
        # Etc/GMT-1 is an hour ahead of Greenwich: the sign of these names is the opposite of ISO 8601's.
        self.zone_name = f"Etc/GMT-{zone_hours}" if zone_hours else "Etc/UTC"
        self.scopes: set[str] = set(SCOPES)
        self.clock = sandbox.clock
        self.truth = sandbox.truth
        self.rng = sandbox.rng(self.connection)
        self.ids = Ids(self.rng)
        self.shop_id = self.ids.next()
        self.opened_at = self.now()
        self.catalog: Catalog = Catalog()
        self.stock: Stock = Stock()
        self.customers: dict[str, Customer] = {}
        self.orders: dict[int, StoreOrder] = {}
        self.jobs = Jobs(self.clock)
        self.edits: dict[int, EditSession] = {}
        self.desk = Desk(self)
        self.idempotency = IdempotencyKeys()
        self.throttle = Throttle(self.clock)
        self.tokens = Tokens(
            client_id=sandbox.secret(f"{self.connection}/client_id", 32),
            client_secret=f"shpss_{sandbox.secret(f'{self.connection}/client_secret', 32)}",
            rng=self.rng,
        )
        self.subscriptions = Subscriptions(
            connection=self.connection,
            domain=self.domain,
            secret=self.tokens.client_secret,
            ids=self.ids,
            sender=sandbox.sender,
        )

    def describe(self) -> dict[str, Any]:
        """Address and credentials, for whoever connects the store."""
        return {
            "account": self.account,
            "shop_domain": self.domain,
            "base_url": self.base_url,
            "client_id": self.tokens.client_id,
            "client_secret": self.tokens.client_secret,
            "scopes": sorted(self.scopes),
            "currency": self.currency,
        }

    def now(self) -> datetime:
        """The time, in whole seconds."""
        return self.clock.now().replace(microsecond=0)

    def happening(self) -> Happening:
        """Something happens now."""
        return Happening(self.ids.uuid(), self.clock.now())

    def order(self, order_id: str) -> StoreOrder:
        """An order by its id. Raises KeyError."""
        return self.orders[int(order_id)]

    def record_money(self, kind: str, order: StoreOrder, transaction: Transaction) -> None:
        """Note money that the store itself took or gave back. kind: captured or refunded."""
        self.truth.record(
            kind,
            connection=self.connection,
            payment_id=transaction.payment_id,
            amount_minor=minor_units(transaction.amount, order.currency),
            currency=order.currency,
            order_id=order.id,
        )

    # What the merchant does

    def add_location(self, name: str, address: Mapping[str, Any]) -> Location:
        """Open a place with stock. Orders are routed to the location that was added first and has the goods."""
        return merchandise.add_location(self, name, address)

    def add_product(
        self,
        title: str,
        vendor: str,
        variants: Sequence[Mapping[str, Any]],
        stock: Mapping[str, Mapping[str, int]],
    ) -> Product:
        """Put a product on sale. variants: sku, price, title, requires_shipping; stock: by SKU and location name."""
        return merchandise.add_product(self, title, vendor, variants, stock)

    def set_price(self, sku: str, price: Decimal) -> None:
        """Change what a SKU costs. Raises KeyError for an unknown one."""
        merchandise.set_price(self, sku, price)

    def cancel_order(self, order_id: str, reason: str, refund: bool) -> bool:
        """Cancel and restock an order. reason: as in the API, in either case. False if the store refuses."""
        try:
            cancelling.cancel(self, self.order(order_id), reason=reason.upper(), refund=refund, restock=True)
        except RefusalError:
            return False
        return True

    def refund_order(
        self, order_id: str, lines: Iterable[tuple[int, int]], amount: Decimal | None, note: str | None
    ) -> bool:
        """Take units off an order and give money back. lines: line id and quantity.

        amount: None for what the units cost; never more than was paid. False if the store refuses.
        """
        try:
            refunding.refund_by_merchant(self, self.order(order_id), lines, amount, note)
        except RefusalError:
            return False
        return True

    def uninstall_app(self) -> None:
        """Remove the app: its tokens end, and its subscriptions with a last word."""
        webhooks.app_uninstalled(self, self.happening())
        self.subscriptions.clear()
        self.tokens.revoke()

    # What shoppers do

    def place_order(
        self,
        *,
        lines: Sequence[PlacedLine],
        customer: Mapping[str, Any] | None,
        shipping_address: Mapping[str, Any] | None,
        email: str | None,
        shipping: Decimal,
        tax_rate: Decimal,
        taxes_included: bool,
        gateway: str,
        kind: str,
        payment_id: str | None,
        processed_at: datetime | None = None,
        note_attributes: Mapping[str, str] | None = None,
        name: str | None = None,
        tags: Sequence[str] = (),
        money: Currencies | None = None,
        tip: Decimal = ZERO,
        gift_card: Decimal = ZERO,
        risk: Risk = UNASSESSED,
        hold: str | None = None,
    ) -> StoreOrder:
        """Place an order; its stock is committed at once.

        gateway: "stripe", paid at the processor by the store's own checkout, or "shopify_payments".
        kind: "pending", "authorization" or "sale". name: "#1001" and so on if None. money: the shop's own currency if
        None. gift_card: what a gift card pays of it, at once. hold: why nothing may leave yet, as the API's enum.
        """
        people = placing.People(customer, shipping_address, email)
        shown = money or Currencies(self.currency, self.currency)
        terms = placing.Terms(shipping, tax_rate, taxes_included, shown, tip)
        payment = placing.Payment(gateway, kind, payment_id, gift_card)
        about = placing.About(name, processed_at, dict(note_attributes or {}), list(tags), risk, hold)
        return placing.place(self, lines, people, terms, payment, about)
