"""The deployments of `prefect.yaml`, put into the server by Prefect's own command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectAlreadyExists

from tradewind.errors import ConfigurationError

FILE = Path(__file__).with_name("prefect.yaml")
PROJECT = FILE.parent.parent
WORK_POOL = "tradewind"


def wanted_deployments() -> list[dict[str, Any]]:
    """The entries of the file."""
    entries: list[dict[str, Any]] = yaml.safe_load(FILE.read_text())["deployments"]
    return entries


async def differing(client: PrefectClient) -> list[str]:
    """Names of deployments that the server has not, or has otherwise: paused, or of another folder, for instance."""
    known = {one.name: one for one in await client.read_deployments()}
    wanted = wanted_deployments()
    return [one["name"] for one in wanted if one["name"] not in known or not _same(known[one["name"]], one)]


async def make_work_pool(client: PrefectClient) -> None:
    """Make the process work pool if it is not there."""
    try:
        await client.create_work_pool(WorkPoolCreate(name=WORK_POOL, type="process"))
    except ObjectAlreadyExists:
        return


def deploy_all() -> None:
    """Run `prefect deploy --all` on the file. Raises ConfigurationError with what it printed when it fails."""
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(FILE)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=180, check=False)  # noqa: S603
    if done.returncode:
        raise ConfigurationError("deployments", str(FILE), f"prefect deploy failed: {done.stdout}{done.stderr}")


def _same(known: DeploymentResponse, wanted: dict[str, Any]) -> bool:
    schedules = [_schedule(one.schedule.model_dump()) for one in known.schedules if one.active]
    return (
        not known.paused
        and known.pull_steps == [{"prefect.deployments.steps.set_working_directory": {"directory": str(PROJECT)}}]
        and known.entrypoint == wanted["entrypoint"]
        and sorted(known.tags) == sorted(wanted["tags"])
        and (known.description or "").strip() == wanted["description"].strip()
        and known.parameters == wanted["parameters"]
        and known.work_pool_name == wanted["work_pool"]["name"]
        and schedules == [_schedule(one) for one in wanted.get("schedules", [])]
    )


def _schedule(one: dict[str, Any]) -> tuple[Any, Any]:
    """What tells one schedule from another, whether it comes from the file or from the server."""
    interval = one.get("interval")
    seconds = interval.total_seconds() if hasattr(interval, "total_seconds") else interval
    return one.get("cron"), float(seconds) if seconds is not None else None
