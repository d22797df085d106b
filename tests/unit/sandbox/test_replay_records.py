"""A history file is read as it comes: packed, from a spreadsheet, or damaged."""

import gzip
from pathlib import Path

import pytest

from tests.unit.sandbox.replay_files import uci_row, write_uci
from tradewind.sandbox.replay import History, HistoryUnreadable, InvoiceClass, read_history

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
GOOD = "576080,22465,LANTERN,12,2011-11-14 08:10:00,1.65,18211.0,United Kingdom\n"


def read(folder: Path, raw: bytes) -> History:
    path = folder / "history.csv"
    path.write_bytes(raw)
    return read_history(path)


@pytest.mark.parametrize(
    "raw",
    [
        (HEADER + GOOD).encode(),
        b"\xef\xbb\xbf" + (HEADER + GOOD).encode(),
        (HEADER + GOOD).replace("\n", "\r\n").encode(),
        (HEADER + GOOD).replace("\n", "\r").encode(),
        (HEADER + GOOD.rstrip("\n")).encode(),
        ("\n" + HEADER + "\n" + GOOD + ",,,,,,,\n\n").encode(),
        gzip.compress((HEADER + GOOD).encode()),
    ],
    ids=["plain", "byte order mark", "CRLF", "CR", "no final newline", "blank lines", "packed under a plain name"],
)
def test_the_same_history_is_read_however_it_is_written(tmp_path: Path, raw: bytes) -> None:
    (found,) = read(tmp_path, raw).entries
    assert (found.entry.number, str(found.invoice.total)) == ("576080", "19.80")


def test_latin_1_is_read_when_it_is_not_utf_8(tmp_path: Path) -> None:
    (found,) = read(tmp_path, (HEADER + GOOD.replace("LANTERN", "CAFÉ £5")).encode("latin-1")).entries
    assert found.invoice.lines[0].title == "CAFÉ £5"


def test_a_newline_inside_quotes_is_part_of_the_value(tmp_path: Path) -> None:
    history = read(tmp_path, (HEADER + GOOD.replace("LANTERN", '"A ""B""\r\nC, D"') + GOOD).encode())
    (found,) = history.entries
    assert [line.title for line in found.invoice.lines] == ['A "B"\nC, D', "LANTERN"]


def test_a_stray_quote_costs_only_its_own_invoice(tmp_path: Path) -> None:
    damaged = GOOD.replace("576080", "576081").replace("LANTERN", '"LANTERN')
    other = GOOD.replace("576080", "576082").replace("LANTERN", '"LANTERN, RED"')
    history = read(tmp_path, (HEADER + GOOD + damaged + other).encode())
    assert [found.entry.number for found in history.entries] == ["576080", "576081", "576082"]
    assert [found.kind for found in history.entries] == [InvoiceClass.SALE, InvoiceClass.REFUSED, InvoiceClass.SALE]
    assert "row 3: its quotes are damaged" in history.entries[1].entry.reason  # type: ignore[union-attr]


def test_quotes_in_the_middle_of_a_value_are_tolerated(tmp_path: Path) -> None:
    (found,) = read(tmp_path, (HEADER + GOOD.replace("LANTERN", '"SET "A" RED"')).encode()).entries
    assert found.kind is InvoiceClass.SALE


def test_a_row_with_too_many_values_is_refused_with_its_place(tmp_path: Path) -> None:
    (found,) = read(tmp_path, (HEADER + GOOD.replace("LANTERN", "LANTERN,RED")).encode()).entries
    assert found.entry.reason == "row 2: it has 9 values for 8 columns"  # type: ignore[union-attr]


def test_a_row_that_breaks_off_is_refused_by_what_is_missing(tmp_path: Path) -> None:
    (found,) = read(tmp_path, (HEADER + "576080,22465,LANTERN\n").encode()).entries
    assert found.entry.reason == "row 2: Quantity is missing"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"a,b,c\n1,2,3\n", r"the columns are those of no known history \(a, b, c, …\)"),
        (b"\x1f\x8b\x08\x00broken", "cannot be read"),
    ],
)
def test_a_file_that_is_no_history_is_an_error_that_names_it(tmp_path: Path, raw: bytes, message: str) -> None:
    with pytest.raises(HistoryUnreadable, match=message) as caught:
        read(tmp_path, raw)
    assert "history.csv" in str(caught.value)


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(HistoryUnreadable, match=r"nowhere\.csv: cannot be read"):
        read_history(tmp_path / "nowhere.csv")


def test_an_empty_history_has_no_entries(tmp_path: Path) -> None:
    assert read_history(write_uci(tmp_path, [])).entries == ()
    assert len(read_history(write_uci(tmp_path, [uci_row("1")])).entries) == 1
