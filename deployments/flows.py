"""The deployments of `prefect.yaml`, put into the server in use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.exceptions import MissingFlowError, ObjectAlreadyExists, ScriptError
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema

from tradewind.errors import ConfigurationError
from tradewind.stack.stack import WORK_POOL

FILE = Path(__file__).with_name("prefect.yaml")
PROJECT = FILE.parent.parent
PULL_STEPS = [{"prefect.deployments.steps.set_working_directory": {"directory": str(PROJECT)}}]


def wanted_deployments() -> list[dict[str, Any]]:
    """The entries of the file."""
    entries: list[dict[str, Any]] = yaml.safe_load(FILE.read_text())["deployments"]
    return entries


async def differing(client: PrefectClient) -> list[str]:
    """Names of deployments that the server has not, or has otherwise: paused, of another folder, with another form."""
    known = {one.name: one for one in await client.read_deployments()}
    names = {one.entry["name"]: one for one in load()}
    return [name for name, one in names.items() if name not in known or not _same(known[name], one)]


async def make_work_pool(client: PrefectClient) -> None:
    """Make the process work pool if it is not there."""
    try:
        await client.create_work_pool(WorkPoolCreate(name=WORK_POOL, type="process"))
    except ObjectAlreadyExists:
        return


@dataclass(frozen=True)
class Deployable:
    """An entry of the file with the flow that its entrypoint names."""

    entry: dict[str, Any]
    flow: Flow[..., Any]

    @property
    def form(self) -> dict[str, Any]:
        """What Prefect makes the form for a run's parameters of."""
        return parameter_schema(self.flow).model_dump_for_openapi()


def load() -> list[Deployable]:
    """Import every flow of the file. Raises ConfigurationError for an entrypoint that cannot be loaded."""
    return [Deployable(entry, _flow_of(entry["entrypoint"])) for entry in wanted_deployments()]


async def deploy(client: PrefectClient, deployables: list[Deployable]) -> None:
    """Put the deployments into the server, as `prefect deploy` does, in this process: that takes a third of the time.

    One that is there is made as the file says, and unpaused.
    """
    for one in deployables:
        entry = one.entry
        await client.create_deployment(
            flow_id=await client.create_flow(one.flow),
            name=entry["name"],
            description=entry["description"],
            tags=entry["tags"],
            parameters=entry["parameters"],
            schedules=[_scheduled(schedule) for schedule in entry.get("schedules", [])],
            work_pool_name=entry["work_pool"]["name"],
            entrypoint=entry["entrypoint"],
            pull_steps=PULL_STEPS,
            parameter_openapi_schema=one.form,
            enforce_parameter_schema=True,
            paused=False,
        )


def _flow_of(entrypoint: str) -> Flow[..., Any]:
    try:
        return load_flow_from_entrypoint(str(PROJECT / entrypoint))
    except (MissingFlowError, ScriptError, ImportError) as error:
        raise ConfigurationError("entrypoint", str(FILE), f"{entrypoint} cannot be loaded: {error}") from error


def _scheduled(entry: dict[str, Any]) -> DeploymentScheduleCreate:
    if "cron" in entry:
        return DeploymentScheduleCreate(schedule=CronSchedule(cron=entry["cron"], timezone=entry["timezone"]))
    return DeploymentScheduleCreate(schedule=IntervalSchedule(interval=timedelta(seconds=entry["interval"])))


def _same(known: DeploymentResponse, one: Deployable) -> bool:
    wanted = one.entry
    schedules = [_schedule(one.schedule.model_dump()) for one in known.schedules if one.active]
    return (
        not known.paused
        and known.pull_steps == PULL_STEPS
        and known.entrypoint == wanted["entrypoint"]
        and sorted(known.tags) == sorted(wanted["tags"])
        and (known.description or "").strip() == wanted["description"].strip()
        and known.parameters == wanted["parameters"]
        and known.work_pool_name == wanted["work_pool"]["name"]
        and known.parameter_openapi_schema == one.form
        and schedules == [_schedule(schedule) for schedule in wanted.get("schedules", [])]
    )


def _schedule(one: dict[str, Any]) -> tuple[Any, Any]:
    """What tells one schedule from another, whether it comes from the file or from the server."""
    interval = one.get("interval")
    seconds = interval.total_seconds() if hasattr(interval, "total_seconds") else interval
    return one.get("cron"), float(seconds) if seconds is not None else None
