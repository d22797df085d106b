"""HTTP: the token endpoint and the GraphQL endpoint of every store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from tradewind.sandbox.shopify.oauth import LIFETIME_S, GrantError

if TYPE_CHECKING:
    from tradewind.sandbox.kernel import Sandbox
    from tradewind.sandbox.shopify.store import ShopifyStore


def routes(sandbox: Sandbox) -> list[BaseRoute]:
    """The routes of all stores, each under /shopify/{account}."""
    endpoints = Endpoints(sandbox.shopify)
    return [
        Route("/shopify/{account}/admin/oauth/access_token", endpoints.grant_token, methods=["POST"]),
    ]


class Endpoints:
    """What a store answers over HTTP."""

    def __init__(self, stores: Mapping[str, ShopifyStore]) -> None:
        self._stores = stores

    async def grant_token(self, request: Request) -> Response:
        """Client credentials grant. Source: shopify.dev, "Using the client credentials grant"."""
        store = self._stores.get(request.path_params["account"])
        if store is None:
            return _not_found()
        try:
            token = store.tokens.grant(await _parameters(request), store.now())
        except GrantError as refusal:
            return JSONResponse({"error": refusal.error, "error_description": refusal.description}, 400)
        return JSONResponse(
            {"access_token": token, "scope": ",".join(sorted(store.scopes)), "expires_in": LIFETIME_S},
        )


async def _parameters(request: Request) -> Mapping[str, Any]:
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
