"""Connections: pages of records, cut by cursors that name a place in the order and survive changes."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from graphql import GraphQLError

R = TypeVar("R")
Key = Callable[[R], tuple[Any, ...]]

# Source: shopify.dev, "Shopify API limits": a page has at most 250 objects.
LARGEST_PAGE: Final = 250


def page(records: Iterable[R], show: Callable[[R], Any], arguments: dict[str, Any], key: Key[R]) -> dict[str, Any]:
    """A connection over records in the order of their keys, which must be JSON values.

    Raises GraphQLError unless exactly one of `first` and `last` says how many, or for a cursor that is none.
    """
    first, last = _sizes(arguments)
    ordered = sorted(records, key=key, reverse=bool(arguments.get("reverse")))
    keys = [key(each) for each in ordered]
    start, end = _window(keys, arguments)
    if first is not None:
        end = min(end, start + first)
    chosen = range(start if first is not None else max(start, end - (last or 0)), end)
    edges = [{"cursor": _cursor(keys[index]), "node": show(ordered[index])} for index in chosen]
    return {
        "edges": edges,
        "nodes": [edge["node"] for edge in edges],
        "pageInfo": {
            "hasNextPage": chosen.stop < len(ordered),
            "hasPreviousPage": chosen.start > 0,
            "startCursor": edges[0]["cursor"] if edges else None,
            "endCursor": edges[-1]["cursor"] if edges else None,
        },
    }


def by_id(record: Any) -> tuple[int]:
    """The key of records that are listed as they came."""
    return (record.id,)


def bad_request(message: str) -> GraphQLError:
    """An error about the request itself, at the top of the answer."""
    return GraphQLError(message, extensions={"code": "BAD_REQUEST"})


def _sizes(arguments: dict[str, Any]) -> tuple[int | None, int | None]:
    first, last = arguments.get("first"), arguments.get("last")
    if (first is None) == (last is None):
        raise bad_request("you must provide one of first or last")
    if not 0 < (first or last or 0) <= LARGEST_PAGE:
        raise bad_request(f"first and last must be between 1 and {LARGEST_PAGE}")
    return first, last


def _window(keys: list[tuple[Any, ...]], arguments: dict[str, Any]) -> tuple[int, int]:
    """From which index, and up to which, the cursors allow."""
    descending = bool(arguments.get("reverse"))
    after, before = arguments.get("after"), arguments.get("before")
    start, end = 0, len(keys)
    if after is not None:
        limit = _place(after)
        start = sum(1 for key in keys if (key >= limit if descending else key <= limit))
    if before is not None:
        limit = _place(before)
        end = sum(1 for key in keys if (key > limit if descending else key < limit))
    return start, max(start, end)


def _cursor(key: tuple[Any, ...]) -> str:
    return base64.b64encode(json.dumps(key).encode()).decode()


def _place(cursor: str) -> tuple[Any, ...]:
    try:
        return tuple(json.loads(base64.b64decode(cursor, validate=True)))
    except (binascii.Error, ValueError, TypeError) as error:
        raise bad_request(f"Invalid cursor for current pagination sort: {cursor}") from error
