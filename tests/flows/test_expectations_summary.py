"""What operations read: the summary of a validation and of a reconciliation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from expectations.summary import books_markdown, html, markdown, write_page
from expectations.verdict import Check, Verdict
from tradewind.domain.discrepancies import Discrepancy, DiscrepancyKind
from tradewind.domain.money import Money
from tradewind.sync.reconcile import Books
from tradewind.sync.sides import Window

AT = datetime(2026, 11, 2, 3, tzinfo=UTC)

GOOD = Check(suite="orders", rule="lines_add_up", says="Lines add up.", advice="Replay it.", success=True, checked=9)
BAD = Check(
    suite="stock", rule="nothing_is_oversold", says="Nothing is oversold.", advice="Count the shelf.", success=False,
    checked=30, failed=25,
    rows=tuple({"row": f"MUG-{n} at <Shed>", "currency": "", "available": -n} for n in range(20)),
)  # fmt: skip
BROKEN = Check(
    suite="books", rule="money_agrees", says="Money agrees.", advice="See each row.", success=False, error="no column"
)  # fmt: skip


def verdict(*checks: Check) -> Verdict:
    return Verdict(run_name="night-1", taken_at=AT, checks=checks, docs=Path("data-docs/index.html"))


def test_a_success_is_told_in_one_line_with_what_was_checked() -> None:
    text = markdown(verdict(GOOD))
    assert text.startswith("# All 1 expectations hold\n")
    assert "| ✓ | orders | Lines add up. | 9 | 0 |" in text


def test_a_failure_tells_rows_and_what_to_do() -> None:
    text = markdown(verdict(GOOD, BAD))
    assert text.startswith("# 1 of 2 expectations do not hold\n")
    assert "It does not hold for 25 of 30 rows of stock. **What to do:** Count the shelf." in text
    assert "- MUG-7 at &lt;Shed&gt;: available -7" in text
    assert "- … and 5 more" in text


def test_what_could_not_be_checked_says_why() -> None:
    assert "It could not be checked: no column." in markdown(verdict(BROKEN))


def test_the_page_needs_no_network_and_escapes_what_it_shows() -> None:
    page = html(verdict(GOOD, BAD))
    assert "http" not in page
    assert "<script" not in page
    assert "MUG-7 at &lt;Shed&gt;: available -7" in page
    assert "<li>… and 5 more</li>" in page


def test_the_page_replaces_the_one_of_the_run_before(tmp_path: Path) -> None:
    write_page(verdict(BAD), tmp_path)
    path = write_page(verdict(GOOD), tmp_path)
    assert "All 1 expectations hold" in path.read_text()
    assert [entry.name for entry in tmp_path.iterdir()] == ["validation.html"]


def test_a_reconciliation_tells_kind_rows_and_what_to_do() -> None:
    rows = (
        Discrepancy(kind=DiscrepancyKind.REFUND_MISMATCH, subject="shopify:north/1", name="#1", expected="0.00 GBP",
                    found="3.00 GBP", difference=Money(minor=300, currency="GBP")),
        Discrepancy(kind=DiscrepancyKind.STRAY_PAYMENT, subject="stripe:main/payment/pi_9", expected="an order",
                    found="captured 9.00 GBP"),
    )  # fmt: skip
    books = Books(
        run_id="night-1", window=Window.between(AT - timedelta(days=1), AT), checked={"orders": 60, "payments": 61},
        discrepancies={"refund_mismatch": 1, "stray_payment": 1}, repaired=0, left=2, rows=rows,
    )  # fmt: skip
    text = books_markdown(books)
    assert "Compared 60 orders, 61 payments: 2 discrepancies, 0 being repaired, 2 left." in text
    assert "## Refund mismatch (1)" in text
    assert "- #1: expected 0.00 GBP, found 3.00 GBP" in text
    assert "- stripe:main/payment/pi_9: expected an order, found captured 9.00 GBP" in text
