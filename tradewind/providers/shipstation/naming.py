"""Which label a delivery is about, read from as little of its body as will do."""

from __future__ import annotations

from tradewind.domain.events import Resource
from tradewind.providers.hooks import json_object, plain


def about(topic: str, body: bytes, *, connection: str) -> Resource | None:
    """The label of a track event that could not be taken in, by its tracking number; None when it shows none.

    Never raises. Source: ShipEngine OpenAPI, `track_event` webhook, `data.tracking_number`.
    """
    data = json_object(body).get("data")
    number = plain(data.get("tracking_number")) if isinstance(data, dict) else None
    if number is None:
        return None
    return Resource(connection=connection, kind="label", external_id=f"tracking_number={number}")
