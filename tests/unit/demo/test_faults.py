"""What is wrong with a run: nothing when all went well, a line for whatever did not."""

from __future__ import annotations

from typing import Any

import pytest

from tradewind.demo.faults import faults_of

PLANTED = {"kind": "silent_refund", "payment_id": "pi_9", "order_id": "9", "amount_minor": 500}
FOUND = {"kind": "stale_payment", "subject": "stripe:main/payment/pi_9"}


def money(**changes: int) -> dict[str, int]:
    amounts = {"captured": 5, "refunded": 1, "books_captured": 5, "books_refunded": 1} | changes
    return {f"{name}_minor": amount for name, amount in amounts.items()}


def result(**changes: Any) -> dict[str, Any]:
    """A run in which all went well and the planted fault was found."""
    good = {
        "faults": "none", "lost": 0, "duplicate_shipments": 0, "shipped_after_cancel": 0, "throttled": 0,
        "left_over": {"inbox_dead": 0, "outbox_dead": 0}, "planted": PLANTED,
        "money": money(),
        "books": {"rows": [FOUND]}, "validations": {"failed": ["books: money_agrees"]}, "alerts": ["validation failed"],
    }  # fmt: skip
    return good | changes


def test_a_run_in_which_all_went_well_has_none() -> None:
    assert faults_of(result()) == []


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"lost": 2}, "lost: 2"),
        ({"duplicate_shipments": 1}, "duplicate_shipments: 1"),
        ({"shipped_after_cancel": 1}, "shipped_after_cancel: 1"),
        ({"throttled": 4}, "throttled: 4 calls went over a provider's limit"),
        ({"left_over": {"inbox_dead": 3}}, "inbox dead: 3"),
        ({"money": money(books_captured=4)}, "captured at the providers 5, in the books 4"),
        ({"money": money(refunded=2)}, "refunded at the providers 2, in the books 1"),
        ({"money": money(refunded=0)}, "refunded at the providers 0, in the books 1"),
        ({"books": {}}, "no reconciliation has ended"),
        ({"books": {"rows": []}}, "the planted fault was not found"),
        ({"validations": {}}, "no expectation failed on the planted fault"),
        ({"alerts": []}, "no alert arrived"),
        ({"replay": {"totals_equal": True, "ended": {"shipped": 5, "missing": 2}}}, "2 entries ended as missing"),
    ],
)
def test_each_thing_that_went_wrong_is_a_line(changes: dict[str, Any], line: str) -> None:
    assert faults_of(result(**changes)) == [line]


def test_what_the_reconciliation_cannot_explain_is_named() -> None:
    stray = {"kind": "stray_payment", "subject": "stripe:main/payment/pi_1"}
    assert faults_of(result(books={"rows": [FOUND, stray]})) == [
        "unexplained: stray_payment of stripe:main/payment/pi_1"
    ]


def test_the_planted_fault_may_be_found_at_its_order() -> None:
    found = {"kind": "refund_mismatch", "subject": "shopify:north/gid://shopify/Order/9"}
    assert faults_of(result(books={"rows": [found]})) == []


def test_a_payment_whose_id_only_begins_alike_is_not_the_planted_one() -> None:
    other = {"kind": "stale_payment", "subject": "stripe:main/payment/pi_99"}
    assert "the planted fault was not found" in faults_of(result(books={"rows": [other]}))


def test_the_planted_refund_may_be_in_the_books_or_not_yet() -> None:
    assert faults_of(result(money=money(refunded=501))) == faults_of(result(money=money(refunded=1))) == []


def test_limits_may_be_met_when_faults_are_injected() -> None:
    assert faults_of(result(faults="mild", throttled=4)) == []


def test_totals_of_a_replay_that_differ_are_told() -> None:
    differing = {"day": "2011-11-14", "class": "sale", "file": "1.00", "ledger": "0"}
    replay = {"totals_equal": False, "differences": [differing], "ended": {"shipped": 1, "refused": 1}}
    (line,) = faults_of(result(replay=replay))
    assert "2011-11-14" in line
