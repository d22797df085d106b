"""HTTP: the token endpoint and the GraphQL endpoint of every store."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from tradewind.sandbox.shopify.graphql_api import GraphqlApi, Request, throttled
from tradewind.sandbox.shopify.oauth import LIFETIME_S, GrantError
from tradewind.sandbox.shopify.subscriptions import API_VERSION
from tradewind.sandbox.shopify.throttle import MAXIMUM, RESTORE_PER_S

if TYPE_CHECKING:
    from tradewind.sandbox.kernel import Sandbox
    from tradewind.sandbox.shopify.store import ShopifyStore


def routes(sandbox: Sandbox) -> list[BaseRoute]:
    """The routes of all stores, each under /shopify/{account}."""
    endpoints = Endpoints(sandbox.shopify)
    home = "/shopify/{account}/admin"
    return [
        Route(f"{home}/oauth/access_token", endpoints.grant_token, methods=["POST"]),
        Route(f"{home}/api/{API_VERSION}/graphql.json", endpoints.graphql, methods=["POST"]),
    ]


def fault_answer(kind: str, rng: random.Random) -> Response:
    """An injected failure in Shopify's words: throttling and some internal errors come with status 200."""
    if kind == "throttle_storm":
        status = {"maximumAvailable": MAXIMUM, "currentlyAvailable": 0, "restoreRate": RESTORE_PER_S}
        cost = {"requestedQueryCost": 100, "actualQueryCost": None, "throttleStatus": status}
        return JSONResponse(throttled(cost))
    status_code = rng.choice((200, 500, 502, 503))
    if status_code != 200:
        return JSONResponse({"errors": "Internal Server Error"}, status_code)
    request_id = f"{rng.getrandbits(64):016x}"
    message = f"Internal error. Looks like something went wrong on our end.\nRequest ID: {request_id}"
    error = {"message": message, "extensions": {"code": "INTERNAL_SERVER_ERROR", "requestId": request_id}}
    return JSONResponse({"errors": [error]})


class Endpoints:
    """What a store answers over HTTP."""

    def __init__(self, stores: Mapping[str, ShopifyStore]) -> None:
        self._stores = stores
        self._graphql = GraphqlApi()

    async def grant_token(self, request: HttpRequest) -> Response:
        """Client credentials grant. Source: shopify.dev, "Using the client credentials grant"."""
        store = self._stores.get(request.path_params["account"])
        if store is None:
            return _not_found()
        try:
            token = store.tokens.grant(await _parameters(request), store.now())
        except GrantError as refusal:
            return JSONResponse({"error": refusal.error, "error_description": refusal.description}, 400)
        scopes = ",".join(sorted(store.scopes))
        return JSONResponse({"access_token": token, "scope": scopes, "expires_in": LIFETIME_S})

    async def graphql(self, request: HttpRequest) -> Response:
        """One GraphQL document."""
        store = self._stores.get(request.path_params["account"])
        if store is None:
            return _not_found()
        if not store.tokens.is_valid(request.headers.get("x-shopify-access-token", ""), store.now()):
            message = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return JSONResponse({"errors": message}, 401)
        sent = await _parameters(request)
        if not isinstance(sent.get("query"), str):
            return JSONResponse({"errors": {"query": "Required parameter missing or invalid"}}, 400)
        asked = Request(sent["query"], sent.get("variables") or {}, sent.get("operationName") or None)
        headers = {"X-Shopify-API-Version": API_VERSION, "X-Request-Id": store.ids.uuid()}
        return JSONResponse(self._graphql.run(store, asked), headers=headers)


async def _parameters(request: HttpRequest) -> Mapping[str, Any]:
    """The request's parameters, from JSON or from a form."""
    raw = await request.body()
    if "json" not in request.headers.get("content-type", ""):
        return dict(parse_qsl(raw.decode(errors="replace")))
    try:
        parsed = json.loads(raw)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _not_found() -> Response:
    return JSONResponse({"errors": "Not Found"}, 404)
