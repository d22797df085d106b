"""Connections: everything is keyed by (provider, account), never by the provider alone."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal, Self, get_args

from pydantic import Field

from tradewind.domain.model import Model

Notifier = Literal["store", "carrier", "nobody"]
"""Who tells the shopper; the setting `notify_customer` of a storefront's connection."""
NOTIFIERS: tuple[Notifier, ...] = get_args(Notifier)
OvercaptureRefund = Literal["automatic", "manual"]
"""Who gives back what was captured beyond what an edited order costs: we at once, or a person who hears of it from
reconciliation; the setting `refund_overcapture` of a storefront's connection."""
OVERCAPTURE_REFUNDS: tuple[OvercaptureRefund, ...] = get_args(OvercaptureRefund)


class Role(StrEnum):
    STOREFRONT = "storefront"
    PAYMENT_PROCESSOR = "payment_processor"
    CARRIER = "carrier"
    JOURNAL = "journal"


class ConnectionKey(Model):
    """`provider:account`, e.g. `shopify:north`. Two stores may both have an order #1042."""

    provider: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    account: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `provider:account`. Raises ValueError for anything else."""
        provider, _, account = text.partition(":")
        return cls(provider=provider, account=account)

    def __str__(self) -> str:
        return f"{self.provider}:{self.account}"


class ConnectionState(StrEnum):
    READ_ONLY = "read_only"  # recorded, never commanded
    LIVE = "live"
    PAUSED = "paused"  # writes wait; deliveries are stored and applied
    DISCONNECTED = "disconnected"


class Connection(Model):
    """One account of one provider.

    settings: addresses and choices that are no secret (base_url, shop_domain, api_version, currency …).
    secrets: what must not be shown (client_secret, secret_key, api_key, webhook secrets …); values are masked in repr.
    live_from: what existed before is recorded and never commanded. revision: of the block that it was copied from.
    """

    key: ConnectionKey
    role: Role
    state: ConnectionState = ConnectionState.READ_ONLY
    live_from: datetime | None = None
    settings: dict[str, str] = {}
    secrets: dict[str, str] = Field(default={}, repr=False)
    revision: int = 0
    paused_reason: str | None = None

    def accepts(self, placed_at: datetime) -> bool:
        """Whether an order placed at this time may be commanded, once the connection is live."""
        return self.live_from is not None and placed_at >= self.live_from


class Routes(Model):
    """Which connections serve the orders of a storefront: the processor that captures, the carrier that ships.

    notify_customer: who tells the shopper that a parcel is on its way. refund_overcapture: who gives back what was
    captured at the processor beyond what an order costs since it was edited.
    """

    processor: str | None = None
    carrier: str | None = None
    notify_customer: Notifier = "store"
    refund_overcapture: OvercaptureRefund = "automatic"
