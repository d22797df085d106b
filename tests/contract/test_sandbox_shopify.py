"""The simulated Shopify, judged by the published schema and webhook samples, and by Shopify's own client."""

import json
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
import shopify
from graphql import introspection_from_schema, parse, validate

from tests.contracts import contract
from tests.sandboxes import Receiver, eventually, in_loop, running_receiver, running_sandbox
from tests.unit.sandbox.shopify.stores import Shop, body, gid
from tradewind.providers.shopify.documents import DOCUMENTS
from tradewind.sandbox import Sandbox
from tradewind.sandbox.shopify import PlacedLine, StoreOrder
from tradewind.sandbox.shopify.graphql_api import schema
from tradewind.sandbox.shopify.money import Currencies

# Keys that are null on some orders, though the samples happen to show a value.
NULLABLE = {
    *("billing_address", "cancel_reason", "cancelled_at", "company", "compare_at_price", "customer", "message", "note"),
    *("phone", "province", "province_code", "shipping_address", "tracking_url", "user_id"),
}


def published() -> dict[str, Any]:
    """The published schema: its types by name."""
    introspection = contract("shopify/admin-2026-10.introspection.json.gz")["data"]["__schema"]
    return {**introspection, "types": _by_name(introspection["types"])}


@cache
def served() -> dict[str, Any]:
    """The sandbox's own schema in the same form."""
    introspection: Any = introspection_from_schema(schema())
    types = [each for each in introspection["__schema"]["types"] if not each["name"].startswith("__")]
    return {**introspection["__schema"], "types": _by_name(types)}


@pytest.mark.parametrize("name", sorted(name for name in schema().type_map if not name.startswith("__")))
def test_every_served_type_is_part_of_the_published_one(name: str) -> None:
    ours, theirs = served()["types"][name], published()["types"].get(name)
    assert theirs is not None, f"{name} is not in the published schema"
    assert ours["kind"] == theirs["kind"]
    for part in ("interfaces", "possibleTypes"):
        assert _names(ours[part]) <= _names(theirs[part])
    # Whoever reads an enum must be ready for all its values.
    assert _names(ours["enumValues"]) == _names(theirs["enumValues"])
    assert bool(ours.get("isOneOf")) == bool(theirs.get("isOneOf"))
    assert list(_changed_inputs(ours["inputFields"], theirs["inputFields"])) == []
    for field in ours["fields"] or ():
        counterpart = _by_name(theirs["fields"]).get(field["name"])
        assert counterpart is not None, f"{name}.{field['name']} is not in the published schema"
        assert _written(field["type"]) == _written(counterpart["type"]), f"{name}.{field['name']}"
        assert list(_changed_inputs(field["args"], counterpart["args"])) == [], f"{name}.{field['name']}"


def test_the_idempotent_directive_is_the_published_one() -> None:
    ours, theirs = (_by_name(each["directives"])["idempotent"] for each in (served(), published()))
    assert ours["locations"] == theirs["locations"]
    assert list(_changed_inputs(ours["args"], theirs["args"])) == []


def test_another_type_default_or_name_is_noticed() -> None:
    theirs = _by_name(published()["types"]["QueryRoot"]["fields"])["orders"]["args"]
    assert list(_changed_inputs(theirs, theirs)) == []
    reverse = _by_name(theirs)["reverse"]
    for change in ({"defaultValue": "true"}, {"name": "backwards"}, {"type": _by_name(theirs)["query"]["type"]}):
        assert list(_changed_inputs([{**reverse, **change}], theirs)) != []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_document_of_the_client_is_served(document: Any) -> None:
    assert validate(schema(), parse(document.text)) == []


def _changed_inputs(ours: Any, theirs: Any) -> Iterator[str]:
    """Arguments or input fields that differ, and published ones that are required and missing."""
    mine, counterparts = _by_name(ours), _by_name(theirs)
    for name, given in mine.items():
        counterpart = counterparts.get(name)
        if counterpart is None:
            yield f"{name} is not published"
        elif (_written(given["type"]), given["defaultValue"]) != (
            _written(counterpart["type"]),
            counterpart["defaultValue"],
        ):
            yield f"{name} is published otherwise"
    for name, counterpart in counterparts.items():
        if name not in mine and counterpart["type"]["kind"] == "NON_NULL" and counterpart["defaultValue"] is None:
            yield f"{name} is required"


