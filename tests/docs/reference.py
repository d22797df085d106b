"""The pages under docs/reference/, made from docstrings, commands and constants: `python -m tests.docs.reference`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import griffe
import typer
from typer.cli import get_docs_for_click

from tests.docs.pages import REPOSITORY
from tests.docs.retries import retries_page
from tradewind.cli import SUMMARIES, load_command

FOLDER = REPOSITORY / "docs" / "reference"
ROOMS = ("domain", "sync", "ledger", "gateway", "providers", "transport", "governor", "telemetry")
MADE = "<!-- Made by `just reference` from the code: change it there. -->\n\n"


def pages() -> dict[Path, str]:
    """Every page, by its path."""
    made = {"commands.md": commands_page(), "retries.md": retries_page()}
    core = griffe.load("tradewind", search_paths=[REPOSITORY])
    assert isinstance(core, griffe.Module)
    for room in ROOMS:
        made[f"{room}.md"] = room_page(core.modules[room])
    made["README.md"] = index_page(made)
    return {FOLDER / name: MADE + text.strip() + "\n" for name, text in made.items()}


def index_page(made: dict[str, str]) -> str:
    titles = {name: text.splitlines()[0].removeprefix("# ") for name, text in made.items()}
    listed = "\n".join(f"- [{title}]({name})" for name, title in titles.items())
    lifecycle = "- [The life of an order](order-lifecycle.md)" if (FOLDER / "order-lifecycle.md").exists() else ""
    return f"# Reference\n\n{listed}\n{lifecycle}"


def commands_page() -> str:
    """Every command with its arguments and options, as `--help` tells them."""
    parts = ["# Commands"]
    for name in SUMMARIES:
        command = load_command(name)
        context = typer.Context(command, info_name=f"tradewind {name}")
        parts.append(_deeper(get_docs_for_click(obj=command, ctx=context, name=f"tradewind {name}").strip()))
    return "\n\n".join(parts)


def room_page(room: griffe.Module) -> str:
    """The public names of one room of the core, module by module."""
    return "\n\n".join([f"# tradewind.{room.name}", *_module_parts(room)])


def _module_parts(module: griffe.Module) -> Iterator[str]:
    if module.docstring:
        yield f"## {module.path}\n\n{module.docstring.value}"
        for member in module.members.values():
            if not member.is_alias and _is_public(member):
                yield from _member_parts(member)
    for inner in sorted(module.modules.values(), key=lambda one: one.name):
        if _is_public(inner) and inner.name not in ("migrations", "templates"):
            yield from _module_parts(inner)


def _member_parts(member: griffe.Object | griffe.Alias) -> Iterator[str]:
    if isinstance(member, griffe.Function):
        yield f"### {member.name}\n\n```python\n{_signature(member)}\n```\n\n{_text(member)}".rstrip()
    elif isinstance(member, griffe.Class):
        yield f"### {member.name}\n\n{_text(member)}\n\n{_fields(member)}".rstrip()
        for method in member.members.values():
            if isinstance(method, griffe.Function) and _is_public(method) and method.docstring:
                yield f"```python\n{_signature(method)}\n```\n\n{_text(method)}"


def _fields(owner: griffe.Class) -> str:
    """What a model or an enumeration holds."""
    attributes = [one for one in owner.members.values() if isinstance(one, griffe.Attribute) and _is_public(one)]
    lines = []
    for one in attributes:
        kind = f": {one.annotation}" if one.annotation else ""
        lines.append(f"{one.name}{kind}" + (f" = {one.value}" if one.value is not None else ""))
    return "```python\n" + "\n".join(lines) + "\n```" if lines else ""


def _signature(function: griffe.Function) -> str:
    asynchronous = "async " if "async" in function.labels else ""
    return asynchronous + "def " + str(function.signature())


def _text(member: griffe.Object) -> str:
    return member.docstring.value if member.docstring else ""


def _is_public(member: griffe.Object | griffe.Alias) -> bool:
    return not member.name.startswith("_")


def _deeper(text: str) -> str:
    """The headings one level down: they stand below the page's own."""
    fenced = False
    lines = []
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        lines.append(f"#{line}" if line.startswith("#") and not fenced else line)
    return "\n".join(lines)


def write() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in pages().items():
        path.write_text(text)


if __name__ == "__main__":
    write()
