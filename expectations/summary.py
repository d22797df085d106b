"""A validation and a reconciliation as people read them: Markdown for an artifact, and a page that needs no network."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import groupby
from pathlib import Path

from expectations.verdict import Check, Verdict
from tradewind.domain.discrepancies import Discrepancy
from tradewind.sync.reconcile import Books

PAGE = "validation.html"
ROWS_TOLD = 20


def markdown(verdict: Verdict) -> str:
    """What was checked, what failed, which rows, what to do."""
    parts = [f"# {_headline(verdict)}", f"Ledger as of {verdict.taken_at:%Y-%m-%d %H:%M:%S} UTC."]
    parts += [_failure(check) for check in verdict.failed]
    parts += ["## What was checked", _table(verdict.checks)]
    return "\n\n".join(parts) + "\n"


def books_markdown(books: Books) -> str:
    """What was compared, what differs, what was repaired, what waits for a person."""
    window = books.window
    compared = ", ".join(f"{count} {side}" for side, count in books.checked.items())
    parts = [
        f"# Books of {window.since:%Y-%m-%d %H:%M} to {window.until:%Y-%m-%d %H:%M} UTC",
        f"Compared {compared}: {len(books.rows)} discrepancies, {books.repaired} being repaired, {books.left} left.",
    ]
    for kind, group in groupby(books.rows, key=lambda row: row.kind):
        rows = list(group)
        parts.append(f"## {kind.value.replace('_', ' ').capitalize()} ({len(rows)})")
        parts.append(f"{rows[0].meaning} **What to do:** {rows[0].advice}")
        parts.append("\n".join(_rows(map(_difference, rows))))
    return "\n\n".join(parts) + "\n"


def html(verdict: Verdict) -> str:
    """One page on its own: no script, no font, no address outside it."""
    failures = "".join(_html_failure(check) for check in verdict.failed)
    rows = "".join(_html_row(check) for check in verdict.checks)
    mood = "good" if verdict.success else "bad"
    docs = '<p><a href="data-docs/index.html">Data Docs</a></p>' if verdict.docs else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(_headline(verdict))}</title><style>{_STYLE}</style></head>
<body><h1 class="{mood}">{escape(_headline(verdict))}</h1>
<p>Run {escape(verdict.run_name)}, ledger as of {verdict.taken_at:%Y-%m-%d %H:%M:%S} UTC.</p>
{failures}<h2>What was checked</h2>
<table><thead><tr><th></th><th>Data</th><th>Expectation</th><th>Rows</th><th>Failed</th></tr></thead>
<tbody>{rows}</tbody></table>{docs}</body></html>
"""


def write_page(verdict: Verdict, state_dir: Path) -> Path:
    """Write the page into `state_dir`, replacing the one of the run before; gives its path."""
    path = state_dir / PAGE
    draft = path.with_name(f".{PAGE}.new")
    draft.write_text(html(verdict), encoding="utf-8")
    return draft.replace(path)


def _headline(verdict: Verdict) -> str:
    total, failed = len(verdict.checks), len(verdict.failed)
    return f"{failed} of {total} expectations do not hold" if failed else f"All {total} expectations hold"


def _failure(check: Check) -> str:
    lines = [f"## {check.says}", f"{_count(check)} **What to do:** {check.advice}", ""]
    return "\n".join([*lines, *_rows(check.rows_in_words(), check.failed)])


def _count(check: Check) -> str:
    if check.error is not None:
        return f"It could not be checked: {check.error}."
    return f"It does not hold for {check.failed} of {check.checked} rows of {check.suite}."


def _rows(lines: Iterable[str], total: int | None = None) -> list[str]:
    every = list(lines)
    shown = [f"- {_plain(line)}" for line in every[:ROWS_TOLD]]
    more = (len(every) if total is None else total) - len(shown)
    return [*shown, f"- … and {more} more"] if more > 0 else shown


def _difference(one: Discrepancy) -> str:
    return f"{one.name or one.subject}: expected {one.expected or 'nothing'}, found {one.found or 'nothing'}"


def _table(checks: Iterable[Check]) -> str:
    lines = ["| | Data | Expectation | Rows | Failed |", "|---|---|---|---:|---:|"]
    for check in checks:
        mark = "✓" if check.success else "✗"
        lines.append(f"| {mark} | {check.suite} | {check.says} | {check.checked} | {check.failed} |")
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Text of the books never becomes markup."""
    return escape(text, quote=False).replace("|", "\\|").replace("`", "\\`").replace("*", "\\*").replace("[", "\\[")


def _html_failure(check: Check) -> str:
    rows = "".join(f"<li>{escape(line)}</li>" for line in check.rows_in_words())
    more = check.failed - len(check.rows)
    rest = f"<li>… and {more} more</li>" if more > 0 else ""
    return (
        f"<section><h2>{escape(check.says)}</h2><p>{escape(_count(check))}</p>"
        f"<p><strong>What to do:</strong> {escape(check.advice)}</p><ul>{rows}{rest}</ul></section>\n"
    )


def _html_row(check: Check) -> str:
    mark, mood = ("✓", "good") if check.success else ("✗", "bad")
    return (
        f'<tr><td class="{mood}">{mark}</td><td>{escape(check.suite)}</td><td>{escape(check.says)}</td>'
        f"<td>{check.checked}</td><td>{check.failed}</td></tr>"
    )


_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f23 }
section { border-left: 4px solid #b3261e; padding: 0 1rem; margin: 1.5rem 0; background: #fdf3f2 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid #d8dee4 }
td:nth-child(n+4), th:nth-child(n+4) { text-align: right; font-variant-numeric: tabular-nums }
.good { color: #1a7f37 }
.bad { color: #b3261e }
@media (prefers-color-scheme: dark) {
  body { background: #16191d; color: #e6e8ea }
  section { background: #2a1d1c }
  th, td { border-color: #3a4047 }
  a { color: #79b8ff }
}
"""
