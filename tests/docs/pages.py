"""The project's own pages, and the commands and links in them."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])

_FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def name_of(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def commands_to_run(page: Path) -> list[list[str]]:
    """The words after `tradewind` of every command in the page's code blocks: to be typed as they stand."""
    text = page.read_text()
    blocks = "\n".join([*_FENCE.findall(text), *re.findall(r"^ {4}.+$", _FENCE.sub("", text), re.MULTILINE)])
    return [words.split() for words in re.findall(r"(?:uv run|^ *) ?tradewind +([^#\n]+)", blocks, re.MULTILINE)]


def commands_mentioned(page: Path) -> list[list[str]]:
    """The words after `tradewind` of every command between backquotes: in prose, perhaps without their arguments."""
    found = re.findall(r"`(?:uv run )?tradewind +([^`\n]+)`", _FENCE.sub("", page.read_text()))
    return [words.replace("[", " ").replace("]", " ").split() for words in found]


def links_in(page: Path) -> list[str]:
    """Targets of the page's links that stay in the repository."""
    text = _FENCE.sub("", page.read_text())
    return [target for target in _LINK.findall(text) if not target.startswith(("http://", "https://", "mailto:"))]


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.+)$", _FENCE.sub("", page.read_text()), re.MULTILINE)
    plain = (re.sub(r"[`*\[\]]|\([^)]*\)", "", heading).strip().lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def tracked_texts() -> Iterator[tuple[str, str]]:
    """Name and text of every file that is under version control; pictures and the like are left out."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, timeout=30, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        path = REPOSITORY / name
        try:
            yield name, path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue
