from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from tests.unit.providers.shopify.store import (
    LINE_ID,
    LOCATION_ID,
    NAME,
    WORK_ID,
    both,
    line,
    money,
    order,
    page,
    parcel,
    refund,
    refunded_line,
    returned,
    transaction,
    work,
    work_line,
)
from tradewind.domain.money import Money
from tradewind.domain.order import (
    CapturedBy,
    FulfillmentOrder,
    FulfillmentOrderStatus,
    HoldReason,
    TransactionKind,
    TransactionStatus,
)
from tradewind.errors import SchemaMismatch
from tradewind.providers.shopify.mapping import catalogue_item, order_observed
from tradewind.providers.shopify.wire import OrderNode, VariantNode


def gbp(minor):
    return Money(minor=minor, currency="GBP")


def placed(**changes):
    node = OrderNode.model_validate(order(**changes))
    return order_observed(node, connection=NAME, processor_gateways={"stripe"}).placed


def test_an_order_is_a_snapshot_of_its_update_time():
    event = order_observed(OrderNode.model_validate(order()), connection=NAME, processor_gateways=())
    assert event.external_id == "gid://shopify/Order/1"
    assert event.version == event.placed.updated_at == datetime(2026, 11, 1, 10, 0, 5, tzinfo=UTC)
    assert event.placed.processed_at < event.placed.placed_at


def test_amounts_add_up_with_tax_on_top():
    seen = placed()
    assert (seen.subtotal, seen.shipping, seen.tax, seen.total) == (gbp(2000), gbp(300), gbp(100), gbp(2400))
    assert not seen.taxes_included


def test_tax_included_is_kept_apart_from_the_total():
    taxed = line(taxLines=[{"priceSet": money("1.67")}, {"priceSet": money("0.33")}])
    seen = placed(taxesIncluded=True, totalTaxSet=money("2.00"), lineItems=page(taxed))
    assert seen.taxes_included
    assert seen.tax == seen.lines[0].tax == gbp(200)


def test_a_line_bears_its_own_discount_and_its_part_of_the_orders():
    allocations = [{"allocatedAmountSet": money("1.50")}, {"allocatedAmountSet": money("0.25")}]
    seen = placed(lineItems=page(line(discountAllocations=allocations)), totalDiscountsSet=money("1.75"))
    assert seen.lines[0].discount == seen.discounts == gbp(175)
    assert seen.lines[0].unit_price == gbp(1000)


def test_shipping_is_what_is_left_after_its_discounts_over_all_lines():
    lines = page({"discountedPriceSet": money("3.00")}, {"discountedPriceSet": money("0.0")})
    assert placed(shippingLines=lines).shipping == gbp(300)


def test_tips_and_duties_are_kept():
    seen = placed(totalTipReceivedSet=money("2.00"), originalTotalDutiesSet=money("4.10"))
    assert (seen.tip, seen.duties) == (gbp(200), gbp(410))


def test_amounts_that_shopify_leaves_out_are_zero_of_the_shops_currency():
    seen = placed(subtotalPriceSet=None, totalDiscountsSet=None, totalTaxSet=None)
    assert (seen.subtotal, seen.discounts, seen.tax, seen.duties) == (gbp(0),) * 4


def test_the_customers_currency_stands_beside_the_shops():
    seen = placed(totalPriceSet=both("24.00", "4500", "JPY"))
    assert seen.currency == "GBP"
    assert seen.presentment_total == Money(minor=4500, currency="JPY")


def test_an_amount_finer_than_its_currency_is_a_schema_mismatch():
    with pytest.raises(SchemaMismatch):
        placed(totalTipReceivedSet=money("0.001"))


@pytest.mark.parametrize("amount", ["", "NaN", "Infinity", "ten"])
def test_what_is_no_amount_is_a_schema_mismatch(amount):
    with pytest.raises(SchemaMismatch):
        placed(totalTipReceivedSet=money(amount))


def test_a_storefronts_own_gateway_captures_itself():
    (seen,) = placed().transactions
    assert seen.captured_by is CapturedBy.STOREFRONT
    assert (seen.kind, seen.status, seen.payment_id) == (TransactionKind.SALE, TransactionStatus.SUCCESS, "pay-1")


def test_a_directly_charged_gateway_is_captured_by_the_processor():
    (seen,) = placed(transactions=[transaction(gateway="stripe", status="PENDING")]).transactions
    assert seen.captured_by is CapturedBy.PROCESSOR
    assert seen.status is TransactionStatus.PENDING


