"""Connections: one account of one provider each."""

from __future__ import annotations

import pytest

from tests.unit.domain.orders import AT, after
from tradewind.domain.connections import Connection, ConnectionKey, ConnectionState, Role


def connection(**changes: object) -> Connection:
    return Connection(key=ConnectionKey.parse("shopify:north"), role=Role.STOREFRONT, **changes)  # type: ignore[arg-type]


def test_a_key_is_read_and_written_alike() -> None:
    key = ConnectionKey.parse("shopify:north-2")
    assert (key.provider, key.account, str(key)) == ("shopify", "north-2", "shopify:north-2")


@pytest.mark.parametrize(
    "text", ["shopify", "shopify:", ":north", "Shopify:north", "shopify:No rth", "shopify/north", ""]
)
def test_anything_else_is_no_key(text: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        ConnectionKey.parse(text)


def test_it_starts_read_only_and_accepts_nothing() -> None:
    assert connection().state is ConnectionState.READ_ONLY
    assert not connection().accepts(AT)


def test_it_accepts_what_is_placed_from_its_first_live_moment_on() -> None:
    live = connection(live_from=AT)
    assert [live.accepts(at) for at in (after(-1), AT, after(1))] == [False, True, True]


def test_secrets_do_not_show() -> None:
    assert "hush" not in repr(connection(secrets={"client_secret": "hush"}))
