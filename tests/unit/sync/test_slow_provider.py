"""A provider that hangs holds up its own commands, and nobody else's."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.unit.domain.orders import (
    after,
    captured,
    label_observed,
    order_observed,
    payment_observed,
    transaction,
)
from tests.unit.sync.desk import tell
from tests.unit.sync.test_runner import Pool, ledger, pool, runner_of, running, until
from tradewind.ledger.engine import Ledger

__all__ = ["ledger", "pool"]


async def test_while_a_processor_hangs_other_orders_are_paid_and_shipped(ledger: Ledger, pool: Pool) -> None:
    pool.places = 1
    hanging, release = asyncio.Event(), asyncio.Event()

    async def hangs(*_: Any) -> Any:
        hanging.set()
        await release.wait()
        return [captured(version=after(1))]

    pool.will("capture", hangs)
    tell(ledger, order_observed(), payment_observed())
    async with running(runner_of(ledger, pool)):
        await asyncio.wait_for(hanging.wait(), 20)
        paid_by = (transaction(payment_id="pay-2"),)
        other = order_observed("2", transactions=paid_by)
        pool.will("fetch", [other])
        pool.will("buy_label", [label_observed("se-2", external_shipment_id="x")])
        tell(ledger, other, captured(external_id="pi-2", payment_id="pay-2"))
        await until(lambda: {"mark_paid", "buy_label"} <= set(pool.asked))
        assert pool.asked.count("capture") == 1
        release.set()
