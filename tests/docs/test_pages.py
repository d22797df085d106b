"""The pages say what is true: their commands exist, their links lead somewhere, their tables leave nothing out."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.pages import (
    PAGES,
    REPOSITORY,
    anchors_of,
    commands_mentioned,
    commands_to_run,
    links_in,
    name_of,
    tracked_texts,
)
from tradewind.cli import SUMMARIES, load_command
from tradewind.domain.discrepancies import EXPLANATIONS
from tradewind.settings import Settings

OPERATIONS = (REPOSITORY / "docs" / "operations.md").read_text()
README = REPOSITORY / "README.md"

TYPED = [page for page in PAGES if page.parent.name != "reference"]
"""The reference shows commands with placeholders, and is made from the commands themselves."""
ON_A_MACHINE = ["work", "root", "home", "opt", "mnt", "Users"]
REGISTRIES = ["pypi", "pythonhosted", "npmjs", "debian"]


def parsed(words: list[str]) -> dict[str, Any]:
    """What the command makes of its words: values by parameter, None for what was not given. Raises for what it

    does not know."""
    name, *rest = words
    assert name in SUMMARIES, f"`tradewind {name}` is no command"
    command = load_command(name)
    if rest and rest[0] in getattr(command, "commands", {}):
        command, rest = command.commands[rest[0]], rest[1:]
    values, left, _ = command.make_parser(command.context_class(command)).parse_args(args=rest)
    assert not left, f"`tradewind {name}` does not take {left}"
    needed = {parameter.name for parameter in command.params if parameter.required}
    return {parameter: value for parameter, value in values.items() if parameter in needed or value is not None}


@pytest.mark.parametrize("page", TYPED, ids=name_of)
def test_commands_in_fences_can_be_typed_as_they_stand(page: Path) -> None:
    for words in commands_to_run(page):
        missing = [name for name, value in parsed(words).items() if value is None]
        assert not missing, f"`tradewind {' '.join(words)}` lacks {missing}"


@pytest.mark.parametrize("page", TYPED, ids=name_of)
def test_commands_in_prose_exist_with_their_options(page: Path) -> None:
    for words in commands_mentioned(page):
        if words[0] != "--help":
            parsed(words)


def test_readme_shows_its_two_commands() -> None:
    text = README.read_text()
    assert "pip install uv && uv run tradewind demo\n" in text
    assert "pip install uv && uv run pytest\n" in text
    assert "uv run pytest\n" in (REPOSITORY / ".ci" / "run").read_text()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links_in(page):
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        assert path.is_relative_to(REPOSITORY), f"{link} leads out of the repository"
        assert path.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in anchors_of(path), f"{link}: no such heading"


def test_the_index_has_every_page() -> None:
    index = REPOSITORY / "docs" / "index.md"
    linked = {(index.parent / link).resolve() for link in links_in(index)}
    missing = [name_of(page) for page in (REPOSITORY / "docs").glob("*.md") if page not in linked | {index}]
    assert not missing


def test_operations_explain_every_setting() -> None:
    assert [name for name in Settings.model_fields if f"`{name}`" not in OPERATIONS] == []


def test_operations_explain_every_discrepancy() -> None:
    for kind, explained in EXPLANATIONS.items():
        row = next((line for line in OPERATIONS.splitlines() if line.startswith(f"| `{kind.value}` |")), None)
        assert row is not None, kind
        assert explained.meaning in row
        assert ("*repaired*" if explained.ledger_lags else explained.advice) in row


def test_operations_explain_every_deployment_and_alert() -> None:
    deployed = yaml.safe_load((REPOSITORY / "deployments" / "prefect.yaml").read_text())["deployments"]
    assert [one["name"] for one in deployed if f"| `{one['name']}` |" not in OPERATIONS] == []
    automations = yaml.safe_load((REPOSITORY / "deployments" / "automations.yaml").read_text())["automations"]
    names = [one["name"].removeprefix("tradewind - ") for one in automations]
    assert [name for name in names if f"**{name}**" not in OPERATIONS and f"*{name}*" not in OPERATIONS] == []


def test_every_dependency_has_its_sentence() -> None:
    page = (REPOSITORY / "docs" / "decisions" / "0006-dependencies.md").read_text()
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = [re.split(r"[\[<>=]", one)[0] for one in wanted]
    assert [name for name in names if f"`{name}`" not in page] == []


def test_every_command_is_in_the_changelog_and_shown_somewhere() -> None:
    shown = {words[0] for page in PAGES for words in (*commands_to_run(page), *commands_mentioned(page))}
    assert [name for name in SUMMARIES if name not in shown | {"version"}] == []
    changes = (REPOSITORY / "CHANGELOG.md").read_text()
    assert [name for name in SUMMARIES if f"`{name}`" not in changes] == []


def test_no_file_names_a_machine_or_a_registry() -> None:
    path = re.compile(rf"(?<![\w.~/-])/(?:{'|'.join(ON_A_MACHINE)})/[\w.-]")
    host = re.compile(rf"\b(?:[\w-]+\.)*(?:{'|'.join(REGISTRIES)})\.(?:org|com|net)\b")
    found = [
        f"{name}: {match.group()}"
        for name, text in tracked_texts()
        for match in (path.search(text), host.search(text))
        if match
    ]
    assert not found


def test_every_picture_is_shown() -> None:
    shown = {(page.parent / link).resolve() for page in PAGES for link in links_in(page)}
    pictures = (REPOSITORY / "docs" / "images").iterdir()
    assert [picture.name for picture in pictures if picture not in shown] == []