def _written(kind: Any) -> str:
    """A type as it is written in a schema: [Order!]!"""
    if kind["kind"] == "NON_NULL":
        return f"{_written(kind['ofType'])}!"
    return f"[{_written(kind['ofType'])}]" if kind["kind"] == "LIST" else str(kind["name"])


def _by_name(given: Any) -> dict[str, Any]:
    return {each["name"]: each for each in given or ()}


def _names(given: Any) -> set[str]:
    return set(_by_name(given))


# Webhooks


@pytest.fixture(scope="module")
def told() -> dict[str, list[dict[str, Any]]]:
    """What a life of orders tells subscribers, by topic."""
    shop = Shop()
    shop.subscribe()
    shop.store.add_product("Bowl", "Potter", [{"sku": "BOWL", "price": Decimal("5")}], {"BOWL": {"London": 4}})
    shop.store.set_price("BOWL", Decimal("6.5"))
    mugs = PlacedLine("MUG", 3, Decimal("9.99"), Decimal("1.00"))
    order = shop.place(mugs, kind="authorization", note_attributes={"gift": "yes"}, tags=["vip"])
    _mutate(shop, "orderMarkAsPaid(input: {id: $id})", gid("Order", order.id))
    _fulfil(shop, order, quantity=1)
    shop.store.refund_order(order.id, [(order.lines[0].id, 1)], None, "chipped")
    _fulfil(shop, order, quantity=1)
    _mutate(
        shop,
        'fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: {number: "2", company: "DPD"})',
        gid("Fulfillment", order.fulfillments[0].id),
    )
    shop.store.desk.edit(order.id, add={"JUG": 1}, set_to={order.lines[0].id: 3})
    shop.store.desk.hold(order.id)
    shop.store.desk.release(order.id)
    shop.store.desk.open_return(order.id, requested=True)
    foreign = shop.place(
        PlacedLine("MUG", 2, Decimal("9.99"), duty=Decimal("1.50")),
        money=Currencies("GBP", "EUR", Decimal("1.17")),
        gift_card=Decimal("5.00"),
        tip=Decimal("1.00"),
    )
    shop.store.desk.refund(foreign.id, amount=Decimal("3.00"))
    cancelled = shop.place(customer=None, shipping_address=None)
    shop.store.cancel_order(cancelled.id, "customer", refund=True)
    shop.store.uninstall_app()
    found: dict[str, list[dict[str, Any]]] = {}
    for hook in shop.sent():
        found.setdefault(hook.topic, []).append(body(hook))
    return found


def _mutate(shop: Shop, field: str, identifier: str) -> None:
    answer = shop.data(f"mutation ($id: ID!) {{ {field} {{ userErrors {{ message }} }} }}", id=identifier)
    assert next(iter(answer.values()))["userErrors"] == []


def _fulfil(shop: Shop, order: StoreOrder, quantity: int) -> None:
    each = order.fulfillment_orders[0]
    row = gid("FulfillmentOrderLineItem", each.lines[0].id)
    parcel = f'{{fulfillmentOrderId: $id, fulfillmentOrderLineItems: [{{id: "{row}", quantity: {quantity}}}]}}'
    tracking = '{company: "DPD", number: "1", url: "https://track.example/1"}'
    _mutate(
        shop,
        f"fulfillmentCreate(fulfillment: {{lineItemsByFulfillmentOrder: [{parcel}], trackingInfo: {tracking}}})",
        gid("FulfillmentOrder", each.id),
    )


@pytest.mark.parametrize(
    "topic",
    [
        "orders/create", "orders/updated", "orders/paid", "orders/cancelled", "orders/fulfilled",
        "orders/partially_fulfilled", "orders/edited", "returns/request", "fulfillments/create", "fulfillments/update",
        "refunds/create", "order_transactions/create", "products/create", "products/update", "inventory_levels/update",
        "app/uninstalled",
    ],
)  # fmt: skip
def test_every_webhook_has_the_keys_and_types_of_the_published_sample(
    told: dict[str, list[dict[str, Any]]], topic: str
) -> None:
    sample = contract("shopify/webhook-samples-2026-07.json.gz")[topic]["response"]
    assert told.get(topic), f"{topic} was never sent"
    for sent in told[topic]:
        assert list(_differences(sent, sample, topic)) == []


