"""A Prefect server that does not answer, as an error that says what to do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tradewind.errors import ConfigurationError


@contextmanager
def prefect_reachable() -> Iterator[None]:
    """Turn a connection error inside into a ConfigurationError that names the setting."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        source = "environment" if "PREFECT_API_URL" in os.environ else "Prefect's profile"
        advice = f"no Prefect server answers there ({error}); start one with `tradewind up` or set the right address"
        raise ConfigurationError("PREFECT_API_URL", source, advice) from None
