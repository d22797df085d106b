from decimal import Decimal

import pytest

from tests.unit.sandbox.shopify.stores import Shop, body, gid
from tradewind.sandbox.shopify import PlacedLine

MUGS = PlacedLine("MUG", 3, Decimal("9.99"), Decimal("1.00"))
LAMP = PlacedLine("LAMP", 1, Decimal("35.50"))


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_totals_with_tax_included(shop: Shop) -> None:
    order = shop.place(MUGS)
    assert (order.subtotal, order.discounts, order.total) == (Decimal("28.97"), Decimal("1.00"), Decimal("32.92"))
    assert order.tax == Decimal("4.83") + Decimal("0.66")


def test_totals_with_tax_on_top(shop: Shop) -> None:
    order = shop.place(MUGS, taxes_included=False)
    assert order.tax == Decimal("5.79") + Decimal("0.79")
    assert order.total == Decimal("28.97") + Decimal("3.95") + order.tax


def test_a_line_of_a_price_below_a_penny_is_rounded_half_up(shop: Shop) -> None:
    order = shop.place(PlacedLine("MUG", 25, Decimal("0.001")), PlacedLine("JUG", 24, Decimal("0.001")))
    assert [line.gross for line in order.lines] == [Decimal("0.03"), Decimal("0.02")]
    shown = shop.data(
        "query ($id: ID!) { order(id: $id) { lineItems(first: 1) { nodes {"
        " originalUnitPriceSet { shopMoney { amount } } originalTotalSet { shopMoney { amount } } } } } }",
        id=gid("Order", order.id),
    )
    line = shown["order"]["lineItems"]["nodes"][0]
    assert line["originalUnitPriceSet"]["shopMoney"]["amount"] == "0.001"
    assert line["originalTotalSet"]["shopMoney"]["amount"] == "0.03"


def test_orders_are_numbered_from_1001_and_may_bring_a_name(shop: Shop) -> None:
    assert [shop.place().name, shop.place(name="#536365").name, shop.place().name] == ["#1001", "#536365", "#1003"]


def test_an_order_ships_from_the_first_location_that_has_everything(shop: Shop) -> None:
    order = shop.place(MUGS, LAMP)
    assert [each.location.name for each in order.fulfillment_orders] == ["Leeds"]
    assert shop.quantities("MUG", "Leeds") == {"available": 7, "committed": 3, "on_hand": 10}
    assert shop.quantities("MUG", "London") == {"available": 10, "committed": 0, "on_hand": 10}


def test_an_order_is_split_when_no_location_has_everything(shop: Shop) -> None:
    shop.place(PlacedLine("MUG", 8, Decimal("9.99")), LAMP)  # leaves 2 mugs at Leeds
    order = shop.place(MUGS, LAMP)
    assert [(each.location.name, [row.line.sku for row in each.lines]) for each in order.fulfillment_orders] == [
        ("London", ["MUG"]),
        ("Leeds", ["LAMP"]),
    ]


def test_what_nobody_has_is_sold_into_the_negative(shop: Shop) -> None:
    shop.place(PlacedLine("LAMP", 6, Decimal("35.50")))
    assert shop.quantities("LAMP", "London") == {"available": -6, "committed": 6, "on_hand": 0}


def test_a_service_holds_no_stock(shop: Shop) -> None:
    order = shop.place(MUGS, PlacedLine("POST", 1, Decimal("18.00"), title="Postage", requires_shipping=False))
    [only] = order.fulfillment_orders
    assert [row.line.sku for row in only.lines] == ["MUG", "POST"]


def test_a_second_order_of_the_same_address_is_of_the_same_customer(shop: Shop) -> None:
    first, second = shop.place(), shop.place()
    assert first.customer is second.customer
    assert first.customer is not None
    assert first.customer.orders == 2


def test_placing_tells_of_the_order_its_payment_and_its_stock_as_one_event(shop: Shop) -> None:
    shop.subscribe()
    shop.place()
    hooks = shop.sent()
    assert [hook.topic for hook in hooks] == [
        "orders/create",
        "order_transactions/create",
        "orders/paid",
        "orders/updated",
        "inventory_levels/update",
    ]
    headers = [hook.headers(shop.clock.now()) for hook in hooks]
    assert len({each["X-Shopify-Event-Id"] for each in headers}) == 1
    assert len({each["X-Shopify-Webhook-Id"] for each in headers}) == len(hooks)
    assert body(hooks[-1])["available"] == 7


def test_a_pending_payment_is_no_transaction_to_tell_of(shop: Shop) -> None:
    shop.subscribe("ORDER_TRANSACTIONS_CREATE", "ORDERS_PAID")
    shop.place(gateway="stripe", kind="pending", payment_id="c123")
    assert shop.sent() == []


def test_an_order_of_no_value_is_paid_without_a_transaction(shop: Shop) -> None:
    order = shop.place(PlacedLine("MUG", 1, Decimal(0)), shipping=Decimal(0))
    assert order.transactions == []
    shown = shop.data(
        "query ($id: ID!) { order(id: $id) { displayFinancialStatus paymentGatewayNames } }", id=gid("Order", order.id)
    )
    assert shown["order"] == {"displayFinancialStatus": "PAID", "paymentGatewayNames": []}


def test_the_order_keeps_when_it_was_processed_apart_from_when_it_was_created(shop: Shop) -> None:
    processed_at = shop.clock.now().replace(year=2011)
    order = shop.place(processed_at=processed_at)
    shown = shop.data("query ($id: ID!) { order(id: $id) { createdAt processedAt } }", id=gid("Order", order.id))
    assert shown["order"] == {"createdAt": "2026-11-01T09:00:00Z", "processedAt": "2011-11-01T09:00:00Z"}


def test_what_was_accepted_is_known_to_the_judges(shop: Shop) -> None:
    order = shop.place()
    [accepted] = shop.sandbox.truth.of("order_accepted")
    assert (accepted["store"], accepted["order_id"], accepted["total_minor"]) == ("north", order.id, 3392)
    [captured] = shop.sandbox.truth.of("captured")
    assert (captured["connection"], captured["amount_minor"]) == ("shopify:north", 3392)


def test_every_change_moves_the_time_of_the_last_update_on_and_never_back(shop: Shop) -> None:
    order = shop.place(kind="authorization")
    seen = [order.updated_at]
    capture = """mutation ($input: OrderCaptureInput!) {
      orderCapture(input: $input) { userErrors { message } } }"""
    shop.clock.advance(3)
    parent = gid("OrderTransaction", order.transactions[0].id)
    shop.data(capture, input={"id": gid("Order", order.id), "parentTransactionId": parent, "amount": "33.92"})
    seen.append(order.updated_at)
    shop.clock.advance(2)
    shop.store.refund_order(order.id, [(order.lines[0].id, 1)], None, None)
    seen.append(order.updated_at)
    assert [(later - seen[0]).total_seconds() for later in seen] == [0, 3, 5]
    assert all(at.microsecond == 0 for at in seen)


def test_a_store_without_a_place_to_ship_from_takes_no_order(shop: Shop) -> None:
    shop.store.catalog.locations.clear()
    with pytest.raises(ValueError, match="no location"):
        shop.place()
