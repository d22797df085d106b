"""Which deliveries share a transaction."""

import asyncio

from tests.unit.gateway.fakes import NOW, fake_store
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
