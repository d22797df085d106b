from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import DateTime
from sqlalchemy.dialects import postgresql, sqlite

from tradewind.ledger.types import PlainText, UtcDateTime, plain, sqlite_time

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def bound_on_sqlite(at: datetime | None) -> str | None:
    bind = UtcDateTime().dialect_impl(sqlite.dialect()).bind_processor(sqlite.dialect())
    assert bind is not None
    told: str | None = bind(at)
    return told


def test_time_of_another_zone_is_stored_in_utc() -> None:
    there = NOON.astimezone(timezone(timedelta(hours=9)))
    assert bound_on_sqlite(there) == "2026-11-20 12:00:00.000000"
    assert UtcDateTime().process_bind_param(there, postgresql.dialect()) == NOON


def test_time_comes_back_aware() -> None:
    read = UtcDateTime().dialect_impl(sqlite.dialect()).result_processor(sqlite.dialect(), None)
    assert read is not None
    # As the type writes it, and as SQLite's own clock does.
    assert read("2026-11-20 12:00:00.000000") == read("2026-11-20 12:00:00.000") == NOON
    assert read("2026-11-20 12:00:00.000000").tzinfo is UTC
    assert read(None) is None
    there = NOON.astimezone(timezone(timedelta(hours=9)))
    assert UtcDateTime().process_result_value(there, postgresql.dialect()) == NOON
    assert UtcDateTime().process_result_value(None, postgresql.dialect()) is None


@pytest.mark.parametrize("at", [None, NOON, NOON.replace(microsecond=5), NOON.astimezone(timezone(timedelta(hours=9)))])
def test_the_text_of_a_time_is_the_one_that_sqlalchemy_itself_binds(at: datetime | None) -> None:
    dialect = sqlite.dialect()
    own = DateTime().dialect_impl(dialect).bind_processor(dialect)
    assert own is not None
    assert sqlite_time(at) == bound_on_sqlite(at) == own(at and at.astimezone(UTC))


def test_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        sqlite_time(NOON.replace(tzinfo=None))
    with pytest.raises(ValueError, match="no time zone"):
        bound_on_sqlite(NOON.replace(tzinfo=None))
    with pytest.raises(ValueError, match="no time zone"):
        UtcDateTime().process_bind_param(NOON.replace(tzinfo=None), postgresql.dialect())


@pytest.mark.parametrize(
    ("text", "stored"), [("Größe", "Größe"), ("a\0b", "a\\u0000b"), ("\ud83d", "\\ud83d"), ("😀", "😀")]
)
def test_text_that_no_database_holds_is_escaped(text: str, stored: str) -> None:
    assert plain(text) == stored
    assert PlainText().process_bind_param(text, postgresql.dialect()) == stored
