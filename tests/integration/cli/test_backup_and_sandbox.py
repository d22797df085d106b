"""`tradewind backup`, `restore` and `sandbox` as commands."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from tests.integration.ledger.examples import BODY, delivery
from tradewind.cli import main
from tradewind.ledger import inbox
from tradewind.ledger.engine import open_ledger
from tradewind.settings import load_settings


def invoke(*arguments: str, expect: int = 0) -> str:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == expect, result.output
    return result.output


def test_a_backup_is_restored_elsewhere_under_the_same_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRADEWIND_STATE_DIR", str(tmp_path / "one"))
    ledger = open_ledger(load_settings(), migrate=True)
    with ledger.write() as conn:
        (stored,) = inbox.store(conn, ledger.keys, [delivery()])
    ledger.close()
    said = invoke("backup", "kept")
    assert "kept/ledger/ledger.db" in said
    assert "kept/keys/keys.db" in said
    assert str(tmp_path / "one" / "master.key") in said
    assert "already" in invoke("backup", "kept", expect=2)

    monkeypatch.setenv("TRADEWIND_STATE_DIR", str(tmp_path / "two"))
    monkeypatch.setenv("TRADEWIND_MASTER_KEY_FILE", str(tmp_path / "one" / "master.key"))
    assert "Restored" in invoke("restore", "kept")
    restored = open_ledger(load_settings())
    with restored.read() as conn:
        assert inbox.get(conn, restored.keys, stored.id).body == BODY
    restored.close()
    assert "already" in invoke("restore", "kept", expect=2)


def test_a_backup_of_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEWIND_STATE_DIR", str(tmp_path / "none"))
    assert "nothing to back up" in invoke("backup", str(tmp_path / "kept"), expect=2)


def test_the_master_key_is_not_spoken_of_when_it_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADEWIND_STATE_DIR", str(tmp_path / "one"))
    monkeypatch.setenv("TRADEWIND_MASTER_KEY", "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=")
    open_ledger(load_settings(), migrate=True).close()
    assert "master key" not in invoke("backup", str(tmp_path / "kept"))


def test_the_sandbox_prints_who_it_is_and_ends_on_sigterm(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tradewind", "sandbox", "--seed", "7", "--faults", "mild"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=tmp_path) as process:
        try:
            assert process.stdout is not None
            described = json.loads(process.stdout.readline())
            assert (described["seed"], described["faults"]) == (7, "mild")
            control = described["control"]
            headers = {"authorization": f"Bearer {control['token']}"}
            assert httpx.get(f"{control['base_url']}/progress", headers=headers).status_code == 200
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode in (0, -signal.SIGTERM)


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = invoke("sandbox", "--port", str(port), expect=2)
    assert f"--port (from 127.0.0.1:{port}): cannot listen there" in said
