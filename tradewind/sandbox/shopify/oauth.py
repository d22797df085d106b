"""Access tokens by the client credentials grant."""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

LIFETIME_S: Final = 86_399


class GrantError(Exception):
    """No token for this request. error: the OAuth error code."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


class Tokens:
    """The tokens of one app in one store: each lives 24 hours, and getting a new one leaves the others alive.

    Source: shopify.dev, "Using the client credentials grant".
    """

    def __init__(self, *, client_id: str, client_secret: str, rng: random.Random) -> None:
        self.client_id = client_id
        self.client_secret = client_secret
        self._rng = rng
        self._expire_at: dict[str, datetime] = {}

    def grant(self, request: Mapping[str, Any], at: datetime) -> str:
        """A new token. Raises GrantError."""
        if request.get("grant_type") != "client_credentials":
            raise GrantError("unsupported_grant_type", "The grant type must be client_credentials.")
        if request.get("client_id") != self.client_id:
            raise GrantError("application_cannot_be_found", "No application has this client ID.")
        if request.get("client_secret") != self.client_secret:
            raise GrantError("invalid_client", "The client secret is wrong.")
        token = f"shpat_{self._rng.getrandbits(128):032x}"
        self._expire_at[token] = at + timedelta(seconds=LIFETIME_S)
        return token

    def is_valid(self, token: str, at: datetime) -> bool:
        """Whether the token was granted and lives."""
        return token in self._expire_at and at < self._expire_at[token]

    def revoke(self) -> None:
        """End all tokens, as when the app is uninstalled."""
        self._expire_at.clear()
