"""Whether a claim takes longer when the inbox is long, or while a transaction is open for long."""

from __future__ import annotations

import statistics
import time
from contextlib import nullcontext

from sqlalchemy import text

from benchmarks.inbox.ceiling import BATCH, LEASE_S, ORDER, Step, bare, ours, timed
from benchmarks.inbox.deliveries import fill, pad, settle
from tradewind.ledger import inbox
from tradewind.ledger.engine import Ledger
from tradewind.ledger.inbox import Outcome


def claim_growth(short: Ledger, long: Ledger, *, few: int, many: int, claims: int) -> dict[str, float]:
    """How much longer a claim takes with `many` rows than with `few`: medians of so many claims, taken in turn."""
    times: list[list[float]] = [[], []]
    for ledger, rows in ((short, few), (long, many)):
        pad(ledger, rows - BATCH * claims)
        fill(ledger, BATCH * claims)
        settle(ledger)
    for _ in range(claims):
        for ledger, taken in zip((short, long), times, strict=True):
            taken.append(_claim_s(ledger))
    few_s, many_s = (statistics.median(taken) for taken in times)
    return {"claim_ms": many_s * 1000, "claim_growth": many_s / few_s}


def held_transaction(ledger: Ledger, *, rounds: int, batches: int) -> dict[str, float]:
    """Throughput while another transaction has been open since before, over that without; the median of rounds.

    bare_: of the same work in bare SQL, taken in turn: what the database itself loses.
    """
    fill(ledger, 4 * rounds * batches * BATCH)
    position = inbox.Position()
    ratios: dict[str, list[float]] = {"held_transaction": [], "bare_held_transaction": []}
    with bare(ledger) as other:
        for number in range(rounds):
            for found, step in zip(ratios.values(), (lambda: ours(ledger, position), other), strict=True):
                lasted = {held: _batch_s(ledger, step, batches, held) for held in _turns(number)}
                found.append(lasted[False] / lasted[True])
    return {name: statistics.median(found) for name, found in ratios.items()}


def _turns(number: int) -> tuple[bool, bool]:
    return (False, True) if number % 2 else (True, False)


def _batch_s(ledger: Ledger, step: Step, batches: int, held: bool) -> float:
    """Seconds for a batch. The second half counts: by then what was claimed in the first lies before the claim."""
    with ledger.read() if held else nullcontext() as other:
        if other is not None:
            other.execute(text("SELECT count(*) FROM inbox")).scalar_one()
        times = [timed(step) for _ in range(batches)]
    return statistics.median(times[batches // 2 :])


def _claim_s(ledger: Ledger) -> float:
    began = time.perf_counter()
    with ledger.write() as conn:
        held = inbox.take(conn, worker="w", limit=BATCH, lease_s=LEASE_S)
    lasted = time.perf_counter() - began
    assert len(held) == BATCH
    with ledger.write() as conn:
        inbox.finish(conn, [Outcome(one.id, one.epoch, "applied", order_id=ORDER) for one in held])
    return lasted
