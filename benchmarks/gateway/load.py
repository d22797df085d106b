"""The load generator: one process, one thread, epoll, keep-alive connections, requests that were built before.

`closed` sends the next request on a connection when the last was answered: what a server can take. `open` sends at a
fixed rate and counts each latency from the moment at which the request was due, so that a server that stalls is charged
for what it kept waiting.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from benchmarks.gateway.deliveries import requests

OVERRUN_S = 20.0


@dataclass
class Result:
    """latencies_ms: sorted. busy: this process's CPU time over the time of the run; near 1 it was the bottleneck."""

    answered: int
    refused: int
    seconds: float
    busy: float
    latencies_ms: list[float] = field(default_factory=list)

    @property
    def per_s(self) -> float:
        return self.answered / self.seconds

    def quantile_ms(self, share: float) -> float:
        return self.latencies_ms[min(len(self.latencies_ms) - 1, int(share * len(self.latencies_ms)))]


@dataclass
class _Line:
    """One connection, and what is under way on it."""

    sock: socket.socket
    due_at: float = 0.0
    got: bytes = b""


class Generator:
    def __init__(self, host: str, port: int, connections: int) -> None:
        self._address = (host, port)
        self._poll = select.epoll()
        self._lines: dict[int, _Line] = {}
        self._idle: deque[_Line] = deque()
        self._latencies: list[float] = []
        self._refused = 0
        for _ in range(connections):
            self._idle.append(self._connect())

    def closed(self, pending: list[bytes], seconds: float) -> Result:
        """Keep every connection busy for `seconds`; what is under way then is still waited for, and counted."""
        began, cpu = time.monotonic(), time.process_time()
        until = began + seconds

        def next_due(now: float) -> float | None:
            return now if now < until and pending else None

        self._run(pending, next_due, until)
        return self._result(began, cpu)

    def open(self, pending: list[bytes], rate: float) -> Result:
        """Send all of `pending` at `rate` a second."""
        began, cpu = time.monotonic(), time.process_time()
        total = len(pending)

        def next_due(now: float) -> float | None:
            due = began + (total - len(pending)) / rate
            return due if pending and due <= now else None

        self._run(pending, next_due, began + total / rate)
        return self._result(began, cpu)

    def _run(self, pending: list[bytes], next_due: Callable[[float], float | None], until: float) -> None:
        while True:
            now = time.monotonic()
            while self._idle and (due := next_due(now)) is not None:
                self._send(self._idle.popleft(), pending.pop(), due)
            ended = now >= until and (not pending or next_due(now) is None)
            if (ended and len(self._idle) == len(self._lines)) or now > until + OVERRUN_S:
                return
            for number, _ in self._poll.poll(0.001):
                self._receive(self._lines[number])

    def _send(self, line: _Line, request: bytes, due_at: float) -> None:
        line.due_at = due_at
        line.sock.sendall(request)

    def _receive(self, line: _Line) -> None:
        line.got += line.sock.recv(65536)
        if not line.got:  # closed without an answer
            self._refused += 1
            self._idle.append(self._reconnect(line))
        elif _complete(line.got):
            if line.got.startswith(b"HTTP/1.1 2"):
                self._latencies.append(time.monotonic() - line.due_at)
            else:
                self._refused += 1
            closing = b"connection: close" in line.got.lower()
            line.got = b""
            self._idle.append(self._reconnect(line) if closing else line)

    def _connect(self) -> _Line:
        sock = socket.create_connection(self._address, timeout=30)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = _Line(sock)
        self._lines[sock.fileno()] = line
        self._poll.register(sock.fileno(), select.EPOLLIN)
        return line

    def _reconnect(self, line: _Line) -> _Line:
        del self._lines[line.sock.fileno()]
        self._poll.unregister(line.sock.fileno())
        line.sock.close()
        return self._connect()

    def _result(self, began: float, cpu: float) -> Result:
        seconds = time.monotonic() - began
        busy = (time.process_time() - cpu) / seconds
        latencies = sorted(each * 1000 for each in self._latencies)
        return Result(len(latencies), self._refused, seconds, busy, latencies)


def _complete(got: bytes) -> bool:
    head, found, body = got.partition(b"\r\n\r\n")
    if not found:
        return False
    for each in head.lower().split(b"\r\n"):
        if each.startswith(b"content-length:"):
            return len(body) >= int(each[15:])
    return body.endswith(b"0\r\n\r\n")


def main() -> None:
    """Read one order as JSON from standard input, write the result as JSON to standard output."""
    order = json.load(sys.stdin)
    pending = requests(order["path"], f"{order['host']}:{order['port']}", order["count"])
    generator = Generator(order["host"], order["port"], order["connections"])
    if rate := order.get("rate"):
        result = generator.open(pending, rate)
    else:
        result = generator.closed(pending, order["seconds"])
    json.dump(asdict(result), sys.stdout)


if __name__ == "__main__":
    main()
