"""`tradewind deliveries` over a ledger of its own."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.integration.ledger.examples import delivery, order
from tradewind.cli import main
from tradewind.ledger import audit, inbox, orders
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import load_settings


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRADEWIND_STATE_DIR", str(tmp_path / "state"))
    made = open_ledger(load_settings(), migrate=True)
    yield made
    made.close()


def store(ledger: Ledger, *deliveries: inbox.Delivery) -> list[int]:
    with ledger.write() as conn:
        return [stored.id for stored in inbox.store(conn, ledger.keys, deliveries)]


def finish(ledger: Ledger, outcome: str, **more: str) -> None:
    with ledger.write() as conn:
        (claimed,) = inbox.claim(conn, ledger.keys, worker="test", limit=1, lease_s=30)
        inbox.finish(conn, [inbox.Outcome(claimed.id, claimed.epoch, outcome, **more)])  # type: ignore[arg-type]


def run(*arguments: str, expect: int = 0) -> Result:
    result = CliRunner().invoke(main, ["deliveries", *arguments])
    assert result.exit_code == expect, result.output
    return result


def ids(result: Result) -> list[int]:
    return [
        int(line.split()[0]) for line in result.output.splitlines() if line.split()[:1][0].isdigit() and "  " in line
    ]


def test_an_empty_ledger_says_so(ledger: Ledger) -> None:
    assert "Nothing received yet." in run("list").output


def test_a_ledger_that_is_not_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEWIND_STATE_DIR", str(tmp_path / "other"))
    result = run("list", expect=2)
    assert len(result.stderr.splitlines()) == 1
    assert "not set up" in result.stderr


def test_deliveries_are_listed_newest_first_with_state_and_reason(ledger: Ledger) -> None:
    first, second = store(ledger, delivery("1"), delivery("2", topic="refunds/create"))
    finish(ledger, "dead", reason="total: no [number]")
    store(ledger, delivery("2"))
    result = run("list")
    assert ids(result) == [second, first]
    assert "total: no [number]" in result.output
    assert "webhook (+1)" in result.output
    assert "1 received, 1 dead" in result.output


def test_the_list_is_narrowed(ledger: Ledger) -> None:
    now = datetime.now(UTC)
    old = delivery("old", received_at=now - timedelta(days=3))
    new = delivery("new", received_at=now, connection="stripe:main", topic="charge.captured")
    first, second = store(ledger, old, new)
    assert ids(run("list", "--connection", "stripe:main")) == [second]
    assert ids(run("list", "--topic", "orders/create")) == [first]
    assert ids(run("list", "--since", "2h")) == [second]
    assert ids(run("list", "--since", (now - timedelta(days=4)).isoformat())) == [second, first]
    assert ids(run("list", "--since", (now - timedelta(days=4)).strftime("%Y-%m-%d"))) == [second, first]
    assert ids(run("list", "--limit", "1")) == [second]
    assert ids(run("list", "--state", "dead")) == []


def test_an_orders_deliveries_are_found_by_its_name_and_id(ledger: Ledger) -> None:
    known = order()
    with ledger.write() as conn:
        orders.save(conn, ledger.keys, known, None)
    (first, _) = store(ledger, delivery("1"), delivery("2"))
    finish(ledger, "applied", order_id=known.id)
    assert known.placed is not None
    for asked in (known.placed.name, known.id):
        assert ids(run("list", "--order", asked)) == [first]
    assert ids(run("list", "--order", "#none")) == []


@pytest.mark.parametrize(("option", "value"), [("--state", "lost"), ("--since", "yesterday")])
def test_a_filter_that_cannot_be_meant_is_refused(ledger: Ledger, option: str, value: str) -> None:
    assert "must be" in run("list", option, value, expect=2).stderr


def test_personal_data_is_masked_and_revealed_on_the_audit_trail(ledger: Ledger) -> None:
    (id,) = store(ledger, delivery())
    masked = run("show", str(id)).output
    assert "Ada@Example.com" not in masked
    assert "orders/create" in masked
    with ledger.read() as conn:
        assert audit.entries(conn) == []
    assert "Ada@Example.com" in run("show", str(id), "--reveal").output
    with ledger.read() as conn:
        (entry,) = audit.entries(conn)
    assert (entry.action, entry.detail) == ("delivery.revealed", {"delivery": id})


def test_odd_content_is_shown_as_it_is(ledger: Ledger) -> None:
    (id,) = store(ledger, delivery("[bold]odd[/bold]", body=b"\x1b[31m[red]\xff"))
    shown = run("show", str(id), "--reveal").output
    assert "[bold]odd[/bold]" in shown
    assert r"\x1b[31m[red]\xff" in shown


def test_what_was_erased_says_so(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    (id,) = store(ledger, delivery())
    erased = inbox.DeliveryContent(row=_row(ledger, id), body=None, headers={})
    monkeypatch.setattr(inbox, "get", lambda *_: erased)
    assert "was erased" in run("show", str(id)).output


def _row(ledger: Ledger, id: int) -> inbox.DeliveryRow:
    with ledger.read() as conn:
        return inbox.get(conn, ledger.keys, id).row


def test_a_replay_is_a_new_delivery_that_names_the_one_it_repeats(ledger: Ledger) -> None:
    (id,) = store(ledger, delivery())
    finish(ledger, "dead", reason="cannot be read")
    assert f"Delivery {id} is taken in again as {id + 1}." in run("replay", str(id)).output
    row = _row(ledger, id + 1)
    assert (row.source, row.replay_of, row.state) == ("replay", id, "received")
    with ledger.read() as conn:
        assert audit.entries(conn)[0].detail == {"delivery": id, "as": id + 1}


def test_an_id_that_is_not_there_replays_nothing(ledger: Ledger) -> None:
    (id,) = store(ledger, delivery())
    assert "there is no delivery 99" in run("replay", str(id), "99", expect=2).stderr
    assert "there is no delivery 99" in run("show", "99", expect=2).stderr
    with ledger.read() as conn:
        assert inbox.counts(conn)["received"] == 1
