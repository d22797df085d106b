"""Small changes of a module's source, each of which a test ought to notice."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_OTHER = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add,
}  # fmt: skip
_TALK = ("_log", "log", "warn")


@dataclass(frozen=True)
class Site:
    """Where a module can be changed. line: of the source; told: what it would be. change: do it to the tree."""

    line: int
    told: str
    change: Callable[[], None]


def sites(tree: ast.Module) -> list[Site]:
    """Every change of what functions do, always in the same order."""
    return [site for function in ast.walk(tree) if _is_function(function) for site in _of_function(function)]


def mutated(source: str, number: int) -> str:
    """The source with one of its changes made."""
    tree = ast.parse(source)
    sites(tree)[number].change()
    return ast.unparse(ast.fix_missing_locations(tree))


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _of_function(function: ast.AST) -> Iterator[Site]:
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    for default in (*function.args.defaults, *filter(None, function.args.kw_defaults)):
        if isinstance(default, ast.Constant):
            yield from _of_constant(default)
    waiting: list[ast.AST] = [function]
    while waiting:
        node = waiting.pop(0)
        for block in (getattr(node, name, None) for name in ("body", "orelse", "finalbody")):
            if isinstance(block, list):
                yield from _dropped(block)
        # A function inside a function has its own turn; annotations do nothing.
        if node is function:
            waiting += function.body
        elif not _is_function(node) and not _is_talk(node):
            yield from _of_node(node)
            waiting += [child for child in ast.iter_child_nodes(node) if child is not getattr(node, "annotation", None)]


def _dropped(block: list[ast.stmt]) -> Iterator[Site]:
    for index, statement in enumerate(block):
        if isinstance(statement, ast.Raise | ast.AugAssign | ast.Continue | ast.Break) or (
            isinstance(statement, ast.Expr)
            and isinstance(statement.value, ast.Call | ast.Await)
            and not _is_talk(statement)
        ):
            yield Site(statement.lineno, f"drop `{_told(statement)}`", lambda i=index: block.__setitem__(i, ast.Pass()))


def _of_node(node: ast.AST) -> Iterator[Site]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in _OTHER:
            other = _OTHER[type(op)]()
            yield Site(node.lineno, f"{type(other).__name__} in `{_told(node)}`", lambda: setattr(node, "ops", [other]))
        case ast.BoolOp() | ast.BinOp() if type(node.op) in _OTHER:
            other = _OTHER[type(node.op)]()
            yield Site(node.lineno, f"{type(other).__name__} in `{_told(node)}`", lambda: setattr(node, "op", other))
        case ast.If() | ast.While() | ast.IfExp():
            opposite = ast.UnaryOp(ast.Not(), node.test)
            yield Site(node.lineno, f"not `{_told(node.test)}`", lambda: setattr(node, "test", opposite))
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield Site(node.lineno, f"None for `{_told(value)}`", lambda: setattr(node, "value", ast.Constant(None)))
        case ast.Constant():
            yield from _of_constant(node)


def _of_constant(node: ast.Constant) -> Iterator[Site]:
    if isinstance(node.value, bool):
        other: object = not node.value
    elif isinstance(node.value, int | float):
        other = node.value + 1
    else:
        return
    yield Site(node.lineno, f"{other} for {node.value}", lambda: setattr(node, "value", other))


def _is_talk(node: ast.AST) -> bool:
    """What is only said to whoever reads logs."""
    call = getattr(node, "value", node)
    if not isinstance(call, ast.Call):
        return False
    name = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    return isinstance(name, ast.Name) and name.id in _TALK


def _told(node: ast.AST) -> str:
    told = " ".join(ast.unparse(node).split())
    return told if len(told) <= 80 else f"{told[:77]}..."
