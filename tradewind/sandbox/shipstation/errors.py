"""ShipStation's error bodies. Source: ShipEngine OpenAPI, `error_response_body`."""

import random
import uuid
from typing import Any

from starlette.responses import JSONResponse, Response


class ShipStationError(Exception):
    """A request that is answered with an error body."""

    def __init__(self, status: int, kind: str, code: str, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.status = status
        self.error = {
            "error_source": "shipengine",
            "error_type": kind,
            "error_code": code,
            "message": message,
            **fields,
        }


def required(field_name: str) -> ShipStationError:
    """A field that must be there."""
    message = f"{field_name} is required."
    return ShipStationError(400, "validation", "field_value_required", message, field_name=field_name)


def invalid(field_name: str, message: str) -> ShipStationError:
    """A field with a value that cannot be."""
    return ShipStationError(400, "validation", "invalid_field_value", message, field_name=field_name)


def not_found(what: str, identifier: str) -> ShipStationError:
    """No such thing in this account."""
    return ShipStationError(404, "validation", "invalid_identifier", f"{what} {identifier} was not found.")


def error_response(error: ShipStationError, request_id: uuid.UUID, headers: dict[str, str] | None = None) -> Response:
    """The error as an answer."""
    return JSONResponse({"request_id": str(request_id), "errors": [error.error]}, error.status, headers)


def rate_limited(retry_after_s: int, request_id: uuid.UUID) -> Response:
    """429. Source: docs.shipstation.com/rate-limits."""
    error = ShipStationError(429, "business_rules", "rate_limit_exceeded", "You've exceeded your rate limit.")
    return error_response(error, request_id, {"Retry-After": str(retry_after_s)})


def fault_answer(kind: str, rng: random.Random) -> Response:
    """An injected 429 or 5xx: nothing happened."""
    request_id = uuid.UUID(int=rng.getrandbits(128), version=4)
    if kind == "throttle_storm":
        return rate_limited(1, request_id)
    error = ShipStationError(rng.choice((500, 502, 503)), "system", "unspecified", "An unexpected error occurred.")
    return error_response(error, request_id)
