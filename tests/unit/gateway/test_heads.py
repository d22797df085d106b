"""What a request's head says is what the framework would read there, without taking it apart for each request."""

from typing import Any

import pytest
from starlette.requests import Request

from tradewind.gateway.heads import headers_of, url_of


def scope(**others: Any) -> dict[str, Any]:
    made = {"type": "http", "scheme": "http", "server": ("127.0.0.1", 8700), "path": "/hooks/a/b", "query_string": b""}
    return {**made, "headers": [(b"host", b"hooks.example.com")], **others}


def test_of_a_header_that_came_twice_the_first_counts() -> None:
    raw = [(b"x-a", b"1"), (b"x-b", b"\xe9"), (b"x-a", b"2")]
    assert headers_of(raw) == dict(Request(scope(headers=raw)).headers) == {"x-a": "1", "x-b": "é"}


@pytest.mark.parametrize(
    "others",
    [
        {},
        {"scheme": "https", "query_string": b"a=1&b=%20"},
        {"headers": []},
        {"headers": [], "server": ("::1", 80)},
        {"headers": [], "server": None},
        {"headers": [(b"host", b"not a host")]},
        {"headers": [(b"host", b"one"), (b"host", b"two")]},
        {"path": "/hooks/a?/b#"},
        {"server": ["10.0.0.1", 443], "scheme": "https", "headers": []},
    ],
)
def test_the_address_is_the_frameworks(others: dict[str, Any]) -> None:
    made = scope(**others)
    for _ in range(2):  # worked out, and remembered
        assert url_of(made, headers_of(made["headers"]).get("host")) == str(Request(made).url)
