"""Sealed rows that cannot be opened, on both databases: each is a dead letter, and nothing behind it waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, text, update

from tests.unit.domain.orders import CARRIER, PROCESSOR, STORE, after, captured, label_observed, order_observed
from tests.unit.sync.desk import Desk, connect_all, store, tell, told
from tradewind.domain.commands import Refetch
from tradewind.domain.events import PaymentObserved, Resource
from tradewind.errors import ConfigurationError
from tradewind.ledger import dead_letters, inbox, orders, outbox, tables
from tradewind.ledger.crypto import MasterKey, key_id_of
from tradewind.ledger.engine import Ledger
from tradewind.ledger.keyring import KeyRing
from tradewind.sync.apply import Applier
from tradewind.sync.decode import REFETCH_TOPIC
from tradewind.sync.dispatch import Dispatcher
from tradewind.sync.polls import poll_delivery

ORDER = f"{STORE}/1"


def sealed(ledger: Ledger, id: int) -> bytes:
    with ledger.read() as database:
        return bytes(database.execute(text("SELECT sealed FROM inbox WHERE id = :id"), {"id": id}).scalar_one())


def reseal(ledger: Ledger, id: int, value: bytes) -> None:
    with ledger.write() as database:
        database.execute(update(tables.inbox).where(tables.inbox.c.id == id).values(sealed=value))


def change_tag(ledger: Ledger, id: int) -> None:
    value = sealed(ledger, id)
    reseal(ledger, id, value[:-1] + bytes([value[-1] ^ 1]))


def change_format(ledger: Ledger, id: int) -> None:
    reseal(ledger, id, b"\x07" + sealed(ledger, id)[1:])


def lose_key(ledger: Ledger, id: int) -> None:
    """As after the key store was restored from a backup that is older than the ledger."""
    data_key = tables.data_key
    with ledger.key_engine.begin() as keys:
        keys.execute(delete(data_key).where(data_key.c.id == key_id_of(sealed(ledger, id)).hex()))
    ledger.keys.confirm()


def change_key(ledger: Ledger, id: int) -> None:
    data_key = tables.data_key
    with ledger.key_engine.begin() as keys:
        mine = data_key.c.id == key_id_of(sealed(ledger, id)).hex()
        keys.execute(update(data_key).where(mine).values(wrapped=b"\x00" * 60))
    ledger.keys.confirm()


BREAKS = [change_tag, change_format, lose_key, change_key]


def row(ledger: Ledger, id: int) -> inbox.DeliveryRow:
    with ledger.read() as database:
        return inbox.get(database, ledger.keys, id).row


def reads(ledger: Ledger) -> list[str]:
    with ledger.read() as database:
        query = text("SELECT resource FROM outbox WHERE verb = 'refetch' AND state = 'pending' ORDER BY id")
        return list(database.execute(query).scalars())


def groups(ledger: Ledger) -> list[str]:
    with ledger.read() as database:
        return [group.name for group in dead_letters.groups(database)]


@pytest.fixture
def applier(ledger: Ledger) -> Applier:
    connect_all(ledger)
    return Applier(ledger, worker="a")


@pytest.mark.parametrize("break_it", BREAKS)
def test_a_delivery_that_cannot_be_opened_is_a_dead_letter_and_the_rest_goes_on(
    ledger: Ledger, applier: Applier, break_it: Callable[[Ledger, int], None]
) -> None:
    first, broken, last = tell(ledger, order_observed("1"), order_observed("2"), order_observed("3"))
    break_it(ledger, broken)
    applied = applier.run_once()
    assert (applied.taken, applied.changed_orders, [id for id, _ in applied.dead]) == (3, 2, [broken])
    assert [row(ledger, id).state for id in (first, broken, last)] == ["applied", "dead", "applied"]
    assert groups(ledger) == ["SealBroken.shopify.open"]


def test_what_was_erased_on_purpose_is_no_dead_letter(ledger: Ledger, applier: Applier) -> None:
    (id,) = tell(ledger, order_observed())
    ledger.keys.erase([sealed(ledger, id)])
    assert applier.run_once().dead == ()
    assert (row(ledger, id).reason, groups(ledger)) == ("its key was erased", [])


def test_under_another_master_key_nothing_is_given_up(ledger: Ledger, applier: Applier) -> None:
    (id,) = tell(ledger, order_observed())
    object.__setattr__(ledger, "keys", KeyRing(ledger.key_engine, MasterKey(bytes(32))))
    with pytest.raises(ConfigurationError, match="master_key"):
        applier.run_once()
    with ledger.read() as database:
        assert [one.state for one in inbox.search(database) if one.id == id] == ["claimed"]


@pytest.mark.parametrize(
    ("event", "address"),
    [
        (order_observed("gid://shopify/Order/7"), f"{STORE}/order/gid://shopify/Order/7"),
        (captured(), f"{PROCESSOR}/payment/pi-1"),
        (label_observed(), f"{CARRIER}/label/se-1"),
    ],
)
def test_what_was_listed_is_read_instead(ledger: Ledger, applier: Applier, event: Any, address: str) -> None:
    (id,) = store(ledger, poll_delivery(event, read_at=after(0)))
    change_tag(ledger, id)
    applier.run_once()
    assert reads(ledger) == [address]


def test_what_a_command_changed_is_read_instead_of_its_answer(ledger: Ledger, applier: Applier) -> None:
    resource = Resource(connection=PROCESSOR, kind="payment", external_id="pi_9")
    with ledger.write() as database:
        (key,) = outbox.add(database, [Refetch(connection=PROCESSOR, order_id=None, resource=resource)], after(0))
        (due,) = outbox.claim_due(database, PROCESSOR, worker="w", limit=1, lease_s=60, writes=False)
        outbox.succeed(database, due)
    answer = told(captured(), key="a", connection=PROCESSOR, source="outcome", topic=REFETCH_TOPIC, correlation=key)
    (id,) = store(ledger, answer)
    change_tag(ledger, id)
    applier.run_once()
    assert reads(ledger) == [resource.address]


def test_a_webhook_that_names_nothing_in_plain_text_asks_for_nothing(ledger: Ledger, applier: Applier) -> None:
    (id,) = store(ledger, told(key="wh", source="webhook", topic="orders/create", format="raw", body=b"{}"))
    change_tag(ledger, id)
    applier.run_once()
    assert (row(ledger, id).state, reads(ledger)) == ("dead", [])


def test_a_replay_of_one_is_refused_and_leaves_its_group(ledger: Ledger, applier: Applier) -> None:
    (id,) = tell(ledger, order_observed())
    change_tag(ledger, id)
    applier.run_once()
    with pytest.raises(LookupError, match="cannot be opened"), ledger.write() as database:
        inbox.replay(database, ledger.keys, id)
    with ledger.write() as database:
        assert dead_letters.replay_group(database, ledger.keys, "SealBroken.shopify.open") == 0
        dead_letters.settle(database)
    assert groups(ledger) == []


def break_order(ledger: Ledger) -> None:
    """Its personal data, that is."""
    with ledger.write() as database:
        database.execute(
            update(tables.orders).where(tables.orders.c.id == ORDER).values(personal=b"\x01" + b"\x00" * 60)
        )


def test_an_order_whose_personal_data_cannot_be_opened_is_read_anew(ledger: Ledger, applier: Applier) -> None:
    tell(ledger, order_observed("1"))
    applier.run_once()
    break_order(ledger)
    (broken, other) = tell(ledger, order_observed("1", version=after(5)), order_observed("2"))
    applier.run_once()
    assert [row(ledger, id).state for id in (broken, other)] == ["dead", "applied"]
    assert (groups(ledger), reads(ledger)) == (["SealBroken.shopify.commit"], [f"{STORE}/order/1"])
    tell(ledger, order_observed("1", version=after(5)), source="outcome", topic=REFETCH_TOPIC)
    assert applier.run_once().changed_orders == 1
    with ledger.read() as database:
        ((healed, _),) = orders.load(database, ledger.keys, [ORDER]).values()
    assert healed.placed is not None
    assert healed.placed.ship_to == order_observed().placed.ship_to


def test_another_systems_news_of_such_an_order_has_the_order_read(ledger: Ledger, applier: Applier) -> None:
    tell(ledger, order_observed("1"))
    applier.run_once()
    paid = captured()
    assert isinstance(paid, PaymentObserved)
    tell(ledger, paid, connection=PROCESSOR)
    applier.run_once()
    break_order(ledger)
    (id,) = tell(ledger, captured(version=after(60)), connection=PROCESSOR)
    applier.run_once()
    assert row(ledger, id).state == "dead"
    assert set(reads(ledger)) >= {f"{STORE}/order/1"}


async def test_a_command_for_such_an_order_is_a_dead_letter_and_the_order_is_read(
    ledger: Ledger, applier: Applier
) -> None:
    desk = Desk()
    tell(ledger, order_observed("1"))
    tell(ledger, captured(), connection=PROCESSOR)
    applier.run_once()
    with ledger.read() as database:
        wanted = {one.connection for one in outbox.by_order(database, ORDER) if one.state == "pending"}
    assert wanted
    break_order(ledger)
    dispatcher = Dispatcher(ledger, desk, worker="w")
    for connection in wanted:
        for due in await dispatcher.claim(connection, 10):
            await dispatcher.send(due)
    assert any(name.startswith("SealBroken.") for name in groups(ledger))
    assert f"{STORE}/order/1" in reads(ledger)
