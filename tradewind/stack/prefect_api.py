"""The few calls that the stack makes to Prefect's server: is it there, run this, how is that run.

Plain HTTP, because the core knows no Prefect and importing it takes two seconds.
Source: Prefect 3 REST API, `/health`, `/deployments`, `/flow_runs`, `/flow_runs/{id}/set_state`.
"""

from __future__ import annotations

from typing import Any, Self

import httpx
from tenacity import retry, retry_if_exception, stop_after_delay, wait_random_exponential

CANCELLING_S = 2.0
FINAL_STATES = frozenset(("COMPLETED", "FAILED", "CRASHED", "CANCELLED"))


def _is_busy(error: BaseException) -> bool:
    """The server answers 503 while its database is locked, which its own clients wait out."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code == httpx.codes.SERVICE_UNAVAILABLE
    return isinstance(error, httpx.TransportError)


_patiently = retry(
    retry=retry_if_exception(_is_busy), stop=stop_after_delay(30), wait=wait_random_exponential(0.2, 3), reraise=True
)


class PrefectApi:
    """A client of one server. url: ends in `/api`."""

    def __init__(self, url: str) -> None:
        # The server is on this machine: a proxy of the environment's would not reach it.
        self._http = httpx.Client(base_url=url, timeout=10.0, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def healthy(self) -> bool:
        try:
            return self._http.get("/health", timeout=2.0).is_success
        except httpx.TransportError:
            return False

    def has_work_pool(self, name: str) -> bool:
        try:
            return self._http.get(f"/work_pools/{name}").is_success
        except httpx.TransportError:
            return False

    @_patiently
    def run(self, deployment: str, parameters: dict[str, Any] | None = None) -> str:
        """Ask for a run of `flow/deployment`; gives the flow run's id. Raises httpx.HTTPStatusError."""
        found = self._http.get(f"/deployments/name/{deployment}").raise_for_status().json()
        body = {"parameters": parameters or {}, "state": {"type": "SCHEDULED"}}
        made = self._http.post(f"/deployments/{found['id']}/create_flow_run", json=body).raise_for_status()
        return str(made.json()["id"])

    @_patiently
    def state(self, flow_run: str) -> str:
        """The run's state, e.g. `RUNNING`."""
        return str(self._http.get(f"/flow_runs/{flow_run}").raise_for_status().json()["state_type"])

    @_patiently
    def message(self, flow_run: str) -> str:
        """What the run's state says."""
        state = self._http.get(f"/flow_runs/{flow_run}").raise_for_status().json()["state"]
        return str(state.get("message") or "")

    def cancel_starting(self, flow: str, reason: str) -> int:
        """Cancel the flow's runs whose process is still starting; gives how many. Raises httpx.HTTPError.

        Asked once and shortly: whoever stops does not wait for a server that is busy or away.
        """
        body = {
            "flows": {"name": {"any_": [flow]}},
            "flow_runs": {"state": {"type": {"any_": ["PENDING"]}}},
            "limit": 200,
        }
        found = self._http.post("/flow_runs/filter", json=body, timeout=CANCELLING_S).raise_for_status().json()
        state = {"state": {"type": "CANCELLED", "name": "Cancelled", "message": reason}, "force": True}
        for run in found:
            self._http.post(f"/flow_runs/{run['id']}/set_state", json=state, timeout=CANCELLING_S).raise_for_status()
        return len(found)

    @_patiently
    def runs(self, states: list[str]) -> list[dict[str, Any]]:
        """Flow runs in these states."""
        body = {"flow_runs": {"state": {"type": {"any_": states}}}, "limit": 200}
        found: list[dict[str, Any]] = self._http.post("/flow_runs/filter", json=body).raise_for_status().json()
        return found
