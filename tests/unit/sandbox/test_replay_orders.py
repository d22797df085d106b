"""A sale becomes an order whose total is the invoice's, to the coin."""

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tradewind.sandbox.replay.amounts import minor_units, rounded, spread
from tradewind.sandbox.replay.invoice import Invoice, InvoiceLine
from tradewind.sandbox.replay.orders import OrderLine, goods_sold, order_lines
from tradewind.sandbox.replay.taxes import taxed

PENNIES = st.integers(0, 100_000).map(lambda pennies: Decimal(pennies) / 100)


def invoice(*lines: InvoiceLine, **changes: object) -> Invoice:
    total = sum((rounded(line.quantity * line.unit_price, "GBP") for line in lines), Decimal(0))
    fields = {"number": "1", "invoiced_at": datetime(2011, 11, 14, tzinfo=UTC), "currency": "GBP", "total": total}
    return Invoice(lines=lines, **{**fields, **changes})  # type: ignore[arg-type]


def line(quantity: int, price: str, sku: str = "A", title: str = "Lantern") -> InvoiceLine:
    return InvoiceLine(sku, title, quantity, Decimal(price))


def test_lines_below_zero_become_discounts_on_the_others() -> None:
    placed = order_lines(invoice(line(1, "30.00"), line(1, "10.00"), line(-1, "5.00", "D"), line(1, "-3.00", "X")))
    assert [(each.sku, each.discount) for each in placed] == [("A", Decimal("6.00")), ("A", Decimal("2.00"))]


def test_a_price_with_fractions_of_a_penny_keeps_the_lines_total() -> None:
    (placed,) = order_lines(invoice(line(60, "0.001")))
    assert (placed.unit_price, placed.discount, placed.net) == (Decimal("0.01"), Decimal("0.54"), Decimal("0.06"))


def test_lines_of_quantity_zero_are_left_out_and_the_rest_know_their_place() -> None:
    assert [each.source for each in order_lines(invoice(line(0, "1.00"), line(1, "1.00")))] == [1]


@given(st.lists(PENNIES, max_size=8), st.integers(0, 100))
def test_what_is_spread_adds_up_and_stays_within(weights: list[Decimal], percent: int) -> None:
    amount = rounded(sum(weights, Decimal(0)) * percent / 100, "GBP")
    parts = spread(amount, weights, "GBP")
    assert sum(parts, Decimal(0)) == amount
    assert all(0 <= part <= weight for part, weight in zip(parts, weights, strict=True))


@given(
    st.lists(st.tuples(st.integers(1, 30), PENNIES.filter(bool)), min_size=1, max_size=6), PENNIES, st.integers(0, 30)
)
def test_tax_on_top_comes_out_to_the_penny(goods: list[tuple[int, Decimal]], shipping: Decimal, percent: int) -> None:
    """The history's shop rounded the tax of the sum; ours rounds that of every line."""
    lines = [OrderLine(0, "A", "Lantern", quantity, price, Decimal(0), True) for quantity, price in goods]
    net = sum((each.net for each in lines), shipping)
    tax = rounded(net * percent / 100, "GBP")
    charged = taxed(lines, shipping, tax, is_included=False, currency="GBP")
    nets = [each.net for each in charged.lines] + [charged.shipping]
    on_top = [Decimal(0) if charged.is_included else rounded(each * charged.rate, "GBP") for each in nets]
    assert sum(nets + on_top) == net + tax
    assert all(each.discount >= 0 for each in charged.lines)


def test_the_plain_rate_is_found() -> None:
    lines = [OrderLine(0, "A", "Lantern", 2, Decimal("10.00"), Decimal(0), True)]
    assert taxed(lines, Decimal("5.00"), Decimal("5.00"), is_included=False, currency="GBP").rate == Decimal("0.2")


def test_goods_have_the_first_name_that_came_with_a_price() -> None:
    damaged = invoice(line(-4, "0.00", title="damaged"))
    goods = goods_sold([damaged, invoice(line(2, "3.00")), invoice(line(5, "9.00", title="Other"))])["A"]
    assert (goods.title, goods.price, goods.sold) == ("Lantern", Decimal("3.00"), 7)


def test_minor_units_know_the_currencys_coin() -> None:
    assert [minor_units(Decimal("12.50"), each) for each in ("GBP", "JPY", "KWD")] == [1250, 13, 12500]
