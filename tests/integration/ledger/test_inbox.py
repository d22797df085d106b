from datetime import UTC, datetime

from tradewind.ledger import inbox
from tradewind.ledger.engine import Ledger
from tradewind.ledger.inbox import Delivery


def delivery(key: str = "1", **changes) -> Delivery:
    return Delivery(
        **(
            {
                "connection": "shopify:north",
                "source": "webhook",
                "delivery_key": key,
                "topic": "orders/create",
                "body": b"{}",
                "format": "raw",
                "headers": {"a": "b"},
                "occurred_at": None,
                "received_at": datetime.now(UTC),
            }
            | changes
        )
    )


def test_duplicate_delivery_is_stored_once(ledger: Ledger) -> None:
    with ledger.write() as conn:
        one = inbox.store(conn, ledger.keys, [delivery("1"), delivery("2"), delivery("1")])
    assert [s.duplicate for s in one] == [False, False, True]
    with ledger.write() as conn:
        c = inbox.claim(conn, ledger.keys, worker="w", limit=10, lease_s=30)
        inbox.finish(conn, [inbox.Outcome(x.id, x.epoch, "applied") for x in c])
    assert [x.body for x in c] == [b"{}", b"{}"]
    with ledger.read() as conn:
        assert inbox.counts(conn)["applied"] == 2
        assert inbox.search(conn)[1].repeats == 1
