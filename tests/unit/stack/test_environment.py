"""What the processes of a stack are told, and the ports that they are given."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tradewind.errors import ConfigurationError
from tradewind.settings import Settings, load_settings
from tradewind.stack.environment import MARK, prefect_api_url, prefect_ui_url, stack_environment
from tradewind.stack.ports import free_port, require_free


def settings(tmp_path: Path, **changes: object) -> Settings:
    return Settings(state_dir=tmp_path, prefect_port=4299, gateway_port=8799, **changes)  # type: ignore[arg-type]


def test_a_process_reads_back_the_settings_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = settings(tmp_path, public_url="https://hooks.example.com", window_s=60.0, sweep_interval_s=7.5)
    for name, value in stack_environment(given).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == given


def test_without_a_public_address_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRADEWIND_PUBLIC_URL", raising=False)
    assert "TRADEWIND_PUBLIC_URL" not in stack_environment(settings(tmp_path))


def test_prefect_lives_in_the_state_folder_and_tracks_nobody(tmp_path: Path) -> None:
    told = stack_environment(settings(tmp_path))
    assert told["PREFECT_HOME"] == str(tmp_path / "prefect")
    assert told["PREFECT_API_URL"] == prefect_api_url(settings(tmp_path)) == "http://127.0.0.1:4299/api"
    assert told["PREFECT_UI_URL"] == prefect_ui_url(settings(tmp_path)) == "http://127.0.0.1:4299"
    assert (told["DO_NOT_TRACK"], told["PREFECT_SERVER_ANALYTICS_ENABLED"]) == ("1", "false")


def test_what_the_user_has_set_wins_over_our_defaults_but_not_over_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_LOGGING_LEVEL", "DEBUG")
    monkeypatch.setenv("PREFECT_API_URL", "https://elsewhere.example/api")
    monkeypatch.setenv("OWN_VARIABLE", "kept")
    told = stack_environment(settings(tmp_path))
    assert (told["PREFECT_LOGGING_LEVEL"], told["OWN_VARIABLE"]) == ("DEBUG", "kept")
    assert told["PREFECT_API_URL"] == "http://127.0.0.1:4299/api"


def test_every_stack_has_a_mark_of_its_own(tmp_path: Path) -> None:
    assert stack_environment(settings(tmp_path))[MARK] != stack_environment(settings(tmp_path))[MARK]


def test_a_free_port_can_be_listened_on() -> None:
    port = free_port()
    require_free("127.0.0.1", port, "gateway_port")
    socket.create_server(("127.0.0.1", port)).close()


def test_a_taken_port_names_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigurationError) as refused:
            require_free("127.0.0.1", port, "prefect_port")
    assert refused.value.setting == "prefect_port"
    assert "TRADEWIND_PREFECT_PORT" in refused.value.source
    assert f"127.0.0.1:{port} is taken" in refused.value.advice
