"""Orders applied: claim, decrypt, reduce, write order and outbox, acknowledge; two deliveries an order."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.unit.domain.orders import order_observed, payment_observed, transaction, work
from tests.unit.sync.desk import connect_all, told
from tradewind.ledger import inbox
from tradewind.ledger.engine import Ledger
from tradewind.sync.apply import Applier

BATCH = 500


def applied_per_s(ledger: Ledger, *, orders: int) -> float:
    """Deliveries a second, each order told by its store and by its processor, which asks for its capture."""
    connect_all(ledger)
    every = list(_deliveries(orders))
    for start in range(0, len(every), BATCH):
        with ledger.write() as conn:
            inbox.store(conn, ledger.keys, every[start : start + BATCH])
    applier = Applier(ledger, worker="w", limit=100)
    began = time.perf_counter()
    taken = commands = 0
    while (applied := applier.run_once()).taken:
        taken += applied.taken
        commands += applied.commands
    lasted_s = time.perf_counter() - began
    assert (taken, commands) == (len(every), orders), (taken, commands)
    return taken / lasted_s


def _deliveries(orders: int) -> Iterator[inbox.Delivery]:
    for number in range(orders):
        name = f"{number:08}"
        order = order_observed(
            name,
            name=f"#{number}",
            transactions=(transaction(payment_id=f"pay-{name}"),),
            fulfillment_orders=(work(f"fo-{name}"),),
        )
        payment = payment_observed(f"pi-{name}", payment_id=f"pay-{name}")
        yield told(order, key=f"order-{name}")
        yield told(payment, key=f"payment-{name}", connection=payment.payment.connection)
