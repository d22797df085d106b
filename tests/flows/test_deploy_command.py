"""`tradewind deploy`, as it is typed."""

from __future__ import annotations

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from typer.testing import CliRunner

from deployments import flows
from tests.flows.server import PrefectServer
from tradewind.cli import main
from tradewind.ledger.engine import Ledger


@pytest.mark.xdist_group("prefect")
def test_it_says_what_it_did_and_then_finds_no_difference(server: PrefectServer, ledger: Ledger) -> None:
    done = CliRunner().invoke(main, ["deploy"])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1].startswith(f"{len(flows.wanted_deployments())} deployments, ")
    checked = CliRunner().invoke(main, ["deploy", "--check"])
    assert checked.output == "The Prefect server is as the project says.\n"
    assert checked.exit_code == 0


@pytest.mark.xdist_group("prefect")
def test_check_names_each_difference_and_changes_nothing(server: PrefectServer, ledger: Ledger) -> None:
    server.delete_deployment("replay/replay")
    for _ in range(2):
        checked = CliRunner().invoke(main, ["deploy", "--check"])
        assert checked.exit_code == 1
        assert "differs: deployment replay" in checked.output.splitlines()


@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_without_a_server_it_says_where_it_looked(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    url = "http://127.0.0.1:9/api"
    monkeypatch.setenv("PREFECT_API_URL", url)
    with temporary_settings({PREFECT_API_URL: url}):
        done = CliRunner().invoke(main, ["deploy", *arguments])
    assert done.exit_code == 2
    assert done.stderr.startswith("tradewind: PREFECT_API_URL (from environment): no Prefect server answers there")
    assert "tradewind up" in done.stderr