def _differences(ours: Any, sample: Any, path: str) -> Iterator[str]:
    key = path.rpartition(".")[2]
    if sample is None or (ours is None and key.rstrip("[]") in NULLABLE):
        return
    if isinstance(sample, dict):
        if not isinstance(ours, dict):
            yield f"{path}: {ours!r} is no object"
            return
        if sample and set(ours) != set(sample):
            yield f"{path}: keys {sorted(set(ours) ^ set(sample))}"
        for name in set(ours) & set(sample):
            yield from _differences(ours[name], sample[name], f"{path}.{name}")
    elif isinstance(sample, list):
        if not isinstance(ours, list):
            yield f"{path}: {ours!r} is no list"
        elif sample:
            for each in ours:
                yield from _differences(each, sample[0], f"{path}[]")
    elif _json_type(ours) != _json_type(sample):
        yield f"{path}: {ours!r} instead of something like {sample!r}"


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else type(value).__name__


def test_the_published_sample_would_not_accept_another_type() -> None:
    assert list(_differences({"amount": 1}, {"amount": "1.00"}, "x")) == [
        "x.amount: 1 instead of something like '1.00'"
    ]


# Shopify's own client, over loopback


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[shopify.GraphQL]:
    store = sandbox.shopify["south"]
    described = store.describe()
    grant = {key: described[key] for key in ("client_id", "client_secret")}
    token = store.tokens.grant({**grant, "grant_type": "client_credentials"}, store.now())
    shopify.ShopifyResource.set_site(f"{described['base_url']}/admin/api/2026-10")
    shopify.ShopifyResource.headers = {"X-Shopify-Access-Token": token}
    yield shopify.GraphQL()
    shopify.ShopifyResource.clear_session()


def execute(client: shopify.GraphQL, query: str, **variables: Any) -> dict[str, Any]:
    answer = json.loads(client.execute(query, variables))
    assert "errors" not in answer, answer
    data: dict[str, Any] = answer["data"]
    return data


def test_the_official_client_subscribes_reads_captures_and_ships(
    sandbox: Sandbox, client: shopify.GraphQL, receiver: Receiver
) -> None:
    subscribed = execute(
        client,
        """mutation ($given: WebhookSubscriptionInput!) {
          webhookSubscriptionCreate(topic: ORDERS_CREATE, webhookSubscription: $given) {
            webhookSubscription { id } userErrors { message } } }""",
        given={"uri": receiver.url},
    )
    assert subscribed["webhookSubscriptionCreate"]["userErrors"] == []
    order = in_loop(sandbox, lambda: _order(sandbox))
    [delivery] = receiver.wait_for(1)
    assert json.loads(delivery.body)["id"] == order.legacy_id
    assert delivery.headers["x-shopify-topic"] == "orders/create"

    seen = execute(
        client,
        """query ($id: ID!) { order(id: $id) { name displayFinancialStatus
          transactions(first: 5) { id kind amountSet { shopMoney { amount } } }
          fulfillmentOrders(first: 5) { nodes { id status } } } }""",
        id=gid("Order", order.id),
    )["order"]
    assert seen["displayFinancialStatus"] == "AUTHORIZED"
    [authorization] = seen["transactions"]
    captured = execute(
        client,
        "mutation ($input: OrderCaptureInput!) { orderCapture(input: $input) {"
        " transaction { status } userErrors { message } } }",
        input={
            "id": gid("Order", order.id),
            "parentTransactionId": authorization["id"],
            "amount": authorization["amountSet"]["shopMoney"]["amount"],
        },
    )
    assert captured["orderCapture"] == {"transaction": {"status": "SUCCESS"}, "userErrors": []}
    shipped = execute(
        client,
        "mutation ($given: FulfillmentInput!) { fulfillmentCreate(fulfillment: $given) {"
        " fulfillment { status order { displayFulfillmentStatus } } userErrors { message } } }",
        given={
            "lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": seen["fulfillmentOrders"]["nodes"][0]["id"]}],
            "trackingInfo": {"company": "DPD", "number": "1"},
        },
    )["fulfillmentCreate"]
    assert shipped["fulfillment"] == {"status": "SUCCESS", "order": {"displayFulfillmentStatus": "FULFILLED"}}


