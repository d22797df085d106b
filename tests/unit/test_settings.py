from pathlib import Path

import pytest

from tradewind.errors import ConfigurationError
from tradewind.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working directory, and no variables of tradewind."""
    monkeypatch.chdir(tmp_path)
    for variable in ("TRADEWIND_CONFIG", "TRADEWIND_STATE_DIR", "TRADEWIND_DATABASE_URL", "TRADEWIND_MASTER_KEY"):
        monkeypatch.delenv(variable, raising=False)


def refused() -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    return caught.value


def test_without_settings_everything_lies_in_the_state_folder(tmp_path: Path) -> None:
    settings = load_settings()
    state = tmp_path / ".tradewind"
    assert settings.state_dir == state
    assert settings.database_url == f"sqlite:///{state}/ledger.db"
    assert settings.keys_url == f"sqlite:///{state}/keys.db"
    assert settings.master_key_file == state / "master.key"


def test_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("tradewind.toml").write_text("lease_s = 60\nbatch = 7\n")
    monkeypatch.setenv("TRADEWIND_BATCH", "9")
    settings = load_settings()
    assert (settings.lease_s, settings.batch) == (60, 9)


def test_another_file_is_named_by_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("other.toml").write_text('public_url = "https://hooks.example.com/"\n')
    monkeypatch.setenv("TRADEWIND_CONFIG", str(tmp_path / "other.toml"))
    assert load_settings().public_url == "https://hooks.example.com"


def test_postgresql_address_gets_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEWIND_DATABASE_URL", "postgresql://u:p@db/ledger")
    assert load_settings().database_url == "postgresql+psycopg://u:p@db/ledger"


def test_wrong_value_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEWIND_GATEWAY_PORT", "99999")
    error = refused()
    assert (error.setting, error.source) == ("gateway_port", "TRADEWIND_GATEWAY_PORT")
    assert "65535" in error.advice


def test_wrong_value_names_its_file() -> None:
    Path("tradewind.toml").write_text('database_url = "mysql://db"\n')
    error = refused()
    assert (error.setting, error.source) == ("database_url", "tradewind.toml")
    assert "sqlite:/// or postgresql://" in error.advice


@pytest.mark.parametrize("value", ["hooks.example.com", "ftp://hooks.example.com"])
def test_public_url_is_an_address(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TRADEWIND_PUBLIC_URL", value)
    assert "https://" in refused().advice


def test_misspelt_setting_is_refused_with_the_right_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEWIND_LEASES", "60")
    error = refused()
    assert (error.setting, error.source) == ("leases", "TRADEWIND_LEASES")
    assert "lease_s" in error.advice


def test_unknown_setting_of_the_file_is_refused() -> None:
    Path("tradewind.toml").write_text("colour = 1\n")
    error = refused()
    assert (error.setting, error.source) == ("colour", "tradewind.toml")


def test_broken_file_is_named() -> None:
    Path("tradewind.toml").write_text("lease_s = = 1\n")
    assert refused().source == "tradewind.toml"


def test_named_file_must_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEWIND_CONFIG", "nowhere.toml")
    assert refused().setting == "TRADEWIND_CONFIG"


def test_secrets_are_not_shown() -> None:
    shown = repr(Settings(master_key="c2VjcmV0", database_url="postgresql://u:hush@db/ledger"))
    assert "c2VjcmV0" not in shown
    assert "hush" not in shown
