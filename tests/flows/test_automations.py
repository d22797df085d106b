"""Alerts: the file, the payload that its templates make, and their way through a real server to a receiver."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.events import emit_event
from prefect.events.schemas.automations import AutomationCore, Posture
from prefect.server.events.jinja_filters import all_filters
from prefect.server.events.schemas.events import ReceivedEvent, Resource
from prefect.server.utilities.user_templates import register_user_template_filters, render_user_template_sync
from prefect.settings import PREFECT_UI_URL, temporary_settings

from deployments import accounts, automations
from tasks.dead_letters import event_of
from tests.flows.server import PrefectServer
from tests.flows.shop import until
from tests.sandboxes import Receiver, running_receiver
from tradewind.ledger.dead_letters import Group

BLOCK = UUID(int=7)
WANTED = {one.name: one for one in automations.wanted_automations(BLOCK)}
ALERTING = [name for name, one in WANTED.items() if one.actions[0].type == "call-webhook"]
HOSTILE = '"}, {"alert": "all is well"\n{{ 7*7 }} {% raw %} <script>  \\ é 漢'


def test_the_order_in_which_a_server_lists_events_is_no_difference() -> None:
    for automation in WANTED.values():
        listed = automation.model_dump(mode="json")
        turned = {**listed["trigger"], "expect": listed["trigger"]["expect"][::-1]}
        known = AutomationCore.model_validate({**listed, "trigger": turned})
        assert automations._content(known) == automations._content(automation)


@pytest.fixture
def rendering() -> Iterator[None]:
    register_user_template_filters(all_filters)
    with temporary_settings({PREFECT_UI_URL: "http://prefect.example"}):
        yield


def render(automation: AutomationCore, event: ReceivedEvent | None) -> dict[str, Any]:
    action = automation.actions[0]
    text = render_user_template_sync(action.payload, {"automation": automation, "event": event})
    rendered: dict[str, Any] = json.loads(text)
    return rendered


def received(name: str) -> ReceivedEvent:
    resource = Resource({"prefect.resource.id": f"tradewind.{HOSTILE}", "prefect.resource.name": HOSTILE})
    payload = {"reason": HOSTILE, "rows": [{"subject": HOSTILE, "minor": 12}], "at": "2026-11-24T00:00:00Z"}
    now = datetime.now(UTC)
    return ReceivedEvent(event=name, resource=resource, payload=payload, occurred=now, received=now, id=uuid4())


def test_the_file_alerts_on_what_the_issue_names() -> None:
    expected = {name: set(one.trigger.expect) for name, one in WANTED.items()}
    assert expected["tradewind - a validation failed"] == {"tradewind.validation.failed"}
    assert expected["tradewind - a dead letter"] == {"tradewind.dead-letter"}
    assert WANTED["tradewind - no reconciliation in its window"].trigger.posture is Posture.Proactive
    assert expected["tradewind - order-sync crashed"] == {"prefect.flow-run.Crashed", "prefect.flow-run.Failed"}
    assert "prefect.flow-run.heartbeat" in expected["tradewind - zombie runs"]
    assert all(one.description and one.enabled for one in WANTED.values())
    assert {one.actions[0].block_document_id for one in WANTED.values() if one.name in ALERTING} == {BLOCK}


@pytest.mark.parametrize("name", ALERTING)
@pytest.mark.usefixtures("rendering")
def test_a_payload_is_json_whatever_the_event_says(name: str) -> None:
    automation = WANTED[name]
    event = received(next(iter(automation.trigger.expect)))
    told = render(automation, event)
    assert told["alert"] == name
    assert told["about"] == automation.description
    assert told["event"] == event.event
    assert told["resource"] == f"tradewind.{HOSTILE}"
    assert told["details"]["reason"] == HOSTILE
    assert told["details"]["rows"] == [{"subject": HOSTILE, "minor": 12}]
    assert told["url"].startswith("http://prefect.example/")


@pytest.mark.parametrize("name", ALERTING)
@pytest.mark.usefixtures("rendering")
def test_a_silence_without_any_event_still_makes_an_alert(name: str) -> None:
    told = render(WANTED[name], None)
    assert told["alert"] == name
    assert (told["event"], told["details"], told["url"]) == ("", {}, "")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


AT = datetime(2026, 11, 24, tzinfo=UTC)
GROUP = Group(
    name="SchemaMismatch.shopify.decode",
    error="SchemaMismatch",
    provider="shopify",
    place="decode",
    state="open",
    count=3,
    replaying=0,
    total=3,
    first_seen_at=AT,
    last_seen_at=AT,
    opened_at=AT,
    closed_at=None,
    announced_at=None,
    example_kind="delivery",
    example_id="7",
    example_reason=HOSTILE,
)


def alerts(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(delivery.body) for delivery in receiver.deliveries]


def tell() -> None:
    emit_event("tradewind.test.deployed", resource={"prefect.resource.id": "tradewind.books.test"})
    letter = event_of(GROUP)
    emit_event(letter.event, resource=dict(letter.resource), payload=letter.payload)
    emit_event(
        "tradewind.validation.failed",
        resource={"prefect.resource.id": "tradewind.books.night-1"},
        payload={"failed": [{"rule": "money_agrees"}]},
    )


async def tell_until(arrived: Callable[[], bool]) -> None:
    """The server takes new automations up some time after it has stored them: tell again until they are."""
    for again_in_s in (30.0, 30.0, 60.0):
        tell()
        with suppress(AssertionError):
            await until(arrived, again_in_s)
        if arrived():
            return
    raise AssertionError("not every alert has arrived")


@pytest.mark.xdist_group("prefect")
async def test_alerts_arrive_where_the_channel_says(server: PrefectServer, receiver: Receiver) -> None:
    """A dead letter, a failed validation, and a silence: the dead man's switch, with 10 s instead of 26 hours."""
    async with get_client() as client:
        wanted = automations.wanted_automations(await accounts.alert_webhook(client, receiver.url))
        await automations.apply(client, await automations.differing(client, wanted))
        await automations.apply(client, [impatient(wanted)])
        try:
            await tell_until(lambda: len({one["alert"] for one in alerts(receiver)}) == 3)
        finally:
            await accounts.alert_webhook(client, "http://127.0.0.1:9/nobody")
            for one in await client.read_automations_by_name(IMPATIENT):
                await client.delete_automation(one.id)
    told = {one["alert"]: one for one in alerts(receiver)}
    letter = told["tradewind - a dead letter"]
    assert letter["details"]["example"] == {"kind": "delivery", "id": "7", "reason": HOSTILE}
    assert letter["details"]["count"] == 3
    assert letter["resource"] == "tradewind.dead-letters.SchemaMismatch.shopify.decode"
    assert letter["url"].startswith(server.url.removesuffix("/api"))
    assert told["tradewind - a validation failed"]["details"] == {"failed": [{"rule": "money_agrees"}]}
    assert told[IMPATIENT]["about"] == WANTED["tradewind - no reconciliation in its window"].description
    assert {delivery.headers["content-type"] for delivery in receiver.deliveries} == {"application/json"}


IMPATIENT = "test - no reconciliation within 10 s"


def impatient(wanted: list[AutomationCore]) -> AutomationCore:
    """The dead man's switch as the file has it, for events of the test's own and the shortest time there is."""
    (switch,) = (one for one in wanted if one.name == "tradewind - no reconciliation in its window")
    content = switch.model_dump(mode="json")
    content["name"] = IMPATIENT
    content["trigger"] |= {"within": 10, "after": ["tradewind.test.deployed"], "expect": ["tradewind.test.compared"]}
    return AutomationCore.model_validate(content)
