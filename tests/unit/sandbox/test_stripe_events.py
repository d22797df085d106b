"""How the simulated Stripe lists its events."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.sandbox.inside import Inside, inside
from tests.unit.sandbox.test_stripe import call, subscribe
from tests.unit.sandbox.waiting import settle
from tradewind.sandbox.stripe.kept_events import KEPT_FOR

SUCCEEDED = "payment_intent.succeeded"


def charge(stage: Inside, number: int = 1) -> list[str]:
    """Charges, each a second after the one before; gives the payments."""
    made = []
    for _ in range(number):
        stage.clock.advance(1)
        made.append(stage.sandbox.stripe["main"].charge_without_order(500, "GBP", notify=True))
    return made


async def listed(stage: Inside, **form: Any) -> list[dict[str, Any]]:
    names = {"after": "created[gt]", "before": "created[lt]", "types": "types[]"}
    answer = await call(stage, "GET", "/events", {names.get(name, name): value for name, value in form.items()})
    assert answer.status_code == 200, answer.text
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


def payments(events: list[dict[str, Any]]) -> list[str]:
    return [event["data"]["object"]["id"] for event in events]


async def test_events_come_newest_first_and_by_their_types() -> None:
    async with inside() as stage:
        made = charge(stage, 3)
        assert payments(await listed(stage, type=SUCCEEDED)) == made[::-1]
        kinds = [SUCCEEDED, "payment_intent.created"]
        assert [event["type"] for event in await listed(stage, types=kinds)] == kinds * 3
        wild = await listed(stage, type="payment_intent.*")
        assert {event["type"] for event in wild} == set(kinds)


async def test_a_span_holds_what_was_created_in_it() -> None:
    async with inside() as stage:
        began = int(stage.clock.now().timestamp())
        made = charge(stage, 5)
        assert payments(await listed(stage, type=SUCCEEDED, after=began + 1, before=began + 4)) == made[2:0:-1]


async def test_pages_lead_either_way_also_from_an_event_of_another_type() -> None:
    async with inside() as stage:
        made = charge(stage, 5)
        first = (await listed(stage, type="payment_intent.created"))[-1]["id"]
        seen: list[str] = []
        cursor = first
        while page := await listed(stage, type=SUCCEEDED, limit=2, ending_before=cursor):
            assert payments(page) == sorted(payments(page), key=made.index, reverse=True)
            seen += payments(page)[::-1]
            cursor = page[0]["id"]
        assert seen == made
        newest = (await listed(stage, type="charge.succeeded"))[0]["id"]
        older = await listed(stage, type=SUCCEEDED, limit=2, starting_after=newest)
        assert payments(older) == made[3:1:-1]


async def test_events_are_kept_for_thirty_days() -> None:
    async with inside() as stage:
        charge(stage)
        (old,) = await listed(stage, type=SUCCEEDED)
        stage.clock.advance(KEPT_FOR.total_seconds() + 1)
        charge(stage)
        (young,) = await listed(stage, type=SUCCEEDED)
        assert young["id"] != old["id"]
        assert (await call(stage, "GET", f"/events/{old['id']}")).status_code == 404
        assert (await call(stage, "GET", "/events", {"ending_before": old["id"]})).status_code == 404


async def test_an_event_tells_whether_its_webhooks_were_delivered() -> None:
    async with inside() as stage:
        await subscribe(stage, SUCCEEDED)
        stage.answers = [500, 200]
        lost, heard = charge(stage, 2)
        await settle(lambda: len(stage.received) == 2)
        await settle(lambda: stage.sandbox.sender.idle)
        undelivered = await listed(stage, type=SUCCEEDED, delivery_success="false")
        assert [(payments([one])[0], one["pending_webhooks"]) for one in undelivered] == [(lost, 1)]
        delivered = await listed(stage, type=SUCCEEDED, delivery_success="true")
        assert [(payments([one])[0], one["pending_webhooks"]) for one in delivered] == [(heard, 0)]


async def test_the_object_stays_as_it_was_when_it_happened() -> None:
    async with inside() as stage:
        (intent,) = charge(stage)
        stage.sandbox.stripe["main"].refund_from_dashboard(intent, 200)
        (taken,) = await listed(stage, type="charge.succeeded")
        (given,) = await listed(stage, type="charge.refunded")
        assert [one["data"]["object"]["amount_refunded"] for one in (taken, given)] == [0, 200]


@pytest.mark.parametrize(
    "form",
    [
        {"type": SUCCEEDED, "types[]": SUCCEEDED},
        {"types[]": [f"refund.{number}" for number in range(21)]},
        {"limit": "101"},
        {"delivery_success": "perhaps"},
    ],
)
async def test_a_filter_that_stripe_does_not_take_is_refused(form: dict[str, Any]) -> None:
    async with inside() as stage:
        assert (await call(stage, "GET", "/events", form)).status_code == 400
