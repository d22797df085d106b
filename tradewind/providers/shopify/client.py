"""Calls to Shopify's GraphQL Admin API, version 2026-10.

None of the three mutations takes an idempotency key (`@idempotent` is documented for stock, refunds and others, not for
them), so every write looks first whether its effect is there already, and looks again when it is refused.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import httpx

from tradewind.domain.catalogue import CatalogueItem
from tradewind.domain.commands import CapturePayment, CreateFulfillment, MarkOrderPaid
from tradewind.domain.connections import NOTIFIERS, OVERCAPTURE_REFUNDS, Connection
from tradewind.domain.events import Event, OrderObserved, Resource, ResourceChanged
from tradewind.domain.roles import Health, Storefront, Subscription
from tradewind.errors import ConfigurationError
from tradewind.governor import Governor
from tradewind.providers.shopify.api import AdminApi, classify_shopify, observe_cost
from tradewind.providers.shopify.auth import ClientCredentials
from tradewind.providers.shopify.documents import API_VERSION, SHOP
from tradewind.providers.shopify.limits import budget
from tradewind.providers.shopify.mapping import order_changed, order_observed
from tradewind.providers.shopify.orders import Orders
from tradewind.providers.shopify.products import catalogue
from tradewind.providers.shopify.subscriptions import Subscriptions
from tradewind.providers.shopify.wire import AppInstallation, OrderNode, ShopNode
from tradewind.providers.shopify.writes import Writes
from tradewind.transport import Transport, clock_skew_s, parsed

REQUIRED_SCOPES = (
    "read_products",
    "read_inventory",
    "read_locations",
    "read_customers",
    "write_orders",
    "write_merchant_managed_fulfillment_orders",
)
"""A `write_` scope grants its `read_` scope too. Source: shopify.dev, "Shopify API access scopes"."""


def connect(connection: Connection, governor: Governor) -> Storefront:
    """Raises ConfigurationError without client credentials or without an address of the shop."""
    return ShopifyClient(connection, governor)


class ShopifyClient:
    """A storefront."""

    def __init__(self, connection: Connection, governor: Governor, *, client: httpx.AsyncClient | None = None) -> None:
        self._connection = str(connection.key)
        _check_choice(connection, "notify_customer", NOTIFIERS)
        _check_choice(connection, "refund_overcapture", OVERCAPTURE_REFUNDS)
        self._processor_gateways = _processor_gateways(connection)
        self._api = _admin_api(connection, governor, client)
        self._orders = Orders(self._api)
        self._writes = Writes(self._api, self._orders)
        self._subscriptions = Subscriptions(self._api)

    async def health(self) -> Health:
        data, response = await self._api.query_response(SHOP, {})
        granted = parsed(AppInstallation, data.get("currentAppInstallation"), "Shop")
        return Health(
            account_name=parsed(ShopNode, data.get("shop"), "Shop").name,
            missing_scopes=_missing({scope.handle for scope in granted.access_scopes}),
            clock_skew_s=clock_skew_s(response),
        )

    async def fetch(self, resource: Resource) -> Sequence[Event]:
        """An order as it is now. Products and stock are read by `catalogue`, whole."""
        if resource.kind != "order":
            return ()
        return self._observed(await self._orders.read(resource.external_id))

    async def orders(self, since: datetime, until: datetime) -> AsyncIterator[Sequence[OrderObserved]]:
        async for page in self._orders.changed(since, until):
            yield [event for order in page for event in self._observed(order)]

    async def changes(self, since: datetime, until: datetime) -> AsyncIterator[Sequence[ResourceChanged]]:
        """Pages of hints, one for every order changed in [since, until], oldest change first.

        What a sweep needs: an order that the record knows as it is costs a point or two here and no call.
        """
        async for page in self._orders.changes(since, until):
            yield [order_changed(change, connection=self._connection) for change in page]

    async def catalogue(self) -> AsyncIterator[Sequence[CatalogueItem]]:
        async for page in catalogue(self._api, self._connection):
            yield page

    async def capture(self, command: CapturePayment, key: str) -> Sequence[Event]:
        """Capture an authorisation that the storefront holds; one that was captured already is a success.

        Raises RateLimited (nothing happened), OutcomeUnknown (sent, no answer: the next attempt looks first),
        RequestRejected (code: of the userError). Source: orderCapture.
        """
        return self._observed(await self._writes.capture(command))

    async def mark_paid(self, command: MarkOrderPaid, key: str) -> Sequence[Event]:
        """Book the outstanding amount as paid; an order that is paid already is a success. Source: orderMarkAsPaid."""
        return self._observed(await self._writes.mark_paid(command))

    async def fulfill(self, command: CreateFulfillment, key: str) -> Sequence[Event]:
        """Fulfil what remains of a fulfillment order; nothing remaining is a success. Source: fulfillmentCreate."""
        return self._observed(await self._writes.fulfill(command))

    async def subscriptions(self) -> Sequence[Subscription]:
        return await self._subscriptions.listed()

    async def subscribe(self, url: str) -> Sequence[Subscription]:
        return await self._subscriptions.create_missing(url)

    async def unsubscribe(self, external_id: str) -> None:
        await self._subscriptions.delete(external_id)

    async def aclose(self) -> None:
        await self._api.aclose()

    def _observed(self, order: OrderNode | None) -> Sequence[OrderObserved]:
        if order is None:
            return ()
        return (order_observed(order, connection=self._connection, processor_gateways=self._processor_gateways),)


def _admin_api(connection: Connection, governor: Governor, client: httpx.AsyncClient | None) -> AdminApi:
    base_url = _base_url(connection)
    auth = ClientCredentials(
        base_url, _secret(connection, "client_id"), _secret(connection, "client_secret"), governor.clock
    )
    transport = Transport(
        str(connection.key),
        base_url,
        auth,
        budget(connection),
        governor,
        client=client,
        classify=classify_shopify,
        observe=observe_cost,
    )
    return AdminApi(transport, connection.settings.get("api_version", API_VERSION))


def _base_url(connection: Connection) -> str:
    base_url = connection.settings.get("base_url")
    domain = connection.settings.get("shop_domain")
    if base_url or domain:
        return base_url or f"https://{domain}"
    raise ConfigurationError("shop_domain", f"connection {connection.key}", "the shop's name.myshopify.com")


def _secret(connection: Connection, name: str) -> str:
    value = connection.secrets.get(name)
    if not value:
        raise ConfigurationError(name, f"connection {connection.key}", "from the app's settings in the Dev Dashboard")
    return value


def _processor_gateways(connection: Connection) -> frozenset[str]:
    names = connection.settings.get("processor_gateways", "stripe").split(",")
    return frozenset(name.strip() for name in names if name.strip())


def _check_choice(connection: Connection, name: str, choices: Sequence[str]) -> None:
    chosen = connection.settings.get(name, choices[0])
    if chosen not in choices:
        advice = f"one of {', '.join(choices)}, not {chosen!r}"
        raise ConfigurationError(name, f"connection {connection.key}", advice)


def _missing(granted: set[str]) -> tuple[str, ...]:
    implied = granted | {scope.replace("write_", "read_", 1) for scope in granted if scope.startswith("write_")}
    return tuple(scope for scope in REQUIRED_SCOPES if scope not in implied)
