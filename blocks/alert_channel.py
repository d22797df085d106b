"""Block that delivers alerts."""

from collections.abc import Mapping
from typing import Any

import httpx
from prefect.blocks.core import Block
from pydantic import Field, SecretStr


class AlertChannel(Block):
    """Where alerts go: any address that takes an HTTP POST of JSON. The automations under `deployments/` use it.

    Slack, Teams, PagerDuty and others have notification blocks of Prefect's own; this one serves whatever is left, and
    the demo's receiver.

    Example:
        ```python
        from blocks import AlertChannel

        channel = await AlertChannel.aload("alerts")
        await channel.send("subject", {"day": "2026-11-24"})
        ```
    """

    _block_type_name = "Alert Channel"
    _block_type_slug = "tradewind-alert-channel"
    _description = "Delivers an alert as JSON to an address."
    _logo_url = "https://cdn.simpleicons.org/pagerduty"  # type: ignore[assignment]

    url: SecretStr = Field(description="Address that takes the alert as an HTTP POST of JSON; it may hold a token.")

    async def send(self, subject: str, payload: Mapping[str, Any]) -> None:
        """Deliver one alert. Raises httpx.HTTPError when the address does not take it."""
        async with httpx.AsyncClient(timeout=10.0) as client:
            answer = await client.post(self.url.get_secret_value(), json={"subject": subject, **payload})
            answer.raise_for_status()
