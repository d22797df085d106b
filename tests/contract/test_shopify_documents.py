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

from tests.contracts import contract
from tradewind.providers.shopify import documents
from tradewind.providers.shopify.documents import DOCUMENTS, Document


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
