"""The records of a CSV file as it came: packed or plain, any line ending, with or without byte order mark.

A damaged record costs only itself: a stray quote does not swallow the records after it.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_GZIP_MAGIC: Final = b"\x1f\x8b"
# At these, too, splitlines would break a line; in a CSV file they are text.
_SEPARATORS: Final = dict.fromkeys(map(ord, "\v\f\x1c\x1d\x1e\x85\u2028\u2029"), " ")


class HistoryUnreadable(ValueError):
    """The file as a whole cannot be replayed. The message names it and what was expected."""


@dataclass(frozen=True)
class Record:
    """One record: the row it starts on (the header is row 1), its values by column, and what is wrong with it."""

    row: int
    values: dict[str, str]
    damage: str | None = None

    def get(self, column: str) -> str:
        """The value without surrounding blanks; empty when the column is missing."""
        return self.values.get(column, "").strip()


def read_records(path: Path) -> tuple[tuple[str, ...], list[Record]]:
    """The columns of the header, and the records below it; blank ones are left out.

    Raises HistoryUnreadable if the file cannot be opened, unpacked, or has no header.
    """
    lines = _text(path).splitlines(keepends=True)
    rows = _rows(lines)
    for _, values, _ in rows:
        if any(value.strip() for value in values):
            columns = tuple(value.strip() for value in values)
            break
    else:
        raise HistoryUnreadable(f"{path}: the file is empty")
    records = [_record(columns, row, values, damage) for row, values, damage in rows if any(map(str.strip, values))]
    return columns, records


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        if raw.startswith(_GZIP_MAGIC):
            raw = gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise HistoryUnreadable(f"{path}: cannot be read: {error}") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")  # older exports: every byte has a meaning
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_SEPARATORS)


def _rows(lines: list[str]) -> Iterator[tuple[int, list[str], str | None]]:
    """(row, values, damage) of each record, in the order of the file."""
    start = 0
    while start < len(lines):
        reader = csv.reader((lines[index] for index in range(start, len(lines))), strict=True)
        try:
            values = next(reader)
        except csv.Error as error:
            yield start + 1, *_single_line(lines[start], error)
            start += 1
        else:
            yield start + 1, values, None
            start += reader.line_num


def _single_line(line: str, error: csv.Error) -> tuple[list[str], str | None]:
    """A line whose quotes are not right, read on its own: whole if leniency suffices, else split and marked."""
    try:
        values = next(csv.reader([line]))
    except csv.Error:
        values = []
    if values and not values[-1].endswith("\n") and "\n" not in "".join(values):
        return values, None
    return line.rstrip("\n").split(","), f"its quotes are damaged ({error})"


def _record(columns: tuple[str, ...], row: int, values: list[str], damage: str | None) -> Record:
    if damage is None and any(value.strip() for value in values[len(columns) :]):
        damage = f"it has {len(values)} values for {len(columns)} columns"
    return Record(row, dict(zip(columns, values, strict=False)), damage)
