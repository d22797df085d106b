"""The few calls to Prefect's server: what is asked, and a busy server is waited out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import httpx
import pytest
from tenacity import wait_none

from tradewind.stack.prefect_api import PrefectApi

Answer = httpx.Response | Exception
URL = "http://127.0.0.1:4200/api"


class Server:
    """Answers in turn, the last one for ever; remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def paths(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request in self.asked]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    for name in ("run", "state", "message", "runs"):
        monkeypatch.setattr(getattr(PrefectApi, name).retry, "wait", wait_none())
    return Server()


@pytest.fixture
def api(server: Server) -> Iterator[PrefectApi]:
    with PrefectApi(URL) as made:
        made._http.close()
        made._http = httpx.Client(base_url=URL, transport=httpx.MockTransport(server))
        yield made


def ok(**body: object) -> httpx.Response:
    return httpx.Response(200, json=body)


def test_it_reaches_its_own_machine_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with PrefectApi(URL) as api:
        assert api._http.trust_env is False


@pytest.mark.parametrize(
    ("answer", "healthy"),
    [
        (ok(), True),
        (httpx.Response(503), False),
        (httpx.ConnectError("refused"), False),
        (httpx.ReadTimeout("slow"), False),
    ],
)
def test_a_server_that_answers_well_is_healthy(api: PrefectApi, server: Server, answer: Answer, healthy: bool) -> None:
    server.answers = [answer]
    assert api.healthy() is healthy
    assert server.paths == ["GET /api/health"]


def test_a_run_is_asked_for_by_the_deployments_name(api: PrefectApi, server: Server) -> None:
    server.answers = [ok(id="d-1"), ok(id="r-1")]
    assert api.run("order-sync/order-sync", {"window_s": 120.0}) == "r-1"
    assert server.paths == [
        "GET /api/deployments/name/order-sync/order-sync", "POST /api/deployments/d-1/create_flow_run"
    ]  # fmt: skip
    assert json.loads(server.asked[1].content) == {"parameters": {"window_s": 120.0}, "state": {"type": "SCHEDULED"}}


def test_state_and_message_of_a_run_are_read(api: PrefectApi, server: Server) -> None:
    server.answers = [ok(state_type="FAILED", state={"message": "a window was lost"})]
    assert (api.state("r-1"), api.message("r-1")) == ("FAILED", "a window was lost")
    server.answers = [ok(state={"message": None})]
    assert api.message("r-1") == ""


def test_runs_are_found_by_their_states(api: PrefectApi, server: Server) -> None:
    server.answers = [httpx.Response(200, json=[{"id": "r-1"}])]
    assert api.runs(["RUNNING"]) == [{"id": "r-1"}]
    assert json.loads(server.asked[0].content)["flow_runs"] == {"state": {"type": {"any_": ["RUNNING"]}}}


def test_runs_that_are_starting_are_cancelled(api: PrefectApi, server: Server) -> None:
    server.answers = [httpx.Response(200, json=[{"id": "r-1"}, {"id": "r-2"}]), ok(), ok()]
    assert api.cancel_starting("order-sync", "stopped") == 2
    assert server.paths == [
        "POST /api/flow_runs/filter", "POST /api/flow_runs/r-1/set_state", "POST /api/flow_runs/r-2/set_state"
    ]  # fmt: skip
    asked = json.loads(server.asked[0].content)
    assert asked["flows"] == {"name": {"any_": ["order-sync"]}}
    assert asked["flow_runs"] == {"state": {"type": {"any_": ["PENDING"]}}}
    assert json.loads(server.asked[1].content)["state"]["type"] == "CANCELLED"


@pytest.mark.parametrize("away", [httpx.Response(503), httpx.ConnectError("refused"), httpx.ReadTimeout("slow")])
def test_whoever_stops_waits_for_no_server(api: PrefectApi, server: Server, away: Answer) -> None:
    server.answers = [away]
    with pytest.raises(httpx.HTTPError):
        api.cancel_starting("order-sync", "stopped")
    assert len(server.asked) == 1


@pytest.mark.parametrize("busy", [httpx.Response(503), httpx.ConnectError("refused")])
def test_a_busy_server_is_waited_out(api: PrefectApi, server: Server, busy: Answer) -> None:
    server.answers = [busy, busy, ok(state_type="RUNNING")]
    assert api.state("r-1") == "RUNNING"
    assert len(server.asked) == 3


@pytest.mark.parametrize("call", [lambda api: api.run("no/such"), lambda api: api.state("r"), lambda api: api.runs([])])
def test_what_it_refuses_is_raised_at_once(
    api: PrefectApi, server: Server, call: Callable[[PrefectApi], object]
) -> None:
    server.answers = [httpx.Response(404)]
    with pytest.raises(httpx.HTTPStatusError):
        call(api)
    assert len(server.asked) == 1
