"""`python -m tradewind gateway` as a process: what survives its end, and how it ends."""

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.integration.gateway import signing
from tests.integration.gateway.processes import environment, gateway
from tradewind.ledger import inbox
from tradewind.ledger.engine import Ledger, migrate
from tradewind.settings import Settings

NORTH = "/hooks/shopify/north"


def post(client: httpx.Client, name: str) -> httpx.Response:
    body = name.encode()
    return client.post(NORTH, content=body, headers=signing.shopify(body, webhook_id=name))


def keys(ledger: Ledger) -> set[str]:
    with ledger.read() as conn:
        return {row.delivery_key for row in inbox.search(conn, limit=100_000)}


def until_ended(end_it: signal.Signals, process: subprocess.Popen[str], url: str) -> set[str]:
    """Send from eight clients, end the process meanwhile, and give what was acknowledged."""

    def send(sender: int) -> list[str]:
        acknowledged: list[str] = []
        with httpx.Client(base_url=url, timeout=30) as client:
            for number in range(100_000):
                name = f"{sender}-{number}"
                try:
                    answer = post(client, name)
                except httpx.TransportError:
                    return acknowledged
                if answer.is_success:
                    acknowledged.append(name)
        return acknowledged

    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(send, sender) for sender in range(8)]
        with httpx.Client(base_url=url) as client:
            assert post(client, "first").status_code == 200
        time.sleep(0.5)  # so long they send; nothing is waited for
        process.send_signal(end_it)
        process.wait(30)
        return {name for each in running for name in each.result()} | {"first"}


def test_what_was_acknowledged_before_kill_9_is_there(settings: Settings, ledger: Ledger) -> None:
    with gateway(settings) as (process, url):
        acknowledged = until_ended(signal.SIGKILL, process, url)
    assert len(acknowledged) > 8
    assert acknowledged <= keys(ledger)


def test_sigterm_answers_what_is_under_way_and_ends_cleanly(settings: Settings, ledger: Ledger) -> None:
    with gateway(settings) as (process, url):
        acknowledged = until_ended(signal.SIGTERM, process, url)
        assert process.returncode == 0
    assert len(acknowledged) > 8
    assert acknowledged == keys(ledger)


def test_a_sender_without_content_length_is_cut_off_at_the_limit(settings: Settings, ledger: Ledger) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x" * 65536

    async def send(url: str) -> int | None:
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            try:
                return (await client.post(NORTH, content=endless())).status_code
            except httpx.WriteError:
                return None  # the server had answered and closed while we still sent

    with gateway(settings) as (_, url):
        assert asyncio.run(send(url)) in (413, None)
        assert _raw_status(url, chunks=6) == 413
        assert httpx.get(f"{url}/healthz").status_code == 200
    assert keys(ledger) == set()


def _raw_status(url: str, chunks: int) -> int:
    """The status for a chunked body that ends one byte after the limit: all of it is sent before we read."""
    address = httpx.URL(url)
    with socket.create_connection((address.host, address.port or 80), timeout=30) as conn:
        conn.sendall(f"POST {NORTH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for size in [2**20] * (chunks - 1) + [1]:
            conn.sendall(b"%x\r\n" % size + b"x" * size + b"\r\n")
        answer = conn.recv(4096)
    return int(answer.split()[1])


def run(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tradewind", "gateway", *arguments]
    return subprocess.run(command, env=environment(settings), capture_output=True, text=True, timeout=60, check=False)


def test_a_port_that_is_taken_is_named(settings: Settings, ledger: Ledger) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run(settings, "--port", str(port))
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1].startswith(f"tradewind: gateway_port (from 127.0.0.1:{port}): cannot listen")


def test_a_ledger_that_is_not_migrated_is_named(tmp_path: Path) -> None:
    ended = run(Settings(state_dir=tmp_path), "--port", "0")
    assert ended.returncode == 2
    assert "not set up" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_database_that_is_away_does_not_keep_the_gateway_from_starting(tmp_path: Path) -> None:
    migrate(Settings(state_dir=tmp_path))
    nowhere = Settings(state_dir=tmp_path, database_url="postgresql://nobody@127.0.0.1:1/none")
    with gateway(nowhere) as (_, url), httpx.Client(base_url=url, timeout=30) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503
        answer = post(client, "early")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
