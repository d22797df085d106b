"""Calculated query cost. Source: shopify.dev, "GraphQL Admin API rate limits".

Scalars and enums cost nothing, an object 1, a connection depends on `first` or `last`, a mutation 10. How a connection
grows with its size is not published; answers of stores (1 product with 250 variants and their inventory items: 25, ten
products: 6) fit 2 + 2·ln(size) times the cost of a node. pageInfo, userErrors and a mutation's own payload are free.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
    value_from_ast_untyped,
)

MUTATION: Final = 10
_FREE: Final = frozenset({"pageInfo", "userErrors", "orderCancelUserErrors"})
_UNKNOWN: Final = object()


class CostModel:
    """The cost of one operation."""

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
    ) -> None:
        self._schema = schema
        self._operation = operation
        self._fragments = fragments
        self._variables = variables

    def requested(self) -> int:
        """What the operation may cost at most."""
        return math.ceil(self._total(_UNKNOWN))

    def actual(self, data: Any) -> int:
        """What it cost, given what it found."""
        return math.ceil(self._total(data or {}))

    def _total(self, data: Any) -> float:
        root = self._schema.get_root_type(self._operation.operation)
        if self._operation.operation.value != "mutation":
            return max(1.0, self._selections(root, self._operation.selection_set, data))
        total = 0.0
        for field, definition in self._fields(root, self._operation.selection_set):
            total += MUTATION
            payload = get_named_type(definition.type)
            value = _value(data, field)
            for part, part_definition in self._fields(payload, field.selection_set):
                if part.name.value in _FREE or _is_leaf(part_definition):
                    continue
                found = _value(value, part)
                if found is not None:
                    total += self._selections(get_named_type(part_definition.type), part.selection_set, found)
        return total

    def _selections(self, parent: Any, selections: SelectionSetNode | None, value: Any) -> float:
        if isinstance(value, list):
            return max((self._selections(parent, selections, each) for each in value), default=0.0)
        return sum(self._field(field, definition, value) for field, definition in self._fields(parent, selections))

    def _field(self, field: FieldNode, definition: Any, parent_value: Any) -> float:
        value = _value(parent_value, field)
        if value is None or value == [] or field.name.value in _FREE or _is_leaf(definition):
            return 0.0
        kind = get_named_type(definition.type)
        if kind.name.endswith("Connection"):
            return self._connection(kind, field, value)
        return 1 + self._selections(kind, field.selection_set, value)

    def _connection(self, kind: Any, field: FieldNode, value: Any) -> float:
        nodes = self._node_costs(kind, field.selection_set, value)
        size = self._size(field) if value is _UNKNOWN else len(nodes)
        if not size or not nodes:
            return 2.0
        return 2 + max(1.0, math.floor(2 * math.log(size))) * (sum(nodes) / len(nodes))

    def _node_costs(self, kind: Any, selections: SelectionSetNode | None, value: Any) -> list[float]:
        """The cost of each node found; of one node where it is not known what will be found."""
        costs: list[list[float]] = []
        for field, definition in self._fields(kind, selections):
            name, found = field.name.value, _value(value, field)
            of = get_named_type(definition.type)
            if name == "nodes":
                costs.append([1 + self._selections(of, field.selection_set, each) for each in _each(found)])
            elif name == "edges":
                costs.append([max(1.0, self._selections(of, field.selection_set, each)) for each in _each(found)])
        return max(costs, key=sum, default=[])

    def _size(self, field: FieldNode) -> int:
        given = {
            argument.name.value: value_from_ast_untyped(argument.value, dict(self._variables))
            for argument in field.arguments or ()
        }
        size = given.get("first") or given.get("last") or 0
        return size if isinstance(size, int) else 0

    def _fields(self, parent: Any, selections: SelectionSetNode | None) -> Iterator[tuple[FieldNode, Any]]:
        """The fields that are selected, fragments included, each with its definition."""
        for selection in selections.selections if selections else ():
            if isinstance(selection, FieldNode):
                definition = getattr(parent, "fields", {}).get(selection.name.value)
                if definition is not None and not self._is_skipped(selection):
                    yield selection, definition
                continue
            if isinstance(selection, FragmentSpreadNode):
                fragment = self._fragments[selection.name.value]
                condition = fragment.type_condition
            else:
                fragment, condition = selection, selection.type_condition
            kind = self._schema.get_type(condition.name.value) if condition else parent
            yield from self._fields(kind, fragment.selection_set)

    def _is_skipped(self, field: FieldNode) -> bool:
        for directive in field.directives or ():
            if directive.name.value not in ("skip", "include"):
                continue
            wanted = value_from_ast_untyped(directive.arguments[0].value, dict(self._variables))
            if bool(wanted) == (directive.name.value == "skip"):
                return True
        return False


def _value(parent: Any, field: FieldNode) -> Any:
    if parent is _UNKNOWN:
        return _UNKNOWN
    key = field.alias.value if field.alias else field.name.value
    return parent.get(key) if isinstance(parent, Mapping) else None


def _each(found: Any) -> list[Any]:
    if found is _UNKNOWN:
        return [_UNKNOWN]
    return list(found or [])


def _is_leaf(definition: Any) -> bool:
    return not is_composite_type(get_named_type(definition.type))
