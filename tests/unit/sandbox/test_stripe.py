"""The simulated Stripe from inside."""

import asyncio
import hashlib
import hmac
import json
from typing import Any

import httpx
import pytest

from tests.unit.sandbox.inside import Inside, inside
from tests.unit.sandbox.waiting import settle
from tradewind.sandbox.faults import Rate
from tradewind.sandbox.stripe.events import RETRY_AFTER_S
from tradewind.sandbox.stripe.idempotency import KEPT_FOR_S
from tradewind.sandbox.stripe.params import parse_form

HELD = {
    "amount": "1250",
    "currency": "gbp",
    "capture_method": "manual",
    "confirm": "true",
    "payment_method": "pm_card_visa",
}


async def call(
    stage: Inside, method: str, path: str, form: dict[str, Any] | None = None, key: str | None = None
) -> httpx.Response:
    """One request with the secret key; the clock moves on, so that the rate limit is no concern."""
    stage.clock.advance(1)
    headers = {"Authorization": f"Bearer {stage.sandbox.stripe['main'].secret_key}"}
    if key:
        headers["Idempotency-Key"] = key
    sent: dict[str, Any] = {"params": form} if method == "GET" else {"data": form}
    return await stage.http.request(method, f"/stripe/main/v1{path}", headers=headers, **sent)


async def subscribe(stage: Inside, *events: str, **fields: str) -> dict[str, Any]:
    form = {"url": "http://shop/stripe", "enabled_events[]": list(events), **fields}
    made: dict[str, Any] = (await call(stage, "POST", "/webhook_endpoints", form)).json()
    return made


async def heard(stage: Inside) -> list[dict[str, Any]]:
    """The events that arrived."""
    await settle(lambda: stage.sandbox.sender.idle)
    return [json.loads(request.content) for request in stage.received]


@pytest.mark.parametrize(
    ("encoded", "form"),
    [
        ("amount=5&currency=gbp", {"amount": "5", "currency": "gbp"}),
        ("metadata[a]=1&metadata[b]=", {"metadata": {"a": "1", "b": ""}}),
        ("expand[]=x&expand[]=y", {"expand": ["x", "y"]}),
        ("expand[0]=x&expand[1]=y", {"expand": ["x", "y"]}),
        ("created[gte]=5", {"created": {"gte": "5"}}),
        ("a[b][c]=d%20e", {"a": {"b": {"c": "d e"}}}),
    ],
)
def test_bracket_notation_becomes_hashes_and_lists(encoded: str, form: dict[str, Any]) -> None:
    assert parse_form(encoded) == form


async def test_a_card_payment_is_held_captured_in_part_and_refunded() -> None:
    async with inside() as stage:
        await subscribe(stage, "*")
        held = (await call(stage, "POST", "/payment_intents", HELD)).json()
        assert (held["status"], held["amount_capturable"]) == ("requires_capture", 1250)
        await call(stage, "POST", f"/payment_intents/{held['id']}/capture", {"amount_to_capture": "1000"})
        refund = (await call(stage, "POST", "/refunds", {"payment_intent": held["id"]})).json()
        assert refund["amount"] == 1000
        charge = (await call(stage, "GET", f"/charges/{refund['charge']}")).json()
        assert (charge["amount_captured"], charge["amount_refunded"], charge["refunded"]) == (1000, 1000, True)
        assert [event["type"] for event in await heard(stage)] == [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.amount_capturable_updated",
            "charge.captured",
            "payment_intent.succeeded",
            "refund.created",
            "charge.refunded",
        ]
        assert [fact["amount_minor"] for fact in stage.sandbox.truth.of("captured")] == [1000]
        assert [fact["currency"] for fact in stage.sandbox.truth.of("refunded")] == ["GBP"]


async def test_a_canceled_intent_lets_the_money_go() -> None:
    async with inside() as stage:
        intent_id = stage.sandbox.stripe["main"].authorise(500, "GBP", {})
        form = {"cancellation_reason": "requested_by_customer"}
        canceled = (await call(stage, "POST", f"/payment_intents/{intent_id}/cancel", form)).json()
        assert (canceled["status"], canceled["amount_capturable"]) == ("canceled", 0)
        refused = await call(stage, "POST", f"/payment_intents/{intent_id}/capture")
        assert refused.json()["error"]["code"] == "payment_intent_unexpected_state"
        assert stage.sandbox.truth.of("captured") == stage.sandbox.truth.of("refunded") == []


