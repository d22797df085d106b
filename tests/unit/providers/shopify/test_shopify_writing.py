"""Captures, paid marks and fulfilments: looked up first, made once, refused by name."""

import httpx
import pytest

from tests.unit.providers.shopify.calling import AUTHORIZATION, mark_order_paid, refused
from tests.unit.providers.shopify.store import (
    NAME,
    ORDER_ID,
    both,
    head,
    order,
    page,
    parcel,
)
from tradewind.domain.commands import CapturePayment, CreateFulfillment
from tradewind.domain.money import Money
from tradewind.errors import (
    OutcomeUnknown,
    RequestRejected,
    SchemaMismatch,
    TransientError,
)


def _capture(minor=2400, currency="GBP"):
    return CapturePayment(
        connection=NAME,
        order_id="o",
        payment=AUTHORIZATION,
        amount=Money(minor=minor, currency=currency),
        storefront_order=ORDER_ID,
    )


def guard(*transactions):
    return {"order": {"transactions": [{"amountSet": both("24.00"), **each} for each in transactions]}}


AUTHORIZED = {"id": AUTHORIZATION, "kind": "AUTHORIZATION", "status": "SUCCESS", "parentTransaction": None}


def captured(status="SUCCESS"):
    parent = {"id": AUTHORIZATION}
    return {"id": "gid://shopify/OrderTransaction/42", "kind": "CAPTURE", "status": status, "parentTransaction": parent}


async def capture(store, command=None):
    return await store.clock.run(store.client().capture(command or _capture(), "key"))


async def test_a_capture_gives_the_order_as_it_is_afterwards(store):
    store.answers("CaptureGuard", guard(AUTHORIZED))
    told = {"transaction": {"status": "SUCCESS", "order": head(order())}, "userErrors": []}
    store.answers("OrderCapture", {"orderCapture": told})
    store.answers("Order", {"order": order()})
    (event,) = await capture(store)
    assert event.external_id == ORDER_ID
    assert dict(store.operations)["OrderCapture"]["input"] == {
        "id": ORDER_ID, "parentTransactionId": AUTHORIZATION, "amount": "24.00", "currency": "GBP",
    }  # fmt: skip


async def test_an_authorisation_that_is_captured_already_is_not_captured_again(store):
    store.answers("CaptureGuard", guard(AUTHORIZED, captured()))
    store.answers("Order", {"order": order()})
    assert len(await capture(store)) == 1
    assert "OrderCapture" not in store.asked


async def test_a_capture_under_way_is_waited_for(store):
    store.answers("CaptureGuard", guard(AUTHORIZED, captured("PENDING")))
    with pytest.raises(TransientError) as caught:
        await capture(store)
    assert caught.value.retry_after_s > 0
    assert "OrderCapture" not in store.asked


async def test_a_refused_capture_that_was_made_meanwhile_is_a_success(store):
    store.answers("CaptureGuard", guard(AUTHORIZED), guard(AUTHORIZED, captured()))
    store.answers("OrderCapture", refused("orderCapture", transaction=None))
    store.answers("Order", {"order": order()})
    assert len(await capture(store)) == 1


async def test_a_refused_capture_is_a_rejection(store):
    store.answers("CaptureGuard", guard(AUTHORIZED))
    store.answers("OrderCapture", refused("orderCapture", transaction=None))
    with pytest.raises(RequestRejected) as caught:
        await capture(store)
    assert caught.value.code == "USER_ERROR"


async def test_a_capture_that_the_bank_refuses_is_a_rejection(store):
    store.answers("CaptureGuard", guard(AUTHORIZED))
    told = {"transaction": {"status": "FAILURE", "order": head(order())}, "userErrors": []}
    store.answers("OrderCapture", {"orderCapture": told})
    with pytest.raises(RequestRejected) as caught:
        await capture(store)
    assert caught.value.code == "capture_failed"


async def test_a_capture_without_answer_is_not_sent_twice(store):
    store.answers("CaptureGuard", guard(AUTHORIZED))
    store.answers("OrderCapture", httpx.ReadTimeout("slow"))
    with pytest.raises(OutcomeUnknown):
        await capture(store)
    assert store.asked.count("OrderCapture") == 1


async def test_a_whole_authorisation_is_captured_in_the_customers_currency(store):
    store.answers("CaptureGuard", guard({**AUTHORIZED, "amountSet": both("24.00", "4500", "JPY")}))
    told = {"transaction": {"status": "SUCCESS", "order": head(order())}, "userErrors": []}
    store.answers("OrderCapture", {"orderCapture": told})
    store.answers("Order", {"order": order()})
    await capture(store)
    sent = dict(store.operations)["OrderCapture"]["input"]
    assert (sent["amount"], sent["currency"]) == ("4500", "JPY")


