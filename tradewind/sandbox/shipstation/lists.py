"""ShipStation's paged lists."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from tradewind.sandbox.shipstation.errors import invalid
from tradewind.sandbox.shipstation.objects import Json

_LONGEST_PAGE: Final = 500


def page(url: str, name: str, found: list[Json], query: Mapping[str, str]) -> Json:
    """One page of what was found, newest first unless `sort_dir` is asc. url: of the list, without its query."""
    number, size = _whole(query, "page", 1), min(_whole(query, "page_size", 25), _LONGEST_PAGE)
    sort_by = query.get("sort_by", "created_at")
    # Same-millisecond ties keep the order of creation, so that paging never skips.
    ordered = sorted(found, key=lambda item: item.get(sort_by) or "")
    if query.get("sort_dir", "desc") == "desc":
        ordered.reverse()
    pages = max(1, -(-len(ordered) // size))

    def link(target: int) -> Json:
        return {"href": f"{url}?{urlencode({**query, 'page': target, 'page_size': size})}"} if target else {}

    return {
        name: ordered[(number - 1) * size : number * size],
        "total": len(ordered),
        "page": number,
        "pages": pages,
        "links": {
            "first": link(1),
            "last": link(pages),
            "prev": link(number - 1 if number > 1 else 0),
            "next": link(number + 1 if number < pages else 0),
        },
    }


def matching(found: Iterable[Json], query: Mapping[str, str], equal: Mapping[str, str]) -> list[Json]:
    """The items that a query's filters let through. equal: query name to the item's key, compared exactly."""
    kept = [item for item in found if all(item.get(key) == query[name] for name, key in equal.items() if name in query)]
    for key in ("created_at", "modified_at"):
        if f"{key}_start" in query:
            start_at = _time(query, f"{key}_start")
            kept = [item for item in kept if datetime.fromisoformat(item[key]) >= start_at]
        if f"{key}_end" in query:
            end_at = _time(query, f"{key}_end")
            kept = [item for item in kept if datetime.fromisoformat(item[key]) <= end_at]
    return kept


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    try:
        value = int(query.get(name, default))
    except ValueError:
        value = 0
    if value < 1:
        raise invalid(name, f"{name} must be a whole number above zero.")
    return value


def _time(query: Mapping[str, str], name: str) -> datetime:
    """A time without an offset is UTC."""
    try:
        at = datetime.fromisoformat(query[name])
    except ValueError:
        raise invalid(name, f"{name} is not an ISO 8601 time.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
