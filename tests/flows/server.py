"""Prefect's server, started as `tradewind up` starts it, with this process as its client."""

import asyncio
import dataclasses
import gc
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.concurrency.services import ConcurrencySlotAcquisitionWithLeaseService
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_HOME,
    PREFECT_LOGGING_LEVEL,
    PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW,
    temporary_settings,
)

from blocks import ACCOUNT_BLOCKS
from tests.sandboxes import eventually
from tradewind.settings import Settings
from tradewind.stack.environment import prefect_api_url
from tradewind.stack.ports import free_port
from tradewind.stack.prefect_api import PrefectApi
from tradewind.stack.stack import Stack


@dataclasses.dataclass(frozen=True)
class PrefectServer:
    """url: ends in `/api`. home: its PREFECT_HOME. api: for what a test wants to know of it."""

    url: str
    home: Path
    api: PrefectApi

    def artifact(self, key: str) -> str:
        """The content of the newest artifact of this key."""
        found = httpx.get(f"{self.url}/artifacts/{key}/latest", timeout=30.0).raise_for_status().json()
        return str(found["data"])

    def events(self, name: str, about: str) -> list[dict[str, Any]]:
        """Events of this name that mention something, once there are any."""
        asked = {"filter": {"event": {"name": [name]}}, "limit": 50}

        def found() -> list[dict[str, Any]]:
            told = httpx.post(f"{self.url}/events/filter", json=asked, timeout=30.0).raise_for_status().json()
            return [one for one in told["events"] if about in json.dumps([one["resource"], one["payload"]])]

        eventually(found, 120.0)
        return found()

    def delete_deployment(self, name: str) -> None:
        """Delete `flow/deployment` if it is there."""
        found = httpx.get(f"{self.url}/deployments/name/{name}", timeout=30.0)
        if found.is_success:
            httpx.delete(f"{self.url}/deployments/{found.json()['id']}", timeout=30.0).raise_for_status()

    def forget_accounts(self) -> None:
        """Delete every account block."""
        slugs = [str(kind.get_block_type_slug()) for kind in ACCOUNT_BLOCKS.values()]
        asked = {"block_types": {"slug": {"any_": slugs}}}
        found = httpx.post(f"{self.url}/block_documents/filter", json=asked, timeout=30.0).raise_for_status()
        for document in found.json():
            httpx.delete(f"{self.url}/block_documents/{document['id']}", timeout=30.0).raise_for_status()

    @contextmanager
    def used(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """This process and its children are its clients. Heartbeats make a synchronous flow a second longer."""
        # A flow run of Prefect 3.9 opens a client to ask for the default result storage and never closes it.
        warnings.filterwarnings("ignore", "unclosed <socket", ResourceWarning)
        monkeypatch.setenv("PREFECT_API_URL", self.url)
        monkeypatch.setenv("PREFECT_HOME", str(self.home))
        updates = {
            PREFECT_API_URL: self.url,
            PREFECT_HOME: self.home,
            PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
            PREFECT_LOGGING_LEVEL: "WARNING",
            PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore",
        }
        with temporary_settings(updates):
            yield
        gc.collect()


@contextmanager
def running_server(state_dir: Path) -> Iterator[PrefectServer]:
    """A server on a free port."""
    settings = Settings(state_dir=state_dir, prefect_port=free_port())
    stack = Stack(settings)
    stack.start_server()
    try:
        stack.wait_until(stack.prefect.healthy, 120.0, stack.server)
        yield PrefectServer(prefect_api_url(settings), settings.state_dir / "prefect", stack.prefect)
        asyncio.run(_drain())
    finally:
        stack.stop()


async def _drain() -> None:
    """Let what Prefect sends in the background arrive, and its connections close, while the server is there."""
    for worker in (EventsWorker, APILogWorker, ConcurrencySlotAcquisitionWithLeaseService):
        await worker.drain_all(timeout=10.0, at_exit=False)
