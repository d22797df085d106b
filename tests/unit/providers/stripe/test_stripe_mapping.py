import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.domain.events import Ignored, ResourceChanged
from tradewind.domain.money import Money
from tradewind.domain.order import Dispute, DisputeStatus, PaymentState
from tradewind.domain.reducer import is_news, new_order
from tradewind.errors import RequestRejected, SchemaMismatch
from tradewind.providers.stripe import events
from tradewind.providers.stripe.mapping import DisputeObject, PaymentIntentObject, dispute_observed, payment_observed
from tradewind.providers.stripe.money import from_stripe, to_stripe

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def read(obj, topic="x"):
    body = json.dumps({"data": {"object": obj}}).encode()
    return events(topic, body, connection="stripe:main", received_at=NOW)


@pytest.mark.parametrize(
    "obj",
    [
        {"object": "payment_intent", "id": "pi_1"},
        {"object": "charge", "id": "ch_1", "payment_intent": "pi_1"},
        {"object": "refund", "id": "re_1", "payment_intent": "pi_1"},
        {"object": "charge", "id": "ch_1", "payment_intent": {"id": "pi_1", "object": "payment_intent"}},
    ],
)
def test_every_event_of_a_payment_is_a_hint_to_read_it_again(obj):
    (event,) = read(obj)
    assert isinstance(event, ResourceChanged)
    assert event.resource.address == "stripe:main/payment/pi_1"


def test_every_event_of_a_dispute_is_a_hint_to_read_it_again():
    (event,) = read({"object": "dispute", "id": "dp_1", "charge": "ch_1", "payment_intent": "pi_1"})
    assert isinstance(event, ResourceChanged)
    assert event.resource.address == "stripe:main/dispute/dp_1"


def hint(created):
    event = {"created": created, "data": {"object": {"object": "payment_intent", "id": "pi_1"}}}
    (read,) = events("x", json.dumps(event).encode(), connection="stripe:main", received_at=NOW)
    return read


def test_a_hint_tells_of_nothing_later_than_its_second_and_the_clocks_difference():
    assert hint(1793534400).version == datetime.fromtimestamp(1793534403, UTC)
    resource = "stripe:main/payment/pi_1"
    for read_after_s, is_new in [(2.9, True), (3.0, True), (3.1, False)]:
        versions = {resource: (datetime.fromtimestamp(1793534400 + read_after_s, UTC), "digest")}
        order = new_order("shopify:north", "1").model_copy(update={"versions": versions})
        assert is_news(order, resource, hint(1793534400).version, None) is is_new


@pytest.mark.parametrize("created", [None, "1793534400", True, 10**30])
def test_a_hint_of_an_unreadable_time_is_always_news(created):
    assert hint(created).version is None


@pytest.mark.parametrize(
    "obj",
    [
        {"object": "charge", "id": "ch_1", "payment_intent": None},
        {"object": "dispute", "id": "dp_1", "payment_intent": None},
        {"object": "payout", "id": "po"},
    ],
)
def test_an_event_without_a_payment_is_ignored_with_a_reason(obj):
    (event,) = read(obj)
    assert isinstance(event, Ignored)
    assert obj["object"] in event.reason


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"data": {"object": 5}}', b'{"data": {"object": {"id": "x"}}}'])
def test_a_body_that_is_no_event_is_a_schema_mismatch(body):
    with pytest.raises(SchemaMismatch):
        events("x", body, connection="stripe:main", received_at=NOW)


@pytest.mark.parametrize(
    ("amount", "currency", "money"),
    [
        (1250, "gbp", Money(minor=1250, currency="GBP")),
        (500, "jpy", Money(minor=500, currency="JPY")),
        (500, "clp", Money(minor=500, currency="CLP")),
        (1250, "huf", Money(minor=1250, currency="HUF")),
        (5120, "bhd", Money(minor=5120, currency="BHD")),
        (5000, "kwd", Money(minor=5000, currency="KWD")),
        (50000, "isk", Money(minor=500, currency="ISK")),  # taken with two decimals it does not have
        (500, "ugx", Money(minor=5, currency="UGX")),
        (5, "mga", Money(minor=500, currency="MGA")),  # taken without the decimals it has
    ],
)
def test_amounts_have_the_exponent_that_stripe_gives_the_currency(amount, currency, money):
    assert from_stripe(amount, currency) == money
    assert to_stripe(money) == amount


