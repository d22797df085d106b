"""`tradewind order`, and what `tradewind deliveries` tells beyond one row, over a ledger of their own."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.shop_ledger import fill
from tradewind.cli import main
from tradewind.ledger import audit, captures
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import load_settings


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRADEWIND_STATE_DIR", str(tmp_path / "state"))
    made = open_ledger(load_settings(), migrate=True)
    fill(made)
    yield made
    made.close()


def run(*arguments: str, expect: int = 0) -> Result:
    result = CliRunner().invoke(main, [*arguments])
    assert result.exit_code == expect, result.output
    return result


def test_an_order_is_told_from_event_to_command_and_where_it_hangs(ledger: Ledger) -> None:
    told = run("order", "show", "#1042", "--connection", "shopify:north").output
    for line in (
        "#1042 shopify:north, paid",
        "buy label at shipstation:main waits: the connection is paused (the depot is being moved)",
        "https://dashboard.stripe.com/test/payments/pi-1",
        "placed → authorized by delivery 3",
        "capture_payment at stripe:main: done",
    ):
        assert line in told


def test_of_two_orders_of_one_name_one_is_asked_for(ledger: Ledger) -> None:
    assert "shopify:north, shopify:south each have an order 1042" in run("order", "show", "1042", expect=2).stderr
    assert "no order is named #1" in run("order", "show", "#1", expect=2).stderr
    assert "#1042 shopify:south" in run("order", "show", "1042", "--connection", "shopify:south").output


def test_the_list_goes_on_where_the_page_before_ended(ledger: Ledger) -> None:
    assert "go on with --before 7" in run("deliveries", "list", "--limit", "2").output
    rest = run("deliveries", "list", "--before", "3").output
    assert "There are older ones" not in rest
    assert "orders/create" in rest
    assert "charge.succeeded" not in rest


def test_a_delivery_tells_its_verdict_and_its_effect(ledger: Ledger) -> None:
    assert "HMAC-SHA256 of the body, by client_secret" in run("deliveries", "show", "1").output
    shown = " ".join(run("deliveries", "show", "4").output.split())
    assert "authorized → paid" in shown
    assert "payments[pi-1].state: authorized → captured" in shown
    assert ":verified" not in run("deliveries", "show", "1").output


def test_a_capture_is_started_audited_and_shown_masked(ledger: Ledger) -> None:
    assert "Capturing /capture/a until" in run("deliveries", "capture", "/capture/a").output
    assert "Nothing was captured" in run("deliveries", "captured", "/capture/a").output
    assert "must be /capture/NAME" in run("deliveries", "capture", "/elsewhere", expect=2).stderr
    body = b'{"email": "ada@example.com", "status": "paid"}'
    request = captures.Request("/capture/a", "POST", {"cookie": "hush"}, body, len(body), 200, datetime.now(UTC))
    with ledger.write() as conn:
        captures.keep(conn, ledger.keys, request)
        assert audit.entries(conn)[0].action == "capture.started"
    shown = run("deliveries", "captured", "/capture/a").output
    assert "paid" in shown
    assert "ada@example.com" not in shown
    assert "hush" not in shown
