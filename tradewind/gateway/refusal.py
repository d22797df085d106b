"""A delivery that is not acknowledged, as the provider hears it."""

from __future__ import annotations

from starlette.responses import JSONResponse


class Refusal(Exception):
    """status: HTTP. reason: for the sender; names no secret. retry_after_s: when the sender should try again."""

    def __init__(self, status: int, reason: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.retry_after_s = retry_after_s

    def response(self) -> JSONResponse:
        headers = {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}
        return JSONResponse({"error": self.reason}, self.status, headers)
