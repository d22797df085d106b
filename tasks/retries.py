"""How tasks of batch flows are retried: exponential backoff with jitter, decided by the class of the error alone."""

from __future__ import annotations

from typing import Any, TypedDict

from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task, exponential_backoff

from tradewind.errors import TransientError


class RetryOptions(TypedDict):
    retries: int
    retry_delay_seconds: Any
    retry_jitter_factor: float
    retry_condition_fn: Any


def is_transient(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
    """Whether trying again later may help: only for TransientError, never for a rejected request."""
    return isinstance(state.data, TransientError)


BATCH_RETRIES: RetryOptions = {
    "retries": 4,
    "retry_delay_seconds": exponential_backoff(backoff_factor=5),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": is_transient,
}
"""Waits of about 5, 10, 20 and 40 s, each up to half as long again: at most two minutes in all."""


def provider_tag(connection: str) -> str:
    """The tag under which Prefect limits the tasks of one provider, e.g. `provider:shopify`."""
    return f"provider:{connection.partition(':')[0]}"
