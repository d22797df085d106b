"""The sandbox's seed, truth, agenda and limits."""

import asyncio
import json

import httpx
import pytest

from tests.unit.sandbox.inside import inside
from tests.unit.sandbox.waiting import settle
from tradewind.sandbox import create_sandbox
from tradewind.sandbox.agenda import Agenda
from tradewind.sandbox.clock import ManualClock, SystemClock
from tradewind.sandbox.limits import SlidingWindow


def test_credentials_come_from_the_seed() -> None:
    one, same, other = (
        create_sandbox(seed=seed, faults="none", base_url="http://sandbox").describe() for seed in (1, 1, 2)
    )
    assert one == same
    assert one["control"] != other["control"]
    assert json.loads(json.dumps(one)) == one


def test_the_description_names_every_account() -> None:
    described = create_sandbox(seed=1, faults="mild", base_url="http://sandbox").describe()
    assert [store["account"] for store in described["shopify"]] == ["north", "south"]
    assert described["stripe"][0]["base_url"] == "http://sandbox/stripe/main"
    assert set(described["shipstation"][0]) >= {"api_key", "jwks_url", "carrier_id", "service_code", "warehouse_id"}
    assert described["backoffice"][0]["secret"]
    assert (described["seed"], described["faults"]) == (1, "mild")


def test_streams_of_choices_are_independent() -> None:
    sandbox = create_sandbox(seed=1, faults="none", base_url="http://sandbox")
    undisturbed = sandbox.rng("b").random()
    sandbox.rng("a").random()
    assert sandbox.rng("b").random() == undisturbed != sandbox.rng("a").random()


def test_the_truth_keeps_facts_with_their_time() -> None:
    clock = ManualClock()
    truth = create_sandbox(seed=1, faults="none", base_url="http://sandbox", clock=clock).truth
    truth.record("captured", amount_minor=1)
    clock.advance(60)
    truth.record("captured", amount_minor=2)
    assert [fact["amount_minor"] for fact in truth.of("captured")] == [1, 2]
    assert truth.of("refunded") == []
    shown = truth.as_dict()
    assert (shown["counts"], shown["throttled"], shown["faults_fired"]) == ({"captured": 2}, 0, {})
    assert [fact["at"][11:19] for fact in shown["facts"]] == ["09:00:00", "09:01:00"]


async def test_the_agenda_runs_actions_in_their_order_when_they_are_due() -> None:
    clock, done = ManualClock(), list[str]()
    agenda = Agenda(clock)
    agenda.after(20, lambda: done.append("late"))
    await agenda.start()
    agenda.after(10, lambda: done.append("early"))
    for _ in range(50):
        clock.advance(0.5)
        await settle(lambda: clock._sleepers or len(done) == 2)
    assert done == ["early", "late"]
    await agenda.stop()


async def test_a_manual_clock_steps_to_the_end_of_the_next_wait() -> None:
    clock = ManualClock()
    waits = [asyncio.create_task(clock.sleep(seconds)) for seconds in (30, 10)]
    await asyncio.sleep(0)
    assert clock.step()
    assert clock.monotonic() == 10
    waits[0].cancel()
    await asyncio.wait(waits)
    assert not clock.step(), "a wait that was given up is none"


async def test_a_started_sandbox_delivers_and_a_stopped_one_does_not() -> None:
    received: list[str] = []

    def take(request: httpx.Request) -> httpx.Response:
        received.append(request.url.path)
        return httpx.Response(200)

    sandbox = create_sandbox(seed=1, faults="none", base_url="http://sandbox", clock=ManualClock())
    office = sandbox.backoffice["main"]
    office.subscribed_url = "http://merchant/hook"
    document = dict.fromkeys(("document", "kind", "reason", "occurred_at", "currency", "total"), "x") | {"lines": []}
    await sandbox.start(httpx.AsyncClient(transport=httpx.MockTransport(take)))
    office.post_document({**document, "document": "1"})
    await settle(lambda: sandbox.sender.idle)
    await sandbox.stop()
    office.post_document({**document, "document": "2"})
    await asyncio.sleep(0)
    assert received == ["/hook"]


def test_a_window_admits_its_limit_and_says_how_long_to_wait() -> None:
    clock = ManualClock()
    window = SlidingWindow(clock, limit=2, window_s=60)
    assert (window.wait_s(), window.admit()) == (1, True)
    clock.advance(20)
    assert (window.admit(), window.admit(), window.wait_s()) == (True, False, 40)
    clock.advance(40)
    assert (window.admit(), window.admit(), window.wait_s()) == (True, False, 20)


async def test_the_system_clock_is_in_utc_and_passes() -> None:
    clock = SystemClock()
    assert clock.now().utcoffset() is not None
    before_s = clock.monotonic()
    await clock.sleep(0.001)
    assert clock.monotonic() > before_s


async def test_the_whole_sandbox_answers_in_one_process() -> None:
    async with inside() as stage:
        token = stage.sandbox.control_token
        progress = await stage.http.get("/control/progress", headers={"Authorization": f"Bearer {token}"})
        assert progress.status_code == 200
        assert (await stage.http.get("/control/truth")).status_code == 401


def test_an_unknown_fault_level_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown fault level"):
        create_sandbox(seed=1, faults="some", base_url="http://sandbox")
