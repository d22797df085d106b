"""The base of every domain model."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Frozen, closed to unknown fields; JSON round trips with `model_dump_json` and `model_validate_json`.

    Errors do not show the values that were refused: they may be personal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
