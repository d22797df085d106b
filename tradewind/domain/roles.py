"""What a storefront, a payment processor, a carrier and a journal must do for tradewind.

Use cases speak these roles, never a provider's name. Every method is asynchronous and raises the errors of
`tradewind.errors`: RateLimited and ProviderUnavailable (nothing happened), OutcomeUnknown (sent, no answer),
RequestRejected (never repeat unchanged), SchemaMismatch (an answer without the documented shape).
Every write returns the events that describe its effect; they enter the inbox like any other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from tradewind.domain.catalogue import CatalogueItem
from tradewind.domain.commands import (
    BuyLabel,
    CancelPayment,
    CapturePayment,
    CreateFulfillment,
    MarkOrderPaid,
    RefundPayment,
    VoidLabel,
)
from tradewind.domain.events import (
    Event,
    JournalRecorded,
    LabelObserved,
    OrderObserved,
    PaymentObserved,
    Resource,
    ResourceChanged,
    TrackingScanned,
)
from tradewind.domain.model import Model
from tradewind.domain.order import Address


class ShippingDetails(Model):
    """What a label needs and the outbox must not hold: read from the record right before the call."""

    order_name: str
    ship_to: Address
    email: str | None


class Health(Model):
    """What a connection's credentials are good for. missing_scopes: granted too little. clock_skew_s: theirs - ours."""

    account_name: str
    missing_scopes: tuple[str, ...] = ()
    clock_skew_s: float = 0.0


class Subscription(Model):
    """A webhook subscription at the provider. secret: only when the provider reveals it, at creation."""

    external_id: str
    topic: str
    url: str
    secret: str | None = None


class KeptDelivery(Model):
    """What a provider has told by webhook, or has tried to. body: as a webhook carries it."""

    body: bytes
    occurred_at: datetime


@runtime_checkable
class Client(Protocol):
    """What every connection can do."""

    async def health(self) -> Health: ...

    async def fetch(self, resource: Resource) -> Sequence[Event]:
        """The resource as it is now, as events; empty when the provider does not know it."""
        ...

    async def subscriptions(self) -> Sequence[Subscription]: ...

    async def subscribe(self, url: str) -> Sequence[Subscription]:
        """Create what is missing of the wanted webhook subscriptions to `url`; gives those created."""
        ...

    async def unsubscribe(self, external_id: str) -> None: ...

    async def aclose(self) -> None: ...


@runtime_checkable
class PublishesKeys(Protocol):
    """A provider whose deliveries are verified with public keys that it publishes and changes."""

    async def signing_keys(self) -> str:
        """The key set as JSON text, for the connection's setting `jwks`."""
        ...


@runtime_checkable
class Storefront(Client, Protocol):
    def orders(self, since: datetime, until: datetime) -> AsyncIterator[Sequence[OrderObserved]]:
        """Pages of orders changed in [since, until], oldest change first."""
        ...

    def changes(self, since: datetime, until: datetime) -> AsyncIterator[Sequence[ResourceChanged]]:
        """Pages of what changed in [since, until], as hints with version and fingerprint: cheaper than `orders`."""
        ...

    def catalogue(self) -> AsyncIterator[Sequence[CatalogueItem]]:
        """Pages of every variant with its stock levels."""
        ...

    async def capture(self, command: CapturePayment, key: str) -> Sequence[Event]: ...

    async def mark_paid(self, command: MarkOrderPaid, key: str) -> Sequence[Event]: ...

    async def fulfill(self, command: CreateFulfillment, key: str) -> Sequence[Event]:
        """Guarded by the fulfillment order's remaining quantities: nothing remaining is a success without a call."""
        ...


@runtime_checkable
class PaymentProcessor(Client, Protocol):
    def payments(self, since: datetime, until: datetime) -> AsyncIterator[Sequence[PaymentObserved]]:
        """Pages of payments created in [since, until]."""
        ...

    async def find_effect(self, command: CapturePayment | CancelPayment | RefundPayment) -> Sequence[Event]:
        """The command's effect if it is there already, or nothing.

        Asked before a command goes again under a key that may not protect it: another one, or one that has expired.
        """
        ...

    async def capture(self, command: CapturePayment, key: str) -> Sequence[Event]: ...

    async def cancel(self, command: CancelPayment, key: str) -> Sequence[Event]: ...

    async def refund(self, command: RefundPayment, key: str) -> Sequence[Event]: ...


@runtime_checkable
class KeepsDeliveries(Protocol):
    """A provider that keeps what it tells by webhook, and lists it whether or not that has arrived.

    kept_for: how long it keeps one. kept_topics: what is listed, by the topics under which webhooks tell it.
    """

    kept_for: timedelta
    kept_topics: frozenset[str]

    def deliveries(self, since: datetime, until: datetime) -> AsyncIterator[Sequence[KeptDelivery]]:
        """Pages of what happened in [since, until], oldest first."""
        ...


@runtime_checkable
class Carrier(Client, Protocol):
    def labels(self, since: datetime, until: datetime) -> AsyncIterator[Sequence[LabelObserved]]:
        """Pages of labels created in [since, until]."""
        ...

    async def find_label(self, command: BuyLabel) -> Sequence[Event]:
        """The label bought before under the command's external_shipment_id, or nothing."""
        ...

    async def buy_label(self, command: BuyLabel, details: ShippingDetails) -> Sequence[Event]:
        """Not keyed by the carrier: call `find_label` first whenever an earlier attempt may have had its effect."""
        ...

    async def void_label(self, command: VoidLabel) -> Sequence[Event]:
        """A label that is void already is a success."""
        ...


@runtime_checkable
class TracksParcels(Protocol):
    """A carrier that can be asked where a parcel is."""

    async def track(self, label: str) -> Sequence[TrackingScanned]:
        """Every scan of the label's parcel so far, oldest first; none for a label that is not known."""
        ...


@runtime_checkable
class Journal(Client, Protocol):
    def documents(self, since: datetime, until: datetime) -> AsyncIterator[Sequence[JournalRecorded]]:
        """Pages of documents booked since then; those of an old history have occurred long before."""
        ...
