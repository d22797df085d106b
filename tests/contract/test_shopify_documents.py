"""Every GraphQL document that the client can send, held against the published 2026-10 schema."""

from functools import cache

import pytest
from graphql import (
    GraphQLSchema,
    NoDeprecatedCustomRule,
    OperationDefinitionNode,
    build_client_schema,
    parse,
    validate,
)

from tests.contract.shopify_cost import CostRule
from tests.contracts import contract
from tradewind.providers.shopify import documents, limits
from tradewind.providers.shopify.documents import DOCUMENTS, Document

SIZES = {
    **{document.name: limits.ORDER_SIZES for document in DOCUMENTS},
    "Orders": {**limits.PAGE_SIZES, "first": limits.ORDERS_PER_PAGE},
    "Changes": {"first": limits.CHANGES_PER_PAGE},
    "Variants": {"first": limits.VARIANTS_PER_PAGE, "levels": limits.LEVELS_PER_VARIANT},
}


@cache
def published_schema() -> GraphQLSchema:
    return build_client_schema(
        contract("shopify/admin-2026-10.introspection.json.gz")["data"],
        assume_valid=True,  # fields deprecated on a type and not on its interface, which graphql-core refuses
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_document_is_valid_against_the_published_schema(document: Document) -> None:
    assert validate(published_schema(), parse(document.text)) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_document_selects_no_deprecated_field(document: Document) -> None:
    assert validate(published_schema(), parse(document.text), [NoDeprecatedCustomRule]) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_document_is_one_operation_of_its_name(document: Document) -> None:
    operations = [d for d in parse(document.text).definitions if isinstance(d, OperationDefinitionNode)]
    assert [operation.name.value for operation in operations if operation.name] == [document.name]


def test_every_document_of_the_module_is_listed() -> None:
    defined = {value for value in vars(documents).values() if isinstance(value, Document)}
    assert defined == set(DOCUMENTS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_estimated_cost_covers_the_published_rule(document: Document) -> None:
    cost = CostRule(published_schema(), document.text, SIZES[document.name]).cost()
    assert cost <= limits.COSTS[document.name] <= limits.SINGLE_QUERY_MAXIMUM


def test_only_documents_have_an_estimate() -> None:
    assert set(limits.COSTS) == {document.name for document in DOCUMENTS}
