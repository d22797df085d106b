"""Which deliveries share a transaction."""

import asyncio
import threading

import pytest

from tests.unit.gateway.fakes import NOW, fake_store
from tradewind.gateway import writer as writer_module
from tradewind.gateway.writer import Writer
from tradewind.ledger.delivery import Delivery


def delivery(key: str) -> Delivery:
    return Delivery("fake:north", "webhook", key, "t", b"d", "raw", {}, occurred_at=None, received_at=NOW)


async def test_deliveries_of_one_turn_of_the_loop_share_one_transaction() -> None:
    store = fake_store()
    writer = Writer(store.store)
    writer.start()
    stored = await asyncio.gather(*(writer.put(delivery(str(number))) for number in range(20)))
    await writer.close()
    assert [len(group) for group in store.groups] == [20]
    assert [each.duplicate for each in stored] == [False] * 20


async def test_what_comes_while_a_group_gathers_shares_its_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    gathering, go_on = threading.Event(), threading.Event()

    def gather(_: float) -> None:
        gathering.set()
        assert go_on.wait(5)

    monkeypatch.setattr(writer_module.time, "sleep", gather)
    store = fake_store()
    writer = Writer(store.store)
    writer.start()
    first = [asyncio.ensure_future(writer.put(delivery(key))) for key in ("a", "b")]
    assert await asyncio.to_thread(gathering.wait, 5)
    last = asyncio.ensure_future(writer.put(delivery("c")))
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(*first, last)
    await writer.close()
    assert [len(group) for group in store.groups] == [3]


async def test_a_delivery_alone_is_committed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(writer_module.time, "sleep", waited.append)
    store = fake_store()
    writer = Writer(store.store)
    writer.start()
    await writer.put(delivery("a"))
    await writer.close()
    assert waited == []