@given(st.integers(min_value=0, max_value=10**9), st.sampled_from(["gbp", "jpy", "krw", "usd", "huf", "twd"]))
def test_amounts_survive_the_way_there_and_back(amount, currency):
    assert to_stripe(from_stripe(amount, currency)) == amount


def test_an_amount_between_two_units_is_never_rounded():
    with pytest.raises(SchemaMismatch):
        from_stripe(50001, "isk")
    with pytest.raises(RequestRejected):
        to_stripe(Money(minor=501, currency="MGA"))


@pytest.mark.parametrize("currency", ["BHD", "JOD", "KWD", "OMR", "TND"])
def test_of_three_decimals_stripe_moves_no_more_than_two(currency):
    assert to_stripe(Money(minor=5120, currency=currency)) == 5120
    with pytest.raises(RequestRejected) as refused:
        to_stripe(Money(minor=5124, currency=currency))
    assert refused.value.code == "amount_too_fine"
    assert from_stripe(5124, currency.lower()).minor == 5124


def intent(**changes):
    base = {
        "id": "pi_1", "amount": 1000, "amount_capturable": 1000, "amount_received": 0, "currency": "gbp",
        "created": 1793534400, "status": "requires_capture", "metadata": {"payment_id": "chk_1"},
        "latest_charge": {"id": "ch_1", "status": "succeeded", "refunds": {"data": [], "has_more": False}},
    }  # fmt: skip
    return PaymentIntentObject.model_validate({**base, **changes})


def observed(payment_intent, refunds=()):
    return payment_observed(payment_intent, refunds, connection="stripe:main", version=NOW)


def test_an_authorised_payment():
    event = observed(intent(amount_capturable=900))
    assert event.version == NOW
    payment = event.payment
    assert (payment.state, payment.authorized.minor, payment.captured.minor) == (PaymentState.AUTHORIZED, 900, 0)
    assert (payment.charge_id, payment.payment_id) == ("ch_1", "chk_1")


def refund(refund_id, amount, status="succeeded", created=1):
    return {"id": refund_id, "amount": amount, "currency": "gbp", "created": created, "status": status}


def test_a_captured_payment_with_its_refunds_in_order():
    made = [refund("re_2", 200, created=2), refund("re_1", 100), refund("re_3", 50, status="failed")]
    charge = {"id": "ch_1", "status": "succeeded", "refunds": {"data": made, "has_more": False}}
    paid = intent(status="succeeded", amount_capturable=0, amount_received=1000, latest_charge=charge)
    event = observed(paid, paid.latest_charge.refunds.data)
    assert event.payment.state is PaymentState.CAPTURED
    assert event.payment.refunded.minor == 300
    assert [item.external_id for item in event.refunds] == ["re_1", "re_2"]


def with_refunds(made, **changes):
    charge = {"id": "ch_1", "status": "succeeded", "refunds": {"data": made, "has_more": False}}
    paid = intent(amount_capturable=0, latest_charge=charge, **changes)
    return observed(paid, paid.latest_charge.refunds.data)


def test_a_refund_says_of_which_payment_and_what_we_said_that_it_was_for():
    event = with_refunds(
        [refund("re_1", 200) | {"metadata": {"reference": "r-1"}}, refund("re_2", 100)],
        status="succeeded",
        amount_received=1000,
    )
    payment = event.payment.external_id
    assert [(one.payment, one.reference) for one in event.refunds] == [(payment, "r-1"), (payment, None)]


