"""Column types that behave alike on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, LargeBinary, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

BigId = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit id that counts by itself; SQLite does that for INTEGER alone."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, in UTC. Raises ValueError for a time without zone; SQLite holds it as text without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        # Most columns of the hottest rows are times, and SQLAlchemy's own way of writing them costs five times as much.
        return sqlite_time if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        return time_of_sqlite if dialect.name == "sqlite" else super().result_processor(dialect, coltype)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)


def time_of_sqlite(told: str | None) -> datetime | None:
    """What `sqlite_time` or SQLite's own clock has written."""
    return None if told is None else datetime.fromisoformat(told).replace(tzinfo=UTC)


def sqlite_time(at: datetime | None) -> str | None:
    """As UtcDateTime has it on SQLite, always with six digits, so that texts sort as their times do."""
    if at is None:
        return None
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


class Digest(TypeDecorator[bytes]):
    """Sixteen bytes. PostgreSQL has a type of just this length, which takes a third less than its byte strings do."""

    impl = LargeBinary(16)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[bytes] | TypeEngine[UUID]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.UUID())
        return dialect.type_descriptor(LargeBinary(16))

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | UUID | None:
        if value is None or dialect.name != "postgresql":
            return value
        return UUID(bytes=value)

    def process_result_value(self, value: bytes | UUID | None, dialect: Dialect) -> bytes | None:
        return value.bytes if isinstance(value, UUID) else value


def plain(text: str) -> str:
    """The text without what a database cannot hold: PostgreSQL no NUL, neither of them half a surrogate pair.

    A provider's JSON may hold both, however rarely; they come out as the escapes that JSON has for them.
    """
    if "\0" not in text and text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\u0000")


class PlainText(TypeDecorator[str]):
    """Text of any length, `plain` whatever a provider sent."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else plain(value)
