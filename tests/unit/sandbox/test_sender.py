"""Outgoing webhooks: retries, and the faults that strike them."""

import asyncio
import dataclasses
from collections import Counter
from datetime import datetime

import httpx
import pytest

from tests.unit.sandbox.waiting import settle
from tradewind.sandbox.clock import ManualClock
from tradewind.sandbox.faults import Faults
from tradewind.sandbox.kernel import Sandbox
from tradewind.sandbox.sender import Hook, Sender


class Subscriber:
    """Answers as it is told, then 200."""

    def __init__(self, clock: ManualClock, *answers: int) -> None:
        self.clock = clock
        self.answers = list(answers)
        self.received: list[tuple[float, str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.received.append((self.clock.monotonic(), request.content.decode(), request.headers["x-sent-at"]))
        status = self.answers.pop(0) if self.answers else 200
        if status == 0:
            raise httpx.ConnectError("nobody there")
        return httpx.Response(status)

    async def follow(self, sandbox: Sandbox) -> Sender:
        await sandbox.sender.start(httpx.AsyncClient(transport=httpx.MockTransport(self)))
        return sandbox.sender


def hook(body: str = "{}", retry_after_s: tuple[float, ...] = (), **given: object) -> Hook:
    def headers(at: datetime) -> dict[str, str]:
        return {"x-sent-at": at.isoformat()}

    return Hook(
        "shopify:north", "http://shop/hook", "orders/create", body.encode(), headers, retry_after_s, 5.0, **given
    )  # type: ignore[arg-type]


def bare_sandbox(faults: str = "none", seed: int = 1) -> tuple[Sandbox, ManualClock]:
    clock = ManualClock()
    return Sandbox(seed=seed, faults=faults, base_url="http://sandbox", clock=clock), clock


async def test_a_hook_is_delivered_at_once_and_the_sender_is_idle_again() -> None:
    sandbox, clock = bare_sandbox()
    subscriber = Subscriber(clock)
    sender = await subscriber.follow(sandbox)
    sender.send(hook())
    assert not sender.idle
    await settle(lambda: sender.idle)
    assert [body for _, body, _ in subscriber.received] == ["{}"]
    await sender.stop()


async def test_what_is_sent_before_the_start_waits() -> None:
    sandbox, clock = bare_sandbox()
    sandbox.sender.send(hook())
    assert (len(sandbox.sender.backlog), sandbox.sender.idle) == (1, False)
    subscriber = Subscriber(clock)
    sender = await subscriber.follow(sandbox)
    await settle(lambda: sender.idle)
    assert len(subscriber.received) == 1
    await sender.stop()


@pytest.mark.parametrize("refusal", [500, 404, 302, 0])
async def test_a_refused_hook_is_retried_on_schedule_with_fresh_headers(refusal: int) -> None:
    sandbox, clock = bare_sandbox()
    subscriber = Subscriber(clock, refusal, refusal)
    sender = await subscriber.follow(sandbox)
    sender.send(hook(retry_after_s=(10.0, 100.0)))
    await settle(lambda: sender.idle)
    for pause_s in (10, 100):
        clock.advance(pause_s)
        seen = sandbox.truth.webhook_attempts.total()
        await settle(lambda seen=seen: sandbox.truth.webhook_attempts.total() > seen)  # type: ignore[misc]
    assert [at_s for at_s, _, _ in subscriber.received] == [0, 10, 110]
    assert len({sent_at for _, _, sent_at in subscriber.received}) == 3
    await sender.stop()


async def test_after_the_last_retry_the_provider_is_told() -> None:
    sandbox, clock = bare_sandbox()
    gave_up: list[bool] = []
    sender = await Subscriber(clock, 500, 500).follow(sandbox)
    sender.send(hook(retry_after_s=(10.0,), on_give_up=lambda: gave_up.append(True)))
    await settle(lambda: sender.idle)
    clock.advance(10)
    await settle(lambda: gave_up)
    assert sandbox.truth.of("webhook_given_up")[0]["topic"] == "orders/create"
    assert sandbox.truth.webhook_attempts == {"shopify:north orders/create 500": 2}
    await sender.stop()


async def test_an_address_that_is_none_counts_as_unanswered() -> None:
    sandbox, clock = bare_sandbox()
    sender = await Subscriber(clock).follow(sandbox)
    sender.send(dataclasses.replace(hook(), url="http://:x"))
    await settle(lambda: sandbox.truth.webhook_attempts)
    assert sandbox.truth.webhook_attempts == {"shopify:north orders/create unanswered": 1}
    await sender.stop()


async def test_an_attempt_ends_with_the_providers_time_out_by_the_sandboxes_clock() -> None:
    sandbox, clock = bare_sandbox()
    asked = asyncio.Event()

    async def never(_: httpx.Request) -> httpx.Response:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError("nobody ends this")

    await sandbox.sender.start(httpx.AsyncClient(transport=httpx.MockTransport(never)))
    sandbox.sender.send(hook())
    await asked.wait()
    clock.advance(4.9)
    await asyncio.sleep(0)
    assert not sandbox.truth.webhook_attempts
    clock.advance(0.1)
    await settle(lambda: sandbox.sender.idle)
    assert sandbox.truth.webhook_attempts == {"shopify:north orders/create unanswered": 1}
    await sandbox.sender.stop()


async def test_hostile_faults_lose_duplicate_and_disorder_hooks() -> None:
    sandbox, clock = bare_sandbox("hostile")
    subscriber = Subscriber(clock)
    sender = await subscriber.follow(sandbox)
    for number in range(200):
        sender.send(hook(str(number)))
    for _ in range(70):
        await asyncio.sleep(0)
        clock.advance(1)
    await settle(lambda: sender.idle)
    bodies = [body for _, body, _ in subscriber.received]
    copies = Counter(bodies)
    fired = sandbox.faults.fired
    assert len(copies) == 200 - fired["lose"]
    assert 0 < sum(count - 1 for count in copies.values()) <= fired["duplicate"]
    assert bodies != sorted(bodies, key=int)
    assert max(copies.values()) == 2
    await sender.stop()


def test_a_seed_makes_the_same_choices_again() -> None:
    def departures(seed: int) -> list[list[float]]:
        sandbox, _ = bare_sandbox("mild", seed)
        return [sandbox.sender._departures() for _ in range(50)]

    assert departures(3) == departures(3)
    assert departures(3) != departures(4)


def test_the_level_none_never_strikes() -> None:
    sandbox, _ = bare_sandbox()
    assert {tuple(sandbox.sender._departures()) for _ in range(500)} == {(0,)}
    assert sandbox.faults.fired == {}


def test_an_unknown_level_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'awful': expected one of none, mild, hostile"):
        Faults("awful")