@pytest.mark.parametrize(
    ("method", "path", "form", "status", "code"),
    [
        ("POST", "/payment_intents", {"currency": "gbp"}, 400, "parameter_missing"),
        ("POST", "/payment_intents", {"amount": "500"}, 400, "parameter_missing"),
        ("POST", "/payment_intents", {"amount": "x", "currency": "gbp"}, 400, "parameter_invalid_integer"),
        ("POST", "/payment_intents", {"amount": "29", "currency": "gbp"}, 400, "amount_too_small"),
        ("POST", "/payment_intents", {"amount": "500", "currency": "gbp", "colour": "red"}, 400, "parameter_unknown"),
        (
            "POST",
            "/payment_intents",
            {"amount": "500", "currency": "gbp", "confirm": "true"},
            400,
            "payment_intent_unexpected_state",
        ),
        ("POST", "/payment_intents/pi_0/capture", {}, 404, "resource_missing"),
        ("POST", "/refunds", {"charge": "ch_0"}, 404, "resource_missing"),
        ("POST", "/refunds", {}, 400, "parameter_missing"),
        ("POST", "/webhook_endpoints", {"url": "http://shop"}, 400, "parameter_missing"),
        ("GET", "/charges", {"limit": "101"}, 400, None),
        ("GET", "/charges", {"starting_after": "ch_0"}, 404, "resource_missing"),
        ("GET", "/charges", {"created[near]": "5"}, 400, "parameter_unknown"),
        ("GET", "/charges", {"created": "soon"}, 400, "parameter_invalid_integer"),
        ("GET", "/events/evt_0", {}, 404, "resource_missing"),
        ("GET", "/customers", {}, 404, None),
    ],
)
async def test_a_wrong_request_is_answered_as_stripe_words_it(
    method: str, path: str, form: dict[str, str], status: int, code: str | None
) -> None:
    async with inside() as stage:
        answer = await call(stage, method, path, form)
        assert (answer.status_code, answer.json()["error"].get("code")) == (status, code)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer sk_test_other"}, {"Authorization": "Basic !"}])
async def test_a_wrong_key_is_401(headers: dict[str, str]) -> None:
    async with inside() as stage:
        assert (await stage.http.get("/stripe/main/v1/charges", headers=headers)).status_code == 401


async def test_the_key_may_be_the_user_of_basic_authentication() -> None:
    async with inside() as stage:
        auth = httpx.BasicAuth(stage.sandbox.stripe["main"].secret_key, "")
        assert (await stage.http.get("/stripe/main/v1/charges", auth=auth)).status_code == 200


async def test_more_is_never_captured_or_refunded_than_there_is() -> None:
    async with inside() as stage:
        intent_id = stage.sandbox.stripe["main"].authorise(500, "GBP", {})
        early = await call(stage, "POST", "/refunds", {"payment_intent": intent_id})
        assert early.json()["error"]["code"] == "charge_not_refundable"
        too_much = await call(stage, "POST", f"/payment_intents/{intent_id}/capture", {"amount_to_capture": "501"})
        assert too_much.json()["error"]["code"] == "amount_too_large"
        await call(stage, "POST", f"/payment_intents/{intent_id}/capture")
        assert (
            await call(stage, "POST", "/refunds", {"payment_intent": intent_id, "amount": "501"})
        ).status_code == 400
        await call(stage, "POST", "/refunds", {"payment_intent": intent_id})
        again = await call(stage, "POST", "/refunds", {"payment_intent": intent_id})
        assert again.json()["error"]["code"] == "charge_already_refunded"


async def test_the_first_answer_is_kept_for_a_day_even_when_it_is_a_refusal() -> None:
    async with inside() as stage:
        intent_id = stage.sandbox.stripe["main"].authorise(500, "GBP", {})
        path, form = f"/payment_intents/{intent_id}/capture", {"amount_to_capture": "900"}
        first = await call(stage, "POST", path, form, key="capture-1")
        again = await call(stage, "POST", path, form, key="capture-1")
        assert (again.status_code, again.content) == (400, first.content)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.headers["Original-Request"] == first.headers["Request-Id"] != again.headers["Request-Id"]
        other = await call(stage, "POST", path, {"amount_to_capture": "400"}, key="capture-1")
        assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")
        stage.clock.advance(KEPT_FOR_S)
        assert (await call(stage, "POST", path, {"amount_to_capture": "400"}, key="capture-1")).status_code == 200


