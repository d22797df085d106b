from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from tradewind.ledger.types import PlainText, UtcDateTime, plain, sqlite_time

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_time_of_another_zone_is_stored_in_utc() -> None:
    there = NOON.astimezone(timezone(timedelta(hours=9)))
    assert UtcDateTime().process_bind_param(there, sqlite.dialect()) == NOON.replace(tzinfo=None)
    assert UtcDateTime().process_bind_param(there, postgresql.dialect()) == NOON


def test_time_comes_back_aware() -> None:
    assert UtcDateTime().process_result_value(NOON.replace(tzinfo=None), sqlite.dialect()) == NOON
    assert UtcDateTime().process_result_value(None, sqlite.dialect()) is None


@pytest.mark.parametrize("at", [None, NOON, NOON.replace(microsecond=5), NOON.astimezone(timezone(timedelta(hours=9)))])
def test_the_text_of_a_time_is_the_one_that_the_type_binds(at: datetime | None) -> None:
    bind = UtcDateTime().dialect_impl(sqlite.dialect()).bind_processor(sqlite.dialect())
    assert bind is not None
    assert sqlite_time(at) == bind(at)


def test_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        sqlite_time(NOON.replace(tzinfo=None))
    with pytest.raises(ValueError, match="no time zone"):
        UtcDateTime().process_bind_param(NOON.replace(tzinfo=None), sqlite.dialect())


@pytest.mark.parametrize(
    ("text", "stored"), [("Größe", "Größe"), ("a\0b", "a\\u0000b"), ("\ud83d", "\\ud83d"), ("😀", "😀")]
)
def test_text_that_no_database_holds_is_escaped(text: str, stored: str) -> None:
    assert plain(text) == stored
    assert PlainText().process_bind_param(text, postgresql.dialect()) == stored