def test_the_official_client_cancels_by_a_job(sandbox: Sandbox, client: shopify.GraphQL) -> None:
    order = in_loop(sandbox, lambda: _order(sandbox))
    job = execute(
        client,
        "mutation ($id: ID!) { orderCancel(orderId: $id, reason: STAFF, restock: true) {"
        " job { id } orderCancelUserErrors { message } } }",
        id=gid("Order", order.id),
    )["orderCancel"]["job"]
    eventually(lambda: execute(client, "query ($id: ID!) { job(id: $id) { done } }", id=job["id"])["job"]["done"])
    seen = execute(
        client,
        "query ($id: ID!) { order(id: $id) { cancelReason displayFinancialStatus } }",
        id=gid("Order", order.id),
    )
    assert seen["order"] == {"cancelReason": "STAFF", "displayFinancialStatus": "VOIDED"}


def test_the_official_client_edits_holds_ships_and_takes_back(sandbox: Sandbox, client: shopify.GraphQL) -> None:
    order = in_loop(sandbox, lambda: _order(sandbox))
    errors = "userErrors { message }"

    def act(name: str, variables: str, arguments: str, chosen: str, **given: Any) -> Any:
        answer = execute(client, f"mutation ({variables}) {{ {name}({arguments}) {{ {chosen} {errors} }} }}", **given)
        assert answer[name].pop("userErrors") == []
        return answer[name]

    begun = act("orderEditBegin", "$id: ID!", "id: $id", "calculatedOrder { id }", id=gid("Order", order.id))
    edit, line = begun["calculatedOrder"]["id"], gid("CalculatedLineItem", order.lines[0].id)
    changed = "id: $id, lineItemId: $line, quantity: 1"
    act("orderEditSetQuantity", "$id: ID!, $line: ID!", changed, "calculatedOrder { id }", id=edit, line=line)
    done = act("orderEditCommit", "$id: ID!", "id: $id", "order { edited currentSubtotalLineItemsQuantity }", id=edit)
    assert done == {"order": {"edited": True, "currentSubtotalLineItemsQuantity": 1}}

    work, status = gid("FulfillmentOrder", order.fulfillment_orders[0].id), "fulfillmentOrder { status }"
    reason = "id: $id, fulfillmentHold: {reason: OTHER}"
    assert act("fulfillmentOrderHold", "$id: ID!", reason, status, id=work)["fulfillmentOrder"]["status"] == "ON_HOLD"
    assert act("fulfillmentOrderReleaseHold", "$id: ID!", "id: $id", status, id=work)["fulfillmentOrder"] == {
        "status": "OPEN"
    }
    parcel = "fulfillment: {lineItemsByFulfillmentOrder: [{fulfillmentOrderId: $id}]}"
    rows = "fulfillment { fulfillmentLineItems(first: 1) { nodes { id } } }"
    shipped = act("fulfillmentCreate", "$id: ID!", parcel, rows, id=work)["fulfillment"]
    row = shipped["fulfillmentLineItems"]["nodes"][0]["id"]
    wanted = {"orderId": gid("Order", order.id), "returnLineItems": [{"fulfillmentLineItemId": row, "quantity": 1}]}
    made = act("returnCreate", "$given: ReturnInput!", "returnInput: $given", "return { id }", given=wanted)
    closed = act("returnClose", "$id: ID!", "id: $id", "return { status }", id=made["return"]["id"])
    assert closed == {"return": {"status": "CLOSED"}}


def _order(sandbox: Sandbox) -> StoreOrder:
    store = sandbox.shopify["south"]
    sku = next(iter(store.catalog.by_sku))
    return store.place_order(
        lines=[PlacedLine(sku, 2, Decimal("9.99"))],
        customer={"first_name": "Ada", "last_name": "Khan", "email": "ada@example.com"},
        shipping_address={
            "name": "Ada Khan",
            "address1": "1 High Street",
            "city": "Leeds",
            "zip": "LS1 4AP",
            "country_code": "GB",
        },
        email="ada@example.com",
        shipping=Decimal("3.95"),
        tax_rate=Decimal("0.2"),
        taxes_included=True,
        gateway="shopify_payments",
        kind="authorization",
        payment_id=None,
    )
