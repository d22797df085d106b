"""Rows inserted by the driver are as SQLAlchemy would have them; who was there already is left as it was."""

from datetime import UTC, datetime

import sqlalchemy as sa

from tradewind.ledger.bulk import insert_many, insert_numbered
from tradewind.ledger.tables import inbox

AT = datetime(2026, 11, 1, 12, 0, 0, 5, tzinfo=UTC)


def row(key: str, **values: object) -> dict[str, object]:
    first = {"connection": "stripe:main", "source": "webhook", "delivery_key": key, "topic": "t\0", "format": "raw"}
    rest = {"lane": 0, "sealed": b"s", "occurred_at": None, "received_at": AT, "state": "received"}
    return {**first, **rest, **values}


def engine() -> sa.Engine:
    made = sa.create_engine("sqlite://")
    inbox.create(made)
    return made


def test_types_and_defaults_are_the_tables_own() -> None:
    with engine().begin() as conn:
        (new,) = insert_numbered(conn, inbox, [row("a")], inbox.c.id, inbox.c.delivery_key)
        stored = conn.execute(sa.select(inbox)).one()
    assert (stored.id, stored.delivery_key) == tuple(new)
    assert (stored.topic, stored.received_at, stored.occurred_at) == ("t\\u0000", AT, None)
    assert (stored.attempts, stored.epoch, stored.repeats) == (0, 0, 0)


def test_only_what_is_new_is_given_and_the_rest_stays() -> None:
    with engine().begin() as conn:
        insert_many(conn, inbox, [row("a", state="applied"), row("b")])
        new = insert_numbered(conn, inbox, [row("a"), row("c")], inbox.c.delivery_key)
        found = conn.execute(sa.select(inbox.c.delivery_key, inbox.c.state))
        states = {one.delivery_key: one.state for one in found}
    assert [one.delivery_key for one in new] == ["c"]
    assert states == {"a": "applied", "b": "received", "c": "received"}


def test_nothing_is_inserted_for_nothing() -> None:
    with engine().begin() as conn:
        insert_many(conn, inbox, [])
        assert list(insert_numbered(conn, inbox, [], inbox.c.id)) == []
