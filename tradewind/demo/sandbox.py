"""The sandbox as the demo meets it: a process that prints who it is, and its control API."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import httpx

from tradewind.domain.connections import Connection, ConnectionKey, ConnectionState
from tradewind.providers.registry import PROVIDERS

# What the sandbox prints of an account, and what is a secret of it.
_SECRETS = frozenset(("client_id", "client_secret", "secret_key", "api_key", "secret"))
_NOT_SETTINGS = frozenset(("account", "scopes"))


def described(log: Path) -> dict[str, Any] | None:
    """The description that the sandbox prints when it listens; None before."""
    if not log.exists():
        return None
    for line in log.read_text().splitlines():
        if line.startswith("{") and line.endswith("}"):
            found: dict[str, Any] = json.loads(line)
            return found
    return None


def connections_of(description: dict[str, Any], live_from: datetime) -> list[Connection]:
    """A live connection for every account that the sandbox has."""
    made = []
    for provider, listed in PROVIDERS.items():
        for account in description.get(provider, ()):
            values = {name: str(value) for name, value in account.items() if name not in _NOT_SETTINGS}
            made.append(
                Connection(
                    key=ConnectionKey(provider=provider, account=account["account"]),
                    role=listed.role,
                    state=ConnectionState.LIVE,
                    live_from=live_from,
                    settings={name: value for name, value in values.items() if name not in _SECRETS},
                    secrets={name: value for name, value in values.items() if name in _SECRETS},
                    revision=1,
                )
            )
    return made


class Control:
    """The sandbox's control API. Raises httpx.HTTPStatusError for what it refuses."""

    def __init__(self, description: dict[str, Any]) -> None:
        control = description["control"]
        headers = {"authorization": f"Bearer {control['token']}"}
        self._http = httpx.Client(base_url=control["base_url"], headers=headers, timeout=30.0, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def prepare(self, replay: Path) -> dict[str, Any]:
        return self._post("/prepare", {"replay": str(replay)})

    def start(self, **ask: Any) -> dict[str, Any]:
        return self._post("/start", ask)

    def plant(self, kind: str) -> dict[str, Any]:
        return self._post("/plant", {"kind": kind})

    def faults(self, level: str) -> dict[str, Any]:
        return self._post("/faults", {"level": level})

    def progress(self) -> dict[str, Any]:
        return self._get("/progress")

    def truth(self) -> dict[str, Any]:
        return self._get("/truth")

    def replay(self) -> dict[str, Any]:
        return self._get("/replay")

    def _get(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self._http.get(path).raise_for_status().json()
        return found

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self._http.post(path, json=body).raise_for_status().json()
        return found
