"""What can be set, where it is read from, and what is wrong with it.

A setting comes from the environment (`TRADEWIND_LEASE_S=60`), else from a TOML file (`lease_s = 60`): `tradewind.toml`
in the working directory, or the file that `TRADEWIND_CONFIG` names. Credentials of providers are no settings: they
are connections in the ledger.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from tradewind.errors import ConfigurationError

ENV_PREFIX = "TRADEWIND_"
CONFIG_VARIABLE = "TRADEWIND_CONFIG"
DEFAULT_FILE = "tradewind.toml"
# Variables with the prefix that are read elsewhere: by this module and by the tests.
NOT_SETTINGS = frozenset((CONFIG_VARIABLE, "TRADEWIND_CONTRACTS", "TRADEWIND_DATA", "TRADEWIND_SCREENSHOTS"))

Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseSettings):
    """Everything that can be set.

    state_dir: what tradewind keeps on this machine. database_url, keys_url: SQLAlchemy addresses of the ledger and of
    its key store, which is apart so that it is backed up apart; SQLite files in state_dir unless set. master_key: 32
    bytes in base64; without it, master_key_file is read, and made at first use. public_url: where providers reach the
    gateway. gateway_queue: deliveries that may wait for their commit before providers hear 503, in all its processes
    together. gateway_connections: how many may be open at one time, likewise. gateway_processes: how many answer at the
    gateway's address, one core each. lease_s: how long a worker may hold a row. batch: rows a claim takes. poll_ms:
    pause when there is nothing to do. pages_token: opens the gateway's pages; without it, one is made in state_dir.
    window_s: how long one run of order-sync lasts. sweep_interval_s: pause between two sweeps of a connection.
    retention_days: how long a finished delivery is kept; that it came is remembered for ever.
    """

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="forbid", frozen=True)

    state_dir: Path = Path(".tradewind")
    database_url: str = Field(default="", repr=False)  # may hold a password
    keys_url: str = Field(default="", repr=False)
    master_key_file: Path = Path()
    master_key: SecretStr | None = None
    gateway_host: str = "127.0.0.1"
    gateway_port: Port = 8700
    gateway_queue: int = Field(default=2000, ge=1)
    gateway_connections: int = Field(default=800, ge=1)
    gateway_processes: int = Field(default=1, ge=1, le=64)
    public_url: str | None = None
    pages_token: SecretStr | None = None
    prefect_port: Port = 4200
    lease_s: float = Field(default=30, gt=0)
    batch: int = Field(default=100, ge=1, le=500)
    poll_ms: int = Field(default=50, ge=1)
    window_s: float = Field(default=120, ge=10, le=200)
    sweep_interval_s: float = Field(default=180, gt=0)
    retention_days: int = Field(default=90, ge=1, le=36_500)

    def model_post_init(self, context: Any) -> None:
        """Fill in what follows from state_dir."""
        state = self.state_dir.expanduser().absolute()
        derived = {
            "state_dir": state,
            "database_url": self.database_url or f"sqlite:///{state / 'ledger.db'}",
            "keys_url": self.keys_url or f"sqlite:///{state / 'keys.db'}",
            "master_key_file": self.master_key_file if self.master_key_file.name else state / "master.key",
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    @field_validator("database_url", "keys_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if url and not url.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
            raise ValueError("must start with sqlite:/// or postgresql://")
        return url.replace("postgresql://", "postgresql+psycopg://", 1)

    @field_validator("public_url")
    @classmethod
    def _absolute_url(cls, url: str | None) -> str | None:
        if url and not url.startswith(("https://", "http://")):
            raise ValueError("must be an address such as https://hooks.example.com")
        return url.rstrip("/") if url else None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_file())


def config_file() -> Path:
    """The file that settings are read from, whether it is there or not."""
    return Path(os.environ.get(CONFIG_VARIABLE) or DEFAULT_FILE)


def load_settings() -> Settings:
    """The settings of this process.

    Raises ConfigurationError that names the setting, the variable or file it came from, and what would be right.
    """
    file = _read_file()
    for variable in sorted(os.environ):
        if variable.startswith(ENV_PREFIX) and variable not in NOT_SETTINGS:
            _refuse_unknown(variable.removeprefix(ENV_PREFIX).lower(), variable)
    for name in file:
        _refuse_unknown(name, str(config_file()))
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        raise ConfigurationError(name, _source_of(name), first["msg"].removeprefix("Value error, ")) from None


def _read_file() -> dict[str, Any]:
    path = config_file()
    if not path.exists():
        if os.environ.get(CONFIG_VARIABLE):
            raise ConfigurationError(CONFIG_VARIABLE, "environment", f"{path} does not exist")
        return {}
    try:
        return tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigurationError("settings", str(path), f"must be a readable TOML file ({error})") from None


def _refuse_unknown(name: str, source: str) -> None:
    if name in Settings.model_fields:
        return
    import difflib

    close = difflib.get_close_matches(name, Settings.model_fields, n=1)
    advice = f"is no setting; did you mean {close[0]}?" if close else "is no setting; remove it"
    raise ConfigurationError(name, source, advice)


def _source_of(name: str) -> str:
    variable = f"{ENV_PREFIX}{name.upper()}"
    return variable if variable in os.environ else str(config_file())
