"""`tradewind keys rotate` and the connection's Prefect block."""

from __future__ import annotations

import asyncio

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from typer.testing import CliRunner

from blocks import StripeAccount
from deployments import accounts
from tests.flows.server import PrefectServer
from tradewind.cli import main
from tradewind.domain.connections import Connection, ConnectionKey, Role
from tradewind.ledger import connections
from tradewind.ledger.engine import Ledger

STRIPE = Connection(
    key=ConnectionKey.parse("stripe:main"),
    role=Role.PAYMENT_PROCESSOR,
    secrets={"secret_key": "sk_test_1", "webhook_secret": "whsec_1"},
)


def rotate(ledger: Ledger) -> str:
    with ledger.write() as conn:
        connections.put(conn, ledger.keys, STRIPE, actor="test")
    done = CliRunner().invoke(main, ["keys", "rotate", "stripe:main"], input="whsec_2\n")
    assert done.exit_code == 0, done.output
    assert "whsec_2" not in done.output
    return done.output.splitlines()[-1]


@pytest.mark.xdist_group("prefect")
def test_a_rotated_secret_is_written_to_its_block(server: PrefectServer, ledger: Ledger) -> None:
    asyncio.run(accounts.write_missing([STRIPE]))
    assert rotate(ledger) == "Its Prefect block stripe-main has it too."
    block = asyncio.run(StripeAccount.aload("stripe-main"))
    with ledger.read() as conn:
        known = connections.get(conn, ledger.keys, "stripe:main")
    assert block.revision == known.revision
    assert block.webhook_secret is not None
    assert block.webhook_secret.get_secret_value() == "whsec_2" == known.secrets["webhook_secret"]


@pytest.mark.xdist_group("prefect")
def test_a_block_that_is_newer_than_the_ledger_is_left_alone(server: PrefectServer, ledger: Ledger) -> None:
    asyncio.run(accounts.write_missing([STRIPE.model_copy(update={"revision": 9})]))
    assert rotate(ledger).endswith("is newer than the ledger and was left alone.")
    assert asyncio.run(StripeAccount.aload("stripe-main")).revision == 9


def test_without_a_server_it_says_that_the_block_is_old(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "http://127.0.0.1:9/api"
    monkeypatch.setenv("PREFECT_API_URL", url)
    with temporary_settings({PREFECT_API_URL: url}):
        told = rotate(ledger)
    assert told.startswith(f"Its Prefect block still has the old one: no Prefect server answers at {url}; ")
    assert "`tradewind deploy`" in told
