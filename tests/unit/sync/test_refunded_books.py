"""Books of orders that were refunded: what goes back on a gift card is not awaited at the processor, nor are fees."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unit.sync.books_fakes import (
    AT,
    STORE,
    Shop,
    gbp,
    label_observed,
    order_observed,
    payment_observed,
    record,
    settled_order,
)
from tradewind.domain.events import OrderObserved, PaymentObserved
from tradewind.domain.order import CapturedBy, Refund, Transaction, TransactionKind, TransactionStatus
from tradewind.ledger.engine import Ledger
from tradewind.sync.reconcile import reconcile
from tradewind.sync.sides import Window


def moved(name: str, amount: int, **changes: Any) -> Transaction:
    """Money that the processor took, unless told otherwise."""
    values: dict[str, Any] = {
        "kind": TransactionKind.SALE, "status": TransactionStatus.SUCCESS, "gateway": "stripe",
        "captured_by": CapturedBy.PROCESSOR, "payment_id": "pay-1", "processed_at": AT,
    }  # fmt: skip
    return Transaction(external_id=name, amount=gbp(amount), **values | changes)


ON_CARD = {"gateway": "gift_card", "captured_by": CapturedBy.STOREFRONT, "payment_id": None}
BACK = {"kind": TransactionKind.REFUND}
PAID = (moved("tx-g", 400, **ON_CARD), moved("tx-1", 850))


def refund(amount: int, **changes: Any) -> Refund:
    return Refund(connection=STORE, external_id="r-1", amount=gbp(amount), created_at=AT, **changes)


def untouched() -> OrderObserved:
    """4.00 by gift card, 8.50 at the processor."""
    return order_observed(transactions=PAID)


def refunded() -> OrderObserved:
    """5.00 of it went back: 3.00 on the card."""
    back = moved("tx-r", 300, **ON_CARD | BACK), moved("tx-s", 200, **BACK)
    made = refund(500, transactions=("tx-r", "tx-s"))
    return order_observed(transactions=(*PAID, *back), refunds=(made,))


def edited() -> OrderObserved:
    """4.00 were taken off after the capture, and 5.00 went back for units that arrived broken: 4.00 on the card."""
    back = moved("tx-r", 400, **ON_CARD | BACK), moved("tx-s", 100, **BACK)
    made = refund(500, transactions=("tx-r", "tx-s"))
    left = {"current_total": gbp(350), "presentment_current_total": gbp(350)}
    return order_observed(transactions=(*PAID, *back), refunds=(made,), edited=True, **left)


def with_fee() -> OrderObserved:
    """A mug of 5.00 came back, and 3.00 went back for it."""
    made = refund(300, lines=(("line-1", 1),))
    left = {"current_total": gbp(750), "presentment_current_total": gbp(750)}
    line = untouched().placed.lines[0].model_copy(update={"current_quantity": 1})
    return order_observed(refunds=(made,), lines=(line,), **left)


@pytest.mark.parametrize("listed", [True, False], ids=["listed", "remembered"])
@pytest.mark.parametrize(
    ("order", "returned", "kinds"),
    [
        (untouched(), 0, []),
        (untouched(), 425, ["refund_mismatch"]),
        (refunded(), 200, []),
        (refunded(), 0, ["refund_mismatch"]),
        (refunded(), 500, ["refund_mismatch"]),
        (edited(), 500, []),
        (edited(), 400, ["amount_mismatch"]),
    ],
    ids=["kept", "given_back_silently", "agreed", "not_yet", "twice", "edit_and_refund", "edit_in_part"],
)
async def test_the_processor_owes_what_did_not_go_back_on_the_card(
    ledger: Ledger, order: OrderObserved, returned: int, kinds: list[str], listed: bool
) -> None:
    payment = payment_observed(authorized=gbp(850), captured=gbp(850), refunded=gbp(returned))
    assert await kinds_of(ledger, order, payment, listed) == kinds


@pytest.mark.parametrize("listed", [True, False], ids=["listed", "remembered"])
@pytest.mark.parametrize(
    ("returned", "kinds"),
    [(300, []), (200, ["refund_mismatch"]), (500, ["refund_mismatch"])],
    ids=["agreed", "not_yet", "fee_given_back_silently"],
)
async def test_a_fee_that_the_merchant_keeps_is_no_discrepancy(
    ledger: Ledger, returned: int, kinds: list[str], listed: bool
) -> None:
    payment = payment_observed(refunded=gbp(returned))
    assert await kinds_of(ledger, with_fee(), payment, listed) == kinds


async def kinds_of(ledger: Ledger, order: OrderObserved, payment: PaymentObserved, listed: bool) -> list[str]:
    """What the books find. listed: the providers list it in the window; else only the ledger has it there."""
    record(ledger, settled_order(order, payment, label_observed()))
    shop = Shop([order], [payment], [label_observed()]) if listed else Shop()
    window = Window.between(AT - timedelta(hours=1), datetime.now(UTC) + timedelta(seconds=5))
    return [row.kind.value for row in (await reconcile(ledger, shop, window)).rows]
