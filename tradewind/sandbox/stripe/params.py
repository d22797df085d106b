"""Stripe's form-encoded parameters: `metadata[order]=1`, `expand[]=x`, `created[gte]=5`."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from tradewind.sandbox.stripe.errors import StripeError, missing, unknown_parameter

_SEGMENT = re.compile(r"\[([^\]]*)\]")


def parse_form(encoded: str) -> dict[str, Any]:
    """Nested dictionaries and lists of strings out of Stripe's bracket notation."""
    form: dict[str, Any] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        head = name.partition("[")[0]
        _place(form, [head, *_SEGMENT.findall(name)], value)
    return {name: _listed(value) for name, value in form.items()}


def _place(form: dict[str, Any], path: list[str], value: str) -> None:
    for step in path[:-1]:
        form = form.setdefault(step, {})
    key = path[-1] if path[-1] else str(len(form))
    form[key] = value


def _listed(value: Any) -> Any:
    """Dictionaries whose keys are 0, 1, 2 … are lists."""
    if not isinstance(value, dict):
        return value
    if list(value) == [str(index) for index in range(len(value))]:
        return [_listed(item) for item in value.values()]
    return {key: _listed(item) for key, item in value.items()}


class Params:
    """One request's parameters, read by type. Raises StripeError as Stripe words it."""

    def __init__(self, form: dict[str, Any], allowed: Iterable[str]) -> None:
        for name in form:
            if name not in allowed:
                raise unknown_parameter(name)
        self.form = form

    def text(self, name: str, choices: Iterable[str] = ()) -> str | None:
        """A string, one of `choices` if there are any; None when it was not sent or is empty."""
        value = self.form.get(name)
        if value in (None, ""):
            return None
        if not isinstance(value, str) or (choices and value not in choices):
            raise StripeError(400, f"Invalid {name}: must be one of {', '.join(choices) or 'a string'}", param=name)
        return value

    def required_text(self, name: str) -> str:
        """A string that must be there."""
        value = self.text(name)
        if value is None:
            raise missing(name)
        return value

    def integer(self, name: str) -> int | None:
        """A whole number."""
        value = self.form.get(name)
        return None if value in (None, "") else _whole(value, name)

    def boolean(self, name: str) -> bool | None:
        """`true` or `false`."""
        value = self.text(name, ("true", "false"))
        return None if value is None else value == "true"

    def texts(self, name: str) -> list[str]:
        """A list of strings."""
        value = self.form.get(name) or []
        if not isinstance(value, list):
            raise StripeError(400, "Invalid array", param=name)
        return [str(item) for item in value]

    def mapping(self, name: str) -> dict[str, Any]:
        """A hash."""
        value = self.form.get(name) or {}
        if not isinstance(value, dict):
            raise StripeError(400, "Invalid hash", param=name)
        return value

    def bounds(self, name: str) -> dict[str, int]:
        """A time filter: `created=5` or `created[gte]=5`, as {"gte": 5, "lte": 5}."""
        value = self.form.get(name)
        if isinstance(value, str):
            exact = _whole(value, name)
            return {"gte": exact, "lte": exact}
        bounds = self.mapping(name)
        if unknown := set(bounds) - {"gt", "gte", "lt", "lte"}:
            raise unknown_parameter(f"{name}[{min(unknown)}]")
        return {operator: _whole(bound, f"{name}[{operator}]") for operator, bound in bounds.items()}


def _whole(value: Any, name: str) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise StripeError(400, f"Invalid integer: {value}", code="parameter_invalid_integer", param=name) from None
