"""Orders of Shopify's own export."""

from pathlib import Path

import pytest

from tests.unit.sandbox.replay_files import line_row, order_row, write_export
from tradewind.sandbox.replay import Classified, ReplayReport, read_history
from tradewind.sandbox.replay.invoice import Invoice, Refusal


def read(folder: Path, *rows: dict[str, str]) -> list[Classified]:
    return list(read_history(write_export(folder, rows)).entries)


def order(folder: Path, *rows: dict[str, str]) -> Invoice:
    (found,) = read(folder, *rows)
    return found.invoice


def reason(folder: Path, *rows: dict[str, str]) -> str:
    (found,) = read(folder, *rows)
    assert isinstance(found.entry, Refusal)
    return found.entry.reason


def test_further_rows_add_line_items(tmp_path: Path) -> None:
    found = order(
        tmp_path,
        order_row(Subtotal="29.00", Total="29.00"),
        line_row(Lineitem_quantity="1", Lineitem_name="Bowl", Lineitem_price="9.00", Lineitem_sku="BOWL"),
    )
    assert [(line.sku, line.quantity) for line in found.lines] == [("MUG", 2), ("BOWL", 1)]
    assert str(found.total) == "29.00"


def test_the_same_item_twice_is_two_lines(tmp_path: Path) -> None:
    found = order(tmp_path, order_row(Subtotal="40.00", Total="40.00"), line_row())
    assert [line.sku for line in found.lines] == ["MUG", "MUG"]


def test_repeated_order_columns_are_no_contradiction(tmp_path: Path) -> None:
    rows = order_row(Subtotal="40.00", Total="40.00"), order_row(Subtotal="40.00", Total="40.00")
    assert len(order(tmp_path, *rows).lines) == 2


def test_two_totals_for_one_order_are_refused(tmp_path: Path) -> None:
    assert "two different values of Total" in reason(tmp_path, order_row(), order_row(Total="21.00"))


def test_notes_and_tags_are_kept_with_their_newlines(tmp_path: Path) -> None:
    found = order(tmp_path, order_row(Notes="Gate code 12\nring twice, please", Tags="vip, gift"))
    assert (found.note, found.tags) == ("Gate code 12\nring twice, please", ("vip", "gift"))


def test_times_are_kept_in_utc(tmp_path: Path) -> None:
    found = order(tmp_path, order_row(Created_at="2026-03-02 22:12:44 -0500"))
    assert (found.invoiced_at.isoformat(), found.day) == ("2026-03-03T03:12:44+00:00", "2026-03-03")


def test_a_line_without_sku_has_the_same_stand_in_every_time(tmp_path: Path) -> None:
    skus = [found.invoice.lines[0].sku for found in read(tmp_path, *(order_row(n, Lineitem_sku="") for n in "12"))]
    assert skus[0] == skus[1]
    assert skus[0].startswith("NAME-")


def test_the_address_is_where_it_was_sent(tmp_path: Path) -> None:
    assert order(tmp_path, order_row()).address == {
        "name": "Ada Abbott",
        "address1": "1 High Street",
        "city": "Leeds",
        "zip": "LS1 4AP",
        "country_code": "GB",
    }


def test_without_a_shipping_address_the_billing_address_serves(tmp_path: Path) -> None:
    row = order_row(Shipping_Address1="", Billing_Street="5 Mill Road", Billing_City="York", Billing_Country="GB")
    found = order(tmp_path, row)
    assert found.address is not None
    assert found.address["address1"] == "5 Mill Road"


@pytest.mark.parametrize(
    ("changes", "discount", "included"),
    [
        ({"Subtotal": "20.00", "Total": "20.00"}, "0.00", True),
        ({"Subtotal": "20.00", "Taxes": "4.00", "Total": "24.00"}, "0.00", False),
        ({"Subtotal": "20.00", "Taxes": "3.33", "Total": "20.00"}, "0.00", True),
        ({"Subtotal": "18.00", "Discount_Amount": "2.00", "Total": "18.00"}, "2.00", True),
        ({"Subtotal": "20.00", "Discount_Amount": "2.00", "Total": "18.00"}, "2.00", True),
        ({"Subtotal": "", "Discount_Amount": "2.00", "Total": "18.00"}, "2.00", True),
        ({"Subtotal": "18.50", "Lineitem_discount": "1.50", "Total": "18.50"}, "1.50", True),
        ({"Subtotal": "18.00", "Discount_Amount": "2.00", "Shipping": "4.95", "Taxes": "3.60", "Total": "26.55"},
         "2.00", False),
    ],
)  # fmt: skip
def test_amounts_are_read_so_that_they_add_up(
    tmp_path: Path, changes: dict[str, str], discount: str, included: bool
) -> None:
    found = order(tmp_path, order_row(**changes))
    assert (str(found.discount), found.taxes_included) == (discount, included)


