"""One simulated Stripe account."""

from typing import Any

from tradewind.sandbox.kernel import Sandbox
from tradewind.sandbox.limits import SlidingWindow
from tradewind.sandbox.stripe.disputes import Disputes
from tradewind.sandbox.stripe.events import Events
from tradewind.sandbox.stripe.idempotency import IdempotencyKeys
from tradewind.sandbox.stripe.payments import Payments

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class StripeAccount:
    """Its keys, its payments, its events; and what shoppers and the merchant do without the API."""

    def __init__(self, sandbox: Sandbox, account: str) -> None:
        self.account = account
        self.connection = f"stripe:{account}"
        self.base_url = f"{sandbox.base_url}/stripe/{account}"
        self.secret_key = "sk_test_" + sandbox.secret(f"{self.connection}/key", 48)
        self.clock = sandbox.clock
        self.truth = sandbox.truth
        self.rng = sandbox.rng(self.connection)
        self.fault_rng = sandbox.rng(f"{self.connection}/faults")
        self.keys = IdempotencyKeys(sandbox.clock)
        # docs.stripe.com/rate-limits: 25 requests a second outside live mode.
        self.limit = SlidingWindow(sandbox.clock, limit=25, window_s=1.0)
        self.events = Events(self.connection, sandbox.clock, sandbox.sender, self.new_id)
        self.payments = Payments(self.connection, sandbox.clock, sandbox.truth, self.events, self.new_id)
        self.disputes = Disputes(
            self.connection,
            clock=sandbox.clock,
            agenda=sandbox.agenda,
            truth=sandbox.truth,
            events=self.events,
            payments=self.payments,
            new_id=self.new_id,
        )

    def describe(self) -> dict[str, Any]:
        """Where it is and how to get in."""
        return {"account": self.account, "base_url": self.base_url, "secret_key": self.secret_key}

    def new_id(self, prefix: str) -> str:
        """The next object id, from the seed."""
        return f"{prefix}_" + "".join(self.rng.choices(_ALPHABET, k=24))

    def authorise(self, amount: int, currency: str, metadata: dict[str, str]) -> str:
        """A shopper pays by card and the money is held: gives the PaymentIntent's id (`requires_capture`).

        amount: minor units. currency: ISO 4217, any case.
        """
        intent = self.payments.create(
            amount, currency.lower(), capture_method="manual", payment_method="pm_card_visa", metadata=dict(metadata)
        )
        return str(self.payments.confirm(intent["id"])["id"])

    def charge_without_order(self, amount: int, currency: str, notify: bool = False) -> str:
        """A charge that no storefront knows: gives the PaymentIntent's id. notify: whether a webhook tells of it."""
        with self.events.muted(not notify):
            intent = self.payments.create(amount, currency.lower(), payment_method="pm_card_visa")
            self.payments.confirm(intent["id"])
        return str(intent["id"])

    def refund_from_dashboard(self, intent_id: str, amount: int, notify: bool = True) -> str:
        """The merchant refunds by hand: gives the refund's id. notify: whether a webhook tells of it."""
        charge_id = self.payments.intents[intent_id]["latest_charge"]
        with self.events.muted(not notify):
            refund = self.payments.refund(charge_id, amount, "requested_by_customer")
        return str(refund["id"])

    def dispute_payment(self, intent_id: str, amount: int | None = None, reason: str = "fraudulent") -> str:
        """The cardholder disputes a captured payment: gives the dispute's id. amount: None for all of it."""
        return str(self.disputes.open(self.payments.intents[intent_id]["latest_charge"], amount, reason)["id"])
