"""Single things that someone does on request, through the control API."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.unit.sandbox.inside import Inside, inside
from tests.unit.sandbox.test_life import serve
from tradewind.sandbox.checkout import PROCESSOR_STORE
from tradewind.sandbox.shopify import StoreOrder


@pytest.fixture
async def stage() -> AsyncIterator[Inside]:
    """A world with ten shipped orders."""
    async with inside() as stage:
        stage.sandbox.world.start(orders=10, rate_per_s=1000.0)
        for _ in range(200):
            stage.clock.advance(0.1)
            await stage.clock.sleep(0)
        yield stage


async def act(stage: Inside, **given: Any) -> httpx.Response:
    token = {"Authorization": f"Bearer {stage.sandbox.control_token}"}
    return await stage.http.post("/control/act", json=given, headers=token)


def an_order(stage: Inside) -> StoreOrder:
    """One that stands, at the processor's store."""
    return next(each for each in stage.sandbox.shopify[PROCESSOR_STORE].orders.values() if not each.cancelled_at)


async def test_an_order_is_edited_held_released_shipped_and_taken_back(stage: Inside) -> None:
    order = an_order(stage)
    about = {"store": PROCESSOR_STORE, "order_id": order.id}
    known = {line.sku for line in order.lines}
    sku = next(each for each in stage.sandbox.shopify[PROCESSOR_STORE].catalog.by_sku if each not in known)
    for step in (
        {"act": "edit", "add": {sku: 1}},
        {"act": "edit", "set_to": {str(order.lines[-1].id): order.lines[-1].quantity}, "add": {sku: 1}},
        {"act": "hold", "reason": "INCORRECT_ADDRESS"},
        {"act": "release"},
        {"act": "assess", "recommendation": "ACCEPT", "level": "LOW"},
    ):
        answer = await act(stage, **about, **step)
        assert (answer.status_code, answer.json()) == (201, {"act": step["act"]})
    stage.sandbox.shopify[PROCESSOR_STORE].desk.edit(order.id, set_to={line.id: 0 for line in order.lines[-2:]})
    serve(stage.sandbox)
    for step in (
        {"act": "refund", "amount": "0.10"},
        {"act": "open_return", "requested": True},
        {"act": "approve_return"},
        {"act": "receive_return", "disposition": "NOT_RESTOCKED"},
        {"act": "refund_return"},
        {"act": "close_return"},
    ):
        assert (await act(stage, **about, **step)).status_code == 201, step
    assert [each.status for each in order.returns] == ["CLOSED"]


async def test_a_payment_is_disputed_and_decided(stage: Inside) -> None:
    order = an_order(stage)
    serve(stage.sandbox)
    [paid] = [
        fact["payment_id"] for fact in stage.sandbox.truth.of("payment_authorised") if fact["order_id"] == order.id
    ]
    dispute_id = (await act(stage, act="dispute", payment_id=paid, reason="general")).json()["dispute_id"]
    assert (await act(stage, act="decide_dispute", dispute_id=dispute_id, won=False)).status_code == 201
    assert stage.sandbox.stripe["main"].disputes.kept[dispute_id]["status"] == "lost"


async def test_the_app_is_uninstalled(stage: Inside) -> None:
    store = stage.sandbox.shopify["south"]
    store.subscriptions.create("APP_UNINSTALLED", "http://127.0.0.1/hook", store.now())
    assert (await act(stage, act="uninstall", store="south")).status_code == 201
    assert list(store.subscriptions) == []


async def test_what_the_store_refuses_is_not_now(stage: Inside) -> None:
    order = an_order(stage)
    serve(stage.sandbox)
    answer = await act(stage, act="cancel", store=PROCESSOR_STORE, order_id=order.id)
    assert (answer.status_code, answer.json()["error"]) == (409, f"the store refuses to cancel order {order.id}")


@pytest.mark.parametrize(
    "given",
    [
        {"act": "dance"},
        {"act": "uninstall", "store": "west"},
        {"act": "release", "store": "north", "order_id": "1"},
        {"act": "scan", "label_id": "se-1", "step": "DE"},
        {"act": "scan", "label_id": "se-1", "step": "XX"},
        {"act": "decide_dispute", "dispute_id": "dp_1", "won": True},
    ],
)
async def test_what_does_not_exist_is_a_bad_request(stage: Inside, given: dict[str, Any]) -> None:
    assert (await act(stage, **given)).status_code == 400
