"""Every provider, by name. Each folder offers the same five functions; adding a provider adds an entry here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from tradewind.domain.connections import Connection, ConnectionKey, Role
from tradewind.domain.events import Event, Resource
from tradewind.domain.roles import Client
from tradewind.errors import ConfigurationError
from tradewind.governor import Budget, Governor
from tradewind.providers import backoffice, shipstation, shopify, stripe
from tradewind.providers.hooks import HookIdentity, HookRequest, Rotation, Verdict


class ReadEvents(Protocol):
    def __call__(self, topic: str, body: bytes, *, connection: str, received_at: datetime) -> Sequence[Event]:
        """The events of one raw delivery. Raises SchemaMismatch."""
        ...


class NameSubject(Protocol):
    def __call__(self, topic: str, body: bytes, *, connection: str) -> Resource | None:
        """What a raw delivery is about that could not be taken in; None when it does not show. Never raises."""
        ...


def _shows_none(topic: str, body: bytes, *, connection: str) -> None:
    return None


@dataclass(frozen=True)
class Provider:
    """authenticate: (request, secrets, now), raises SignatureInvalid or KeyUnknown. identify: never raises.

    admin_url: (connection, kind, external id) → the page on which people look at it, None when there is none.
    about: what to read instead of a delivery that could not be taken in; none for a provider whose deliveries are taken
    in whenever they name something. livemode: whether the connection's credentials move real money or goods; None where
    they do not tell. rotation: of the signing secret; none for a provider that signs with keys which it publishes.
    """

    name: str
    role: Role
    authenticate: Callable[[HookRequest, Mapping[str, str], datetime], Verdict | None]
    identify: Callable[[HookRequest], HookIdentity]
    events: ReadEvents
    connect: Callable[[Connection, Governor], Client]
    budget: Callable[[Connection], Budget]
    admin_url: Callable[[Connection, str, str], str | None] = lambda *_: None
    about: NameSubject = _shows_none
    livemode: Callable[[Connection], bool | None] = lambda _: None
    rotation: Rotation | None = None


def _listed(*providers: Provider) -> Mapping[str, Provider]:
    return MappingProxyType({provider.name: provider for provider in providers})


PROVIDERS: Mapping[str, Provider] = _listed(
    Provider(
        "shopify", Role.STOREFRONT, shopify.authenticate, shopify.identify, shopify.events, shopify.connect,
        shopify.budget, shopify.admin_url, shopify.about, rotation=shopify.ROTATION,
    ),
    Provider(
        "stripe", Role.PAYMENT_PROCESSOR, stripe.authenticate, stripe.identify, stripe.events, stripe.connect,
        stripe.budget, stripe.admin_url, livemode=stripe.livemode, rotation=stripe.ROTATION,
    ),
    Provider(
        "shipstation", Role.CARRIER, shipstation.authenticate, shipstation.identify, shipstation.events,
        shipstation.connect, shipstation.budget, shipstation.admin_url, shipstation.about,
    ),
    Provider(
        "backoffice", Role.JOURNAL, backoffice.authenticate, backoffice.identify, backoffice.events,
        backoffice.connect, backoffice.budget, rotation=backoffice.ROTATION,
    ),
)  # fmt: skip


def provider_of(connection: str) -> Provider:
    """The provider of a connection such as `stripe:main`. Raises ConfigurationError for one that is not listed."""
    name = ConnectionKey.parse(connection).provider
    try:
        return PROVIDERS[name]
    except KeyError:
        known = ", ".join(sorted(PROVIDERS))
        raise ConfigurationError("provider", f"connection {connection}", f"one of {known}") from None


def check_mode(before: Connection, after: Connection) -> None:
    """Test credentials do not replace live ones, nor the reverse, on a connection that has been live: what is recorded
    of it does not exist in the other mode. Raises ConfigurationError."""
    livemode = provider_of(str(after.key)).livemode
    was, would_be = livemode(before), livemode(after)
    if before.live_from is not None and None not in (was, would_be) and was is not would_be:
        told = "test credentials on a live connection" if was else "live credentials on a test connection"
        raise ConfigurationError("credentials", f"connection {after.key}", f"{told}: connect them as another account")


def connect(connection: Connection, governor: Governor) -> Client:
    """A client of the connection, governed by its provider's published budget."""
    return provider_of(str(connection.key)).connect(connection, governor)


def admin_url(connection: Connection, kind: str, external_id: str) -> str | None:
    """Where people look at a resource of the connection at its provider; None when there is no such page."""
    return provider_of(str(connection.key)).admin_url(connection, kind, external_id)
