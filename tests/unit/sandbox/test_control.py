"""The control API."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.unit.sandbox.replay_files import uci_row, write_uci
from tradewind.sandbox import Sandbox, create_app, create_sandbox
from tradewind.sandbox.clock import ManualClock
from tradewind.sandbox.outcomes import order_outcomes


@pytest.fixture
def sandbox() -> Sandbox:
    return create_sandbox(seed=1, faults="none", base_url="http://sandbox.invalid", clock=ManualClock())


@pytest_asyncio.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(sandbox)),
        base_url=sandbox.describe()["control"]["base_url"],
        headers={"authorization": f"Bearer {sandbox.describe()['control']['token']}"},
    ) as client:
        yield client
    await sandbox.world.stop()


@pytest.mark.parametrize("token", ["", "Bearer wrong", "Basic abc", "Bearer ümlaut"])
async def test_without_the_token_nothing_is_told(client: httpx.AsyncClient, token: str) -> None:
    answer = await client.get("truth", headers={"authorization": token.encode()})  # type: ignore[dict-item]
    assert (answer.status_code, answer.json()) == (401, {"error": "the control token is missing or wrong"})


async def test_shoppers_are_started_in_the_background(client: httpx.AsyncClient) -> None:
    answer = await client.post("start", json={"orders": 5, "rate_per_s": 2.0})
    assert answer.status_code == 202
    progress = (await client.get("progress")).json()
    assert (progress["planned"], progress["placed"], progress["quiet"]) == (5, 0, False)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, 'give either "orders" or "replay"'),
        ({"orders": 1, "replay": "x.csv"}, 'give either "orders" or "replay"'),
        ({"orders": -1}, "orders: Input should be greater than or equal to 0"),
        ({"orders": 1, "rate_per_s": 0}, "rate_per_s: Input should be greater than 0"),
        ({"orders": 1, "speed": 2}, "speed: Extra inputs are not permitted"),
    ],
)
async def test_a_wrong_start_is_told_what_would_be_right(
    client: httpx.AsyncClient, asked: dict[str, object], message: str
) -> None:
    answer = await client.post("start", json=asked)
    assert (answer.status_code, answer.json()) == (400, {"error": message})


async def test_a_body_that_is_no_json_is_a_bad_request(client: httpx.AsyncClient) -> None:
    answer = await client.post("plant", content=b"{")
    assert answer.status_code == 400


async def test_a_replay_is_prepared_and_then_started_once(client: httpx.AsyncClient, tmp_path: Path) -> None:
    path = str(write_uci(tmp_path, [uci_row("1"), uci_row("C2", quantity=-9), uci_row("3", quantity="x")]))
    assert (await client.get("replay")).status_code == 404
    prepared = (await client.post("prepare", json={"replay": path})).json()
    assert prepared["counts"] == {"sale": 1, "credit": 1, "refused": 1}
    assert prepared["refused"] == {"row 4: Quantity 'x' is not a whole number": 1}
    assert (await client.post("start", json={"replay": path, "rate_per_s": 3.0})).status_code == 202
    assert (await client.post("start", json={"replay": path})).status_code == 409
    assert (await client.get("replay")).json()["totals"] == {"2011-11-14": {"credit": "-14.85", "sale": "1.65"}}


async def test_a_file_that_is_no_history_is_a_bad_request(client: httpx.AsyncClient, tmp_path: Path) -> None:
    answer = await client.post("start", json={"replay": str(tmp_path / "nowhere.csv")})
    assert answer.status_code == 400
    assert "nowhere.csv: cannot be read" in answer.json()["error"]


async def test_a_fault_is_planted_and_described(client: httpx.AsyncClient) -> None:
    answer = await client.post("plant", json={"kind": "stray_charge"})
    assert (answer.status_code, answer.json()["kind"]) == (201, "stray_charge")
    assert (await client.post("plant", json={"kind": "silent_refund"})).status_code == 409
    assert (await client.post("plant", json={"kind": "fire"})).status_code == 400


async def test_faults_can_be_switched_off(client: httpx.AsyncClient, sandbox: Sandbox) -> None:
    assert (await client.post("faults", json={"level": "mild"})).json() == {"level": "mild"}
    assert (await client.post("faults", json={"level": "none"})).json() == {"level": "none"}
    assert sandbox.faults.level == "none"
    assert (await client.post("faults", json={"level": "wild"})).status_code == 400


async def test_the_truth_is_told_by_fact_and_by_order(client: httpx.AsyncClient, sandbox: Sandbox) -> None:
    truth = sandbox.truth
    paid = {"total_minor": 5, "currency": "GBP", "presentment_minor": 5, "presentment_currency": "GBP"}
    for store in ("north", "south"):
        truth.record("order_accepted", store=store, order_id=f"1{store[0]}", name="#1", **paid)
    truth.record("cancel_acknowledged", store="north", order_id="1n", name="#1")
    for label in ("se-1", "se-2"):
        truth.record(
            "label_requested",
            account="main",
            label_id=label,
            external_shipment_id=f"x-{label}",
            external_order_id="gid://shopify/Order/1n",
        )
    truth.record("label_voided", account="main", label_id="se-2")
    answered = (await client.get("truth")).json()
    assert answered["counts"]["order_accepted"] == 2
    assert answered["orders"] == order_outcomes(truth)
    first, second = answered["orders"]
    assert first["cancelled_at"] is not None
    assert [(each["label_id"], each["voided_at"] is None) for each in first["label_requests"]] == [
        ("se-1", True),
        ("se-2", False),
    ]
    assert (second["cancelled_at"], second["fulfilled_at"], second["label_requests"]) == (None, None, [])
    assert (first["ends"], second["ends"]) == (["cancelled"], ["completed"])
