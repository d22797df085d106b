"""Where the token comes from."""

import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.integration.ledger.examples import at_once
from tradewind.gateway.pages.token import how_to_get, page_token, token_file
from tradewind.settings import Settings


def test_a_token_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "state")
    token = page_token(settings)
    assert token is not None
    assert len(token) >= 32
    assert page_token(settings) == token
    assert stat.S_IMODE(token_file(settings).stat().st_mode) == 0o600
    assert str(token_file(settings)) in how_to_get(settings)
    assert [path.name for path in settings.state_dir.iterdir()] == ["pages.token"]


def test_gateways_that_start_together_have_one_token(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path)
    assert len(set(at_once(lambda _: page_token(settings), range(4)))) == 1


def test_the_setting_wins_and_no_file_is_made(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, pages_token=SecretStr("a token of some length"))
    assert page_token(settings) == "a token of some length"
    assert not token_file(settings).exists()
    assert "pages_token" in how_to_get(settings)
    assert "a token" not in repr(settings)


def test_a_short_token_keeps_the_pages_closed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert page_token(Settings(state_dir=tmp_path, pages_token=SecretStr("short"))) is None
    assert "fewer than 16" in caplog.text
    assert "short" not in caplog.text.replace("shorter", "")


def test_a_state_folder_that_takes_no_file_keeps_the_pages_closed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert page_token(Settings(state_dir=tmp_path / "file")) is None
