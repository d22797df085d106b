"""The GraphQL Admin API as calls: costs, throttling, errors inside 200 answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from tradewind.errors import ProviderUnavailable, RateLimited, RequestRejected, SchemaMismatch, TradewindError
from tradewind.providers.shopify.documents import Document
from tradewind.providers.shopify.limits import COSTS
from tradewind.providers.shopify.wire import QueryCost
from tradewind.transport import Call, Feedback, Transport, classify, json_of, parsed
from tradewind.transport.classify import no_answer

USER_ERROR = "USER_ERROR"
"""Code of a refusal for which the schema has no code of its own."""

Variables = Mapping[str, Any]


class AdminApi:
    """Queries may be repeated; mutations have no key and are not: whoever sends one looks first and afterwards."""

    def __init__(self, transport: Transport, version: str) -> None:
        self._transport = transport
        self._path = f"/admin/api/{version}/graphql.json"
        self._seen_costs: dict[str, float] = {}

    async def query(self, document: Document, variables: Variables) -> dict[str, Any]:
        """The answer's `data`. Raises the transport's errors, and SchemaMismatch when there is none."""
        data, _ = await self.query_response(document, variables)
        return data

    async def query_response(self, document: Document, variables: Variables) -> tuple[dict[str, Any], httpx.Response]:
        return await self._send(document, variables, effect=False)

    async def mutate(self, document: Document, variables: Variables) -> dict[str, Any]:
        """The mutation's payload. Raises RequestRejected for its userErrors, with the first one's code."""
        data, _ = await self._send(document, variables, effect=True)
        payload = next(iter(data.values()), None)
        if not isinstance(payload, dict):
            raise SchemaMismatch(f"{document.name}: the answer has no payload")
        _raise_user_errors(document, payload.get("userErrors"))
        return payload

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def _send(
        self, document: Document, variables: Variables, *, effect: bool
    ) -> tuple[dict[str, Any], httpx.Response]:
        response = await self._transport.request(
            "POST",
            self._path,
            json={"query": document.text, "operationName": document.name, "variables": dict(variables)},
            cost=self._seen_costs.get(document.name, COSTS[document.name]),
            idempotent=not effect,
            effect=effect,
            operation=document.name,
        )
        answer = json_of(response)
        self._learn_cost(document, answer)
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, dict):
            raise SchemaMismatch(f"{document.name}: the answer has no data")
        return data, response

    def _learn_cost(self, document: Document, answer: Any) -> None:
        # The requested cost follows from the document and its sizes, which are the same in every call.
        cost = _cost_of(answer)
        if cost is not None and cost.requested_query_cost > 0:
            self._seen_costs[document.name] = cost.requested_query_cost


def observe_cost(response: httpx.Response, cost: float) -> Feedback | None:
    """What `extensions.cost` says: points left, how fast they come back, what the query did not use."""
    seen = _cost_of(_json(response))
    if seen is None:
        return None
    return Feedback(
        remaining=seen.throttle_status.currently_available,
        restore_per_s=seen.throttle_status.restore_rate,
        refunded=max(0.0, cost - (seen.actual_query_cost or 0.0)),
    )


def classify_shopify(response: httpx.Response, call: Call) -> TradewindError | None:
    """Adds the errors that Shopify puts into 200 answers.

    THROTTLED: nothing ran; the wait is what is missing over what is restored. INTERNAL_SERVER_ERROR: unknown for a
    mutation. Source: shopify.dev, "GraphQL Admin API status and error codes".
    """
    error = classify(response, call)
    if error is not None:
        return error
    answer = _json(response)
    if not isinstance(answer, dict):
        return no_answer(f"{call.operation}: the answer is not JSON", call)
    errors = answer.get("errors")
    if not errors:
        return None
    code = _error_code(errors)
    if code == "THROTTLED":
        return RateLimited(f"{call.operation}: throttled", retry_after_s=_wait_s(answer))
    if code in ("INTERNAL_SERVER_ERROR", "TIMEOUT"):
        return no_answer(f"{call.operation}: {code}", call)
    if code == "SERVICE_UNAVAILABLE":
        return ProviderUnavailable(f"{call.operation}: {code}")
    return RequestRejected(f"{call.operation}: {code or 'refused'}", code=code)


def _raise_user_errors(document: Document, errors: Any) -> None:
    if not errors:
        return
    first = errors[0] if isinstance(errors, list) else None
    if not isinstance(first, dict):
        raise SchemaMismatch(f"{document.name}: userErrors is no list of errors")
    code = first.get("code") or USER_ERROR
    raise RequestRejected(f"{document.name}: {first.get('message')}", code=code)


def _error_code(errors: Any) -> str | None:
    first = errors[0] if isinstance(errors, list) and errors else None
    extensions = first.get("extensions") if isinstance(first, dict) else None
    code = extensions.get("code") if isinstance(extensions, dict) else None
    return code if isinstance(code, str) else None


def _wait_s(answer: dict[str, Any]) -> float:
    cost = _cost_of(answer)
    if cost is None or cost.throttle_status.restore_rate <= 0:
        return 1.0
    missing = cost.requested_query_cost - cost.throttle_status.currently_available
    return max(0.1, missing / cost.throttle_status.restore_rate)


def _cost_of(answer: Any) -> QueryCost | None:
    extensions = answer.get("extensions") if isinstance(answer, dict) else None
    cost = extensions.get("cost") if isinstance(extensions, dict) else None
    if cost is None:
        return None
    try:
        return parsed(QueryCost, cost, "extensions.cost")
    except SchemaMismatch:
        return None  # the budget is then kept by our own count alone


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
