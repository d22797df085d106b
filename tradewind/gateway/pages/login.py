"""GET and POST /login: the token in exchange for a cookie. POST /logout: the cookie is gone."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tradewind.gateway.pages.desk import BadForm, Desk, form_of

START = "/deliveries"


class LoginViews:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def show(self, request: Request) -> Response:
        return self._form(request, request.query_params.get("next", ""), None, 200)

    async def enter(self, request: Request) -> Response:
        access = self._desk.access
        try:
            form = await form_of(request)
        except BadForm as error:
            return self._form(request, "", str(error), 400)
        wanted = form.get("next", "")
        if access.allows(request, form.get("token", "").strip()):
            answer = RedirectResponse(_ours(wanted), 303)
            access.let_in(request, answer)
            return answer
        wait_s = access.wait_s(request)
        if wait_s:
            refused = self._form(request, wanted, f"Too many attempts. Try again in {wait_s} seconds.", 429)
            refused.headers["Retry-After"] = str(wait_s)
            return refused
        return self._form(request, wanted, "That is not the token.", 401)

    async def leave(self, request: Request) -> Response:
        answer = RedirectResponse("/login", 303)
        self._desk.access.let_out(answer)
        return answer

    def _form(self, request: Request, wanted: str, fault: str | None, status: int) -> Response:
        if self._desk.access.closed:
            return RedirectResponse(START, 303)
        return self._desk.page(request, "login.html", {"next": wanted, "fault": fault}, status)


def _ours(path: str) -> str:
    """Where to go after the login: a page of this site, whatever the link said."""
    safe = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if safe else START
