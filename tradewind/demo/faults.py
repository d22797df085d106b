"""What is wrong with a demo's result: empty only if nothing was lost, doubled or left unexplained."""

from __future__ import annotations

from typing import Any

_MUST_BE_ZERO = ("lost", "duplicate_shipments", "shipped_after_cancel")


def faults_of(result: dict[str, Any]) -> list[str]:
    """A line for each."""
    faults = [f"{name}: {result[name]}" for name in _MUST_BE_ZERO if result[name]]
    if result["faults"] == "none" and result["throttled"]:
        faults.append(f"throttled: {result['throttled']} calls went over a provider's limit")
    faults += [f"{name.replace('_', ' ')}: {count}" for name, count in result["left_over"].items() if count]
    faults += _money(result["money"], result["planted"])
    faults += _books(result)
    if "replay" in result and not result["replay"]["totals_equal"]:
        faults.append(f"the file's totals differ from the ledger's: {result['replay']['differences'][:5]}")
    if "replay" in result:
        faults += [
            f"{count} entries ended as {end}"
            for end, count in result["replay"]["ended"].items()
            if end not in ("shipped", "cancelled", "recorded", "refused")
        ]
    return faults


def _money(money: dict[str, int], planted: dict[str, Any]) -> list[str]:
    """What moved at the providers must be in the books; the planted refund need not have reached them yet."""
    faults = []
    if money["captured_minor"] != money["books_captured_minor"]:
        faults.append(
            f"captured at the providers {money['captured_minor']}, in the books {money['books_captured_minor']}"
        )
    if money["refunded_minor"] - money["books_refunded_minor"] not in (0, planted["amount_minor"]):
        faults.append(
            f"refunded at the providers {money['refunded_minor']}, in the books {money['books_refunded_minor']}"
        )
    return faults


def _books(result: dict[str, Any]) -> list[str]:
    """Exactly the planted fault must have been found, told of, and alerted."""
    books, planted = result["books"], result["planted"]
    if not books:
        return ["no reconciliation has ended"]
    faults = []
    names = {planted["payment_id"], planted.get("order_id", planted["payment_id"])}
    unexplained = [row for row in books["rows"] if row["subject"].rpartition("/")[2] not in names]
    if len(unexplained) == len(books["rows"]):
        faults.append("the planted fault was not found")
    faults += [f"unexplained: {row['kind']} of {row['subject']}" for row in unexplained[:10]]
    if not result["validations"].get("failed"):
        faults.append("no expectation failed on the planted fault")
    if not result["alerts"]:
        faults.append("no alert arrived")
    return faults
