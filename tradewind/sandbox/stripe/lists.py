"""Stripe's lists and expansions. Source: Stripe API reference, "Pagination" and "Expanding responses"."""

import operator
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any, Final

from tradewind.sandbox.stripe.errors import StripeError, not_found
from tradewind.sandbox.stripe.objects import Json
from tradewind.sandbox.stripe.params import Params

PAGE_PARAMETERS: Final = ("limit", "starting_after", "ending_before", "expand")

COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def page(url: str, newest_first: list[Json], params: Params) -> Json:
    """One page, newest first, of the objects that the filters let through."""
    limit = page_limit(params)
    start, stop = 0, len(newest_first)
    if cursor := params.text("starting_after"):
        start = _position(newest_first, cursor, "starting_after") + 1
    if cursor := params.text("ending_before"):
        stop = _position(newest_first, cursor, "ending_before")
        start = max(start, stop - limit)
        return listed(url, newest_first[start:stop], has_more=start > 0)
    data = newest_first[start : min(stop, start + limit)]
    return listed(url, data, has_more=start + len(data) < stop)


def listed(url: str, data: list[Json], has_more: bool) -> Json:
    """The list object around one page."""
    return {"object": "list", "url": url, "has_more": has_more, "data": data}


def page_limit(params: Params) -> int:
    """How many objects a page may hold. Raises StripeError."""
    limit = params.integer("limit")
    limit = 10 if limit is None else limit
    if not 1 <= limit <= 100:
        raise StripeError(400, "This value must be between 1 and 100.", param="limit")
    return limit


def created_within(found: Iterable[Json], params: Params) -> list[Json]:
    """The objects that `created` allows."""
    bounds = params.bounds("created")
    return [item for item in found if all(COMPARE[name](item["created"], bound) for name, bound in bounds.items())]


def expand(answer: Json, paths: list[str], find: Callable[[str], Json | None]) -> Json:
    """The answer with the named ids replaced by their objects. find: an object by its id."""
    if not paths:
        return answer
    if any(path.count(".") > 3 for path in paths):
        raise StripeError(400, "You cannot expand more than 4 levels of a property.", param="expand")
    expanded = deepcopy(answer)
    for path in paths:
        _expand(expanded, path.split("."), find)
    return expanded


def _expand(of: Any, steps: list[str], find: Callable[[str], Json | None]) -> None:
    if isinstance(of, list):
        for item in of:
            _expand(item, steps, find)
        return
    step, rest = steps[0], steps[1:]
    if not isinstance(of, dict) or step not in of:
        raise StripeError(400, f"This property cannot be expanded ({step}).", param="expand")
    if isinstance(of[step], str):
        of[step] = deepcopy(find(of[step])) or of[step]
    if rest and of[step] is not None:
        _expand(of[step], rest, find)


def _position(found: list[Json], object_id: str, param: str) -> int:
    for index, item in enumerate(found):
        if item["id"] == object_id:
            return index
    raise not_found("object", object_id, param)
