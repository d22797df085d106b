"""More connections than a gateway holds: the next ones are told when to come again, and those it holds are served."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.integration.gateway import signing
from tests.integration.gateway.processes import gateway
from tests.integration.gateway.test_bounds import all_of, connected, request
from tradewind.gateway.protocol import HEAD_WITHIN_S, SPARE
from tradewind.ledger import connections
from tradewind.ledger.engine import open_ledger
from tradewind.settings import Settings

MOST = 20
SOON_S = 20.0


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.URL]:
    settings = Settings(state_dir=Path(tmp_path_factory.mktemp("state")))
    ledger = open_ledger(settings, migrate=True)
    with ledger.write() as conn:
        for connection in signing.connections():
            connections.put(conn, ledger.keys, connection)
    ledger.close()
    with gateway(settings, TRADEWIND_GATEWAY_CONNECTIONS=str(MOST)) as (_, address):
        yield httpx.URL(address)


def hold(stack: ExitStack, url: httpx.URL, number: int) -> list[socket.socket]:
    """Connections that begin a head and do not end it."""
    held = [stack.enter_context(connected(url)) for _ in range(number)]
    for conn in held:
        conn.sendall(b"POST / HTTP/1.1\r\n")
    return held


def answered(url: httpx.URL, body: bytes) -> bytes:
    with connected(url) as conn:
        conn.sendall(request(body, b"Connection: close"))
        return all_of(conn)


def eventually_answered(url: httpx.URL, body: bytes, status: bytes) -> bytes:
    """Connections are taken and let go a moment after they were made and closed."""
    until = time.monotonic() + SOON_S
    while not (answer := answered(url, body)).startswith(status) and time.monotonic() < until:
        time.sleep(0.05)
    assert answer.startswith(status), answer
    return answer


def test_one_too_many_hears_when_to_come_again_and_the_others_are_served(url: httpx.URL) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(connected(url))
        hold(stack, url, MOST - 1)
        answer = eventually_answered(url, b"one too many", b"HTTP/1.1 503")
        assert b"\r\nretry-after: 2\r\n" in answer
        first.sendall(request(b"among the first", b"Connection: close"))
        assert all_of(first).startswith(b"HTTP/1.1 200")
    eventually_answered(url, b"one too many", b"HTTP/1.1 200")


def test_far_too_many_are_closed_at_once(url: httpx.URL) -> None:
    with ExitStack() as stack:
        hold(stack, url, MOST + SPARE)
        with connected(url) as conn:
            made = time.monotonic()
            assert all_of(conn) == b""
            assert time.monotonic() - made < HEAD_WITHIN_S
    eventually_answered(url, b"after the crowd", b"HTTP/1.1 200")
