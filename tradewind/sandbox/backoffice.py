"""The merchant's back office: it tells of documents that no storefront can carry.

Credit notes, write-offs, adjustments: sent signed to the address that subscribed, and listed for reconciliation.
The signature is HMAC-SHA256 over `{timestamp}.{body}`, in hex.
"""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from tradewind.sandbox.kernel import Sandbox
from tradewind.sandbox.sender import Hook

RETRY_AFTER_S: Final = (5.0, 30.0, 300.0, 1800.0)
TIMEOUT_S: Final = 10.0

DOCUMENT_KEYS: Final = {"document", "kind", "reason", "occurred_at", "currency", "total", "lines"}


class BackOffice:
    """Its documents and who listens."""

    def __init__(self, sandbox: Sandbox, account: str) -> None:
        self.account = account
        self.connection = f"backoffice:{account}"
        self.base_url = f"{sandbox.base_url}/backoffice/{account}"
        self.secret = sandbox.secret(self.connection, 40)
        self.subscribed_url: str | None = None
        self.documents: dict[str, dict[str, Any]] = {}
        self._booked_at: dict[str, datetime] = {}
        self._clock = sandbox.clock
        self._sender = sandbox.sender

    def describe(self) -> dict[str, Any]:
        """Where it is and how to get in."""
        return {"account": self.account, "base_url": self.base_url, "secret": self.secret}

    def post_document(self, document: dict[str, Any]) -> None:
        """Book a document and tell of it.

        document: the keys of `DOCUMENT_KEYS`; `total` and prices are decimal strings. Raises ValueError when keys are
        missing or the document's name is taken.
        """
        if missing := DOCUMENT_KEYS - set(document):
            raise ValueError(f"document lacks {', '.join(sorted(missing))}")
        if document["document"] in self.documents:
            raise ValueError(f"document {document['document']} exists")
        self.documents[document["document"]] = document
        self._booked_at[document["document"]] = self._clock.now()
        if self.subscribed_url is not None:
            self._send(self.subscribed_url, document)

    def since(self, at: datetime) -> list[dict[str, Any]]:
        """Documents booked at that time or later, in the order of booking; what they are about may be long past."""
        return [document for name, document in self.documents.items() if self._booked_at[name] >= at]

    def _send(self, url: str, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        document_id = hashlib.sha256(f"{self.account}/{document['document']}".encode()).hexdigest()[:32]

        def headers(at: datetime) -> dict[str, str]:
            sent = str(int(at.timestamp()))
            signed = hmac.new(self.secret.encode(), sent.encode() + b"." + body, hashlib.sha256).hexdigest()
            return {
                "Content-Type": "application/json",
                "X-Backoffice-Id": document_id,
                "X-Backoffice-Timestamp": sent,
                "X-Backoffice-Signature": signed,
            }

        self._sender.send(Hook(self.connection, url, document["kind"], body, headers, RETRY_AFTER_S, TIMEOUT_S))


def create_accounts(sandbox: Sandbox) -> dict[str, BackOffice]:
    """The merchant's one back office."""
    return {"main": BackOffice(sandbox, "main")}


def routes(sandbox: Sandbox) -> list[BaseRoute]:
    """Every back office under its own path."""
    return [_account_routes(office) for office in sandbox.backoffice.values()]


def _account_routes(office: BackOffice) -> BaseRoute:
    async def subscribe(request: Request) -> Response:
        if refused := _refused(request, office.secret):
            return refused
        try:
            asked = await request.json()
        except ValueError:
            asked = None
        if not isinstance(asked, dict) or not str(asked.get("url", "")).startswith(("http://", "https://")):
            return JSONResponse({"error": "url must be an http or https address"}, 400)
        office.subscribed_url = asked["url"]
        return JSONResponse({"url": office.subscribed_url})

    async def subscription(request: Request) -> Response:
        return _refused(request, office.secret) or JSONResponse({"url": office.subscribed_url})

    async def documents(request: Request) -> Response:
        if refused := _refused(request, office.secret):
            return refused
        try:
            since_at = _utc(request.query_params.get("since", "1970-01-01"))
        except ValueError:
            return JSONResponse({"error": "since is not an ISO 8601 time"}, 400)
        return JSONResponse({"documents": office.since(since_at)})

    return Mount(
        f"/backoffice/{office.account}",
        routes=[
            Route("/subscription", subscribe, methods=["POST"]),
            Route("/subscription", subscription, methods=["GET"]),
            Route("/documents", documents, methods=["GET"]),
        ],
    )


def _refused(request: Request, secret: str) -> Response | None:
    if hmac.compare_digest(request.headers.get("Authorization", ""), f"Bearer {secret}"):
        return None
    return JSONResponse({"error": "unauthorized"}, 401)


def _utc(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
