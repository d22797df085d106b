"""The command line as a whole: light to start, one file per command, errors in one line."""

import subprocess
import sys
from importlib import import_module

import pytest
import typer
from typer.testing import CliRunner

import tradewind.cli
from tradewind.cli import SUMMARIES, load_command, main
from tradewind.errors import ConfigurationError

HEAVY = ("prefect", "great_expectations", "pandas", "sqlalchemy", "starlette", "httpx", "pydantic")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom tradewind.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as end:\n    assert not end.code\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "assert not heavy, heavy\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    for name, summary in SUMMARIES.items():
        assert name in ran.stdout
        assert summary.split()[0] in ran.stdout


def test_every_summary_fits_on_its_line() -> None:
    shown = CliRunner().invoke(main, ["--help"]).output
    assert all(summary in shown for summary in SUMMARIES.values())


@pytest.mark.parametrize("name", SUMMARIES)
def test_every_command_has_a_file_and_explains_itself(name: str) -> None:
    assert len(load_command(name).help) > 10
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert f"Usage: tradewind {name}" in result.output


def test_our_own_errors_are_one_line_and_exit_code_2(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise ConfigurationError("public_url", "TRADEWIND_PUBLIC_URL", "an https\naddress")

    monkeypatch.setattr(import_module("tradewind.cli.version"), "command", fails)
    result = CliRunner().invoke(main, ["version"])
    assert result.exit_code == 2
    assert result.stderr == "tradewind: public_url (from TRADEWIND_PUBLIC_URL): an https address\n"
    assert result.stdout == ""


def test_other_errors_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(import_module("tradewind.cli.version"), "command", fails)
    result = CliRunner().invoke(main, ["version"])
    assert isinstance(result.exception, ZeroDivisionError)


def test_a_mistyped_command_is_answered_with_the_right_one() -> None:
    result = CliRunner().invoke(main, ["deliverys"])
    assert result.exit_code == 2
    assert "deliveries" in result.output


def test_groups_have_their_own_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module("tradewind.cli.version")
    group = typer.Typer(help="Several.")

    @group.command()
    def only() -> None:
        """One."""
        typer.echo("ran")

    monkeypatch.setattr(module, "app", group, raising=False)
    assert CliRunner().invoke(main, ["version", "only"]).output == "ran\n"


def test_python_m_tradewind_is_the_same() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tradewind", "version"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stdout.strip()) == (0, tradewind.__version__)
