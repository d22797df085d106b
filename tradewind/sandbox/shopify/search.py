"""Shopify's search query syntax. Source: shopify.dev, "Shopify API search syntax".

query = term { [AND | OR] term } · term = [- | NOT] ( "(" query ")" | [name comparator] value )
comparator = : :< :> :<= :>= · a value may be quoted; * at its end stands for anything.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

Predicate = Callable[[Any], bool]
Fields = Mapping[str, Callable[[Any], Any]]

_TOKEN: Final = re.compile(
    r"""\s*(?: (?P<open>\() | (?P<close>\)) | (?P<word>AND|OR|NOT)(?=[\s(]|$) | (?P<minus>-)(?=\S)
    | (?: (?P<name>[A-Za-z_]\w*) (?P<comparator>:(?:<=|>=|<|>)?) \s* )?
      (?P<value> "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | [^\s()]+ ) )""",
    re.VERBOSE,
)
Comparison = Callable[[Any, Any], bool]
_COMPARE: Final[Mapping[str, Comparison]] = {
    ":<": operator.lt,
    ":>": operator.gt,
    ":<=": operator.le,
    ":>=": operator.ge,
}


def compile_query(query: str | None, fields: Fields, text: Callable[[Any], str]) -> Predicate:
    """A test for records. fields: what can be searched by name; text: what a bare word is looked for in.

    A field that cannot be searched is left out of the question, as Shopify does with a warning.
    """
    if not query or not query.strip():
        return lambda _: True
    return _Parser(query, fields, text).parse()


class _Parser:
    def __init__(self, query: str, fields: Fields, text: Callable[[Any], str]) -> None:
        self._tokens = list(_tokens(query))
        self._fields = fields
        self._text = text
        self._at = 0

    def parse(self) -> Predicate:
        tests = [self._alternatives()]
        while self._at < len(self._tokens):
            self._at += 1  # a parenthesis too many
            if self._at < len(self._tokens):
                tests.append(self._alternatives())
        return lambda record: all(test(record) for test in tests)

    def _alternatives(self) -> Predicate:
        tests = [self._all()]
        while self._next("word") == "OR":
            self._at += 1
            tests.append(self._all())
        return lambda record: any(test(record) for test in tests)

    def _all(self) -> Predicate:
        tests: list[Predicate] = []
        while self._at < len(self._tokens):
            if self._next("close") or self._next("word") == "OR":
                break
            if self._next("word") == "AND":
                self._at += 1
                continue
            tests.append(self._term())
        return lambda record: all(test(record) for test in tests)

    def _term(self) -> Predicate:
        if self._next("minus") or self._next("word") == "NOT":
            self._at += 1
            inner = self._term() if self._at < len(self._tokens) else _everything
            return lambda record: not inner(record)
        token = self._tokens[self._at]
        self._at += 1
        if token["open"]:
            nested = self._alternatives()
            self._at += 1
            return nested
        return self._value(token)

    def _value(self, token: Mapping[str, str | None]) -> Predicate:
        wanted = _unquoted(token["value"] or "")
        name = token["name"]
        if name is None:
            return lambda record: wanted.casefold() in self._text(record).casefold()
        read = self._fields.get(name)
        if read is None:
            return _everything
        comparator = token["comparator"] or ":"
        return lambda record: _matches(read(record), comparator, wanted)

    def _next(self, group: str) -> str | None:
        return self._tokens[self._at][group] if self._at < len(self._tokens) else None


def _everything(_: Any) -> bool:
    return True


def _tokens(query: str) -> Iterator[Mapping[str, str | None]]:
    at = 0
    while found := _TOKEN.match(query, at):
        yield found.groupdict()
        at = found.end()


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def _matches(found: Any, comparator: str, wanted: str) -> bool:
    if isinstance(found, list | tuple | set):
        return any(_matches(each, comparator, wanted) for each in found)
    if found is None:
        return False
    if isinstance(found, datetime):
        return _matches_time(found, comparator, wanted)
    if isinstance(found, bool):
        return (wanted.casefold() == "true") is found
    if isinstance(found, int):
        return _matches_number(found, comparator, wanted)
    if comparator in _COMPARE:
        return _COMPARE[comparator](str(found).casefold(), wanted.casefold())
    if wanted.endswith("*"):
        return str(found).casefold().startswith(wanted[:-1].casefold())
    return str(found).casefold() == wanted.casefold()


def _matches_number(found: int, comparator: str, wanted: str) -> bool:
    number = wanted.rpartition("/")[2]  # a global id ends in the number
    if not re.fullmatch(r"-?\d+", number):
        return False
    compare: Comparison = _COMPARE.get(comparator, operator.eq)
    return compare(found, int(number))


def _matches_time(found: datetime, comparator: str, wanted: str) -> bool:
    try:
        limit = datetime.fromisoformat(wanted)
    except ValueError:
        return True  # Shopify ignores a time that it cannot read
    limit = limit if limit.tzinfo else limit.replace(tzinfo=UTC)
    if comparator in _COMPARE:
        return _COMPARE[comparator](found, limit)
    length = timedelta(days=1) if len(wanted) == len("2026-10-01") else timedelta(seconds=1)
    return limit <= found < limit + length
