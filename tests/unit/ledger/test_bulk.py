"""Rows inserted by the driver are as SQLAlchemy would have them; who was there already is left as it was."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tradewind.ledger.bulk import insert_many, insert_numbered
from tradewind.ledger.tables import inbox

KEY = ("delivery_key",)
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
        new = insert_numbered(conn, inbox, [row("a")], KEY)
        stored = conn.execute(sa.select(inbox)).one()
    assert new == {("a",): stored.id}
    assert (stored.topic, stored.received_at, stored.occurred_at) == ("t\\u0000", AT, None)
    assert (stored.attempts, stored.epoch, stored.repeats) == (0, 0, 0)


def test_times_are_stored_in_texts_that_sort_as_they_do() -> None:
    whole = AT.replace(microsecond=0)
    with engine().begin() as conn:
        insert_many(conn, inbox, [row("a", occurred_at=whole, received_at=whole + timedelta(hours=1))])
        (stored,) = conn.execute(sa.select(inbox.c.occurred_at).where(inbox.c.occurred_at >= whole)).scalars()
        text = conn.exec_driver_sql("SELECT occurred_at FROM inbox").scalar_one()
    assert (stored, text) == (whole, "2026-11-01 12:00:00.000000")


def test_only_what_is_new_is_given_and_the_rest_stays() -> None:
    with engine().begin() as conn:
        insert_many(conn, inbox, [row("a", state="applied"), row("b")])
        new = insert_numbered(conn, inbox, [row("a"), row("c")], KEY)
        found = conn.execute(sa.select(inbox.c.delivery_key, inbox.c.state))
        states = {one.delivery_key: one.state for one in found}
        ids = dict(iter(conn.execute(sa.select(inbox.c.delivery_key, inbox.c.id))))
    assert new == {("c",): ids["c"]}
    assert states == {"a": "applied", "b": "received", "c": "received"}


@pytest.mark.parametrize("count", [1, 3, 4, 63, 64, 85, 200])
def test_any_number_is_inserted_and_numbered_in_its_order(count: int) -> None:
    with engine().begin() as conn:
        insert_many(conn, inbox, [row("there")])
        new = insert_numbered(conn, inbox, [row(f"k{number}") for number in range(count)], KEY)
        stored = {(key,): id for id, key in conn.execute(sa.select(inbox.c.id, inbox.c.delivery_key)) if key != "there"}
    assert new == stored == {(f"k{number}",): number + 2 for number in range(count)}


def test_nothing_is_inserted_for_nothing() -> None:
    with engine().begin() as conn:
        insert_many(conn, inbox, [])
        assert insert_numbered(conn, inbox, [], KEY) == {}
