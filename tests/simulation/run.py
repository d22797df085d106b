"""One seed: the story is told twice, with every fault and without any, and both ends are judged."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import sys
import warnings
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from tests.simulation import checker
from tests.simulation.clock import START_AT, VirtualClock, virtual
from tests.simulation.core import GATEWAY, SANDBOX, Core
from tests.simulation.dues import Dues
from tests.simulation.faults import DAY_S, Trouble
from tests.simulation.front import Front
from tests.simulation.ledger import Store, make_store, prepare
from tests.simulation.loop import VirtualLoop
from tests.simulation.moments import Moments, index_late
from tests.simulation.plot import tell
from tests.simulation.process import Process
from tests.simulation.story import Story
from tests.simulation.wire import Host, Seen, Wire
from tests.simulation.witness import Witness
from tradewind.demo.sandbox import connections_of
from tradewind.ledger import connections, keyring
from tradewind.sandbox import create_app, create_sandbox
from tradewind.sandbox.kernel import Sandbox
from tradewind.sync import clients, seam
from tradewind.sync import runner as runner_module
from tradewind.transport import transport as transport_module

ORDERS = 30
LONGEST_S = 9 * DAY_S
_LEFT = """
SELECT (SELECT COUNT(*) FROM inbox WHERE state IN ('received', 'claimed')),
       (SELECT COUNT(*) FROM outbox WHERE state IN ('pending', 'in_flight')), (SELECT COUNT(*) FROM inbox)
