"""docs/sandbox.md says what the code does."""

import re
from pathlib import Path

from tradewind.sandbox.faults import LEVELS, Rate

PAGE = Path(__file__).parents[2] / "docs" / "sandbox.md"
RATE = r"(?P<{0}>\d+) % \| (?P<{0}_s>\d+ s)? ?\|"
ROW = re.compile(rf"^\| (?P<kind>\w+) \|[^|]+\| {RATE.format('mild')} {RATE.format('hostile')}$", re.MULTILINE)


def test_the_table_of_faults_is_the_one_in_force() -> None:
    rows = list(ROW.finditer(PAGE.read_text()))
    for level in ("mild", "hostile"):
        shown = {row["kind"]: _rate(row[level], row[f"{level}_s"]) for row in rows}
        assert shown == dict(LEVELS[level])


def _rate(percent: str, longest: str | None) -> Rate:
    return Rate(int(percent) / 100, float((longest or "0").removesuffix(" s")))
