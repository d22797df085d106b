"""What is captured is bounded, sealed, deleted in time, and known to the audit trail."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from tradewind.ledger import audit, captures
from tradewind.ledger.engine import Ledger
from tradewind.ledger.tables import capture as table
from tradewind.ledger.tables import captured

PATH = "/capture/test"


def request(**changes: Any) -> captures.Request:
    plain: dict[str, Any] = {
        "path": PATH,
        "method": "POST",
        "headers": {"content-type": "text/plain"},
        "body": b"Ada Lovelace",
        "size": 12,
        "answered": 200,
        "received_at": datetime.now(UTC),
    }
    return captures.Request(**(plain | changes))


def start(ledger: Ledger, path: str = PATH, minutes: int = 5) -> None:
    with ledger.write() as conn:
        captures.start(conn, path, minutes=minutes, actor="ada")


def keep(ledger: Ledger, *requests: captures.Request) -> None:
    for one in requests:
        with ledger.write() as conn:
            captures.keep(conn, ledger.keys, one)


def kept(ledger: Ledger, path: str = PATH) -> list[captures.Captured]:
    with ledger.read() as conn:
        return captures.requests(conn, ledger.keys, path)


def test_what_is_kept_is_shown_as_it_came_and_sealed_on_disk(ledger: Ledger) -> None:
    start(ledger)
    keep(ledger, request())
    (shown,) = kept(ledger)
    assert (shown.body, shown.headers, shown.answered) == (b"Ada Lovelace", {"content-type": "text/plain"}, 200)
    with ledger.read() as conn:
        assert b"Lovelace" not in conn.execute(select(captured.c.sealed)).scalar_one()


@pytest.mark.parametrize(
    "path", ["/deliveries", "/hooks/a/b/c", "/capture/../x", "/capture/A", "capture/a", "/capture/"]
)
def test_only_paths_that_nobody_else_answers_for_are_captured(ledger: Ledger, path: str) -> None:
    with pytest.raises(ValueError, match="must be /capture/NAME"):
        start(ledger, path)


def test_a_capture_is_short(ledger: Ledger) -> None:
    for minutes in (0, captures.MOST_MINUTES + 1):
        with pytest.raises(ValueError, match="between 1 and"):
            start(ledger, minutes=minutes)


def test_a_capture_ends_by_the_databases_clock_and_can_be_started_again(ledger: Ledger) -> None:
    start(ledger)
    with ledger.write() as conn:
        assert list(captures.active(conn)) == [PATH]
        conn.execute(update(table).values(until_at=datetime.now(UTC) - timedelta(minutes=1)))
        assert captures.active(conn) == {}
    start(ledger)
    with ledger.read() as conn:
        assert list(captures.active(conn)) == [PATH]
        assert [entry.action for entry in audit.entries(conn)] == ["capture.started", "capture.started"]


def test_the_newest_of_a_path_are_kept(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captures, "MOST_OF_A_PATH", 3)
    keep(ledger, *(request(body=b"%d" % number) for number in range(5)), request(path="/capture/other"))
    assert [one.body for one in kept(ledger)] == [b"4", b"3", b"2"]
    assert len(kept(ledger, "/capture/other")) == 1


def test_all_paths_together_are_bounded(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captures, "MOST_TOGETHER", 4)
    keep(ledger, *(request(path=f"/capture/p{number}") for number in range(6)))
    with ledger.read() as conn:
        assert conn.execute(select(func.count()).select_from(captured)).scalar_one() == 4


def test_of_a_long_body_the_beginning_is_kept_and_its_size(ledger: Ledger) -> None:
    keep(ledger, request(body=b"x" * (captures.MOST_BYTES + 7), size=captures.MOST_BYTES + 7))
    (one,) = kept(ledger)
    assert one.body is not None
    assert (len(one.body), one.size) == (captures.MOST_BYTES, captures.MOST_BYTES + 7)


def test_stopping_deletes_what_was_captured(ledger: Ledger) -> None:
    start(ledger)
    keep(ledger, request(), request(path="/capture/other"))
    with ledger.write() as conn:
        captures.stop(conn, ledger.keys, PATH, actor="ada")
    assert kept(ledger) == []
    assert len(kept(ledger, "/capture/other")) == 1
    with ledger.read() as conn:
        (entry,) = audit.entries(conn, limit=1)
    assert (entry.actor, entry.action) == ("ada", "capture.stopped")
    with pytest.raises(LookupError), ledger.write() as conn:
        captures.stop(conn, ledger.keys, PATH, actor="ada")


def test_what_is_older_than_a_day_is_deleted(ledger: Ledger) -> None:
    start(ledger)
    keep(ledger, request(received_at=datetime.now(UTC) - timedelta(hours=25)), request())
    with ledger.write() as conn:
        assert captures.purge(conn, ledger.keys) == 1
    assert len(kept(ledger)) == 1
    with ledger.read() as conn:
        assert [one.kept for one in captures.listed(conn)] == [1]