def test_a_partial_capture_takes_less_than_was_authorised():
    event = with_refunds([refund("re_1", 200)], status="succeeded", amount_received=800)
    assert (event.payment.state, event.payment.captured.minor, event.payment.refunded.minor) == (
        PaymentState.CAPTURED, 800, 0,
    )  # fmt: skip
    assert event.refunds == ()


def test_money_given_back_after_a_partial_capture_is_told_from_what_was_released():
    booked = {**refund("re_2", 200, created=2), "balance_transaction": "txn_1"}
    ours = {**refund("re_3", 100, created=3), "metadata": {"reference": "r"}}
    pending = refund("re_4", 50, created=4, status="pending")
    event = with_refunds([refund("re_1", 200), booked, ours, pending], status="succeeded", amount_received=800)
    assert [one.external_id for one in event.refunds] == ["re_2", "re_3", "re_4"]
    assert event.payment.refunded.minor == 350


def test_what_a_partial_capture_released_is_no_refund_of_money_taken():
    released = intent(status="canceled", amount_capturable=0)
    refunds = PaymentIntentObject.model_validate(
        {
            **released.model_dump(),
            "latest_charge": {"id": "c", "status": "s", "refunds": {"data": [refund("re_1", 1000)], "has_more": False}},
        }
    ).latest_charge.refunds.data
    assert observed(released, refunds).payment.refunded.minor == 0


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"status": "canceled"}, PaymentState.CANCELLED),
        ({"status": "processing"}, PaymentState.PENDING),
        ({"status": "requires_action"}, PaymentState.PENDING),
        ({"status": "requires_payment_method"}, PaymentState.PENDING),
        ({"status": "requires_payment_method", "last_payment_error": {"code": "card_declined"}}, PaymentState.FAILED),
        ({"status": "a_status_of_the_future"}, PaymentState.PENDING),
    ],
)
def test_states_that_take_no_money(changes, state):
    assert observed(intent(latest_charge=None, **changes)).payment.state is state


def dispute(**changes):
    base = {
        "id": "dp_1", "object": "dispute", "amount": 1000, "currency": "isk", "charge": "ch_1",
        "payment_intent": "pi_1", "reason": "fraudulent", "status": "needs_response", "created": 1793534400,
        "evidence_details": {"due_by": 1794139200},
    }  # fmt: skip
    return dispute_observed(DisputeObject.model_validate({**base, **changes}), connection="stripe:main", version=NOW)


def test_a_dispute_names_its_payment_amount_and_deadline():
    event = dispute()
    assert (event.connection, event.version) == ("stripe:main", NOW)
    assert event.dispute == Dispute(
        connection="stripe:main", external_id="dp_1", payment="pi_1", charge_id="ch_1",
        amount=Money(minor=10, currency="ISK"), reason="fraudulent", status=DisputeStatus.NEEDS_RESPONSE,
        evidence_due_at=datetime.fromtimestamp(1794139200, UTC), created_at=datetime.fromtimestamp(1793534400, UTC),
    )  # fmt: skip
    assert dispute(evidence_details={"due_by": None}).dispute.evidence_due_at is None


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ("warning_needs_response", DisputeStatus.NEEDS_RESPONSE),
        ("warning_under_review", DisputeStatus.UNDER_REVIEW),
        ("warning_closed", DisputeStatus.PREVENTED),
        ("prevented", DisputeStatus.PREVENTED),
        ("appeal_under_review", DisputeStatus.UNDER_REVIEW),
        ("under_review", DisputeStatus.UNDER_REVIEW),
        ("won", DisputeStatus.WON),
        ("lost", DisputeStatus.LOST),
    ],
)
def test_a_dispute_has_a_status_of_ours(told, status):
    assert dispute(status=told).dispute.status is status


def test_a_dispute_of_another_status_is_not_guessed_at():
    with pytest.raises(SchemaMismatch, match="dp_1"):
        dispute(status="a_status_of_the_future")


def test_a_dispute_of_a_charge_without_payment_intent_is_ignored():
    assert isinstance(dispute(payment_intent=None), Ignored)
