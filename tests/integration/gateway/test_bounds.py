"""What an open port must bear: heads that are too large, that come too slowly or not at all, and bodies that stop."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.gateway import signing
from tests.integration.gateway.processes import gateway
from tradewind.gateway.hooks import ANSWER_WITHIN_S
from tradewind.gateway.protocol import HEAD_BYTES, HEAD_WITHIN_S
from tradewind.ledger import connections
from tradewind.ledger.engine import open_ledger
from tradewind.settings import Settings

NORTH = "/hooks/shopify/north"
SLACK_S = 10.0  # the machine may be busy


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.URL]:
    settings = Settings(state_dir=Path(tmp_path_factory.mktemp("state")))
    ledger = open_ledger(settings, migrate=True)
    with ledger.write() as conn:
        for connection in signing.connections():
            connections.put(conn, ledger.keys, connection)
    ledger.close()
    with gateway(settings) as (_, address):
        yield httpx.URL(address)


def connected(url: httpx.URL) -> socket.socket:
    return socket.create_connection((url.host, url.port or 80), timeout=30)


def all_of(conn: socket.socket) -> bytes:
    """What comes until the other side closes."""
    got = b""
    while piece := conn.recv(65536):
        got += piece
    return got


def request(body: bytes, *more: bytes) -> bytes:
    signed = signing.shopify(body, webhook_id=body[:20].decode())
    headers = [f"{name}: {value}".encode() for name, value in signed.items()]
    lines = [f"POST {NORTH} HTTP/1.1".encode(), b"Host: x", *headers, b"Content-Length: %d" % len(body), *more]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def test_a_head_under_the_limit_is_taken_whatever_the_body_weighs(url: httpx.URL) -> None:
    with connected(url) as conn:
        conn.sendall(request(b"x" * 4 * HEAD_BYTES, b"X-Long: " + b"y" * (HEAD_BYTES - 1000), b"Connection: close"))
        assert all_of(conn).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("tail", [b"\r\n\r\n", b""], ids=["whole", "without end"])
def test_a_head_over_the_limit_is_431_and_the_connection_closed(url: httpx.URL, tail: bytes) -> None:
    with connected(url) as conn:
        conn.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nX-Long: %s" % (NORTH.encode(), b"y" * HEAD_BYTES) + tail)
        assert all_of(conn).startswith(b"HTTP/1.1 431")


def test_many_small_headers_are_counted_together(url: httpx.URL) -> None:
    with connected(url) as conn:
        conn.sendall(request(b"small", *(b"X-%d: %s" % (number, b"y" * 90) for number in range(400))))
        assert all_of(conn).startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize("begun", [b"", b"\r\n", b"POST /hooks/shopify/north HTTP/1.1\r\nHost: x\r\n"])
def test_a_head_that_does_not_arrive_is_cut_off(url: httpx.URL, begun: bytes) -> None:
    with connected(url) as conn:
        conn.sendall(begun)
        began = time.monotonic()
        assert all_of(conn) == b""
    assert time.monotonic() - began < HEAD_WITHIN_S + SLACK_S


def test_a_head_that_trickles_is_cut_off_however_often_it_moves(url: httpx.URL) -> None:
    with connected(url) as conn:
        conn.sendall(request(b"before"))
        while b"stored" not in conn.recv(65536):
            pass
        conn.sendall(b"POST / HTTP/1.1\r\nX-Slow: ")
        conn.settimeout(0.2)
        began = time.monotonic()
        while time.monotonic() - began < HEAD_WITHIN_S + SLACK_S:
            try:
                conn.sendall(b"y")
                assert conn.recv(1) == b""
                return
            except TimeoutError:
                continue
            except ConnectionError:
                return
    raise AssertionError("the connection was still open")


def test_a_body_that_stops_is_408_before_a_provider_gives_up(url: httpx.URL) -> None:
    with connected(url) as conn:
        conn.sendall(request(b"half a body").removesuffix(b"a body"))
        began = time.monotonic()
        assert conn.recv(65536).startswith(b"HTTP/1.1 408")
    assert ANSWER_WITHIN_S - 0.5 < time.monotonic() - began < ANSWER_WITHIN_S + SLACK_S


def test_pipelined_requests_are_each_answered(url: httpx.URL) -> None:
    with connected(url) as conn:
        conn.sendall(request(b"one") + request(b"two") + request(b"three", b"Connection: close"))
        assert all_of(conn).count(b"HTTP/1.1 200") == 3
