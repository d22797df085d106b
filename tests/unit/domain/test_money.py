"""Money: whole minor units, never a float, never two currencies."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.domain.money import CurrencyMismatch, Money, exponent

CURRENCIES = ("GBP", "JPY", "KWD", "CLF", "UGX", "EUR")
minors = st.integers(min_value=-(10**15), max_value=10**15)
amounts = st.builds(Money, minor=minors, currency=st.sampled_from(CURRENCIES))
pounds = st.builds(Money, minor=minors, currency=st.just("GBP"))


@given(amounts)
def test_the_decimal_amount_comes_back_as_the_same_money(money: Money) -> None:
    assert Money.of(money.decimal, money.currency) == money
    assert Money.of(str(money.decimal), money.currency) == money
    assert Money.rounded(money.decimal, money.currency) == money


@given(amounts)
def test_json_brings_the_same_money_back(money: Money) -> None:
    assert Money.model_validate_json(money.model_dump_json()) == money


@given(pounds, pounds, pounds)
def test_sums_are_exact_in_any_order(one: Money, two: Money, three: Money) -> None:
    assert (one + two) + three == one + (two + three) == Money.total([three, two, one], "GBP")
    assert one + two - two == one
    assert one + Money.zero("GBP") == one
    assert one + -one == Money.zero("GBP")


@given(pounds, st.integers(min_value=0, max_value=20))
def test_a_multiple_is_the_sum_of_so_many(money: Money, quantity: int) -> None:
    assert money * quantity == Money.total([money] * quantity, "GBP")


@given(pounds, pounds)
def test_amounts_are_ordered_as_their_minor_units(one: Money, two: Money) -> None:
    assert (one < two, one <= two, one > two, one >= two) == (
        one.minor < two.minor,
        one.minor <= two.minor,
        one.minor > two.minor,
        one.minor >= two.minor,
    )
    assert bool(one) == (one.minor != 0)
    assert min(one, two).minor == min(one.minor, two.minor)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("12.50", "GBP", 1250),
        ("12.5", "GBP", 1250),
        ("-0.01", "GBP", -1),
        ("1E+2", "GBP", 10000),
        ("1250", "JPY", 1250),
        ("1.250", "KWD", 1250),
        ("0.0001", "CLF", 1),
        (7, "UGX", 7),
    ],
)
def test_decimals_follow_the_currency(amount: str | int, currency: str, minor: int) -> None:
    assert Money.of(amount, currency).minor == minor


@pytest.mark.parametrize(("amount", "currency"), [("0.001", "GBP"), ("0.5", "JPY"), ("1.0005", "KWD")])
def test_an_amount_is_never_rounded_in_silence(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match="more than"):
        Money.of(amount, currency)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("0.005", "GBP", 1), ("0.0049", "GBP", 0), ("-0.005", "GBP", -1), ("0.5", "JPY", 1), ("2.675", "GBP", 268)],
)
def test_rounding_is_half_up_when_asked_for(amount: str, currency: str, minor: int) -> None:
    assert Money.rounded(Decimal(amount), currency).minor == minor


def test_two_currencies_do_not_mix() -> None:
    pounds, euros = Money.of("1", "GBP"), Money.of("1", "EUR")
    for operation in (
        lambda: pounds + euros,
        lambda: pounds - euros,
        lambda: pounds < euros,
        lambda: pounds <= euros,
        lambda: pounds > euros,
        lambda: pounds >= euros,
        lambda: Money.total([pounds, euros], "GBP"),
    ):
        with pytest.raises(CurrencyMismatch, match="do not mix"):
            operation()
    assert pounds != euros


@pytest.mark.parametrize("currency", ["gbp", "GB", "POUND", ""])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(ValueError, match="currency"):
        Money(minor=1, currency=currency)


def test_it_shows_the_currencys_decimals() -> None:
    shown = [str(Money(minor=5, currency=currency)) for currency in ("GBP", "JPY", "KWD")]
    assert shown == ["0.05 GBP", "5 JPY", "0.005 KWD"]
    assert [exponent(currency) for currency in ("GBP", "JPY", "KWD", "CLF")] == [2, 0, 3, 4]