async def test_a_part_of_an_authorisation_in_another_currency_is_refused(store):
    store.answers("CaptureGuard", guard({**AUTHORIZED, "amountSet": both("24.00", "4500", "JPY")}))
    with pytest.raises(RequestRejected) as caught:
        await capture(store, _capture(1000))
    assert caught.value.code == "partial_presentment_capture"


async def test_a_capture_without_its_order_is_a_rejection(store):
    with pytest.raises(RequestRejected):
        await capture(store, _capture().model_copy(update={"storefront_order": None}))


async def test_marking_as_paid_gives_the_order(store):
    store.answers("PaidGuard", {"order": {"fullyPaid": False}})
    store.answers("OrderMarkAsPaid", {"orderMarkAsPaid": {"order": head(order()), "userErrors": []}})
    store.answers("Order", {"order": order()})
    (event,) = await store.clock.run(store.client().mark_paid(mark_order_paid(), "key"))
    assert event.placed.fully_paid
    assert dict(store.operations)["OrderMarkAsPaid"]["input"] == {"id": ORDER_ID}


async def test_an_order_that_is_paid_is_not_marked_again(store):
    store.answers("PaidGuard", {"order": {"fullyPaid": True}})
    store.answers("Order", {"order": order()})
    assert len(await store.clock.run(store.client().mark_paid(mark_order_paid(), "key"))) == 1
    assert "OrderMarkAsPaid" not in store.asked


async def test_a_refused_marking_of_an_unpaid_order_is_a_rejection(store):
    store.answers("PaidGuard", {"order": {"fullyPaid": False}})
    store.answers("OrderMarkAsPaid", refused("orderMarkAsPaid", order=None))
    with pytest.raises(RequestRejected):
        await store.clock.run(store.client().mark_paid(mark_order_paid(), "key"))


def _fulfill(**changes):
    return CreateFulfillment(
        connection=NAME,
        order_id="o",
        order=ORDER_ID,
        fulfillment_order="gid://shopify/FulfillmentOrder/11",
        tracking_number="TRACK1",
        tracking_url=None,
        carrier="UPS",
        **changes,
    )


def work_guard(*remaining, status="OPEN", more=None):
    return {
        "fulfillmentOrder": {
            "status": status,
            "lineItems": page(*({"remainingQuantity": n} for n in remaining), more=more),
        }
    }


async def fulfill(store, client=None):
    return await store.clock.run((client or store.client()).fulfill(_fulfill(), "key"))


async def test_fulfilling_tells_tracking_and_gives_the_order(store):
    store.answers("FulfillmentGuard", work_guard(0, 2))
    told = {"fulfillment": {"order": head(order())}, "userErrors": []}
    store.answers("FulfillmentCreate", {"fulfillmentCreate": told})
    store.answers("Order", {"order": order(fulfillments=[parcel()])})
    (event,) = await fulfill(store)
    assert event.placed.fulfillments[0].tracking_number == "TRACK1"
    assert dict(store.operations)["FulfillmentCreate"]["fulfillment"] == {
        "lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": "gid://shopify/FulfillmentOrder/11"}],
        "notifyCustomer": True,
        "trackingInfo": {"company": "UPS", "number": "TRACK1"},
    }


@pytest.mark.parametrize(
    "answer",
    [
        work_guard(0, 0),
        work_guard(2, status="CLOSED"),
        work_guard(0, status="CANCELLED"),
        {"fulfillmentOrder": None},
    ],
)
async def test_nothing_remaining_is_a_success_without_a_call(store, answer):
    store.answers("FulfillmentGuard", answer)
    store.answers("Order", {"order": order()})
    assert len(await fulfill(store)) == 1
    assert "FulfillmentCreate" not in store.asked


async def test_a_first_page_without_remainder_does_not_end_the_work(store):
    store.answers("FulfillmentGuard", work_guard(0, more="w1"))
    told = {"fulfillment": {"order": head(order())}, "userErrors": []}
    store.answers("FulfillmentCreate", {"fulfillmentCreate": told})
    store.answers("Order", {"order": order()})
    await fulfill(store)
    assert "FulfillmentCreate" in store.asked


async def test_a_refused_fulfilment_that_was_made_meanwhile_is_a_success(store):
    store.answers("FulfillmentGuard", work_guard(2), work_guard(status="CLOSED"))
    store.answers("FulfillmentCreate", refused("fulfillmentCreate", fulfillment=None))
    store.answers("Order", {"order": order()})
    assert len(await fulfill(store)) == 1


async def test_a_payload_of_another_shape_is_a_schema_mismatch(store):
    store.answers("FulfillmentGuard", work_guard(2))
    store.answers("FulfillmentCreate", {"fulfillmentCreate": None})
    with pytest.raises(SchemaMismatch):
        await fulfill(store)
