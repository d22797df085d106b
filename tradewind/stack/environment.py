"""What every process of the stack is told through its environment."""

from __future__ import annotations

import os
from uuid import uuid4

from tradewind.settings import CONFIG_VARIABLE, Settings, config_file

PREFECT_HOST = "127.0.0.1"
MARK = "_TRADEWIND_STACK"
"""Variable by which every process of one stack is known, whoever its parent is."""


def prefect_api_url(settings: Settings) -> str:
    return f"http://{PREFECT_HOST}:{settings.prefect_port}/api"


def prefect_ui_url(settings: Settings) -> str:
    return f"http://{PREFECT_HOST}:{settings.prefect_port}"


def stack_environment(settings: Settings) -> dict[str, str]:
    """This process's environment with the settings, a Prefect home in the state folder, and no tracking of users.

    Variables that the user has set win over our defaults for Prefect.
    """
    defaults = {
        "DO_NOT_TRACK": "1",
        "GX_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        "PREFECT_SERVER_SERVICES_TRIGGERS_PROACTIVE_GRANULARITY": "5",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        # Slots of a run that was killed are given back after a restart of the server only from files.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_LOGGING_LEVEL": "INFO",
        # Warnings of the core show in the UI with the run that caused them.
        "PREFECT_LOGGING_EXTRA_LOGGERS": "tradewind.apply,tradewind.dispatch,tradewind.runner",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    }
    own = {
        "TRADEWIND_STATE_DIR": str(settings.state_dir),
        "TRADEWIND_DATABASE_URL": settings.database_url,
        "TRADEWIND_KEYS_URL": settings.keys_url,
        "TRADEWIND_MASTER_KEY_FILE": str(settings.master_key_file),
        "TRADEWIND_GATEWAY_HOST": settings.gateway_host,
        "TRADEWIND_GATEWAY_PORT": str(settings.gateway_port),
        "TRADEWIND_PREFECT_PORT": str(settings.prefect_port),
        "TRADEWIND_WINDOW_S": str(settings.window_s),
        "TRADEWIND_SWEEP_INTERVAL_S": str(settings.sweep_interval_s),
        "PREFECT_HOME": str(settings.state_dir / "prefect"),
        "PREFECT_API_URL": prefect_api_url(settings),
        "PREFECT_UI_URL": prefect_ui_url(settings),
        "PREFECT_SERVER_UI_API_URL": prefect_api_url(settings),
        "PYTHONUNBUFFERED": "1",
        MARK: uuid4().hex,
    }
    # What the file says holds for flows too, which run in another folder.
    if config_file().exists():
        own[CONFIG_VARIABLE] = str(config_file().absolute())
    if settings.public_url:
        own["TRADEWIND_PUBLIC_URL"] = settings.public_url
    return {**defaults, **os.environ, **own}
