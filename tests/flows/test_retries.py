"""Batch tasks are tried again by the class of the error alone, and briefly enough."""

from __future__ import annotations

from typing import Any

import pytest
from prefect import task
from prefect.client.schemas.objects import State, StateType

from tasks.retries import BATCH_RETRIES, is_transient, provider_tag
from tests.flows.server import PrefectServer
from tradewind.errors import (
    ConfigurationError,
    OutcomeUnknown,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
    SchemaMismatch,
    TransientError,
)

pytestmark = pytest.mark.xdist_group("prefect")


def verdict(error: Exception) -> bool:
    return is_transient(None, None, State(type=StateType.FAILED, data=error))  # type: ignore[arg-type]


@pytest.mark.parametrize("error", [TransientError("busy"), RateLimited("slow down"), ProviderUnavailable("503")])
def test_what_may_pass_is_tried_again(error: Exception) -> None:
    assert verdict(error)


@pytest.mark.parametrize(
    "error",
    [
        RequestRejected("try again later"),
        SchemaMismatch("odd"),
        OutcomeUnknown("no answer"),
        ConfigurationError("store", "a test", "is none"),
        ValueError("timeout"),
    ],
)
def test_what_will_not_pass_is_not_tried_again_whatever_its_message_says(error: Exception) -> None:
    assert not verdict(error)


def test_the_waits_grow_and_are_bounded() -> None:
    delays = BATCH_RETRIES["retry_delay_seconds"](BATCH_RETRIES["retries"])
    assert delays == [5, 10, 20, 40]
    assert sum(delays) * (1 + BATCH_RETRIES["retry_jitter_factor"]) <= 120


@pytest.mark.parametrize(("error", "calls"), [(ProviderUnavailable("503"), 5), (RequestRejected("no"), 1)])
async def test_prefect_decides_so_too(server: PrefectServer, error: Exception, calls: int) -> None:
    made: list[int] = []
    options: Any = {**BATCH_RETRIES, "retry_delay_seconds": 0.01}

    @task(**options)
    async def fail() -> None:
        made.append(1)
        raise error

    with pytest.raises(type(error)):
        await fail()
    assert len(made) == calls


def test_accounts_of_one_provider_share_a_tag() -> None:
    assert provider_tag("shopify:north") == provider_tag("shopify:south") == "provider:shopify"
