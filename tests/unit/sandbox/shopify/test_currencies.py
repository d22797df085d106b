"""Money beside the plain price: other currencies, gift cards, tips, duties, added tax, parts."""

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.sandbox.shopify.stores import Shop, body, gid
from tradewind.sandbox.shopify import PlacedLine, StoreOrder
from tradewind.sandbox.shopify.money import Currencies
from tradewind.sandbox.shopify.payment import owed, owed_presented, presented, received, refunded

EUROS = Currencies("GBP", "EUR", Decimal("1.17"))
BAG = "{ shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }"
ORDER = f"""query ($id: ID!) {{ order(id: $id) {{ currencyCode presentmentCurrencyCode displayFinancialStatus
  totalPriceSet {BAG} totalReceivedSet {BAG} totalRefundedSet {BAG} totalOutstandingSet {BAG} totalTipReceivedSet {BAG}
  originalTotalDutiesSet {BAG} currentTotalDutiesSet {BAG} totalTaxSet {BAG} paymentGatewayNames
  transactions {{ id kind gateway amountSet {BAG} maximumRefundableV2 {{ amount currencyCode }} }} }} }}"""
CAPTURE = f"""mutation ($input: OrderCaptureInput!) {{ orderCapture(input: $input) {{
  transaction {{ amountSet {BAG} }} userErrors {{ field message }} }} }}"""
REFUND = """mutation ($input: RefundInput!, $key: String!) { refundCreate(input: $input) @idempotent(key: $key) {
  refund { totalRefundedSet { shopMoney { amount } presentmentMoney { amount } } } userErrors { field } } }"""


@pytest.fixture
def shop() -> Shop:
    return Shop()


def seen(shop: Shop, order: StoreOrder) -> dict[str, Any]:
    found: dict[str, Any] = shop.data(ORDER, id=gid("Order", order.id))["order"]
    return found


def amounts(bag: dict[str, Any]) -> tuple[str, str]:
    return bag["shopMoney"]["amount"], bag["presentmentMoney"]["amount"]


def capture(shop: Shop, order: StoreOrder, amount: str, currency: str | None = "EUR") -> dict[str, Any]:
    held = gid("OrderTransaction", order.transactions[0].id)
    given = {"id": gid("Order", order.id), "parentTransactionId": held, "amount": amount, "currency": currency}
    answer: dict[str, Any] = shop.data(CAPTURE, input=given)["orderCapture"]
    return answer


def refund(shop: Shop, order: StoreOrder, amount: str, **given: Any) -> dict[str, Any]:
    paid = order.transactions[0]
    back = {"parentId": gid("OrderTransaction", paid.id), "gateway": paid.gateway, "kind": "REFUND"}
    asked = {
        "orderId": gid("Order", order.id),
        "currency": order.money.presentment,
        "transactions": [{**back, "orderId": gid("Order", order.id), "amount": amount}],
        **given,
    }
    answer: dict[str, Any] = shop.data(REFUND, input=asked, key=f"k-{amount}-{given}")["refundCreate"]
    return answer


def test_every_amount_stands_in_both_currencies(shop: Shop) -> None:
    order = shop.place(money=EUROS)
    found = seen(shop, order)
    assert (found["currencyCode"], found["presentmentCurrencyCode"]) == ("GBP", "EUR")
    assert amounts(found["totalPriceSet"]) == amounts(found["totalReceivedSet"]) == ("33.92", "39.69")
    [paid] = found["transactions"]
    assert amounts(paid["amountSet"]) == ("33.92", "39.69")
    assert paid["maximumRefundableV2"] == {"amount": "39.69", "currencyCode": "EUR"}


def test_what_is_captured_is_named_in_the_shoppers_currency(shop: Shop) -> None:
    order = shop.place(money=EUROS, kind="authorization")
    assert capture(shop, order, "39.69", None)["userErrors"][0]["field"] == ["input", "currency"]
    assert capture(shop, order, "33.92", "GBP")["userErrors"][0]["field"] == ["input", "currency"]
    assert capture(shop, order, "39.70")["userErrors"][0]["field"] == ["input", "amount"]
    assert amounts(capture(shop, order, "39.69")["transaction"]["amountSet"]) == ("33.92", "39.69")
    assert seen(shop, order)["displayFinancialStatus"] == "PAID"


def test_a_part_that_was_captured_leaves_the_rest_outstanding(shop: Shop) -> None:
    order = shop.place(money=EUROS, kind="authorization")
    assert amounts(capture(shop, order, "11.70")["transaction"]["amountSet"]) == ("10.00", "11.70")
    found = seen(shop, order)
    assert (found["displayFinancialStatus"], amounts(found["totalOutstandingSet"])[0]) == ("PARTIALLY_PAID", "23.92")


def test_refunds_in_parts_end_at_nothing_in_both_currencies(shop: Shop) -> None:
    order = shop.place(money=EUROS)
    without = refund(shop, order, "1.00", currency=None)
    assert without["userErrors"] == [{"field": ["currency"]}]
    assert refund(shop, order, "1.00", currency="GBP")["userErrors"] == [{"field": ["currency"]}]
    parts = [refund(shop, order, amount)["refund"]["totalRefundedSet"] for amount in ("13.23", "13.24", "13.22")]
    assert [amounts(part) for part in parts] == [("11.31", "13.23"), ("11.32", "13.24"), ("11.29", "13.22")]
    found = seen(shop, order)
    assert (amounts(found["totalRefundedSet"]), found["displayFinancialStatus"]) == (("33.92", "39.69"), "REFUNDED")
    assert refund(shop, order, "0.01")["userErrors"] == [{"field": ["transactions", "0", "amount"]}]


