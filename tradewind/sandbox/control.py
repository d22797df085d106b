"""The control API: start the world, watch it, spoil the books, ask for the truth. Bearer token; no faults here."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from tradewind.sandbox.acts import ASK, perform
from tradewind.sandbox.outcomes import order_outcomes
from tradewind.sandbox.plants import NotNow

if TYPE_CHECKING:
    from tradewind.sandbox.kernel import Sandbox

_Endpoint = Callable[[Request], Awaitable[Response]]


class _Ask(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StartAsk(_Ask):
    """Either so many shoppers or a history to replay. rate_per_s: shoppers or invoices a second.

    life: whether orders are only paid, shipped and cancelled (plain), or everything happens to them (full).
    """

    orders: int | None = Field(default=None, ge=0)
    replay: Path | None = None
    rate_per_s: float = Field(default=1.0, gt=0)
    life: Literal["plain", "full"] = "plain"


class PrepareAsk(_Ask):
    """A history whose goods are to be on sale before anyone connects."""

    replay: Path


class KindAsk(_Ask):
    """A fault in the books: stray_charge or silent_refund."""

    kind: str


class LevelAsk(_Ask):
    """none, mild or hostile."""

    level: str


def routes(sandbox: Sandbox) -> list[BaseRoute]:
    """The control API's routes under /control."""
    control = _Control(sandbox)
    return [
        Route(f"/control/{path}", control.guarded(answer), methods=[method])
        for method, path, answer in (
            ("POST", "prepare", control.prepare),
            ("POST", "start", control.start),
            ("GET", "progress", control.progress),
            ("GET", "truth", control.truth),
            ("GET", "replay", control.replay),
            ("POST", "plant", control.plant),
            ("POST", "act", control.act),
            ("POST", "faults", control.faults),
        )
    ]


class _Control:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def guarded(self, answer: _Endpoint) -> _Endpoint:
        """The endpoint behind the token, its errors as JSON: 400 bad request, 404 nothing there, 409 not now."""

        async def endpoint(request: Request) -> Response:
            given = request.headers.get("authorization", "")
            if not secrets.compare_digest(given.encode(), f"Bearer {self._sandbox.control_token}".encode()):
                return _error(401, "the control token is missing or wrong")
            try:
                return await answer(request)
            except ValidationError as error:
                return _error(400, "; ".join(f"{_place(each['loc'])}: {each['msg']}" for each in error.errors()))
            except NotNow as error:
                return _error(409, str(error))
            except ValueError as error:
                return _error(400, str(error))

        return endpoint

    async def prepare(self, request: Request) -> Response:
        """POST {"replay": path}: read a history, put its goods on sale, answer its classes."""
        ask = PrepareAsk.model_validate_json(await request.body())
        self._sandbox.world.prepare_replay(ask.replay)
        return await self.replay(request)

    async def start(self, request: Request) -> Response:
        """POST {"orders", "rate_per_s"} or {"replay", "rate_per_s"}: the world goes on in the background."""
        ask = StartAsk.model_validate_json(await request.body())
        if (ask.orders is None) == (ask.replay is None):
            return _error(400, 'give either "orders" or "replay"')
        if ask.replay is not None:
            self._sandbox.world.start_replay(ask.replay, rate_per_s=ask.rate_per_s)
        else:
            self._sandbox.world.start(orders=ask.orders or 0, rate_per_s=ask.rate_per_s, life=ask.life)
        return JSONResponse(self._sandbox.world.progress(), status_code=202)

    async def progress(self, _: Request) -> Response:
        """GET: how far the world is."""
        return JSONResponse(self._sandbox.world.progress())

    async def truth(self, _: Request) -> Response:
        """GET: every fact, and the truth by order."""
        return JSONResponse({**self._sandbox.truth.as_dict(), "orders": order_outcomes(self._sandbox.truth)})

    async def replay(self, _: Request) -> Response:
        """GET: every invoice with its class and what became of it, and totals per day and class."""
        report = self._sandbox.world.report
        if report is None:
            return _error(404, "no history is being replayed")
        return JSONResponse(report.as_dict())

    async def plant(self, request: Request) -> Response:
        """POST {"kind"}: plant a fault, answer what it was."""
        ask = KindAsk.model_validate_json(await request.body())
        return JSONResponse(self._sandbox.world.plant(ask.kind), status_code=201)

    async def act(self, request: Request) -> Response:
        """POST {"act", …}: one thing that a merchant, a bank or a carrier does, as in `acts`."""
        asked = ASK.validate_json(await request.body())
        return JSONResponse(perform(self._sandbox, asked), status_code=201)

    async def faults(self, request: Request) -> Response:
        """POST {"level"}: change the fault level from now on."""
        self._sandbox.faults.set_level(LevelAsk.model_validate_json(await request.body()).level)
        return JSONResponse({"level": self._sandbox.faults.level})


def _error(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": message}, status_code=status)


def _place(location: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in location) or "body"
