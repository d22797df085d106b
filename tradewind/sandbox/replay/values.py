"""Single values of a history file: numbers, times, yes and no. Each raises InvoiceUnreadable saying what was found."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from tradewind.sandbox.replay.invoice import InvoiceUnreadable
from tradewind.sandbox.replay.records import Record

_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,9}(\.0*)?")
_NUMBER: Final = re.compile(r"[+-]?([0-9]{1,12}(\.[0-9]{0,20})?|\.[0-9]{1,20})([eE][+-]?[0-9])?")
_LARGEST: Final = Decimal(10) ** 9
_ZONE: Final = re.compile(r"\s*(?:UTC|GMT|Z)$")


def present(record: Record, column: str) -> str:
    """A value that must be there."""
    value = record.get(column)
    if not value:
        raise InvoiceUnreadable(f"row {record.row}: {column} is missing")
    return value


def whole_number(record: Record, column: str) -> int:
    """A whole number; "6.0" is one."""
    value = present(record, column)
    if not _WHOLE.fullmatch(value):
        raise InvoiceUnreadable(f"row {record.row}: {column} {value!r} is not a whole number")
    return int(value.partition(".")[0])


def amount(record: Record, column: str, default: Decimal | None = None) -> Decimal:
    """A decimal number with a point. default: what an empty value means; without one it is an error."""
    value = record.get(column)
    if not value and default is not None:
        return default
    value = present(record, column)
    if not _NUMBER.fullmatch(value):
        raise InvoiceUnreadable(f"row {record.row}: {column} {value!r} is not a number")
    number = Decimal(value)
    if abs(number) >= _LARGEST:
        raise InvoiceUnreadable(f"row {record.row}: {column} {value!r} is out of range")
    return number


def moment(record: Record, column: str) -> datetime:
    """A time in UTC. Without an offset it is taken as UTC."""
    value = present(record, column)
    try:
        found = datetime.fromisoformat(_ZONE.sub("+00:00", value).replace(" +", "+").replace(" -", "-"))
    except ValueError:
        message = f"row {record.row}: {column} {value!r} is not a time like 2011-11-14 08:10:00"
        raise InvoiceUnreadable(message) from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
