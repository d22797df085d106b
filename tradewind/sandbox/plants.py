"""Faults in the books that are planted on purpose: reconciliation has to find them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tradewind.sandbox.checkout import PROCESSOR_ACCOUNT, PROCESSOR_STORE, Checkout

if TYPE_CHECKING:
    from tradewind.sandbox.kernel import Sandbox

KINDS: Final = ("stray_charge", "silent_refund")


class NotNow(Exception):
    """What was asked for does not fit the state that the world is in. The message says why."""


class Plants:
    """Money that moves at the processor without a webhook."""

    def __init__(self, sandbox: Sandbox, checkout: Checkout) -> None:
        self._sandbox = sandbox
        self._checkout = checkout
        self._rng = sandbox.rng("plants")

    def plant(self, kind: str) -> dict[str, Any]:
        """Plant one fault and describe it: its kind, connection, payment, and amount in minor units.

        Raises ValueError for an unknown kind, NotNow if no captured payment is left to refund.
        """
        if kind == "stray_charge":
            return self._stray_charge()
        if kind == "silent_refund":
            return self._silent_refund()
        raise ValueError(f"unknown kind {kind!r}: expected one of {', '.join(KINDS)}")

    def _stray_charge(self) -> dict[str, Any]:
        """A charge that no order explains."""
        currency = self._sandbox.shopify[PROCESSOR_STORE].currency
        amount = self._rng.randint(1_000, 9_000)
        account = self._sandbox.stripe[PROCESSOR_ACCOUNT]
        payment = account.charge_without_order(amount, currency.lower(), notify=False)
        return self._described("stray_charge", payment, amount, currency)

    def _silent_refund(self) -> dict[str, Any]:
        """Half of a captured payment, given back by hand: of one in the shop's currency that no dispute has taken."""
        account = self._sandbox.stripe[PROCESSOR_ACCOUNT]
        currency = self._sandbox.shopify[PROCESSOR_STORE].currency.lower()
        payments = account.payments
        for order_id, payment in self._checkout.intents.items():
            intent = payments.intents[payment]
            charge = payments.charges[intent["latest_charge"]]
            amount = charge["amount_captured"] // 2
            taken = intent["status"] == "succeeded" and not charge["disputed"] and charge["currency"] == currency
            if taken and charge["amount_refunded"] == 0 and amount:
                account.refund_from_dashboard(payment, amount, notify=False)
                described = self._described("silent_refund", payment, amount, charge["currency"])
                return {**described, "store": PROCESSOR_STORE, "order_id": order_id}
        raise NotNow("no captured payment is left to refund")

    def _described(self, kind: str, payment: str, amount: int, currency: str) -> dict[str, Any]:
        return {
            "kind": kind,
            "connection": f"stripe:{PROCESSOR_ACCOUNT}",
            "payment_id": payment,
            "amount_minor": amount,
            "currency": currency.upper(),
        }
