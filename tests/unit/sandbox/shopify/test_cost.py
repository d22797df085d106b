import pytest
from graphql import OperationDefinitionNode, parse

from tests.unit.sandbox.shopify.stores import Shop
from tradewind.sandbox.shopify.cost import CostModel, Selected
from tradewind.sandbox.shopify.graphql_api import schema

PAGE = "query ($first: Int!) { orders(first: $first) { nodes { id } } }"
# 10 orders of 250 lines of 3 objects and more each: more than any single query may cost.
GREEDY = """{ orders(first: 250) { nodes { lineItems(first: 250) { nodes {
  originalTotalSet { shopMoney { amount } } discountedTotalSet { shopMoney { amount } }
  variant { product { variants(first: 250) { nodes { id } } } } } } } } }"""


def requested(text: str, **variables: object) -> int:
    [operation] = [each for each in parse(text).definitions if isinstance(each, OperationDefinitionNode)]
    return CostModel(schema(), operation, {}, variables).requested()


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("{ shop { name } }", 1),
        ("{ shop { name plan { shopifyPlus } } }", 2),
        ("{ shop { ... { name } ... on Shop { id } } }", 1),
        ("{ orders(first: 10) { nodes { id } pageInfo { hasNextPage } } }", 6),
        ("{ orders(first: 10) { edges { cursor node { id } } } }", 6),
        ("{ orders(first: 1) { nodes { id } } }", 3),
        ('{ product(id: "1") { variants(first: 250) { nodes { inventoryItem { id tracked } } } } }', 25),
        ('mutation { webhookSubscriptionDelete(id: "1") { deletedWebhookSubscriptionId userErrors { message } } }', 10),
        ('mutation { orderMarkAsPaid(input: {id: "1"}) { order { id customer { id } } } }', 11),
        ("{ shop @skip(if: true) { name } currentAppInstallation @include(if: true) { id } }", 1),
    ],
)
def test_requested_cost(text: str, cost: int) -> None:
    assert requested(text) == cost


def test_what_variables_decide_is_decided_for_each_request_of_a_document() -> None:
    text = "query ($whole: Boolean!) { shop { name plan @include(if: $whole) { shopifyPlus } } }"
    [operation] = [each for each in parse(text).definitions if isinstance(each, OperationDefinitionNode)]
    selected: Selected = {}
    costs = [
        CostModel(schema(), operation, {}, {"whole": whole}, selected).requested() for whole in (False, True, False)
    ]
    assert costs == [1, 2, 1]


def test_the_size_of_a_page_may_be_a_variable() -> None:
    assert requested(PAGE, first=250) == 13


def test_an_answer_says_what_was_asked_for_and_what_it_cost() -> None:
    shop = Shop()
    shop.place()
    cost = shop.ask(PAGE, first=250)["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (13, 3)
    assert cost["throttleStatus"] == {"maximumAvailable": 2000.0, "currentlyAvailable": 1997, "restoreRate": 100.0}
    shop.clock.advance(0.02)
    assert shop.ask("{ shop { name } }")["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 1998


def test_a_default_of_a_variable_counts_as_its_value() -> None:
    shop = Shop()
    answer = shop.ask("query ($first: Int = 250) { orders(first: $first) { nodes { id } } }")
    assert answer["extensions"]["cost"]["requestedQueryCost"] == 13


def test_a_single_query_may_not_cost_more_than_a_thousand() -> None:
    answer = Shop().ask(GREEDY)
    assert "data" not in answer
    assert answer["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"


def test_an_empty_bucket_throttles_until_it_is_filled_again() -> None:
    shop = Shop()
    shop.store.throttle.spend(1995)
    throttled = shop.ask(PAGE, first=250)
    assert "data" not in throttled
    assert throttled["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert throttled["extensions"]["cost"]["actualQueryCost"] is None
    assert [each["connection"] for each in shop.sandbox.truth.of("throttled")] == ["shopify:north"]
    shop.clock.advance(0.1)
    assert "data" in shop.ask(PAGE, first=250)


def test_a_throttled_mutation_changes_nothing() -> None:
    shop = Shop()
    shop.store.throttle.spend(2000)
    create = """mutation { webhookSubscriptionCreate(topic: ORDERS_CREATE, webhookSubscription: {
      uri: "https://a.example/"}) { userErrors { message } } }"""
    assert shop.ask(create)["errors"][0]["message"] == "Throttled"
    assert list(shop.store.subscriptions) == []
