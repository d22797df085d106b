"""Stripe over HTTP: who asks, how often, with which idempotency key, and what is answered."""

import base64
import binascii
import json
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from tradewind.sandbox.api_faults import SCOPE_KEY
from tradewind.sandbox.faults import Injected
from tradewind.sandbox.stripe import objects
from tradewind.sandbox.stripe.account import StripeAccount
from tradewind.sandbox.stripe.errors import StripeError, fault_answer, rate_limited
from tradewind.sandbox.stripe.idempotency import Reply
from tradewind.sandbox.stripe.lists import expand
from tradewind.sandbox.stripe.objects import Json
from tradewind.sandbox.stripe.operations import OPERATIONS, Call, Operation
from tradewind.sandbox.stripe.params import Params, parse_form

_NO_FAULT: Final = Injected("")


def account_routes(account: StripeAccount) -> BaseRoute:
    """One account's operations."""
    served = [Route(op.path, _Endpoint(account, op).respond, methods=[op.method]) for op in OPERATIONS]
    return Mount(
        f"/stripe/{account.account}",
        routes=[*served, Route("/{path:path}", _unrecognised, methods=["GET", "POST", "DELETE"])],
    )


class _Endpoint:
    """Serves one operation of one account."""

    def __init__(self, account: StripeAccount, operation: Operation) -> None:
        self._account = account
        self._operation = operation
        self._allowed = {name.partition(".")[0] for name in operation.parameters}

    async def respond(self, request: Request) -> Response:
        """The answer, errors included, with the headers that every Stripe answer has."""
        request_id = self._account.new_id("req")[:18]
        try:
            response = await self._admitted(request, request_id)
        except StripeError as error:
            response = JSONResponse(error.body, error.status)
            if error.status == 409:
                response.headers["Stripe-Should-Retry"] = "true"
        response.headers.setdefault("Request-Id", request_id)
        response.headers["Stripe-Version"] = request.headers.get("Stripe-Version", objects.API_VERSION)
        return response

    async def _admitted(self, request: Request, request_id: str) -> Response:
        """Let in who has the key and keeps to the limit; keyed requests run once."""
        account = self._account
        _authenticate(request, account.secret_key)
        if not account.limit.admit():
            account.truth.record("throttled", connection=account.connection, reason="global-rate")
            return rate_limited("global-rate")
        is_post = request.method == "POST"
        form = parse_form((await request.body()).decode() if is_post else request.url.query)
        key = request.headers.get("Idempotency-Key") if is_post else None
        fault: Injected = request.scope.get(SCOPE_KEY, _NO_FAULT)
        if fault.kind == "server_error" and (key is None or account.fault_rng.random() < 0.5):
            return fault_answer("server_error", account.fault_rng)
        if key is None:
            await account.clock.sleep(fault.length_s)
            return JSONResponse(self._run(request, form, {"id": request_id, "idempotency_key": None}))
        return await self._once(request, form, key, request_id, fault)

    async def _once(
        self, request: Request, form: dict[str, Any], key: str, request_id: str, fault: Injected
    ) -> Response:
        """Run a keyed request, or give the answer that was kept for its key."""
        keys = self._account.keys
        kept = keys.begin(key, f"{request.method} {request.url.path} {json.dumps(form, sort_keys=True)}")
        if kept is not None:
            return _reply(kept, key, replayed=True)
        try:
            # Meanwhile the key is in use: a second request with it is answered 409.
            await self._account.clock.sleep(fault.length_s)
            if fault.kind == "server_error":
                raise StripeError(500, "An unknown error occurred", kind="api_error")
            answer, status = self._run(request, form, {"id": request_id, "idempotency_key": key}), 200
        except StripeError as error:
            if not error.started:
                keys.abandon(key)
                raise
            answer, status = error.body, error.status
        except BaseException:
            keys.abandon(key)
            raise
        reply = Reply(status, json.dumps(answer).encode(), request_id)
        keys.finish(key, reply)
        return _reply(reply, key, replayed=False)

    def _run(self, request: Request, form: dict[str, Any], cause: Json) -> Json:
        params = Params(form, self._allowed)
        object_id = next(iter(request.path_params.values()), "")
        answer = self._operation.run(Call(self._account, object_id, params, cause))
        return expand(answer, params.texts("expand"), self._find)

    def _find(self, object_id: str) -> Json | None:
        payments, disputes = self._account.payments, self._account.disputes
        for kept in (payments.charges, payments.intents, payments.refunds, payments.balance, disputes.kept):
            if object_id in kept:
                return kept[object_id]
        return None


def _reply(reply: Reply, key: str, *, replayed: bool) -> Response:
    """A keyed answer. A 500 that is kept will never be another answer, so Stripe says not to retry it."""
    headers = {"Idempotency-Key": key, "Original-Request": reply.request_id}
    if replayed:
        headers["Idempotent-Replayed"] = "true"
    else:
        headers["Request-Id"] = reply.request_id
    if reply.status >= 500:
        headers["Stripe-Should-Retry"] = "false"
    return Response(reply.body, reply.status, headers, media_type="application/json")


def _authenticate(request: Request, secret_key: str) -> None:
    """The secret key as a bearer token, or as the user name of basic authentication."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            value = base64.b64decode(value).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            value = ""
    if not value:
        raise StripeError(401, "You did not provide an API key.")
    if value != secret_key:
        raise StripeError(401, f"Invalid API Key provided: {value[:8]}****{value[-4:]}")


async def _unrecognised(request: Request) -> Response:
    error = StripeError(404, f"Unrecognized request URL ({request.method}: /{request.path_params['path']}).")
    return JSONResponse(error.body, error.status)