def test_amounts_that_do_not_add_up_are_refused(tmp_path: Path) -> None:
    assert "do not add up to Total 99.00: lines 20.00" in reason(tmp_path, order_row(Total="99.00"))


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "sale"),
        ({"Financial_Status": "pending"}, "sale"),
        ({"Financial_Status": "voided"}, "cancelled_sale"),
        ({"Cancelled_at": "2026-03-02 11:00:00 +0000", "Refunded_Amount": "20.00"}, "cancelled_sale"),
        ({"Lineitem_requires_shipping": "false"}, "service"),
        ({"Discount_Amount": "20.00", "Subtotal": "0.00", "Total": "0.00"}, "zero_value"),
    ],
)
def test_an_order_has_the_documented_class(tmp_path: Path, changes: dict[str, str], kind: str) -> None:
    (found,) = read(tmp_path, order_row(**changes))
    assert found.kind == kind


@pytest.mark.parametrize(
    ("changes", "refunded"),
    [
        ({"Financial_Status": "partially_refunded", "Refunded_Amount": "5.00"}, "5.00"),
        ({"Financial_Status": "refunded", "Refunded_Amount": "20.00"}, "20.00"),
        ({"Financial_Status": "refunded"}, "20.00"),
        ({"Cancelled_at": "2026-03-02 11:00:00 +0000", "Refunded_Amount": "20.00"}, "0"),
    ],
)
def test_what_was_given_back_is_known(tmp_path: Path, changes: dict[str, str], refunded: str) -> None:
    assert str(order(tmp_path, order_row(**changes)).refunded) == refunded


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Lineitem_quantity": "two"}, "row 2: Lineitem quantity 'two' is not a whole number"),
        ({"Lineitem_price": ""}, "row 2: Lineitem price is missing"),
        ({"Lineitem_price": "-1"}, "row 2: a line item is below zero: 2 x -1"),
        ({"Total": ""}, "row 2: Total is missing"),
        ({"Created_at": "soon"}, "row 2: Created at 'soon' is not a time like 2011-11-14 08:10:00"),
        ({"Currency": "pounds"}, "row 2: Currency 'POUNDS' is not a code of three letters"),
    ],
)
def test_an_unreadable_value_is_named_with_its_row(tmp_path: Path, changes: dict[str, str], expected: str) -> None:
    assert reason(tmp_path, order_row(**changes)) == expected


def test_a_row_without_name_is_refused_alone(tmp_path: Path) -> None:
    assert [found.kind for found in read(tmp_path, order_row(), order_row(""))] == ["sale", "refused"]


def test_orders_in_another_currency_than_the_shop_are_refused(tmp_path: Path) -> None:
    found = read(tmp_path, *(order_row(f"#{n}", Currency="EUR") for n in range(2)), order_row("#9", Currency="USD"))
    assert [each.kind for each in found] == ["sale", "sale", "refused"]
    history = read_history(tmp_path / "orders_export.csv")
    assert history.currency == "EUR"
    assert ReplayReport(history).as_dict()["refused"] == {"its currency is USD, the shop's is EUR": 1}


def test_totals_are_per_day_and_class(tmp_path: Path) -> None:
    read(
        tmp_path,
        order_row("#1"),
        order_row("#2", Financial_Status="voided"),
        order_row("#3", Created_at="2026-03-03 09:00:00 +0000"),
        order_row("#4", Total="x"),
    )
    report = ReplayReport(read_history(tmp_path / "orders_export.csv")).as_dict()
    assert report["totals"] == {
        "2026-03-02": {"cancelled_sale": "20.00", "sale": "20.00"},
        "2026-03-03": {"sale": "20.00"},
    }
    assert report["counts"] == {"sale": 2, "cancelled_sale": 1, "refused": 1}
