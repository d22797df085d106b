"""Whether a claim takes longer when the inbox is long, or while a transaction is open for long."""

from __future__ import annotations

import statistics
import time
from contextlib import nullcontext

from sqlalchemy import text

from benchmarks.inbox.ceiling import BATCH, LEASE_S, ORDER, ours, timed
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


def held_transaction(ledger: Ledger, *, rounds: int, batches: int) -> float:
    """Throughput while another transaction has been open since before, over that without; the median of rounds."""
    fill(ledger, 2 * rounds * batches * BATCH)
    position = inbox.Position()
    ratios = []
    for number in range(rounds):
        lasted = {}
        for held in (False, True) if number % 2 else (True, False):
            with ledger.read() if held else nullcontext() as other:
                if other is not None:
                    other.execute(text("SELECT count(*) FROM inbox")).scalar_one()
                times = [timed(lambda: ours(ledger, position)) for _ in range(batches)]
                # The second half: by then what was claimed in the first lies before the claim.
                lasted[held] = statistics.median(times[batches // 2 :])
        ratios.append(lasted[False] / lasted[True])
    return statistics.median(ratios)


def _claim_s(ledger: Ledger) -> float:
    began = time.perf_counter()
    with ledger.write() as conn:
        held = inbox.take(conn, worker="w", limit=BATCH, lease_s=LEASE_S)
    lasted = time.perf_counter() - began
    assert len(held) == BATCH
    with ledger.write() as conn:
        inbox.finish(conn, [Outcome(one.id, one.epoch, "applied", order_id=ORDER) for one in held])
    return lasted
