"""What happens to card payments: authorise, capture, cancel, refund.

Source: Stripe API reference (PaymentIntents, Charges, Refunds) and "Place a hold on a payment method".
"""

from collections.abc import Callable
from typing import Any, Final

from tradewind.sandbox.clock import Clock
from tradewind.sandbox.stripe import objects
from tradewind.sandbox.stripe.errors import StripeError, not_found
from tradewind.sandbox.stripe.events import NOBODY, Events
from tradewind.sandbox.stripe.objects import Json
from tradewind.sandbox.truth import Truth

_CANCELABLE: Final = {"requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"}
_CHARGEABLE: Final = {"requires_payment_method", "requires_confirmation"}
_DECLINED: Final = {"pm_card_chargeDeclined", "pm_card_visa_chargeDeclined"}


class Payments:
    """One account's PaymentIntents, charges, refunds and balance."""

    def __init__(
        self, connection: str, clock: Clock, truth: Truth, events: Events, new_id: Callable[[str], str]
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._truth = truth
        self._events = events
        self._new_id = new_id
        self.intents: dict[str, Json] = {}
        self.charges: dict[str, Json] = {}
        self.refunds: dict[str, Json] = {}
        self.balance: dict[str, Json] = {}
        self.charged_back: set[str] = set()  # charges whose money a dispute has taken
        self.on_captured: Callable[[Json], None] = lambda charge: None

    def create(self, amount: int, currency: str, *, cause: Json = NOBODY, **fields: Any) -> Json:
        """A new PaymentIntent. fields: any of its own keys."""
        intent_id = self._new_id("pi")
        intent = objects.payment_intent(intent_id, self._now(), amount, currency, self._new_id("secret")[7:])
        intent.update(fields)
        if intent["payment_method"]:
            intent["status"] = "requires_confirmation"
        self.intents[intent_id] = intent
        self._events.emit("payment_intent.created", intent, cause)
        return intent

    def confirm(self, intent_id: str, payment_method: str | None = None, *, cause: Json = NOBODY) -> Json:
        """Charge the card: held for manual capture, otherwise taken at once."""
        intent = self._expect(intent_id, _CHARGEABLE, "confirm")
        intent["payment_method"] = payment_method or intent["payment_method"]
        if intent["payment_method"] is None:
            raise StripeError(
                400,
                "You cannot confirm this PaymentIntent because it's missing a payment method.",
                code="payment_intent_unexpected_state",
                payment_intent=intent,
            )
        if intent["payment_method"] in _DECLINED:
            raise self._decline(intent, cause)
        charge = objects.charge(self._new_id("ch"), self._now(), intent)
        self.charges[charge["id"]] = charge
        intent.update(latest_charge=charge["id"], last_payment_error=None)
        intent.update(status="requires_capture", amount_capturable=intent["amount"])
        if intent["capture_method"] == "manual":
            self._events.emit("charge.succeeded", charge, cause)
            self._events.emit("payment_intent.amount_capturable_updated", intent, cause)
        else:
            self._settle(intent, intent["amount"])
            self._events.emit("charge.succeeded", charge, cause)
            self._events.emit("payment_intent.succeeded", intent, cause)
        return intent

    def capture(self, intent_id: str, amount: int | None = None, *, cause: Json = NOBODY) -> Json:
        """Take what is held, or a part of it; the rest is released."""
        intent = self._expect(intent_id, {"requires_capture"}, "capture")
        amount = intent["amount_capturable"] if amount is None else amount
        if not 0 < amount <= intent["amount_capturable"]:
            raise StripeError(
                400,
                f"The amount to capture ({amount}) must be positive and at most {intent['amount_capturable']}.",
                code="amount_too_large" if amount > 0 else "parameter_invalid_integer",
                param="amount_to_capture",
            )
        self._settle(intent, amount)
        self._events.emit("charge.captured", self.charges[intent["latest_charge"]], cause)
        self._events.emit("payment_intent.succeeded", intent, cause)
        return intent

    def cancel(self, intent_id: str, reason: str | None = None, *, cause: Json = NOBODY) -> Json:
        """Give up an intent; what is held goes back to the card."""
        intent = self._expect(intent_id, _CANCELABLE, "cancel")
        held = intent["status"] == "requires_capture"
        intent.update(status="canceled", canceled_at=self._now(), cancellation_reason=reason, amount_capturable=0)
        if held:
            charge = self.charges[intent["latest_charge"]]
            charge.update(amount_refunded=charge["amount"], refunded=True)
            self._events.emit("charge.refunded", charge, cause)
        self._events.emit("payment_intent.canceled", intent, cause)
        return intent

    def refund(
        self,
        charge_id: str,
        amount: int | None = None,
        reason: str | None = None,
        *,
        metadata: dict[str, str] | None = None,
        cause: Json = NOBODY,
    ) -> Json:
        """Give back what was captured, or a part of it."""
        charge = self.charges[charge_id]
        left = charge["amount_captured"] - charge["amount_refunded"]
        if charge_id in self.charged_back:
            message = f"Charge {charge_id} has been charged back; cannot issue a refund."
            raise StripeError(400, message, code="charge_disputed")
        _check_refund(charge, amount, left)
        refund = objects.refund(self._new_id("re"), self._now(), left if amount is None else amount, charge, reason)
        refund["metadata"] = dict(metadata or {})
        self.refunds[refund["id"]] = refund
        refund["balance_transaction"] = self.book(refund, -refund["amount"], fee=0)
        charge["amount_refunded"] += refund["amount"]
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
        charge["refunds"]["data"].insert(0, refund)
        self._record("refunded", charge["payment_intent"], refund["amount"], charge["currency"])
        self._events.emit("refund.created", refund, cause)
        self._events.emit("charge.refunded", charge, cause)
        return refund

    def update_metadata(self, of: Json, metadata: dict[str, str], cause: Json) -> Json:
        """Merge metadata; an empty value removes its key."""
        of["metadata"] = {key: value for key, value in {**of["metadata"], **metadata}.items() if value != ""}
        if of["object"] == "refund":
            self._events.emit("refund.updated", of, cause)
        return of

    def _settle(self, intent: Json, amount: int) -> None:
        charge = self.charges[intent["latest_charge"]]
        charge.update(captured=True, amount_captured=amount)
        charge["balance_transaction"] = self.book(charge, amount, fee=_fee(amount))
        intent.update(status="succeeded", amount_capturable=0, amount_received=amount)
        self._record("captured", intent["id"], amount, intent["currency"])
        self.on_captured(charge)

    def book(self, source: Json, amount: int, fee: int) -> str:
        """Move the balance, and give the balance transaction's id. amount: signed, minor units, before the fee."""
        txn = objects.balance_transaction(self._new_id("txn"), self._now(), source, amount, fee)
        self.balance[txn["id"]] = txn
        return str(txn["id"])

    def _decline(self, intent: Json, cause: Json) -> StripeError:
        error = {"code": "card_declined", "decline_code": "generic_decline", "message": "Your card was declined."}
        intent.update(status="requires_payment_method", last_payment_error={**error, "type": "card_error"})
        self._events.emit("payment_intent.payment_failed", intent, cause)
        return StripeError(402, kind="card_error", payment_intent=intent, **error)

    def _expect(self, intent_id: str, states: set[str], verb: str) -> Json:
        intent = self.intents.get(intent_id)
        if intent is None:
            raise not_found("payment_intent", intent_id, "intent")
        if intent["status"] not in states:
            message = f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}."
            raise StripeError(400, message, code="payment_intent_unexpected_state", payment_intent=intent)
        return intent

    def _record(self, kind: str, payment_id: str, amount_minor: int, currency: str) -> None:
        self._truth.record(
            kind,
            connection=self._connection,
            payment_id=payment_id,
            amount_minor=amount_minor,
            currency=currency.upper(),
        )

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def _check_refund(charge: Json, amount: int | None, left: int) -> None:
    """Only captured money that has not gone back yet can be refunded."""
    if not charge["captured"]:
        raise StripeError(400, f"Charge {charge['id']} has not been captured.", code="charge_not_refundable")
    if left == 0:
        raise StripeError(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if amount is not None and not 0 < amount <= left:
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise StripeError(400, message, param="amount")


def _fee(amount: int) -> int:
    """Stripe's standard UK card pricing: 1.5 % + 20p, rounded to the penny, halves up."""
    return (amount * 15 + 500) // 1000 + 20
