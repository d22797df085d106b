from collections.abc import Callable
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

import pytest

from tradewind.sandbox.shopify.search import compile_query

RECORDS: list[dict[str, Any]] = [
    {
        "name": "#1001",
        "at": datetime(2026, 11, 1, 9, 0, 0, tzinfo=UTC),
        "tags": ["gift", "vip customer"],
        "number": 1,
        "test": False,
    },
    {"name": "#1002", "at": datetime(2026, 11, 1, 9, 0, 5, tzinfo=UTC), "tags": [], "number": 2, "test": False},
    {"name": "#1003", "at": datetime(2026, 11, 2, 9, 0, 0, tzinfo=UTC), "tags": ["gift"], "number": 3, "test": True},
]
FIELDS: dict[str, Callable[[Any], Any]] = {name: itemgetter(name) for name in ("name", "tags", "number", "test", "at")}
FIELDS["nothing"] = lambda record: None


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        (None, [1, 2, 3]),
        ("  ", [1, 2, 3]),
        ("at:>='2026-11-01T09:00:05Z' AND at:<='2026-11-01T23:00:00Z'", [2]),
        ("at:>='2026-11-01T10:00:05+01:00'", [2, 3]),
        ("at:>'2026-11-01T09:00:00Z'", [2, 3]),
        ('at:<"2026-11-01T09:00:05Z"', [1]),
        ("at:>=2026-11-01T09:00:05Z", [2, 3]),
        ("at:2026-11-01", [1, 2]),
        ("at:'2026-11-01T09:00:05Z'", [2]),
        ("at:>='not a time'", [1, 2, 3]),
        ("name:#1002", [2]),
        ("name:#100*", [1, 2, 3]),
        ("1003", [3]),
        ("tags:gift", [1, 3]),
        ("tags:'vip customer'", [1]),
        ("-tags:gift", [2]),
        ("NOT tags:gift", [2]),
        ("number:>1 number:<3", [2]),
        ("number:gid://shopify/Order/3", [3]),
        ("number:many", []),
        ("test:true", [3]),
        ("number:1 OR number:3", [1, 3]),
        ("(number:1 OR number:2) AND -name:#1001", [2]),
        ("name:>#1001", [2, 3]),
        ("nothing:here", []),
        ("unknown:field", [1, 2, 3]),
        ("number:1)", [1]),
    ],
)
def test_queries_find_what_the_syntax_says(query: str | None, numbers: list[int]) -> None:
    matches = compile_query(query, FIELDS, lambda record: record["name"])
    assert [record["number"] for record in RECORDS if matches(record)] == numbers