@pytest.mark.parametrize(
    ("currency", "price", "total", "minor"), [("JPY", "1250", "4145", 4145), ("KWD", "1.255", "7.715", 7715)]
)
def test_currencies_have_their_own_smallest_unit(currency: str, price: str, total: str, minor: int) -> None:
    shop = Shop()
    shop.store.currency = currency
    shipping = Decimal("395") if currency == "JPY" else Decimal("3.950")
    order = shop.place(PlacedLine("MUG", 3, Decimal(price)), shipping=shipping)
    assert amounts(seen(shop, order)["totalPriceSet"]) == (total, total)
    assert shop.sandbox.truth.of("captured")[0]["amount_minor"] == minor


def test_a_gift_card_pays_its_part_at_once_and_is_refunded_first(shop: Shop) -> None:
    order = shop.place(gift_card=Decimal("10.00"), kind="authorization", money=EUROS)
    found = seen(shop, order)
    shown = [(each["gateway"], each["kind"], amounts(each["amountSet"])) for each in found["transactions"]]
    assert shown == [
        ("gift_card", "SALE", ("10.00", "11.70")),
        ("shopify_payments", "AUTHORIZATION", ("23.92", "27.99")),
    ]
    assert found["displayFinancialStatus"] == "PARTIALLY_PAID"
    assert found["paymentGatewayNames"] == ["gift_card", "shopify_payments"]
    shop.store.cancel_order(order.id, "customer", refund=True)
    assert [(each.gateway, each.kind) for each in order.transactions[2:]] == [
        ("shopify_payments", "VOID"),
        ("gift_card", "REFUND"),
    ]


def test_a_gift_card_may_pay_for_everything(shop: Shop) -> None:
    order = shop.place(gift_card=Decimal("33.92"))
    assert [each.gateway for each in order.transactions] == ["gift_card"]
    assert seen(shop, order)["displayFinancialStatus"] == "PAID"


def test_tip_duties_and_added_tax_are_part_of_the_total(shop: Shop) -> None:
    order = shop.place(
        PlacedLine("MUG", 2, Decimal("10.00"), duty=Decimal("1.50")), tip=Decimal("2.00"), taxes_included=False
    )
    found = seen(shop, order)
    assert amounts(found["totalTaxSet"])[0] == "4.79"  # a fifth of 20.00 and of 3.95
    assert amounts(found["totalPriceSet"])[0] == "32.24"
    assert amounts(found["totalTipReceivedSet"])[0] == "2.00"
    assert amounts(found["originalTotalDutiesSet"]) == ("1.50", "1.50")


def test_a_duty_is_given_back_whole_or_by_what_came_off(shop: Shop) -> None:
    shop.subscribe("REFUNDS_CREATE")
    order = shop.place(PlacedLine("MUG", 2, Decimal("10.00"), duty=Decimal("1.50")))
    line = {"lineItemId": gid("LineItem", order.lines[0].id), "quantity": 1, "restockType": "CANCEL"}
    duty = {"dutyId": gid("Duty", order.lines[0].duty_id), "refundType": "FULL"}
    assert refund(shop, order, "11.50", refundLineItems=[line], refundDuties=[duty])["userErrors"] == []
    assert body(shop.sent()[-1])["total_duties_set"]["shop_money"]["amount"] == "1.50"
    assert seen(shop, order)["currentTotalDutiesSet"]["shopMoney"]["amount"] == "0.00"
    missing = refund(shop, order, "1.00", refundDuties=[duty])
    assert missing["userErrors"] == [{"field": ["refundDuties", "0", "dutyId"]}]


def test_a_cancelled_order_is_worth_nothing(shop: Shop) -> None:
    order = shop.place(PlacedLine("MUG", 2, Decimal("10.00"), duty=Decimal("1.50")), tip=Decimal("2.00"))
    shop.store.cancel_order(order.id, "customer", refund=True)
    assert order.current_total == 0
    assert seen(shop, order)["displayFinancialStatus"] == "REFUNDED"


def test_what_an_edit_adds_is_paid_to_the_last_penny_in_both_currencies(shop: Shop) -> None:
    yen = Currencies("GBP", "JPY", Decimal("198.22"))
    order = shop.place(PlacedLine("MUG", 1, Decimal("9.99")), money=yen)
    assert shop.store.desk.edit(order.id, add={"JUG": 1})
    apart = [yen.presented(order.original_total), yen.presented(owed(order))]
    assert sum(apart) == yen.presented(order.total) - 1  # each rounded for itself
    shop.store.desk.collect(order.id, gateway="shopify_payments", kind="sale")
    assert presented(order, "SALE") == yen.presented(order.total)
    assert owed(order) == owed_presented(order) == 0


def test_added_tax_goes_back_with_what_it_was_added_to(shop: Shop) -> None:
    order = shop.place(taxes_included=False)
    assert shop.store.desk.refund(order.id, shipping=True)
    assert refunded(order) == Decimal("4.74")  # 3.95 and a fifth of it
    assert received(order) - refunded(order) == order.current_total
