"""What a window leaves behind: what it did, what waits, what has failed by cause, and how well connections hear."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tradewind.ledger.dead_letters import Group
from tradewind.ledger.hearing import Hearing
from tradewind.sync.runner import Totals


@dataclass(frozen=True)
class Standing:
    """How things stand when a window ends. waiting: deliveries and commands by state."""

    waiting: Mapping[str, int]
    groups: Sequence[Group]
    hearings: Sequence[Hearing]


def window_report(totals: Totals, standing: Standing) -> str:
    """Markdown for the artifact `order-sync-window`."""
    done = f"{totals.taken} deliveries applied to {totals.changed_orders} orders, {totals.sent} commands sent."
    waiting = _table(("waiting", "count"), ((name, str(count)) for name, count in standing.waiting.items()))
    return (
        f"# Order sync\n\n{done}\n\n{waiting}\n\n## Dead letters\n\n{_dead(standing.groups)}\n\n"
        f"## What webhooks brought\n\n{_heard(standing.hearings)}\n"
    )


def share(hearing: Hearing) -> str:
    """The share of changes of which no webhook told, e.g. `4.0 % of 250`."""
    rate = hearing.miss_rate
    return "nothing listed yet" if rate is None else f"{rate:.1%} of {hearing.listed:,}".replace("%", " %")


def _dead(groups: Sequence[Group]) -> str:
    if not groups:
        return "none"
    rows = (
        (one.name, str(one.count), f"{one.example_kind} {one.example_id}", _in_cell(one.example_reason))
        for one in groups
    )
    return _table(("cause", "count", "the latest", "reason"), rows)


def _heard(hearings: Sequence[Hearing]) -> str:
    rows = (
        (
            one.connection,
            share(one) + (" (**silent**)" if one.silent else ""),
            _seconds(one.median_s),
            _seconds(one.p99_s),
            f"{one.heard_at:%Y-%m-%d %H:%M:%S}" if one.heard_at else "never",
        )
        for one in hearings
    )
    return _table(("connection", "missed", "delay, median", "delay, p99", "last webhook (UTC)"), rows)


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _seconds(span_s: float | None) -> str:
    return "" if span_s is None else f"{span_s:.1f} s"


def _in_cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
