"""The simulated back office."""

import hashlib
import hmac
from typing import Any

import pytest

from tests.unit.sandbox.inside import Inside, inside
from tests.unit.sandbox.waiting import settle

LINE = {"sku": "22423", "description": "CAKESTAND", "quantity": -1, "unit_price": "12.50"}


def document(name: str, occurred_at: str = "2011-11-14T10:00:00+00:00") -> dict[str, Any]:
    return {
        "document": name,
        "kind": "credit",
        "reason": "returned",
        "occurred_at": occurred_at,
        "currency": "GBP",
        "total": "-12.50",
        "lines": [LINE],
    }


def headers(stage: Inside) -> dict[str, str]:
    return {"Authorization": f"Bearer {stage.sandbox.backoffice['main'].secret}"}


async def test_a_document_is_sent_signed_and_each_retry_anew() -> None:
    async with inside() as stage:
        office = stage.sandbox.backoffice["main"]
        asked = {"url": "http://shop/hooks/backoffice/main"}
        assert (
            await stage.http.post("/backoffice/main/subscription", json=asked, headers=headers(stage))
        ).json() == asked
        stage.answers = [503]
        office.post_document(document("C1"))
        await settle(lambda: stage.sandbox.sender.idle)
        stage.clock.advance(5)
        await settle(lambda: len(stage.received) == 2)
        first, second = stage.received
        assert first.headers["X-Backoffice-Id"] == second.headers["X-Backoffice-Id"]
        for request in stage.received:
            signed = request.headers["X-Backoffice-Timestamp"].encode() + b"." + request.content
            expected = hmac.new(office.secret.encode(), signed, hashlib.sha256).hexdigest()
            assert request.headers["X-Backoffice-Signature"] == expected
        assert first.headers["X-Backoffice-Signature"] != second.headers["X-Backoffice-Signature"]


async def test_documents_are_listed_since_a_time_in_the_order_of_booking() -> None:
    async with inside() as stage:
        booked_at = {}
        for name, hour in (("C3", 12), ("C1", 8), ("C2", 10)):
            booked_at[name] = stage.clock.now().isoformat()
            stage.sandbox.backoffice["main"].post_document(document(name, f"2011-11-14T{hour:02}:00:00+00:00"))
            stage.clock.advance(60)

        async def listed(**query: str) -> list[str]:
            answer = await stage.http.get("/backoffice/main/documents", params=query, headers=headers(stage))
            return [found["document"] for found in answer.json()["documents"]]

        assert await listed() == ["C3", "C1", "C2"]
        assert await listed(since=booked_at["C1"]) == ["C1", "C2"]
        assert stage.received == []


@pytest.mark.parametrize("body", [b"{", b"{}", b'{"url": "ftp://x"}', b"[]"])
async def test_a_subscription_needs_an_address(body: bytes) -> None:
    async with inside() as stage:
        answer = await stage.http.post("/backoffice/main/subscription", content=body, headers=headers(stage))
        assert answer.status_code == 400
        shown = await stage.http.get("/backoffice/main/subscription", headers=headers(stage))
        assert shown.json() == {"url": None}


@pytest.mark.parametrize(("method", "path"), [("GET", "documents"), ("GET", "subscription"), ("POST", "subscription")])
async def test_a_wrong_secret_is_401(method: str, path: str) -> None:
    async with inside() as stage:
        assert (await stage.http.request(method, f"/backoffice/main/{path}")).status_code == 401


async def test_a_time_that_is_none_is_400() -> None:
    async with inside() as stage:
        answer = await stage.http.get("/backoffice/main/documents?since=soon", headers=headers(stage))
        assert answer.status_code == 400


async def test_a_document_is_booked_once_and_whole() -> None:
    async with inside() as stage:
        office = stage.sandbox.backoffice["main"]
        office.post_document(document("C1"))
        with pytest.raises(ValueError, match="C1 exists"):
            office.post_document(document("C1"))
        with pytest.raises(ValueError, match=r"lacks .*total"):
            office.post_document({"document": "C2"})