async def test_a_request_that_did_not_begin_keeps_no_answer() -> None:
    async with inside() as stage:
        assert (await call(stage, "POST", "/payment_intents", {"amount": "x"}, key="k")).status_code == 400
        assert (await call(stage, "POST", "/payment_intents", HELD, key="k")).status_code == 200


async def test_the_same_key_while_the_first_request_runs_is_409(monkeypatch: pytest.MonkeyPatch) -> None:
    async with inside() as stage:
        rates = {**stage.sandbox.faults._rates, "slow_answer": Rate(1.0, 5.0)}
        monkeypatch.setattr(stage.sandbox.faults, "_rates", rates)
        slow = asyncio.create_task(call(stage, "POST", "/payment_intents", HELD, key="k"))
        await settle(lambda: stage.clock._sleepers)
        busy = await call(stage, "POST", "/payment_intents", HELD, key="k")
        assert (busy.status_code, busy.json()["error"]["code"]) == (409, "idempotency_key_in_use")
        assert busy.headers["Stripe-Should-Retry"] == "true"
        stage.clock.advance(5)
        assert (await slow).status_code == 200
        assert len(stage.sandbox.stripe["main"].payments.intents) == 1


async def test_lists_go_both_ways_and_filter_by_time() -> None:
    async with inside() as stage:
        account = stage.sandbox.stripe["main"]
        made = []
        for amount in range(100, 105):
            stage.clock.advance(10)
            made.append(account.authorise(amount, "GBP", {}))
        newest_first = made[::-1]

        async def ids(**form: Any) -> tuple[list[str], bool]:
            listed = (await call(stage, "GET", "/payment_intents", form)).json()
            return [item["id"] for item in listed["data"]], listed["has_more"]

        assert await ids(limit=2) == (newest_first[:2], True)
        assert await ids(limit=2, starting_after=newest_first[1]) == (newest_first[2:4], True)
        assert await ids(limit=2, starting_after=newest_first[3]) == (newest_first[4:], False)
        assert await ids(limit=2, ending_before=newest_first[3]) == (newest_first[1:3], True)
        created = account.payments.intents[made[2]]["created"]
        assert (await ids(**{"created[gte]": created, "created[lt]": created + 20}))[0] == [made[3], made[2]]
        assert (await ids(created=created))[0] == [made[2]]


async def test_expanded_ids_become_objects() -> None:
    async with inside() as stage:
        intent_id = stage.sandbox.stripe["main"].authorise(500, "GBP", {})
        await call(stage, "POST", f"/payment_intents/{intent_id}/capture")
        form = {"expand[]": "data.latest_charge.balance_transaction"}
        listed = (await call(stage, "GET", "/payment_intents", form)).json()
        assert listed["data"][0]["latest_charge"]["balance_transaction"]["amount"] == 500
        assert isinstance(stage.sandbox.stripe["main"].payments.intents[intent_id]["latest_charge"], str)
        assert (await call(stage, "GET", "/payment_intents", {"expand[]": "data.nothing"})).status_code == 400


async def test_each_attempt_is_signed_with_its_own_time_and_the_endpoints_secret() -> None:
    async with inside() as stage:
        endpoint = await subscribe(stage, "charge.captured", api_version="2025-01-27.acacia")
        intent_id = stage.sandbox.stripe["main"].authorise(500, "GBP", {})
        stage.answers = [500]
        await call(stage, "POST", f"/payment_intents/{intent_id}/capture")
        await settle(lambda: stage.sandbox.sender.idle)
        stage.clock.advance(RETRY_AFTER_S[0])
        await settle(lambda: len(stage.received) == 2)
        first, second = (request.headers["Stripe-Signature"] for request in stage.received)
        assert first != second
        timestamp, signed = (part.partition("=")[2] for part in second.split(","))
        message = timestamp.encode() + b"." + stage.received[1].content
        assert signed == hmac.new(endpoint["secret"].encode(), message, hashlib.sha256).hexdigest()
        assert json.loads(stage.received[1].content)["api_version"] == "2025-01-27.acacia"


