"""Which of Shopify's mutations can be keyed, by its own schema."""

import pytest
from graphql import FieldNode, OperationDefinitionNode, parse

from tests.contracts import contract
from tradewind.providers.shopify import documents

TEXTS = [one.text for one in vars(documents).values() if isinstance(one, documents.Document)]


def sent():
    """Every mutation that the client can send, with whether it is keyed."""
    definitions = [definition for text in TEXTS for definition in parse(text).definitions]
    mutations = [
        one for one in definitions if isinstance(one, OperationDefinitionNode) and one.operation.value == "mutation"
    ]
    fields = [field for one in mutations for field in one.selection_set.selections if isinstance(field, FieldNode)]
    return {field.name.value: any(d.name.value == "idempotent" for d in field.directives or ()) for field in fields}


def described(mutation):
    schema = contract("shopify/admin-2026-10.introspection.json.gz")
    schema = schema.get("data", schema)
    schema = schema.get("__schema", schema)
    fields = next(kind for kind in schema["types"] if kind["name"] == "Mutation")["fields"]
    return next(field["description"] for field in fields if field["name"] == mutation)


def test_the_mutations_of_orders_are_found():
    assert {"orderCapture", "orderMarkAsPaid", "fulfillmentCreate"} <= set(sent())


@pytest.mark.parametrize(("mutation", "keyed"), sorted(sent().items()))
def test_a_mutation_that_can_be_keyed_is_keyed_and_no_other(mutation, keyed):
    assert ("@idempotent" in described(mutation)) is keyed
