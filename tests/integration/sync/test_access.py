"""When a provider ends our access: the connection pauses, its writes wait, nothing is lost, and resuming goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.sync.test_dispatch import ORDER, Office
from tests.unit.domain.orders import AT, PROCESSOR, STORE, after, captured, order_observed, payment_observed
from tests.unit.sync.desk import connection
from tradewind.domain.connections import Connection, ConnectionState
from tradewind.domain.events import ConnectionRevoked, Resource, ResourceChanged
from tradewind.errors import RequestRejected
from tradewind.ledger import connections, inbox, outbox
from tradewind.ledger.engine import Ledger
from tradewind.sync.going_live import end_access, resume
from tradewind.sync.sweep import OVERLAP, sweep

UNINSTALLED = "the app was uninstalled"
REFUSED = RequestRejected("graphql: HTTP 401", status=401)


@pytest.fixture
def office(ledger: Ledger) -> Office:
    return Office(ledger)


def known(ledger: Ledger, key: str = STORE) -> Connection:
    with ledger.read() as database:
        return connections.get(database, ledger.keys, key)


def uninstall(office: Office, *, at: datetime = AT, key: str = "gone-1") -> None:
    """As Shopify tells it, with the time at which it happened in its headers."""
    told = inbox.Delivery(
        connection=STORE, source="webhook", delivery_key=key, topic="app/uninstalled", body=b'{"id": 1}', format="raw",
        headers={}, occurred_at=at, received_at=datetime.now(UTC),
    )  # fmt: skip
    with office.ledger.write() as database:
        inbox.store(database, office.ledger.keys, [told])
    office.apply()


async def test_an_uninstalled_app_holds_writes_until_the_connection_is_resumed(office: Office) -> None:
    office.tell(order_observed(), captured())
    assert office.command("mark_order_paid").state == "pending"
    uninstall(office)
    held = known(office.ledger)
    assert (held.state, held.paused_reason) == (ConnectionState.PAUSED, UNINSTALLED)
    assert [due.command.verb for due in await office.claim(STORE)] == []
    office.tell(order_observed("2", version=after(1)))
    resume(office.ledger, STORE, actor="test")
    assert known(office.ledger).state is ConnectionState.LIVE
    await office.send(STORE)
    assert office.desk.asked == ["mark_paid"]


async def test_what_is_told_while_it_is_paused_is_recorded(office: Office) -> None:
    uninstall(office)
    office.tell(order_observed(), payment_observed())
    with office.ledger.read() as database:
        assert inbox.counts(database)["applied"] >= 2
        assert outbox.by_order(database, ORDER)


@pytest.mark.parametrize("again", ["gone-1/replayed", "gone-2"])
def test_a_notice_from_before_it_was_resumed_does_not_pause_it_again(office: Office, again: str) -> None:
    uninstall(office)
    resume(office.ledger, STORE, actor="test")
    uninstall(office, key=again)
    assert known(office.ledger).state is ConnectionState.LIVE


def test_a_notice_from_after_it_was_resumed_pauses_it_again(office: Office) -> None:
    uninstall(office)
    resume(office.ledger, STORE, actor="test")
    uninstall(office, at=datetime.now(UTC) + timedelta(hours=1), key="gone-2")
    assert known(office.ledger).state is ConnectionState.PAUSED


def test_a_disconnected_one_stays_disconnected(office: Office) -> None:
    with office.ledger.write() as database:
        connections.set_state(database, STORE, ConnectionState.DISCONNECTED, actor="test")
    uninstall(office)
    assert known(office.ledger).state is ConnectionState.DISCONNECTED


def test_one_that_was_read_only_is_read_only_again(ledger: Ledger) -> None:
    quiet = connection(STORE, state=ConnectionState.READ_ONLY, live_from=None)
    with ledger.write() as database:
        connections.put(database, ledger.keys, quiet)
    assert end_access(ledger, STORE, reason="refused", at=AT)
    resume(ledger, STORE, actor="test")
    assert known(ledger).state is ConnectionState.READ_ONLY


def test_a_pause_by_hand_keeps_its_reason(office: Office) -> None:
    with office.ledger.write() as database:
        connections.set_state(database, STORE, ConnectionState.PAUSED, actor="test", reason="stocktaking")
    assert not end_access(office.ledger, STORE, reason="refused", at=AT)
    assert known(office.ledger).paused_reason == "stocktaking"


async def test_a_read_that_is_refused_for_its_credentials_waits_and_goes_on(office: Office) -> None:
    resource = Resource(connection=STORE, kind="order", external_id="1")
    office.tell(ResourceChanged(resource=resource, version=AT))
    office.desk.will("fetch", REFUSED, [order_observed()])
    await office.send(STORE)
    assert (office.command("refetch").state, office.dead) == ("pending", [])
    await office.send(STORE)
    assert office.command("refetch").state == "done"


async def test_a_write_that_is_refused_for_its_credentials_keeps_its_key(office: Office) -> None:
    office.tell(order_observed(), payment_observed())
    office.desk.will("capture", REFUSED, [captured(version=after(1))])
    first = await office.send(PROCESSOR)
    second = await office.send(PROCESSOR)
    assert (first.idempotency_key, office.dead) == (second.idempotency_key, [])
    assert office.command("capture_payment").state == "done"


async def test_the_first_sweep_after_a_reinstallation_covers_the_time_between(office: Office) -> None:
    hint = ResourceChanged(resource=Resource(connection=STORE, kind="order", external_id="1"), version=AT)
    office.desk.answers["changes"] = [[hint]]
    before = await sweep(office.ledger, known(office.ledger), office.desk(STORE), now=after(60))
    office.desk.answers["changes"] = [REFUSED]
    with pytest.raises(RequestRejected):
        await sweep(office.ledger, known(office.ledger), office.desk(STORE), now=after(3600))
    office.desk.answers["changes"] = [[hint]]
    again = await sweep(office.ledger, known(office.ledger), office.desk(STORE), now=after(7200))
    assert again.since == before.until - OVERLAP


def test_only_refused_credentials_end_access() -> None:
    assert REFUSED.ends_access
    assert RequestRejected("access_token: HTTP 400", status=400, code="invalid_client").ends_access
    for status, code in ((403, None), (404, None), (422, "invalid"), (None, "THROTTLED")):
        assert not RequestRejected("no", status=status, code=code).ends_access


def test_the_end_of_access_is_told_by_an_event_too(office: Office) -> None:
    office.tell(ConnectionRevoked(connection=STORE, reason="token revoked", occurred_at=AT))
    assert known(office.ledger).paused_reason == "token revoked"
