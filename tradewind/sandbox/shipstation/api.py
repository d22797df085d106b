"""ShipStation over HTTP: who asks, how often, and what is answered."""

import json
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from tradewind.sandbox.shipstation.account import ShipStationAccount
from tradewind.sandbox.shipstation.errors import ShipStationError, error_response, rate_limited, required
from tradewind.sandbox.shipstation.operations import OPERATIONS, Call, Operation

_VERSIONS: Final = ("v1", "v2")

# The least that is a PDF file; the pixels of a label are nobody's concern here.
_LABEL_PDF: Final = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
    + (b"trailer<</Root 1 0 R>>\n%%EOF\n")
)


def account_routes(account: ShipStationAccount) -> BaseRoute:
    """One account's operations under both prefixes, its public keys, its label files."""
    served = [
        Route(f"/{version}{op.path}", _Endpoint(account, version, op).respond, methods=[op.method])
        for version in _VERSIONS
        for op in OPERATIONS
    ]

    async def jwks(_: Request) -> Response:
        return JSONResponse({"keys": [account.hooks.key.jwk]})

    async def download(request: Request) -> Response:
        found = request.path_params["label_id"] in account.shipping.labels
        return Response(_LABEL_PDF, 200, media_type="application/pdf") if found else Response(status_code=404)

    files = [Route("/jwks", jwks), Route("/downloads/{label_id}/{name}", download)]
    return Mount(f"/shipstation/{account.account}", routes=[*served, *files])


class _Endpoint:
    """Serves one operation of one account under one prefix."""

    def __init__(self, account: ShipStationAccount, version: str, operation: Operation) -> None:
        self._account = account
        self._version = version
        self._operation = operation

    async def respond(self, request: Request) -> Response:
        """The answer, errors included."""
        account, request_id = self._account, self._account.new_request_id()
        try:
            _authenticate(request, account.api_key)
            if not account.limit.admit():
                account.truth.record("throttled", connection=account.connection, reason="requests per minute")
                return rate_limited(account.limit.wait_s(), request_id)
            body = await _body(request)
            call = Call(account, self._version, request.path_params, request.query_params, body)
            answer = self._operation.run(call)
        except ShipStationError as error:
            return error_response(error, request_id)
        headers = {"x-shipengine-requestid": str(request_id)}
        return Response(status_code=204, headers=headers) if answer is None else JSONResponse(answer, 200, headers)


def _authenticate(request: Request, api_key: str) -> None:
    if request.headers.get("API-Key") != api_key:
        raise ShipStationError(401, "security", "unauthorized", "Your API key is missing or wrong.")


async def _body(request: Request) -> dict[str, Any]:
    """The request's JSON object. No body is an empty one, and so is `null`, which the official client sends."""
    try:
        parsed = json.loads(await request.body() or b"null") or {}
    except ValueError:
        raise ShipStationError(400, "validation", "invalid_object", "The body is not JSON.") from None
    if not isinstance(parsed, dict):
        raise required("An object")
    return parsed
