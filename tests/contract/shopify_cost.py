"""The cost of a document by Shopify's published rule, computed from the published schema.

A scalar costs 0, an object 1, a mutation 10; a connection, and a list with `first`, costs its size times what one node
costs. Source: shopify.dev, "GraphQL Admin API rate limits".
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_leaf_type,
    parse,
)

MUTATION_COST = 10


class CostRule:
    def __init__(self, schema: GraphQLSchema, text: str, sizes: Mapping[str, int]) -> None:
        definitions = parse(text).definitions
        self._schema = schema
        self._sizes = sizes
        self._fragments = {d.name.value: d for d in definitions if isinstance(d, FragmentDefinitionNode)}
        self._operation = next(d for d in definitions if isinstance(d, OperationDefinitionNode))

    def cost(self) -> int:
        if self._operation.operation.value == "query":
            return self._of([self._operation.selection_set], self._schema.query_type)
        return MUTATION_COST - 1 + self._of([self._operation.selection_set], self._schema.mutation_type)

    def _of(self, selections: list[SelectionSetNode], parent: GraphQLNamedType) -> int:
        """Fields selected several times, e.g. by two fragments, are one field."""
        fields: defaultdict[str, list[tuple[FieldNode, GraphQLNamedType]]] = defaultdict(list)
        for selection in selections:
            for node, owner in self._flat(selection, parent):
                fields[node.alias.value if node.alias else node.name.value].append((node, owner))
        return sum(map(self._field, fields.values()))

    def _field(self, same: list[tuple[FieldNode, GraphQLNamedType]]) -> int:
        node, owner = same[0]
        if node.name.value == "pageInfo":
            return 0
        returned = get_named_type(owner.fields[node.name.value].type)
        if is_leaf_type(returned):
            return 0
        inner = self._of([each.selection_set for each, _ in same], returned)
        size = self._size(node)
        if returned.name.endswith("Connection"):
            return (size or 1) * inner
        return (size or 1) * (1 + inner)

    def _size(self, node: FieldNode) -> int | None:
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                value = argument.value
                return self._sizes[value.name.value] if isinstance(value, VariableNode) else int(value.value)
        return None

    def _flat(
        self, selection: SelectionSetNode, parent: GraphQLNamedType
    ) -> Iterator[tuple[FieldNode, GraphQLNamedType]]:
        for node in selection.selections:
            if isinstance(node, FieldNode):
                yield node, parent
            elif isinstance(node, FragmentSpreadNode):
                yield from self._spread(self._fragments[node.name.value])
            elif isinstance(node, InlineFragmentNode):
                yield from self._spread(node)

    def _spread(
        self, fragment: FragmentDefinitionNode | InlineFragmentNode
    ) -> Iterator[tuple[FieldNode, GraphQLNamedType]]:
        yield from self._flat(fragment.selection_set, self._schema.type_map[fragment.type_condition.name.value])
