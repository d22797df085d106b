"""The GraphQL endpoint of one store: a document in, an answer with its cost out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from graphql import (
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from tradewind.sandbox.shopify import mutations, queries
from tradewind.sandbox.shopify.cost import CostModel, Selected
from tradewind.sandbox.shopify.throttle import SINGLE_QUERY_MAXIMUM

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore

Answer = dict[str, Any]

_KEPT_DOCUMENTS: Final = 256


@dataclass(frozen=True)
class Request:
    """What a client sends."""

    query: str
    variables: dict[str, Any]
    operation_name: str | None = None


@cache
def schema() -> GraphQLSchema:
    """The part of the Admin schema that is served."""
    text = files("tradewind.sandbox.shopify").joinpath("schema.graphql").read_text()
    return build_schema(text)


class GraphqlApi:
    """Runs documents against a store."""

    def run(self, store: ShopifyStore, request: Request) -> Answer:
        """The answer, always with status 200: errors stand in it.

        Source: shopify.dev, "GraphQL Admin API status and error codes".
        """
        document, selected, errors = _read(request.query)
        if errors:
            return {"errors": [_formatted(error) for error in errors]}
        operation = _operation(document, request.operation_name)
        if operation is None:
            return {"errors": [{"message": "An operation name is required"}]}
        fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
        cost = CostModel(schema(), operation, fragments, {**_defaults(operation), **request.variables}, selected)
        requested = cost.requested()
        if refusal := _refused(store, requested):
            return refusal
        result = _execute(store, document, operation, request)
        actual = cost.actual(result.data)
        store.throttle.spend(actual)
        return {**_body(result), "extensions": {"cost": _cost(store, requested, actual)}}


@lru_cache(maxsize=_KEPT_DOCUMENTS)
def _read(query: str) -> tuple[Any, Selected, list[GraphQLError]]:
    """A document, what its cost model keeps of it, and its errors. Clients send few different documents."""
    try:
        document = parse(query)
    except GraphQLSyntaxError as error:
        return None, {}, [error]
    return document, {}, validate(schema(), document)


def _operation(document: Any, name: str | None) -> OperationDefinitionNode | None:
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    if name is not None:
        return next((each for each in operations if each.name and each.name.value == name), None)
    return operations[0] if len(operations) == 1 else None


def _defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    """The variables that have a default which is a number: sizes of pages."""
    defaults = {}
    for definition in operation.variable_definitions or ():
        value = getattr(definition.default_value, "value", None)
        if isinstance(value, str) and value.isdigit():
            defaults[definition.variable.name.value] = int(value)
    return defaults


def _refused(store: ShopifyStore, requested: int) -> Answer | None:
    if requested > SINGLE_QUERY_MAXIMUM:
        message = f"Query cost is {requested}, which exceeds the single query max cost limit ({SINGLE_QUERY_MAXIMUM})."
        error = {
            "message": message,
            "extensions": {
                "code": "MAX_COST_EXCEEDED",
                "cost": requested,
                "maxCost": SINGLE_QUERY_MAXIMUM,
                "documentation": "https://shopify.dev/api/usage/rate-limits",
            },
        }
        return {"errors": [error]}
    if store.throttle.affords(requested):
        return None
    store.truth.record("throttled", connection=store.connection, reason=f"a query of {requested} points")
    return throttled(_cost(store, requested, None))


def throttled(cost: Answer) -> Answer:
    """The answer to a query that the bucket has no room for."""
    extensions = {"code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"}
    return {"errors": [{"message": "Throttled", "extensions": extensions}], "extensions": {"cost": cost}}


def _execute(
    store: ShopifyStore, document: Any, operation: OperationDefinitionNode, request: Request
) -> ExecutionResult:
    is_mutation = operation.operation.value == "mutation"
    root = mutations.root(store) if is_mutation else queries.root(store)
    return execute_sync(
        schema(), document, root, variable_values=request.variables, operation_name=request.operation_name
    )


def _body(result: ExecutionResult) -> Answer:
    body: Answer = {"data": result.data}
    if result.errors:
        body["errors"] = [_formatted(error) for error in result.errors]
        if result.data is None:
            del body["data"]
    return body


def _formatted(error: GraphQLError) -> Answer:
    """An error, JSON-ready."""
    shaped: Answer = json.loads(json.dumps(error.formatted, default=str))
    return shaped


def _cost(store: ShopifyStore, requested: int, actual: int | None) -> Answer:
    return {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": store.throttle.status()}
