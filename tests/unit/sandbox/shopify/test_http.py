"""The endpoints, asked over HTTP without a socket."""

import random
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from tests.unit.sandbox.shopify.stores import Shop
from tradewind.sandbox.shopify import fault_answer, routes

TOKEN = "/shopify/north/admin/oauth/access_token"
GRAPHQL = "/shopify/north/admin/api/2026-10/graphql.json"


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
async def http(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(Starlette(routes=routes(shop.sandbox)))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
        yield client


def credentials(shop: Shop, **more: str) -> dict[str, str]:
    described = shop.store.describe()
    known = {key: described[key] for key in ("client_id", "client_secret")}
    return {**known, "grant_type": "client_credentials", **more}


async def authorised(shop: Shop, http: httpx.AsyncClient) -> dict[str, str]:
    granted = await http.post(TOKEN, data=credentials(shop))
    return {"X-Shopify-Access-Token": granted.json()["access_token"]}


@pytest.mark.parametrize("form", ["data", "json"])
async def test_credentials_buy_a_token_for_a_day(shop: Shop, http: httpx.AsyncClient, form: str) -> None:
    given: dict[str, Any] = {form: credentials(shop)}
    granted = (await http.post(TOKEN, **given)).json()
    assert granted["expires_in"] == 86399
    assert "write_orders" in granted["scope"].split(",")
    headers = {"X-Shopify-Access-Token": granted["access_token"]}
    question = {"query": "{ shop { name myshopifyDomain } }", "variables": None, "operationName": None}
    answer = await http.post(GRAPHQL, json=question, headers=headers)
    assert answer.json()["data"] == {"shop": {"name": "North", "myshopifyDomain": "north.myshopify.com"}}
    assert answer.headers["X-Shopify-API-Version"] == "2026-10"
    shop.clock.advance(86400)
    assert (await http.post(GRAPHQL, json=question, headers=headers)).status_code == 401


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"client_id": "x"}, "application_cannot_be_found"),
        ({"client_secret": "x"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
async def test_wrong_credentials_say_what_is_wrong(
    shop: Shop, http: httpx.AsyncClient, wrong: dict[str, str], error: str
) -> None:
    refused = await http.post(TOKEN, data=credentials(shop, **wrong))
    assert (refused.status_code, refused.json()["error"]) == (400, error)


async def test_a_body_that_is_not_json_buys_nothing(http: httpx.AsyncClient) -> None:
    for content in ("{", "[]"):
        refused = await http.post(TOKEN, content=content, headers={"content-type": "application/json"})
        assert refused.status_code == 400


async def test_without_a_token_nothing_is_answered(http: httpx.AsyncClient) -> None:
    refused = await http.post(GRAPHQL, json={"query": "{ shop { name } }"})
    assert refused.status_code == 401
    assert "Invalid API key or access token" in refused.json()["errors"]


async def test_another_store_or_version_is_not_found(shop: Shop, http: httpx.AsyncClient) -> None:
    for path in (TOKEN, GRAPHQL):
        assert (await http.post(path.replace("north", "east"), json={})).status_code == 404
    assert (await http.post(GRAPHQL.replace("2026-10", "2020-01"), json={})).status_code == 404


async def test_a_question_that_is_none_is_a_bad_request(shop: Shop, http: httpx.AsyncClient) -> None:
    headers = await authorised(shop, http)
    assert (await http.post(GRAPHQL, json={}, headers=headers)).status_code == 400


@pytest.mark.parametrize(
    "question",
    [
        {"query": "{ shop {"},
        {"query": "{ shop { secrets } }"},
        {"query": "query A { shop { id } } query B { shop { id } }"},
        {"query": "query A { shop { id } }", "operationName": "B"},
        {"query": "query ($id: ID!) { order(id: $id) { id } }"},
    ],
)
async def test_a_wrong_document_is_answered_with_errors_and_status_200(
    shop: Shop, http: httpx.AsyncClient, question: dict[str, Any]
) -> None:
    answer = await http.post(GRAPHQL, json=question, headers=await authorised(shop, http))
    assert answer.status_code == 200
    assert answer.json()["errors"][0]["message"]
    assert "data" not in answer.json()


async def test_a_field_without_its_scope_is_denied_and_the_rest_answered(shop: Shop, http: httpx.AsyncClient) -> None:
    shop.store.scopes -= {"read_orders", "write_orders"}
    question = {"query": "{ shop { name } ordersCount { count } }"}
    answer = (await http.post(GRAPHQL, json=question, headers=await authorised(shop, http))).json()
    assert answer["data"] == {"shop": {"name": "North"}, "ordersCount": None}
    assert answer["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"
    assert answer["errors"][0]["path"] == ["ordersCount"]


async def test_the_granted_scopes_are_told(shop: Shop, http: httpx.AsyncClient) -> None:
    question = {"query": "{ currentAppInstallation { accessScopes { handle } } }"}
    answer = (await http.post(GRAPHQL, json=question, headers=await authorised(shop, http))).json()
    handles = {each["handle"] for each in answer["data"]["currentAppInstallation"]["accessScopes"]}
    assert handles == set(shop.store.describe()["scopes"])


def test_an_injected_throttling_looks_like_shopifys() -> None:
    answer = fault_answer("throttle_storm", random.Random(1))
    assert answer.status_code == 200
    assert b'"code":"THROTTLED"' in bytes(answer.body)


def test_injected_failures_come_with_and_without_status_200() -> None:
    rng = random.Random(1)
    answers = [fault_answer("server_error", rng) for _ in range(30)]
    assert {answer.status_code for answer in answers} == {200, 500, 502, 503}
    assert all(b"INTERNAL_SERVER_ERROR" in bytes(each.body) for each in answers if each.status_code == 200)
