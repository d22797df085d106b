"""Disputes of the simulated Stripe: what they do to money, and what is told of them."""

import pytest

from tests.unit.sandbox.inside import Inside, inside
from tradewind.sandbox.stripe.errors import StripeError


def paid(stage: Inside, payment_method: str = "pm_card_visa", amount: int = 1000) -> str:
    """A captured payment's charge."""
    payments = stage.sandbox.stripe["main"].payments
    intent = payments.create(amount, "gbp", payment_method=payment_method)
    return str(payments.confirm(intent["id"])["latest_charge"])


def told(stage: Inside) -> list[str]:
    """Events about disputes, oldest first."""
    kinds = [event["type"] for event in stage.sandbox.stripe["main"].events.newest_first()]
    return [kind.removeprefix("charge.dispute.") for kind in reversed(kinds) if kind.startswith("charge.dispute.")]


async def test_a_lost_dispute_keeps_the_money_and_its_fee() -> None:
    async with inside() as stage:
        account = stage.sandbox.stripe["main"]
        dispute = account.disputes.open(paid(stage))
        account.disputes.update(dispute["id"], {"uncategorized_text": "parcel"}, {}, submit=True, cause={})
        account.disputes.decide(dispute["id"], won=False)
        account.disputes.decide(dispute["id"], won=True)
        assert dispute["status"] == "lost"
        assert [(txn["amount"], txn["fee"]) for txn in dispute["balance_transactions"]] == [(-1000, 2000)]
        assert told(stage) == ["created", "funds_withdrawn", "updated", "closed"]
        facts = stage.sandbox.truth.of("dispute_opened") + stage.sandbox.truth.of("dispute_closed")
        assert [fact["status"] for fact in facts] == ["needs_response", "lost"]


async def test_a_won_dispute_gives_the_money_back_and_the_charge_can_be_refunded_again() -> None:
    async with inside() as stage:
        account = stage.sandbox.stripe["main"]
        charge = paid(stage)
        dispute = account.disputes.open(charge, 400)
        with pytest.raises(StripeError, match="charged back"):
            account.payments.refund(charge, 100)
        account.disputes.decide(dispute["id"], won=True)
        assert [txn["net"] for txn in dispute["balance_transactions"]] == [-2400, 2400]
        assert told(stage)[-2:] == ["closed", "funds_reinstated"]
        assert account.payments.refund(charge, 100)["status"] == "succeeded"


async def test_an_inquiry_withdraws_nothing_and_ends_as_closed() -> None:
    async with inside() as stage:
        account = stage.sandbox.stripe["main"]
        charge = paid(stage, "pm_card_createDisputeInquiry")
        stage.sandbox.agenda.run_due()
        [dispute] = account.disputes.kept.values()
        assert (dispute["status"], dispute["is_charge_refundable"]) == ("warning_needs_response", True)
        assert account.payments.refund(charge, 100)["status"] == "succeeded"
        account.disputes.decide(dispute["id"], won=False)
        assert (dispute["status"], dispute["balance_transactions"]) == ("warning_closed", [])


async def test_evidence_may_be_kept_before_it_is_sent() -> None:
    async with inside() as stage:
        disputes = stage.sandbox.stripe["main"].disputes
        dispute = disputes.open(paid(stage))
        kept = disputes.update(dispute["id"], {"product_description": "A mug"}, {"case": "7"}, submit=False, cause={})
        assert (kept["status"], kept["metadata"]) == ("needs_response", {"case": "7"})
        with pytest.raises(StripeError, match="unknown parameter: evidence"):
            disputes.update(dispute["id"], {"alibi": "none"}, {}, submit=True, cause={})


@pytest.mark.parametrize("amount", [0, 1001])
async def test_only_money_that_was_taken_can_be_disputed(amount: int) -> None:
    async with inside() as stage:
        disputes = stage.sandbox.stripe["main"].disputes
        charge = paid(stage)
        with pytest.raises(StripeError, match="cannot be disputed"):
            disputes.open(charge, amount)
        disputes.open(charge)
        with pytest.raises(StripeError, match="cannot be disputed"):
            disputes.open(charge)
