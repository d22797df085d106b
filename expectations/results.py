"""From Great Expectations' results to ours."""

from __future__ import annotations

from typing import Any

from expectations.verdict import ROWS_SHOWN, Check

RESULT_FORMAT = {
    "result_format": "SUMMARY",
    "partial_unexpected_count": ROWS_SHOWN,
    "unexpected_index_column_names": ["row", "currency"],
}
"""What a checkpoint must be asked for, so that `checks_of` knows the rows."""


def checks_of(checkpoint_result: Any) -> list[Check]:
    """Every expectation's result, in the order of the suites."""
    return [check for result in checkpoint_result.run_results.values() for check in checks_of_suite(result)]


def checks_of_suite(suite_result: Any) -> list[Check]:
    """The results of one suite."""
    return [_check(suite_result.suite_name, result) for result in suite_result.results]


def _check(suite: str, result: Any) -> Check:
    meta, found = result.expectation_config.meta, result.result or {}
    return Check(
        suite=suite,
        rule=meta["rule"],
        says=meta["says"],
        advice=meta["advice"],
        success=bool(result.success),
        checked=int(found.get("element_count", 0)),
        failed=int(found.get("unexpected_count", 0)),
        rows=tuple(map(_plain, found.get("partial_unexpected_index_list") or ())),
        error=None if result.success or found else _error(result.exception_info),
    )


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """`row` first; numbers of numpy as Python's."""
    values = {name: value.item() if hasattr(value, "item") else value for name, value in row.items()}
    return {"row": values.pop("row", "?"), **values}


def _error(info: dict[str, Any]) -> str:
    """The message of the first exception; Great Expectations nests them by metric."""
    if "exception_message" in info:
        return str(info["exception_message"])
    messages = [str(one["exception_message"]) for one in info.values() if isinstance(one, dict)]
    return messages[0] if messages else "it could not be checked"