@pytest.mark.parametrize(
    "booking",
    [
        {"gateway": "manual"},
        {"gateway": "other", "parentTransaction": {"id": "gid://shopify/OrderTransaction/41"}},
    ],
)
def test_marking_a_direct_charge_as_paid_is_not_a_second_payment(booking):
    direct = transaction(41, gateway="stripe", status="PENDING")
    seen = placed(transactions=[direct, transaction(42, **booking)]).transactions
    assert [t.captured_by for t in seen] == [CapturedBy.PROCESSOR] * 2


def test_a_gift_card_is_a_payment_that_the_storefront_took():
    gift = transaction(42, gateway="gift_card", amountSet=both("5.00"), paymentId=None)
    seen = placed(transactions=[transaction(gateway="stripe", status="PENDING"), gift]).transactions
    assert seen[1].gateway == "gift_card"
    assert seen[1].captured_by is CapturedBy.STOREFRONT
    assert seen[1].amount == gbp(500)


def test_a_proposed_refund_and_cash_change_move_no_money():
    kinds = ("SUGGESTED_REFUND", "CHANGE", "EMV_AUTHORIZATION", "VOID")
    seen = placed(transactions=[transaction(n, kind=kind) for n, kind in enumerate(kinds)]).transactions
    assert [t.kind for t in seen] == [TransactionKind.AUTHORIZATION, TransactionKind.VOID]


@pytest.mark.parametrize(
    ("status", "expected"),
    [("SUCCESS", "success"), ("ERROR", "failure"), ("FAILURE", "failure"), ("AWAITING_RESPONSE", "pending")],
)
def test_transaction_status(status, expected):
    assert placed(transactions=[transaction(status=status)]).transactions[0].status == expected


def test_a_fulfillment_order_names_location_and_quantities():
    (seen,) = placed(fulfillmentOrders=page(work(11, work_line(21, total=3, remaining=1)))).fulfillment_orders
    assert seen == FulfillmentOrder(
        external_id=WORK_ID,
        location="gid://shopify/Location/31",
        status=FulfillmentOrderStatus.OPEN,
        assigned=((LINE_ID, 3),),
        remaining=((LINE_ID, 1),),
    )


def test_a_fulfillment_order_tells_why_it_is_held():
    held = work(status="ON_HOLD", fulfillmentHolds=[{"reason": "HIGH_RISK_OF_FRAUD"}, {"reason": "AWAITING_PAYMENT"}])
    (seen,) = placed(fulfillmentOrders=page(held)).fulfillment_orders
    assert seen.holds == (HoldReason.RISK, HoldReason.OTHER)


def test_a_deleted_location_leaves_its_name():
    gone = work(assignedLocation={"name": "Old barn", "location": None})
    assert placed(fulfillmentOrders=page(gone)).fulfillment_orders[0].location == "Old barn"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("IN_PROGRESS", "in_progress"),
        ("ON_HOLD", "on_hold"),
        ("SCHEDULED", "scheduled"),
        ("CANCELLED", "cancelled"),
        ("CLOSED", "closed"),
        ("INCOMPLETE", "closed"),
        ("SOMETHING_NEW", "closed"),
    ],
)
def test_only_open_work_can_be_shipped(status, expected):
    assert placed(fulfillmentOrders=page(work(status=status))).fulfillment_orders[0].status == expected


def test_an_order_on_hold_and_a_test_order_say_so():
    seen = placed(displayFulfillmentStatus="ON_HOLD", test=True)
    assert seen.on_hold
    assert seen.test


def test_a_fulfillment_carries_tracking_and_the_work_it_closes():
    (seen,) = placed(fulfillments=[parcel()]).fulfillments
    assert (seen.fulfillment_order_id, seen.status, seen.tracking_number) == (WORK_ID, "success", "TRACK1")
    (bare,) = placed(fulfillments=[parcel(trackingInfo=[], fulfillmentOrders={"nodes": []})]).fulfillments
    assert bare.fulfillment_order_id is bare.tracking_number is None


def test_a_refund_tells_units_that_came_back_from_those_that_never_left():
    lines = (refunded_line(1), refunded_line(2, "NO_RESTOCK", 22), refunded_line(3, "CANCEL", 23, location=None))
    (seen,) = placed(refunds=[refund(61, "10.0", *lines)]).refunds
    assert seen.amount == gbp(1000)
    assert [quantity for _, quantity in seen.lines] == [1, 2, 3]
    assert seen.restocked == ((LINE_ID, LOCATION_ID, 1),)
    assert seen.cancelled == (("gid://shopify/LineItem/23", 3),)
    assert seen.created_at == datetime(2026, 11, 2, 10, tzinfo=UTC)
    assert placed(refunds=[refund(createdAt=None)]).refunds[0].created_at.second == 1