async def test_a_disabled_endpoint_hears_nothing_and_an_updated_one_what_it_now_asks_for() -> None:
    async with inside() as stage:
        endpoint = await subscribe(stage, "charge.succeeded")
        path = f"/webhook_endpoints/{endpoint['id']}"
        assert (await call(stage, "POST", path, {"disabled": "true"})).json()["status"] == "disabled"
        stage.sandbox.stripe["main"].authorise(500, "GBP", {})
        await call(stage, "POST", path, {"disabled": "false", "enabled_events[]": "payment_intent.created"})
        stage.sandbox.stripe["main"].authorise(600, "GBP", {})
        assert [event["type"] for event in await heard(stage)] == ["payment_intent.created"]


async def test_events_name_the_request_that_caused_them_and_keep_the_object_as_it_was() -> None:
    async with inside() as stage:
        held = await call(stage, "POST", "/payment_intents", HELD, key="order-1")
        await call(stage, "POST", f"/payment_intents/{held.json()['id']}/capture")
        form = {"type": "payment_intent.amount_capturable_updated"}
        event = (await call(stage, "GET", "/events", form)).json()["data"][0]
        assert event["request"] == {"id": held.headers["Request-Id"], "idempotency_key": "order-1"}
        assert event["data"]["object"]["status"] == "requires_capture"


async def test_what_is_done_silently_is_kept_but_not_sent() -> None:
    async with inside() as stage:
        await subscribe(stage, "*")
        account = stage.sandbox.stripe["main"]
        stray = account.charge_without_order(700, "GBP")
        account.refund_from_dashboard(stray, 200, notify=False)
        assert await heard(stage) == []
        assert account.payments.intents[stray]["status"] == "succeeded"
        assert {"charge.succeeded", "refund.created"} <= {event["type"] for event in account.events.newest_first()}
        account.refund_from_dashboard(stray, 100)
        assert [event["type"] for event in await heard(stage)] == ["refund.created", "charge.refunded"]


async def test_metadata_is_merged_and_an_empty_value_removes_its_key() -> None:
    async with inside() as stage:
        intent_id = stage.sandbox.stripe["main"].authorise(500, "GBP", {"a": "1", "b": "2"})
        form = {"metadata[b]": "", "metadata[c]": "3", "description": "Order #1"}
        updated = (await call(stage, "POST", f"/payment_intents/{intent_id}", form)).json()
        assert (updated["metadata"], updated["description"]) == ({"a": "1", "c": "3"}, "Order #1")
        await call(stage, "POST", f"/payment_intents/{intent_id}/capture")
        refund = (await call(stage, "POST", "/refunds", {"payment_intent": intent_id})).json()
        await subscribe(stage, "refund.updated")
        await call(stage, "POST", f"/refunds/{refund['id']}", {"metadata[why]": "late"})
        assert (await heard(stage))[0]["data"]["object"]["metadata"] == {"why": "late"}


async def test_a_declined_card_leaves_the_intent_open() -> None:
    async with inside() as stage:
        declined = await call(stage, "POST", "/payment_intents", {**HELD, "payment_method": "pm_card_chargeDeclined"})
        assert (declined.status_code, declined.json()["error"]["code"]) == (402, "card_declined")
        intent_id = declined.json()["error"]["payment_intent"]["id"]
        form = {"payment_method": "pm_card_visa"}
        confirmed = (await call(stage, "POST", f"/payment_intents/{intent_id}/confirm", form)).json()
        assert confirmed["status"] == "requires_capture"


async def test_the_26th_request_in_a_second_is_refused_and_counted() -> None:
    async with inside() as stage:
        headers = {"Authorization": f"Bearer {stage.sandbox.stripe['main'].secret_key}"}
        answers = [await stage.http.get("/stripe/main/v1/charges", headers=headers) for _ in range(26)]
        assert [answer.status_code for answer in answers] == [200] * 25 + [429]
        assert len(stage.sandbox.truth.of("throttled")) == 1
