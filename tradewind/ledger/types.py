"""Column types that behave alike on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
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

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


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
