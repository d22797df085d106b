"""The sandbox as a process of its own."""

import json
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from tests.sandboxes import running_sandbox
from tradewind.sandbox import server
from tradewind.sandbox.faults import API_KINDS, WEBHOOK_KINDS, Rate


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_one_line_once_it_listens_and_stops_when_told(stop: signal.Signals) -> None:
    command = [sys.executable, "-m", "tradewind.sandbox", "--port", "0", "--seed", "7", "--faults", "mild"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        described = json.loads(process.stdout.readline())
        assert (described["seed"], described["faults"]) == (7, "mild")
        token = described["control"]["token"]
        answer = httpx.get(
            f"{described['control']['base_url']}/progress",
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
        )
        assert answer.status_code == 200
        process.send_signal(stop)
        rest, errors = process.communicate(timeout=20)
    assert (rest, errors) == ("", "")
    assert process.returncode in (0, -stop)


def test_a_taken_port_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        server.serve("127.0.0.1", taken.getsockname()[1], seed=1, faults="none")


def test_a_lost_answer_ends_the_connection_or_is_a_bad_gateway() -> None:
    with running_sandbox() as sandbox:
        never = {kind: Rate(0.0) for kind in (*WEBHOOK_KINDS, *API_KINDS)}
        sandbox.faults._rates = {**never, "lost_answer": Rate(1.0)}
        url = f"{sandbox.shipstation['main'].base_url}/v2/carriers"
        outcomes = {_ask(url, sandbox.shipstation["main"].api_key) for _ in range(20)}
    assert outcomes == {"502", "RemoteProtocolError"}


def _ask(url: str, api_key: str) -> str:
    try:
        return str(httpx.get(url, headers={"API-Key": api_key}, trust_env=False).status_code)
    except httpx.TransportError as error:
        return type(error).__name__
