"""Who is let in, for how long, and how often one may guess."""

import pytest
from starlette.requests import Request
from starlette.responses import Response

from tradewind.gateway.pages.access import ATTEMPTS, COOKIE, SESSION_S, Access

TOKEN = "a token of some length"


class Clock:
    at = 1_000_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def access(clock: Clock) -> Access:
    return Access(TOKEN, clock=clock)


def request(host: str = "192.0.2.1", scheme: str = "http", **headers: str) -> Request:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "scheme": scheme, "path": "/", "query_string": b"", "headers": raw}
    return Request({**scope, "server": ("gateway", 80), "client": (host, 1)})


def cookie_of(access: Access, **changes: str) -> str:
    response = Response()
    access.let_in(request(**changes), response)
    return response.headers["set-cookie"]


def session(access: Access) -> str:
    return cookie_of(access).partition(";")[0].partition("=")[2]


def test_the_token_opens_in_a_header(access: Access) -> None:
    assert access.visitor(request(authorization=f"Bearer {TOKEN}")) is not None
    assert access.visitor(request(authorization="Bearer other")) is None
    assert access.visitor(request(authorization=f"Basic {TOKEN}")) is None
    assert access.visitor(request()) is None


def test_the_cookie_opens_until_it_expires(access: Access, clock: Clock) -> None:
    cookie = f"{COOKIE}={session(access)}"
    assert access.visitor(request(cookie=cookie)) is not None
    clock.at += SESSION_S - 1
    assert access.visitor(request(cookie=cookie)) is not None
    clock.at += 2
    assert access.visitor(request(cookie=cookie)) is None


@pytest.mark.parametrize("forged", ["", ".", "9999999999.ab.cd", "x.y.z", "99999999999999999999.a.b", "²²².a.b"])
def test_a_made_up_cookie_opens_nothing(access: Access, forged: str) -> None:
    assert access._is_ours(forged) is False


def test_a_cookie_whose_time_was_changed_opens_nothing(access: Access) -> None:
    expires, _, rest = session(access).partition(".")
    assert access.visitor(request(cookie=f"{COOKIE}={int(expires) + 1}.{rest}")) is None


def test_a_new_token_ends_every_session(access: Access, clock: Clock) -> None:
    cookie = f"{COOKIE}={session(access)}"
    assert Access("another token of some length", clock=clock).visitor(request(cookie=cookie)) is None


def test_the_cookie_is_kept_from_scripts_and_other_sites(access: Access) -> None:
    plain, secure = cookie_of(access).lower(), cookie_of(access, scheme="https").lower()
    for attribute in ("httponly", "samesite=strict", "path=/"):
        assert attribute in plain
    assert "secure" not in plain
    assert "secure" in secure
    assert TOKEN not in cookie_of(access)


def test_after_some_wrong_tokens_a_sender_waits_even_with_the_right_one(access: Access, clock: Clock) -> None:
    for _ in range(ATTEMPTS):
        assert not access.allows(request(), "wrong")
    assert not access.allows(request(), TOKEN)
    assert 0 < access.wait_s(request()) <= 61
    assert access.allows(request(host="192.0.2.2"), TOKEN)
    clock.at += 61
    assert access.allows(request(), TOKEN)


def test_senders_who_failed_are_not_remembered_without_bound(access: Access) -> None:
    for number in range(1500):
        access.allows(request(host=f"host-{number}"), "wrong")
    assert len(access._failed) == 1000


def test_a_form_is_meant_only_with_the_mark_of_its_session(access: Access) -> None:
    visitor = access.visitor(request(cookie=f"{COOKIE}={session(access)}"))
    other = access.visitor(request(cookie=f"{COOKIE}={session(access)}"))
    assert visitor is not None
    assert other is not None
    assert visitor.csrf is not None
    assert access.is_meant(visitor, visitor.csrf)
    assert not access.is_meant(visitor, "")
    assert not access.is_meant(visitor, other.csrf or "")


def test_without_a_token_nobody_is_let_in() -> None:
    closed = Access(None)
    assert closed.closed
    assert not closed.allows(request(), "")
    assert closed.visitor(request(authorization="Bearer ", cookie=f"{COOKIE}=1.2.3")) is None
