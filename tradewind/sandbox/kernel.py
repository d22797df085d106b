"""The composition root of the sandbox: one seed, one clock, every provider's state."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from tradewind.sandbox.agenda import Agenda
from tradewind.sandbox.clock import Clock, SystemClock
from tradewind.sandbox.faults import Faults
from tradewind.sandbox.sender import Sender
from tradewind.sandbox.truth import Truth

if TYPE_CHECKING:
    import httpx

    from tradewind.sandbox.backoffice import BackOffice
    from tradewind.sandbox.shipstation import ShipStationAccount
    from tradewind.sandbox.shopify import ShopifyStore
    from tradewind.sandbox.stripe import StripeAccount
    from tradewind.sandbox.world import World

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Sandbox:
    """Everything that the simulated providers know. Parts find each other here."""

    def __init__(self, *, seed: int, faults: str, base_url: str, clock: Clock) -> None:
        self.seed = seed
        self.base_url = base_url
        self.clock = clock
        self.faults = Faults(faults)
        self.truth = Truth(clock, self.faults)
        self.sender = Sender(clock=clock, faults=self.faults, truth=self.truth, rng=self.rng("sender"))
        self.agenda = Agenda(clock)
        self.control_token = self.secret("control", 32)
        self.shopify: dict[str, ShopifyStore] = {}
        self.stripe: dict[str, StripeAccount] = {}
        self.shipstation: dict[str, ShipStationAccount] = {}
        self.backoffice: dict[str, BackOffice] = {}
        self.world: World

    def rng(self, name: str) -> random.Random:
        """An independent stream of choices for one purpose, the same for every run of this seed."""
        return random.Random(f"{self.seed}/{name}")

    def secret(self, name: str, length: int) -> str:
        """A credential of letters and digits, derived from the seed."""
        return "".join(self.rng(f"secret/{name}").choices(_ALPHABET, k=length))

    async def start(self, client: httpx.AsyncClient | None = None) -> None:
        """Begin to send webhooks and to let parcels travel. client: what webhooks leave through, if not the network.

        Whoever runs the application in process, without its lifespan, calls this and `stop`.
        """
        await self.sender.start(client)
        await self.agenda.start()

    async def stop(self) -> None:
        """Nothing more happens, and nothing more is sent."""
        await self.world.stop()
        for store in self.shopify.values():
            await store.jobs.stop()
        await self.agenda.stop()
        await self.sender.stop()

    def describe(self) -> dict[str, Any]:
        """Addresses and credentials: what `tradewind sandbox` prints."""
        return {
            "base_url": self.base_url,
            "seed": self.seed,
            "faults": self.faults.level,
            "shopify": [store.describe() for store in self.shopify.values()],
            "stripe": [account.describe() for account in self.stripe.values()],
            "shipstation": [account.describe() for account in self.shipstation.values()],
            "backoffice": [account.describe() for account in self.backoffice.values()],
            "control": {"base_url": f"{self.base_url}/control", "token": self.control_token},
        }


def create_sandbox(*, seed: int, faults: str, base_url: str, clock: Clock | None = None) -> Sandbox:
    """A sandbox with its providers in place and nothing happening yet.

    base_url: where it will be reached, without a final slash. Raises ValueError for an unknown fault level.
    """
    from tradewind.sandbox.parts import furnish

    sandbox = Sandbox(seed=seed, faults=faults, base_url=base_url, clock=clock or SystemClock())
    furnish(sandbox)
    return sandbox
