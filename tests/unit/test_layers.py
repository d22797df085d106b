"""Who may import whom: the contracts of `.importlinter` hold."""

import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import tradewind.providers

REPOSITORY = Path(__file__).resolve().parents[2]
CONTRACTS = REPOSITORY / ".importlinter"


def lint(config: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache", str(config)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)


def test_every_import_keeps_the_rules() -> None:
    linted = lint(CONTRACTS)
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_a_broken_rule_is_named(tmp_path: Path) -> None:
    config = tmp_path / "rules.ini"
    config.write_text(
        "[importlinter]\nroot_package = tradewind\n"
        "[importlinter:contract:wrong]\nname = Use cases without a ledger\ntype = forbidden\n"
        "source_modules = tradewind.sync\nforbidden_modules = tradewind.ledger\n"
    )
    linted = lint(config)
    assert linted.returncode == 1
    assert "Use cases without a ledger BROKEN" in linted.stdout


def test_every_provider_is_kept_apart() -> None:
    rules = ConfigParser()
    rules.read(CONTRACTS)
    named = set(rules["importlinter:contract:providers-apart"]["modules"].split())
    folder = Path(tradewind.providers.__file__).parent
    assert named == {f"tradewind.providers.{each.parent.name}" for each in folder.glob("*/__init__.py")}
