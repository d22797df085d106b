"""Which order a delivery is about, read from as little of its body as will do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tradewind.domain.events import Resource
from tradewind.providers.hooks import json_object

_NAMES_ITS_ORDER = ("refunds/", "fulfillments/", "order_transactions/")


def about(topic: str, body: bytes, *, connection: str) -> Resource | None:
    """The order of a delivery whose body could not be taken in; None when it does not show. Never raises.

    Source: the published sample of each topic: an order has its id as `id`, what belongs to one has it as `order_id`.
    """
    payload = json_object(body)
    if topic.startswith("orders/"):
        edit = payload.get("order_edit")
        number = edit.get("order_id") if isinstance(edit, Mapping) else payload.get("id")
    elif topic.startswith(_NAMES_ITS_ORDER):
        number = payload.get("order_id")
    else:
        return None
    return _order(number, connection)


def _order(number: Any, connection: str) -> Resource | None:
    if isinstance(number, bool) or not isinstance(number, int) or number <= 0:
        return None
    return Resource(connection=connection, kind="order", external_id=f"gid://shopify/Order/{number}")
