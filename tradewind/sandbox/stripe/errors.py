"""Stripe's error objects. Source: Stripe API reference, "Errors" and "Error codes"."""

import random
from typing import Any

from starlette.responses import JSONResponse, Response


class StripeError(Exception):
    """A request that is answered with an error object."""

    def __init__(self, status: int, message: str, *, kind: str = "invalid_request_error", **fields: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": kind, **fields}}

    @property
    def started(self) -> bool:
        """Whether the endpoint had begun to execute: only then is the answer kept for the idempotency key."""
        return self.status != 401 and self.body["error"].get("code") not in _BEFORE_EXECUTION


_BEFORE_EXECUTION = frozenset(
    {"parameter_unknown", "parameter_missing", "parameter_invalid_integer", "parameter_invalid_empty"}
)


def missing(name: str) -> StripeError:
    """A required parameter was not sent."""
    return StripeError(400, f"Missing required param: {name}.", code="parameter_missing", param=name)


def unknown_parameter(name: str) -> StripeError:
    """A parameter that the operation does not have (or that this sandbox does not simulate)."""
    return StripeError(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)


def not_found(what: str, object_id: str, param: str) -> StripeError:
    """No such object in this account."""
    return StripeError(404, f"No such {what}: '{object_id}'", code="resource_missing", param=param)


def fault_answer(kind: str, rng: random.Random) -> Response:
    """An injected 429 or 5xx that came before the endpoint began: nothing happened, nothing is kept."""
    if kind == "throttle_storm":
        return rate_limited("endpoint-concurrency")
    error = {"message": "An unknown error occurred", "type": "api_error"}
    return JSONResponse({"error": error}, rng.choice((500, 502, 503)), {"Stripe-Should-Retry": "true"})


def rate_limited(reason: str) -> Response:
    """429 with the limiter's name. Source: docs.stripe.com/rate-limits."""
    error = {
        "message": "Request rate limit exceeded. Learn more at https://stripe.com/docs/rate-limits.",
        "type": "invalid_request_error",
        "code": "rate_limit",
        "doc_url": "https://stripe.com/docs/error-codes/rate-limit",
    }
    return JSONResponse({"error": error}, 429, {"Stripe-Rate-Limited-Reason": reason})
