"""The receiver of alerts keeps whatever it is sent."""

from __future__ import annotations

import socket

import httpx
import pytest

from tests.sandboxes import eventually
from tradewind.demo.receiver import AlertReceiver


@pytest.mark.parametrize(
    ("content", "alert"),
    [
        (b'{"alert": "validation failed", "run": 1}', {"alert": "validation failed", "run": 1}),
        (b'["a", "b"]', {"alert": ["a", "b"]}),
        (b"plain text", {"alert": "plain text"}),
        (b"\xff", {"alert": "\ufffd"}),
        (b"", {"alert": ""}),
    ],
)
def test_an_alert_is_kept(content: bytes, alert: dict[str, object]) -> None:
    with AlertReceiver() as receiver:
        assert httpx.post(receiver.url, content=content, trust_env=False).status_code == 204
        assert receiver.alerts == [alert]


def test_alerts_are_kept_in_order() -> None:
    with AlertReceiver() as receiver:
        for number in range(3):
            httpx.post(receiver.url, json={"alert": number}, trust_env=False)
    assert [alert["alert"] for alert in receiver.alerts] == [0, 1, 2]


def test_it_is_gone_afterwards() -> None:
    with AlertReceiver() as receiver:
        port = int(receiver.url.rsplit(":", 1)[1].split("/")[0])

    def refused() -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) != 0

    eventually(refused)
