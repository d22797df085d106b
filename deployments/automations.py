"""Automations from `automations.yaml`, applied by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from prefect.client.orchestration import PrefectClient
from prefect.events.schemas.automations import Automation, AutomationCore

FILE = Path(__file__).with_name("automations.yaml")


def wanted_automations(alert_block: UUID) -> list[AutomationCore]:
    """What the file asks for, with the alerts going to this webhook block."""
    text = FILE.read_text().replace("ALERT_BLOCK", str(alert_block))
    return [AutomationCore.model_validate(one) for one in yaml.safe_load(text)["automations"]]


async def differing(client: PrefectClient, wanted: list[AutomationCore]) -> list[AutomationCore]:
    """Those that the server has not, or has otherwise."""
    known = {one.name: one for one in await client.read_automations()}
    return [one for one in wanted if one.name not in known or _content(known[one.name]) != _content(one)]


async def apply(client: PrefectClient, automations: list[AutomationCore]) -> None:
    for one in automations:
        known = await client.read_automations_by_name(one.name)
        if known:
            await client.update_automation(known[0].id, one)
        else:
            await client.create_automation(one)


def _content(automation: AutomationCore | Automation) -> dict[str, Any]:
    """What the file says of it; ids and owners are the server's."""
    names = set(AutomationCore.model_fields) - {"owner_resource"}
    # Not as JSON: events and labels are sets, and a set has no order.
    content = automation.model_dump(include=names)
    content["trigger"].pop("id", None)
    return content
