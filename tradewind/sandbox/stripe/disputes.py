"""What happens when a cardholder disputes a charge.

Source: Stripe API reference (Disputes), docs.stripe.com/disputes ("How disputes work") and docs.stripe.com/testing
("Disputes": the cards that are disputed, the evidence that wins or loses).
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from tradewind.sandbox.agenda import Agenda
from tradewind.sandbox.clock import Clock
from tradewind.sandbox.stripe import objects
from tradewind.sandbox.stripe.errors import StripeError, not_found
from tradewind.sandbox.stripe.events import NOBODY, Events
from tradewind.sandbox.stripe.objects import Json
from tradewind.sandbox.stripe.payments import Payments
from tradewind.sandbox.truth import Truth

# What a dispute costs, and how long the merchant has to answer it. Source: stripe.com/gb/pricing; "How disputes work".
FEE: Final = 2000
ANSWER_WITHIN: Final = timedelta(days=7)
DECIDED_AFTER_S: Final = 2.0
TEST_CARDS: Final = {
    "pm_card_createDispute": ("fraudulent", False),
    "pm_card_createDisputeProductNotReceived": ("product_not_received", False),
    "pm_card_createDisputeInquiry": ("fraudulent", True),
}
_VERDICTS: Final = {"winning_evidence": True, "losing_evidence": False}
_OPEN: Final = ("needs_response", "warning_needs_response")
_UNDER_REVIEW: Final = {"needs_response": "under_review", "warning_needs_response": "warning_under_review"}


class Disputes:
    """One account's disputes."""

    def __init__(
        self,
        connection: str,
        *,
        clock: Clock,
        agenda: Agenda,
        truth: Truth,
        events: Events,
        payments: Payments,
        new_id: Callable[[str], str],
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._agenda = agenda
        self._truth = truth
        self._events = events
        self._payments = payments
        self._new_id = new_id
        self.kept: dict[str, Json] = {}
        payments.on_captured = self._captured

    def open(
        self, charge_id: str, amount: int | None = None, reason: str = "fraudulent", inquiry: bool = False
    ) -> Json:
        """A cardholder disputes a captured charge: its money is withdrawn at once, unless it is only an inquiry.

        amount: minor units, None for what was not given back. Raises StripeError if there is nothing to dispute.
        """
        charge = self._payments.charges[charge_id]
        left = charge["amount_captured"] - charge["amount_refunded"]
        amount = left if amount is None else amount
        if charge["disputed"] or not 0 < amount <= left:
            raise StripeError(400, f"Charge {charge_id} cannot be disputed.", code="charge_disputed")
        now = self._clock.now()
        due_by = int((now + ANSWER_WITHIN).timestamp())
        dispute = objects.dispute(self._new_id("dp"), int(now.timestamp()), charge, amount, reason, due_by, inquiry)
        self.kept[dispute["id"]] = dispute
        charge["disputed"] = True
        self._record("dispute_opened", dispute)
        self._events.emit("charge.dispute.created", dispute)
        if not inquiry:
            self._payments.charged_back.add(charge_id)
            self._move(dispute, -amount, FEE, "charge.dispute.funds_withdrawn")
        return dispute

    def update(
        self, dispute_id: str, evidence: dict[str, Any], metadata: dict[str, str], submit: bool, cause: Json
    ) -> Json:
        """Store evidence, and send it to the bank once: from then on the dispute is under review."""
        dispute = self._expect_open(dispute_id) if evidence else self.find(dispute_id)
        if unknown := sorted(set(evidence) - set(dispute["evidence"])):
            raise StripeError(400, f"Received unknown parameter: evidence[{unknown[0]}]", code="parameter_unknown")
        dispute["evidence"].update(evidence)
        dispute["metadata"].update(metadata)
        dispute["evidence_details"]["has_evidence"] = any(
            isinstance(each, str) for each in dispute["evidence"].values()
        )
        if evidence and submit:
            dispute["evidence_details"]["submission_count"] += 1
            dispute["status"] = _UNDER_REVIEW[dispute["status"]]
            verdict = _VERDICTS.get(str(dispute["evidence"]["uncategorized_text"]))
            if verdict is not None:
                self._agenda.after(DECIDED_AFTER_S, lambda: self.decide(dispute_id, won=verdict))
        self._events.emit("charge.dispute.updated", dispute, cause)
        return dispute

    def close(self, dispute_id: str, cause: Json) -> Json:
        """Accept a dispute: it is lost."""
        dispute = self._expect_open(dispute_id)
        self._end(dispute, won=False, cause=cause)
        return dispute

    def decide(self, dispute_id: str, *, won: bool) -> None:
        """The bank decides. Nothing happens to a dispute that has ended."""
        dispute = self.kept[dispute_id]
        if dispute["status"] not in ("won", "lost", "warning_closed"):
            self._end(dispute, won=won)

    def find(self, dispute_id: str) -> Json:
        """One dispute. Raises StripeError."""
        if dispute_id not in self.kept:
            raise not_found("dispute", dispute_id, "id")
        return self.kept[dispute_id]

    def _end(self, dispute: Json, *, won: bool, cause: Json = NOBODY) -> None:
        inquiry = str(dispute["status"]).startswith("warning")
        dispute["status"] = "warning_closed" if inquiry else ("won" if won else "lost")
        if won:
            self._payments.charged_back.discard(dispute["charge"])
        self._record("dispute_closed", dispute)
        self._events.emit("charge.dispute.closed", dispute, cause)
        if won and not inquiry:
            self._move(dispute, dispute["amount"], -FEE, "charge.dispute.funds_reinstated")

    def _move(self, dispute: Json, amount: int, fee: int, event: str) -> None:
        """The money of a dispute leaves the balance or comes back to it."""
        self._payments.book(dispute, amount, fee)
        dispute["balance_transactions"] = [
            txn for txn in self._payments.balance.values() if txn["source"] == dispute["id"]
        ]
        self._events.emit(event, dispute)

    def _expect_open(self, dispute_id: str) -> Json:
        dispute = self.find(dispute_id)
        if dispute["status"] not in _OPEN:
            raise StripeError(400, f"This dispute is {dispute['status']} and cannot be changed.")
        return dispute

    def _captured(self, charge: Json) -> None:
        """A card that is made to be disputed is, as soon as its money was taken."""
        test_card = TEST_CARDS.get(str(charge["payment_method"]))
        if test_card is None:
            return
        reason, inquiry = test_card

        def disputed() -> None:
            self.open(charge["id"], reason=reason, inquiry=inquiry)

        self._agenda.after(0.0, disputed)

    def _record(self, kind: str, dispute: Json) -> None:
        self._truth.record(
            kind,
            connection=self._connection,
            dispute_id=dispute["id"],
            payment_id=dispute["payment_intent"],
            amount_minor=dispute["amount"],
            currency=dispute["currency"].upper(),
            status=dispute["status"],
        )
