"""The token that opens the pages: from the settings, else from a file in the state folder, made at first use."""

from __future__ import annotations

import logging
import os
import secrets
from pathlib import Path

from tradewind.settings import Settings

log = logging.getLogger(__name__)

SHORTEST = 16


def token_file(settings: Settings) -> Path:
    """Where the token is when the setting `pages_token` does not give it."""
    return settings.state_dir / "pages.token"


def how_to_get(settings: Settings) -> str:
    """For whoever reads a terminal: where the token is."""
    return "the setting pages_token" if settings.pages_token else f"cat {token_file(settings)}"


def page_token(settings: Settings) -> str | None:
    """The token; None, and the pages stay closed, when there is none and no file can be made, or it is too short."""
    if settings.pages_token is not None:
        return _long_enough(settings.pages_token.get_secret_value(), "pages_token")
    path = token_file(settings)
    try:
        _make(path)
        return _long_enough(path.read_text().strip(), str(path))
    except OSError as error:
        log.warning("the pages stay closed: %s cannot be read or made (%s)", path, error.strerror)
        return None


def _make(path: Path) -> None:
    """Two gateways that start together end with one token: the file is put in its place whole, by the first."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{secrets.token_urlsafe(32)}\n")
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _long_enough(token: str, source: str) -> str | None:
    if len(token) >= SHORTEST:
        return token
    log.warning("the pages stay closed: the token from %s has fewer than %d characters", source, SHORTEST)
    return None
