"""`tradewind keys rotate` over a ledger of its own, and a gateway that receives meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.integration.gateway import signing
from tests.unit.gateway.fakes import running
from tradewind.cli import main
from tradewind.gateway.app import create_app
from tradewind.gateway.store import LedgerStore
from tradewind.ledger import audit, connections
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import load_settings

STRIPE = "/hooks/stripe/main"


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRADEWIND_STATE_DIR", str(tmp_path / "state"))
    made = open_ledger(load_settings(), migrate=True)
    with made.write() as conn:
        for connection in signing.connections():
            connections.put(conn, made.keys, connection)
    yield made
    made.close()


def rotate(connection: str, secret: str, *options: str, expect: int = 0) -> Result:
    result = CliRunner().invoke(main, ["keys", "rotate", connection, *options], input=secret)
    assert result.exit_code == expect, result.output
    assert not secret.strip() or secret.strip() not in result.output
    return result


async def test_deliveries_signed_with_either_secret_are_taken_within_the_grace(ledger: Ledger) -> None:
    store = LedgerStore(lambda: open_ledger(load_settings()))
    async with running(create_app(store)) as client:

        async def taken(body: bytes, secret: str) -> int:
            return (await client.post(STRIPE, content=body, headers=signing.stripe(body, secret))).status_code

        assert await taken(b"before", signing.SECRET) == 200
        rotate("stripe:main", "whsec_second\n")
        assert await taken(b"new", "whsec_second") == 200
        assert await taken(b"old, on its way", signing.SECRET) == 200
        rotate("stripe:main", "whsec_third\n")
        assert [await taken(b"1", "whsec_third"), await taken(b"2", "whsec_second")] == [200, 200]
        assert await taken(b"3", signing.SECRET) == 200
        rotate("stripe:main", "whsec_fourth\n", "--grace-hours", "0")
        assert await taken(b"4", "whsec_fourth") == 200
        for old in (signing.SECRET, "whsec_second", "whsec_third"):
            assert await taken(b"5", old) == 401
    store.close()


def test_the_audit_trail_tells_who_and_for_how_long_and_no_secret(ledger: Ledger) -> None:
    rotate("stripe:main", "whsec_second")
    with ledger.read() as conn:
        entry = next(each for each in audit.entries(conn) if each.action == "connection.secret_rotated")
    assert entry.detail == {"connection": "stripe:main", "secret": "webhook_secret", "old_for_s": 86400}


def test_the_older_block_does_not_bring_the_old_secret_back(ledger: Ledger) -> None:
    with ledger.read() as conn:
        before = connections.get(conn, ledger.keys, "stripe:main")
    rotate("stripe:main", "whsec_second")
    with ledger.write() as conn:
        assert not connections.put(conn, ledger.keys, before, actor="block")
        assert connections.get(conn, ledger.keys, "stripe:main").secrets["webhook_secret"] == "whsec_second"


def test_the_same_secret_again_changes_nothing(ledger: Ledger) -> None:
    rotate("stripe:main", "whsec_second")
    assert "already" in rotate("stripe:main", "whsec_second").output


@pytest.mark.parametrize(
    ("connection", "secret", "said"),
    [
        ("shipstation:main", "whsec_x", "publishes"),
        ("stripe:other", "whsec_x", "no connection stripe:other"),
        ("stripe", "whsec_x", "provider:account"),
        ("stripe:main", "\n", "is empty"),
    ],
)
def test_what_cannot_be_rotated_says_why(ledger: Ledger, connection: str, secret: str, said: str) -> None:
    assert said in " ".join(rotate(connection, secret, expect=2).output.replace("│", " ").split())
