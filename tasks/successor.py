"""The next run of order-sync, which stands by for the one that leads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.deployments import run_deployment

COMING_S = 60.0
"""A run that has not begun so long after it was due is taken for lost, with the worker that had it."""

Successor = Callable[[], Awaitable[None]]


def successor_of(deployment: str, parameters: dict[str, Any]) -> Successor:
    """Asks for a run of `flow/deployment` without waiting for it, unless one is on its way already.

    Starting a run takes seconds of processor time: where a machine is too slow to have one ready in time, asking for
    more makes each of them later.
    """

    async def ask() -> None:
        async with get_client() as client:
            if not await is_coming(client, deployment):
                run = run_deployment(deployment, client, parameters=parameters, timeout=0, as_subflow=False)
                await run  # type: ignore[misc]

    return ask


async def is_coming(client: PrefectClient, deployment: str) -> bool:
    """Whether a run of `flow/deployment` is due, by its schedule or because it was asked for, and has not begun yet."""
    flow, _, name = deployment.partition("/")
    now = datetime.now(UTC)
    starting = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED, StateType.PENDING])),
        expected_start_time=FlowRunFilterExpectedStartTime(after_=now - timedelta(seconds=COMING_S), before_=now),
    )
    found = await client.read_flow_runs(
        flow_filter=FlowFilter(name=FlowFilterName(any_=[flow])),
        deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[name])),
        flow_run_filter=starting,
        limit=1,
    )
    return bool(found)