def test_a_refund_names_its_return_and_what_paid_it():
    paid = {"nodes": [{"id": "gid://shopify/OrderTransaction/49"}]}
    told = refund(61, "5.00", transactions=paid, totalRefundedSet=both("5.00", "940", "JPY"))
    (seen,) = placed(refunds=[told | {"return": {"id": "gid://shopify/Return/81"}}]).refunds
    assert (seen.return_id, seen.transactions) == ("gid://shopify/Return/81", ("gid://shopify/OrderTransaction/49",))
    assert seen.presentment == Money(minor=940, currency="JPY")


def test_a_transaction_tells_what_the_customer_saw_and_whether_it_may_be_captured_in_parts():
    (seen,) = placed(
        transactions=[transaction(amountSet=both("24.00", "7.530", "KWD"), multiCapturable=True)]
    ).transactions
    assert (seen.amount, seen.presentment) == (gbp(2400), Money(minor=7530, currency="KWD"))
    assert seen.multi_capturable


def test_what_is_left_of_the_total_stands_beside_it():
    seen = placed(currentTotalPriceSet=both("14.00", "2600", "JPY"), edited=True)
    assert (seen.total, seen.current_total) == (gbp(2400), gbp(1400))
    assert seen.presentment_current_total == Money(minor=2600, currency="JPY")
    assert seen.edited


@pytest.mark.parametrize(
    ("recommendation", "levels", "risk"),
    [
        ("NONE", [], "none"),
        ("NONE", ["NONE", "PENDING"], "pending"),
        ("ACCEPT", ["LOW", "PENDING"], "low"),
        ("INVESTIGATE", ["MEDIUM"], "medium"),
        ("CANCEL", ["HIGH"], "high"),
    ],
)
def test_risk_is_what_shopify_recommends(recommendation, levels, risk):
    told = {"recommendation": recommendation, "assessments": [{"riskLevel": level} for level in levels]}
    assert placed(risk=told).risk == risk


def test_a_return_tells_what_comes_back_and_where_it_lies_again():
    ends = [
        {"type": "RESTOCKED", "quantity": 1, "location": {"id": LOCATION_ID}},
        {"type": "MISSING", "quantity": 1, "location": None},
    ]
    (seen,) = placed(returns=[returned(81, *ends)]).returns
    assert (seen.status, seen.lines, seen.restocked) == ("open", ((LINE_ID, 1),), ((LINE_ID, LOCATION_ID, 1),))


@pytest.mark.parametrize("status", ["REQUESTED", "OPEN", "CLOSED", "DECLINED", "CANCELED"])
def test_every_status_of_a_return_is_known(status):
    assert placed(returns=[returned(status=status)]).returns[0].status in (status.lower(), "cancelled")


def test_a_line_that_the_store_never_shipped_is_in_no_return():
    bare = returned(returnLineItems={"nodes": [{"quantity": 1}]})
    assert placed(returns=[bare]).returns[0].lines == ()


def test_a_customer_is_named_by_account_or_by_contact_alone():
    assert placed().customer.name == "Ada Ames"
    guest = placed(customer=None).customer
    assert (guest.external_id, guest.email) == (None, "ada@example.com")
    assert placed(customer=None, email=None).customer is None


def test_addresses_keep_every_part():
    seen = placed()
    assert (seen.ship_to.line1, seen.ship_to.region, seen.ship_to.country) == ("1 High Street", "ENG", "GB")
    assert seen.bill_to is None


def test_an_empty_sku_is_no_sku():
    assert placed(lineItems=page(line(sku=""))).lines[0].sku is None


def test_a_time_without_offset_is_refused():
    with pytest.raises(ValidationError):
        placed(updatedAt="2026-11-01T10:00:05")


def variant(tracked=True):
    return VariantNode.model_validate(
        {
            "id": "gid://shopify/ProductVariant/1",
            "sku": "MUG",
            "displayName": "Mug - Blue",
            "price": "12.50",
            "updatedAt": "2026-11-01T10:00:00Z",
            "inventoryPolicy": "CONTINUE",
            "inventoryItem": {
                "id": "gid://shopify/InventoryItem/1",
                "tracked": tracked,
                "inventoryLevels": page(
                    {
                        "location": {"id": "gid://shopify/Location/31", "name": "Leeds"},
                        "quantities": [{"name": "available", "quantity": 3}, {"name": "on_hand", "quantity": 5}],
                    }
                ),
            },
        }
    )


def test_a_variant_becomes_a_catalogue_item():
    item = catalogue_item(variant(), connection=NAME, currency="GBP")
    assert (item.price, item.title, item.backorders) == (gbp(1250), "Mug - Blue", True)
    assert (item.levels[0].on_hand, item.levels[0].available) == (5, 3)


def test_what_is_not_tracked_has_no_levels():
    assert catalogue_item(variant(tracked=False), connection=NAME, currency="GBP").levels == ()
