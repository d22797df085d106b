"""`tradewind dead-letters` over a ledger of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.integration.ledger.examples import AT, PROCESSOR, capture, delivery
from tradewind.cli import main
from tradewind.ledger import audit, dead_letters, inbox, outbox
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import load_settings

CAUSE = "SchemaMismatch.shopify.decode"


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRADEWIND_STATE_DIR", str(tmp_path / "state"))
    made = open_ledger(load_settings(), migrate=True)
    yield made
    made.close()


def take(ledger: Ledger, state: str, *keys: str, reason: str = "SchemaMismatch: orders/create: no id") -> None:
    with ledger.write() as conn:
        inbox.store(conn, ledger.keys, [delivery(key) for key in keys])
        claimed = inbox.claim(conn, ledger.keys, worker="test", limit=100, lease_s=30)
        died = {"reason": reason, "place": "decode"} if state == "dead" else {}
        inbox.finish(conn, [inbox.Outcome(one.id, one.epoch, state, **died) for one in claimed])  # type: ignore[arg-type]


def refuse(ledger: Ledger) -> None:
    with ledger.write() as conn:
        outbox.add(conn, [capture()], AT)
        (due,) = outbox.claim_due(conn, PROCESSOR, worker="w", limit=1, lease_s=60, writes=True)
        outbox.fail(conn, due, reason="RequestRejected: card_declined", next_generation=False)


def run(*arguments: str, expect: int = 0) -> Result:
    result = CliRunner().invoke(main, ["dead-letters", *arguments])
    assert result.exit_code == expect, result.output
    return result


def test_without_dead_letters_it_says_so(ledger: Ledger) -> None:
    assert run().output == "No dead letters.\n"


def test_groups_are_listed_with_count_example_and_reason(ledger: Ledger) -> None:
    take(ledger, "dead", "1", "2")
    refuse(ledger)
    lines = {line.split()[0]: line.split() for line in run().output.splitlines()}
    assert lines[CAUSE][1:3] == ["2", "open"]
    assert lines["RequestRejected.stripe.capture_payment"][1:3] == ["1", "open"]
    assert "delivery 2" in " ".join(lines[CAUSE])
    assert "SchemaMismatch: orders/create: no id" in " ".join(lines[CAUSE])


def test_what_a_reason_says_of_people_is_masked(ledger: Ledger) -> None:
    take(ledger, "dead", "1", reason="ValueError: 'Ada Lovelace' <ada@example.com> +44 20 7946 0000 of orders/create")
    assert "ValueError: ••• <•••> ••• of orders/create" in run().output


def test_replay_tries_a_whole_group_again_and_is_audited(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    take(ledger, "dead", "1", "2", "3")
    refuse(ledger)
    monkeypatch.setattr(dead_letters.replay_group, "__kwdefaults__", {"limit": 2})
    assert f"{CAUSE}: 3 tried again" in run("replay", CAUSE).output
    assert "3 again" in run().output
    with ledger.read() as conn:
        assert inbox.counts(conn)["received"] == 3
        assert outbox.counts(conn)["dead"] == 1
        trail = [entry.detail for entry in audit.entries(conn) if entry.action == "dead_letters.replayed"]
    assert [entry["members"] for entry in trail] == [1, 2]


def test_a_group_whose_members_have_succeeded_is_closed(ledger: Ledger) -> None:
    take(ledger, "dead", "1")
    run("replay", CAUSE)
    take(ledger, "applied")
    assert run().output == "No dead letters.\n"
    assert "closed" in run("--closed").output


def test_a_group_that_is_not_there_is_named_with_those_that_are(ledger: Ledger) -> None:
    take(ledger, "dead", "1")
    result = run("replay", CAUSE, "Odd.shopify.decode", expect=2)
    assert "Odd.shopify.decode" in result.stderr
    assert CAUSE in result.stderr
    with ledger.read() as conn:
        assert inbox.counts(conn)["received"] == 0


def test_what_was_dead_before_there_were_groups_is_listed(ledger: Ledger) -> None:
    with ledger.write() as conn:
        inbox.store(conn, ledger.keys, [delivery("1")])
        (one,) = inbox.claim(conn, ledger.keys, worker="test", limit=1, lease_s=30)
        inbox.finish(conn, [inbox.Outcome(one.id, one.epoch, "dead", reason="SchemaMismatch: no id")])
    assert "SchemaMismatch.shopify.apply" in run().output
