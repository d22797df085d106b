"""Calculated query cost. Source: shopify.dev, "GraphQL Admin API rate limits".

Scalars and enums cost nothing, an object 1, a connection depends on `first` or `last`, a mutation 10. How a connection
grows with its size is not published; answers of stores (1 product with 250 variants and their inventory items: 25, ten
products: 6) fit 2 + 2·ln(size) times the cost of a node. pageInfo, userErrors and a mutation's own payload are free.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

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


class Field(NamedTuple):
    """A field that is selected. key: what it is called in an answer; of: the type that it gives; costs: it can."""

    node: FieldNode
    key: str
    of: Any
    costs: bool
    is_conditional: bool


Selected = dict[tuple[int, str], tuple[list[Field], bool]]
"""Of one document: the fields of a selection set, known by its identity, on a type, and whether variables decide on any
of them. The document is kept with it.
"""


class CostModel:
    """The cost of one operation. selected: what is known of its document, which only this class fills."""

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
        selected: Selected | None = None,
    ) -> None:
        self._schema = schema
        self._operation = operation
        self._fragments = fragments
        self._variables = variables
        self._selected: Selected = {} if selected is None else selected

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
        for field in self._fields(root, self._operation.selection_set):
            total += MUTATION
            value = _value(data, field)
            for part in self._fields(field.of, field.node.selection_set):
                if part.costs and (found := _value(value, part)) is not None:
                    total += self._selections(part.of, part.node.selection_set, found)
        return total

    def _selections(self, parent: Any, selections: SelectionSetNode | None, value: Any) -> float:
        if isinstance(value, list):
            return max((self._selections(parent, selections, each) for each in value), default=0.0)
        return sum([self._field(field, value) for field in self._fields(parent, selections) if field.costs])

    def _field(self, field: Field, parent_value: Any) -> float:
        value = _value(parent_value, field)
        if value is None or value == []:
            return 0.0
        if field.of.name.endswith("Connection"):
            return self._connection(field, value)
        return 1 + self._selections(field.of, field.node.selection_set, value)

    def _connection(self, field: Field, value: Any) -> float:
        nodes = self._node_costs(field.of, field.node.selection_set, value)
        size = self._size(field.node) if value is _UNKNOWN else len(nodes)
        if not size or not nodes:
            return 2.0
        return 2 + max(1.0, math.floor(2 * math.log(size))) * (sum(nodes) / len(nodes))

    def _node_costs(self, kind: Any, selections: SelectionSetNode | None, value: Any) -> list[float]:
        """The cost of each node found; of one node where it is not known what will be found."""
        costs: list[list[float]] = []
        for field in self._fields(kind, selections):
            name, found = field.node.name.value, _value(value, field)
            inner = field.node.selection_set
            if name == "nodes":
                costs.append([1 + self._selections(field.of, inner, each) for each in _each(found)])
            elif name == "edges":
                costs.append([max(1.0, self._selections(field.of, inner, each)) for each in _each(found)])
        return max(costs, key=sum, default=[])

    def _size(self, field: FieldNode) -> int:
        given = {
            argument.name.value: value_from_ast_untyped(argument.value, dict(self._variables))
            for argument in field.arguments or ()
        }
        size = given.get("first") or given.get("last") or 0
        return size if isinstance(size, int) else 0

    def _fields(self, parent: Any, selections: SelectionSetNode | None) -> list[Field]:
        """The fields that are selected, fragments included."""
        if selections is None:
            return []
        place = id(selections), parent.name
        if (known := self._selected.get(place)) is None:
            found = self._find(parent, selections)
            known = self._selected[place] = found, any(field.is_conditional for field in found)
        found, is_conditional = known
        return [field for field in found if not self._is_skipped(field.node)] if is_conditional else found

    def _find(self, parent: Any, selections: SelectionSetNode) -> list[Field]:
        found: list[Field] = []
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                definition = getattr(parent, "fields", {}).get(selection.name.value)
                if definition is not None:
                    found.append(_field_of(selection, get_named_type(definition.type)))
                continue
            if isinstance(selection, FragmentSpreadNode):
                fragment = self._fragments[selection.name.value]
                condition = fragment.type_condition
            else:
                fragment, condition = selection, selection.type_condition
            kind = self._schema.get_type(condition.name.value) if condition else parent
            found += self._find(kind, fragment.selection_set)
        return found

    def _is_skipped(self, field: FieldNode) -> bool:
        for directive in field.directives or ():
            if directive.name.value not in ("skip", "include"):
                continue
            wanted = value_from_ast_untyped(directive.arguments[0].value, dict(self._variables))
            if bool(wanted) == (directive.name.value == "skip"):
                return True
        return False


def _field_of(node: FieldNode, of: Any) -> Field:
    return Field(
        node=node,
        key=node.alias.value if node.alias else node.name.value,
        of=of,
        costs=node.name.value not in _FREE and is_composite_type(of),
        is_conditional=bool(node.directives),
    )


def _value(parent: Any, field: Field) -> Any:
    if parent is _UNKNOWN:
        return _UNKNOWN
    return parent.get(field.key) if isinstance(parent, dict) else None


def _each(found: Any) -> list[Any]:
    if found is _UNKNOWN:
        return [_UNKNOWN]
    return list(found or [])
