"""`prefect.yaml` as people see it in Prefect, and `deploy`, which puts it there."""

import importlib.util
from typing import Any

import pytest
from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.utilities.callables import parameter_schema

from blocks import StripeAccount
from deployments import apply, flows, limits
from tests.flows.server import PrefectServer
from tradewind.domain.connections import Connection, ConnectionKey, ConnectionState, Role
from tradewind.ledger import connections
from tradewind.ledger.engine import Ledger
from tradewind.settings import load_settings

DEPLOYMENTS = {one["name"]: one for one in flows.wanted_deployments()}
STRIPE = Connection(
    key=ConnectionKey(provider="stripe", account="main"),
    role=Role.PAYMENT_PROCESSOR,
    state=ConnectionState.LIVE,
    settings={"base_url": "http://127.0.0.1:9"},
    secrets={"secret_key": "sk_test_1"},
    revision=1,
)


def flow_of(deployment: dict[str, Any]) -> Flow[..., Any]:
    path, _, name = deployment["entrypoint"].partition(":")
    spec = importlib.util.spec_from_file_location("entrypoint", flows.PROJECT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Flow[..., Any] = getattr(module, name)
    return found


def test_every_flow_of_the_issue_is_deployed() -> None:
    assert set(DEPLOYMENTS) == {
        "order-sync", "catalog-sync", "reporting-sync", "reconciliation", "backfill", "replay"
    }  # fmt: skip


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_deployment_tells_people_what_it_does(name: str) -> None:
    deployment = DEPLOYMENTS[name]
    flow = flow_of(deployment)
    assert flow.name == name
    assert flow.flow_run_name
    assert flow.description
    assert deployment["description"].strip().endswith(".")
    assert "tradewind" in deployment["tags"]
    assert deployment["work_pool"]["name"] == flows.WORK_POOL


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_every_parameter_has_a_type_and_a_description_for_the_form(name: str) -> None:
    flow = flow_of(DEPLOYMENTS[name])
    schema = parameter_schema(flow)
    for parameter, shape in schema.properties.items():
        assert {"type", "anyOf", "$ref", "allOf"} & set(shape), f"{name}: {parameter} has no type"
        assert shape.get("description"), f"{name}: {parameter} has no description"
    assert set(DEPLOYMENTS[name]["parameters"]) <= set(schema.properties)
    flow.validate_parameters(DEPLOYMENTS[name]["parameters"] | dict.fromkeys(schema.required, "2026-11-24"))


@pytest.fixture
def connected(ledger: Ledger) -> Ledger:
    with ledger.write() as database:
        connections.put(database, ledger.keys, STRIPE)
    return ledger


async def deploy(ledger: Ledger, alert_url: str | None = None) -> list[str]:
    told: list[str] = []
    await apply.deploy(load_settings(), ledger, alert_url=alert_url, report=told.append)
    return told


@pytest.mark.xdist_group("prefect")
async def test_deploying_again_makes_nothing_twice_and_mends_what_was_changed_by_hand(
    server: PrefectServer, connected: Ledger
) -> None:
    server.delete_deployment("backfill/backfill")
    assert {"deployment backfill", "block stripe-main"} <= set(await apply.differences(connected))
    told = await deploy(connected, "http://127.0.0.1:9/alerts")
    assert "block stripe-main written from the ledger" in told
    assert await apply.differences(connected) == []
    there = await everything()
    assert set(there["deployments"]) == set(DEPLOYMENTS)

    await change_by_hand()
    (places,) = limits.wanted_tags([STRIPE]).values()
    assert await apply.differences(connected) == [
        "deployment catalog-sync",
        "deployment reporting-sync",
        "deployment reconciliation",
        "deployment replay",
        "block stripe-main",
        f"limit on provider:stripe: {places} tasks at one time",
        "automation tradewind - a dead letter",
    ]
    told = await deploy(connected)
    assert "connection stripe:main taken over from its block" in told
    assert await apply.differences(connected) == []
    assert await everything() == there
    with connected.read() as database:
        known = connections.get(database, connected.keys, "stripe:main")
    assert known.secrets["secret_key"] == "sk_test_2"
    assert known.state is ConnectionState.LIVE


async def everything() -> dict[str, list[str]]:
    """What the server has, with what tells one from its double."""
    async with get_client() as client:
        return {
            "deployments": sorted(one.name for one in await client.read_deployments()),
            "automations": sorted(str(one.id) for one in await client.read_automations()),
            "limits": sorted(one.tag for one in await client.read_concurrency_limits(limit=200, offset=0)),
            "blocks": sorted(str(one.id) for one in await client.read_block_documents()),
        }


async def change_by_hand() -> None:
    """One of each kind, as somebody would in Prefect's UI."""
    async with get_client() as client:
        by_name = {one.name: one for one in await client.read_deployments()}
        await client.pause_deployment(by_name["reporting-sync"].id)
        await client.delete_deployment(by_name["catalog-sync"].id)
        for schedule in by_name["reconciliation"].schedules:
            await client.update_deployment_schedule(by_name["reconciliation"].id, schedule.id, active=False)
        # As an older version may have left it, before the flow had its parameters.
        await client.update_deployment(by_name["replay"].id, DeploymentUpdate(parameter_openapi_schema={}))
        await client.create_concurrency_limit(tag="provider:stripe", concurrency_limit=1)
        (automation,) = await client.read_automations_by_name("tradewind - a dead letter")
        await client.pause_automation(automation.id)
    block = await StripeAccount.aload("stripe-main")
    block.secret_key = type(block.secret_key)("sk_test_2")
    block.revision = 2
    await block.save("stripe-main", overwrite=True)