"""


@dataclass
class Outcome:
    """What a seed came to. problems: none when the seed holds."""

    seed: int
    orders: int = 0
    problems: list[str] = field(default_factory=list)
    fired: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    doubled: int = 0
    days: float = 0.0


@dataclass
class Stage:
    """One telling of a story."""

    loop: VirtualLoop
    clock: VirtualClock
    store: Store
    sandbox: Sandbox
    wire: Wire
    story: Story
    trouble: Trouble
    witness: Witness


def run_seed(
    seed: int, *, orders: int = ORDERS, faults: bool = True, reference: bool = True, trace: bool = False
) -> Outcome:
    """Both tellings, judged. Everything follows from the seed. trace: print what happens in the first."""
    outcome = Outcome(seed, orders)
    decided, end = _tell(seed, orders, faults, None, outcome, trace)
    if reference and faults:
        _, plain = _tell(seed, orders, False, decided, outcome)
        outcome.problems += checker.differences(end, plain)
    return outcome


def _tell(
    seed: int, orders: int, faults: bool, decided: dict[int, bool] | None, outcome: Outcome, trace: bool = False
) -> tuple[dict[int, bool], checker.End]:
    """One telling: what became of the cancellations, and how it ended."""
    loop = VirtualLoop()
    prepare()
    gc.disable()
    with virtual(loop, seed):
        try:
            stage = loop.run_until_complete(_play(loop, seed, orders, faults, decided, trace))
            found = checker.judge(stage.store.world, stage.witness, stage.sandbox.truth.facts)
            outcome.problems += found.problems if faults or decided is None else [f"plain: {p}" for p in found.problems]
            if decided is None:
                outcome.lost, outcome.doubled = found.lost, found.doubled
                outcome.fired = stage.trouble.fired + stage.sandbox.faults.fired
                outcome.fired.update(stage.store.weather.refused)
                outcome.days = loop.time() / DAY_S
            stage.store.close()
            return {o.number: bool(o.cancelled) for o in stage.story.orders if o.what.startswith("cancel")}, found.end
        finally:
            asyncio.set_event_loop(None)
            gc.enable()


async def _play(
    loop: VirtualLoop, seed: int, orders: int, faults: bool, decided: dict[int, bool] | None, trace: bool
) -> Stage:
    stage = _set_up(loop, seed, orders, faults, decided)
    if trace:
        stage.wire.on_answer.append(partial(_trace, stage.clock))
    core = stage.trouble.core
    await stage.sandbox.start(stage.wire.client())
    _connect(stage)
    stage.witness.note_start(stage.sandbox)
    stage.trouble.start()
    await asyncio.sleep(60.0)
    stage.story.start()
    await asyncio.sleep(3 * DAY_S)
    stage.trouble.end()
    quiet_since: float | None = None
    before: Any = None
    while loop.time() < LONGEST_S:
        await asyncio.sleep(1800.0)
        now = _left(stage)
        if now != before or now is None:
            quiet_since, before = loop.time(), now
        elif quiet_since is not None and loop.time() - quiet_since > core.sweep_every_s + 1800.0:
            break
    stage.witness.note_end(stage.sandbox, stage.story.orders, stage.trouble.poison, stage.trouble.paused)
    return stage


def _left(stage: Stage) -> Any:
    """None while something is left to do; else how much was done, which must not change any more."""
    sandbox = stage.sandbox
    if not stage.story.over or sandbox.sender._tasks or sandbox.agenda._due:
        return None
    ((waiting, wanted, rows),) = stage.store.world.execute(_LEFT).fetchall()
    return None if waiting or wanted else rows


def _set_up(loop: VirtualLoop, seed: int, orders: int, faults: bool, decided: dict[int, bool] | None) -> Stage:
    def rng(name: str) -> random.Random:
        return random.Random(f"{seed}/{name}")

    clock = VirtualClock(loop)
    store = make_store(loop, clock, rng("ledger"))
    sandbox = create_sandbox(seed=seed, faults="none", base_url=f"http://{SANDBOX}", clock=clock)
    wire = Wire(clock, rng("wire"))
    gateway = Host()
    front = Front(create_app(sandbox), clock)
    wire.hosts.update({GATEWAY: gateway, SANDBOX: Host(app=front)})
    witness = Witness(front)
    wire.on_answer.append(lambda seen: witness.note(seen.at_s, seen.host == GATEWAY, seen.request, seen.status))
    core = Core(loop, store, wire, Dues(store, loop), rng("core"), gateway, calm=not faults)
    _patch(wire)
    story = tell(sandbox, seed, orders, decided, front)
    fired: Counter[str] = Counter()
    moments = Moments(sandbox, story, front, rng("moments"), fired)
    trouble = Trouble(faults, loop, core, sandbox, moments, rng("trouble"), fired)
    return Stage(loop, clock, store, sandbox, wire, story, trouble, witness)


def _patch(wire: Wire) -> None:
    """HTTP leaves by the wire, stores list a change a little late; what is looked at every few seconds of real days is
    looked at less often.
    """
    transport_module._new_client = lambda *_: wire.client()  # type: ignore[assignment]
    index_late()
    seam.LEDGER_AWAY_S = 30.0
    keyring.REMEMBER_S = 6 * 3600.0
    clients.LOOK_EVERY_S = 600.0
    for poll in ("CONNECTIONS_POLL_S", "KEEPING_POLL_S"):
        setattr(runner_module, poll, 6 * 3600.0)


def _connect(stage: Stage) -> None:
    ledger = stage.store.open(Process("setup", stage.loop))
    with ledger.write() as database:
        for connection in connections_of(stage.sandbox.describe(), START_AT - timedelta(minutes=1)):
            connections.put(database, ledger.keys, connection, actor="simulation")


def _trace(clock: VirtualClock, seen: Seen) -> None:
    request = seen.request
    told = request.content.decode(errors="replace")
    print(f"{clock.now():%d %H:%M:%S.%f} {seen.status} {request.method} {request.url.path} {told[:2000]!r}")


def quieten() -> None:
    """What a simulated core logs is of no interest; its end is."""
    logging.disable(logging.CRITICAL)
    # What is left of dead processes is collected, with complaints.
    sys.unraisablehook = lambda _: None
    warnings.simplefilter("ignore")
