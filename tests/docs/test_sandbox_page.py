"""docs/sandbox.md says what the code does."""

import re
from pathlib import Path

import pytest

from tradewind.sandbox.acts import ASK
from tradewind.sandbox.faults import LEVELS, Rate
from tradewind.sandbox.life import DOINGS, FOREIGN, JOURNEYS, TERMS

PAGE = Path(__file__).parents[2] / "docs" / "sandbox.md"
RATE = r"(?P<{0}>\d+) % \| (?P<{0}_s>\d+ s)? ?\|"
ROW = re.compile(rf"^\| (?P<kind>\w+) \|[^|]+\| {RATE.format('mild')} {RATE.format('hostile')}$", re.MULTILINE)


def test_the_table_of_faults_is_the_one_in_force() -> None:
    rows = list(ROW.finditer(PAGE.read_text()))
    for level in ("mild", "hostile"):
        shown = {row["kind"]: _rate(row[level], row[f"{level}_s"]) for row in rows}
        assert shown == dict(LEVELS[level])


@pytest.mark.parametrize(("head", "rates"), [("doing", DOINGS), ("term", TERMS), ("journey", JOURNEYS)])
def test_the_tables_of_a_life_are_those_in_force(head: str, rates: dict[str, float]) -> None:
    table = PAGE.read_text().partition(f"| {head} | ")[2].partition("\n\n")[0]
    shown = {name: int(share) / 100 for name, share in re.findall(r"^\| (\w+) \|.*\| (\d+) % \|$", table, re.MULTILINE)}
    assert shown == pytest.approx(dict(rates))


def test_every_act_and_foreign_currency_is_named() -> None:
    text = PAGE.read_text()
    [named] = re.findall(r"Acts: (.*?)\.\n", text, re.DOTALL)
    schema = ASK.json_schema()
    assert set(re.findall(r"`(\w+)`", named)) == set(schema["discriminator"]["mapping"])
    assert all(currency in text for currency in FOREIGN)


def _rate(percent: str, longest: str | None) -> Rate:
    return Rate(int(percent) / 100, float((longest or "0").removesuffix(" s")))
