"""Whom a leading run asks for: one run at a time, as Prefect's server has them."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.states import Pending, Running, Scheduled, State

from tasks import successor
from tasks.successor import is_coming, successor_of
from tests.flows.server import PrefectServer

pytestmark = pytest.mark.xdist_group("prefect")

DEPLOYMENT = "order-sync-of-a-test/one"
OTHER = "order-sync-of-a-test/other"


@flow(name="order-sync-of-a-test")
async def idle(window_s: float | None = None) -> None: ...


@pytest.fixture(autouse=True)
async def _deployed(server: PrefectServer) -> AsyncIterator[None]:
    """Two deployments that no worker takes runs of."""
    async with get_client() as client:
        flow_id = await client.create_flow(idle)
        for name in (DEPLOYMENT, OTHER):
            await client.create_deployment(flow_id, name.partition("/")[2])
    yield
    for name in (DEPLOYMENT, OTHER):
        server.delete_deployment(name)


async def runs() -> list[FlowRun]:
    async with get_client() as client:
        deployment = await client.read_deployment_by_name(DEPLOYMENT)
        every = await client.read_flow_runs()
        return [one for one in every if one.deployment_id == deployment.id]


async def add(state: State, name: str = DEPLOYMENT) -> None:
    async with get_client() as client:
        deployment = await client.read_deployment_by_name(name)
        await client.create_flow_run_from_deployment(deployment.id, state=state)


async def set_state(run: FlowRun, state: State) -> None:
    async with get_client() as client:
        await client.set_flow_run_state(run.id, state, force=True)


async def test_nobody_is_asked_for_while_a_run_that_was_asked_for_has_not_begun() -> None:
    ask = successor_of(DEPLOYMENT, {"window_s": 7.0})
    await ask()
    (first,) = await runs()
    assert first.parameters["window_s"] == 7.0
    await ask()
    await set_state(first, Pending())
    await ask()
    assert len(await runs()) == 1
    await set_state(first, Running())
    await ask()
    assert len(await runs()) == 2


def due(seconds: float) -> State:
    return Scheduled(scheduled_time=datetime.now(UTC) + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("state", "name", "coming"),
    [
        pytest.param(lambda: due(-5.0), DEPLOYMENT, True, id="due"),
        pytest.param(lambda: due(-successor.COMING_S - 30.0), DEPLOYMENT, False, id="lost with its worker"),
        pytest.param(lambda: due(120.0), DEPLOYMENT, False, id="due later"),
        pytest.param(lambda: due(-5.0), OTHER, False, id="of another deployment"),
    ],
)
async def test_a_run_is_coming_when_it_is_due_and_has_not_begun(
    state: Callable[[], State], name: str, coming: bool
) -> None:
    await add(state(), name)
    async with get_client() as client:
        assert await is_coming(client, DEPLOYMENT) is coming
