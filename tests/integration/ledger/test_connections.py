from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.integration.ledger.examples import AT, CARRIER, PROCESSOR, STORE, connection
from tradewind.domain.connections import Connection, ConnectionState, Role, Routes
from tradewind.ledger import audit, connections, tables
from tradewind.ledger.engine import Ledger


def put(ledger: Ledger, *several: Connection) -> list[bool]:
    with ledger.write() as conn:
        return [connections.put(conn, ledger.keys, one, actor="test") for one in several]


def got(ledger: Ledger, key: str = STORE) -> Connection:
    with ledger.read() as conn:
        return connections.get(conn, ledger.keys, key)


def actions(ledger: Ledger) -> list[str]:
    with ledger.read() as conn:
        return [entry.action for entry in reversed(audit.entries(conn))]


def test_connection_comes_back_with_its_secrets(ledger: Ledger) -> None:
    put(ledger, connection(), connection(PROCESSOR, Role.PAYMENT_PROCESSOR))
    assert got(ledger) == connection()
    with ledger.read() as conn:
        assert [str(one.key) for one in connections.list(conn, ledger.keys)] == [STORE, PROCESSOR]


def test_secrets_are_sealed(ledger: Ledger) -> None:
    put(ledger, connection())
    with ledger.read() as conn:
        assert "hush" not in repr(conn.execute(select(tables.connection)).all())


def test_unknown_connection_is_a_lookup_error(ledger: Ledger) -> None:
    with ledger.write() as conn:
        for call in (
            lambda: connections.get(conn, ledger.keys, STORE),
            lambda: connections.set_state(conn, STORE, ConnectionState.LIVE),
            lambda: connections.update_secrets(conn, ledger.keys, STORE, {}),
        ):
            with pytest.raises(LookupError):
                call()


def test_older_revision_does_not_replace_a_newer_one(ledger: Ledger) -> None:
    newer = connection(revision=2, settings={"base_url": "https://new.example"})
    assert put(ledger, newer, connection(revision=1)) == [True, False]
    assert got(ledger) == newer


def test_new_revision_keeps_state_and_what_was_obtained_at_run_time(ledger: Ledger) -> None:
    put(ledger, connection())
    with ledger.write() as conn:
        connections.set_state(conn, STORE, ConnectionState.LIVE, actor="test", live_from=AT)
        connections.update_secrets(conn, ledger.keys, STORE, {"access_token": "fresh"})
    put(ledger, connection(revision=1, secrets={"client_secret": "rotated"}))
    known = got(ledger)
    assert (known.state, known.live_from, known.revision) == (ConnectionState.LIVE, AT, 1)
    assert known.secrets == {"client_secret": "rotated", "access_token": "fresh"}


def test_settings_learnt_at_run_time_are_added(ledger: Ledger) -> None:
    put(ledger, connection())
    with ledger.write() as conn:
        connections.update_settings(conn, ledger.keys, STORE, {"jwks": "{}"})
    assert got(ledger).settings == {"base_url": "https://north.example", "jwks": "{}"}


def test_going_live_again_keeps_the_first_moment(ledger: Ledger) -> None:
    put(ledger, connection())
    with ledger.write() as conn:
        connections.set_state(conn, STORE, ConnectionState.LIVE, live_from=AT)
        connections.set_state(conn, STORE, ConnectionState.PAUSED, reason="app uninstalled")
    assert (got(ledger).state, got(ledger).paused_reason) == (ConnectionState.PAUSED, "app uninstalled")
    with ledger.write() as conn:
        connections.set_state(conn, STORE, ConnectionState.LIVE, live_from=AT + timedelta(days=1))
    assert (got(ledger).live_from, got(ledger).paused_reason) == (AT, None)


def test_every_change_is_audited_without_secrets(ledger: Ledger) -> None:
    put(ledger, connection(), connection(), connection(revision=1))
    with ledger.write() as conn:
        connections.set_state(conn, STORE, ConnectionState.LIVE, actor="ada", live_from=AT)
    assert actions(ledger) == ["connection.added", "connection.changed", "connection.live"]
    with ledger.read() as conn:
        assert "hush" not in repr(audit.entries(conn))
        assert audit.entries(conn)[0].actor == "ada"


def test_storefront_uses_the_only_processor_and_carrier(ledger: Ledger) -> None:
    put(ledger, connection(), connection(PROCESSOR, Role.PAYMENT_PROCESSOR), connection(CARRIER, Role.CARRIER))
    with ledger.read() as conn:
        assert connections.routes(conn) == {STORE: Routes(processor=PROCESSOR, carrier=CARRIER)}


@pytest.mark.parametrize(("said", "policy"), [("automatic", "automatic"), ("manual", "manual"), ("pigeon", "manual")])
def test_what_was_captured_too_much_is_left_to_people_by_any_word_but_automatic(
    ledger: Ledger, said: str, policy: str
) -> None:
    put(ledger, connection(settings={"refund_overcapture": said}))
    with ledger.read() as conn:
        assert connections.routes(conn)[STORE].refund_overcapture == policy


def test_of_several_carriers_the_one_that_the_settings_name_serves(ledger: Ledger) -> None:
    put(
        ledger,
        connection(settings={"carrier": CARRIER}),
        connection("shopify:south"),
        connection(CARRIER, Role.CARRIER),
        connection("shipstation:other", Role.CARRIER),
    )
    with ledger.read() as conn:
        assert connections.routes(conn) == {STORE: Routes(carrier=CARRIER), "shopify:south": Routes()}
