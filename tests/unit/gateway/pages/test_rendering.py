"""How times, states and addresses are shown."""

from datetime import UTC, datetime, timedelta

import pytest

from tradewind.gateway.pages.rendering import age, badge, money, query, segment, utc

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s ago"), (59, "59 s ago"), (60, "1 min ago"), (7199, "1 h ago"), (172_800, "2 d ago"), (-90, "in 1 min")],
)
def test_ages_are_told_in_the_unit_that_fits(seconds: int, said: str) -> None:
    assert age(NOW - timedelta(seconds=seconds), NOW) == said


def test_no_time_has_no_age() -> None:
    assert (utc(None), age(None, NOW)) == ("–", "")


def test_times_are_shown_in_utc() -> None:
    assert utc(datetime.fromisoformat("2026-11-25T08:00:00-05:00")) == "2026-11-25 13:00:00"


def test_a_state_is_told_by_its_word_whatever_it_says() -> None:
    assert "partially shipped" in badge("partially_shipped")
    assert "<script>" not in badge("<script>")
    assert badge(None) == ""


def test_amounts_have_their_currencys_decimals() -> None:
    assert [money(1250, "GBP"), money(1250, "JPY"), money(None, "GBP")] == ["12.50 GBP", "1250 JPY", "–"]


def test_an_orders_id_is_one_part_of_an_address() -> None:
    assert segment("shopify:north/gid://shopify/Order/1") == "shopify%3Anorth%2Fgid%3A%2F%2Fshopify%2FOrder%2F1"


def test_a_query_keeps_what_is_set() -> None:
    assert query({"order": "#1042", "state": ""}, before=7) == "order=%231042&before=7"
