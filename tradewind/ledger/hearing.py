"""How well a connection hears: of what sweeps listed, how much a webhook had brought, and how late webhooks come."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select

from tradewind.ledger import cursors
from tradewind.ledger.dialect import AnyRow, insert
from tradewind.ledger.tables import inbox, outbox
from tradewind.ledger.watch_tables import sweep_day as days

SETTLED_AFTER = timedelta(minutes=5)
"""After it was listed: longer than a sweep lasts, and a webhook that comes later is as good as none."""
CLOCKS = timedelta(seconds=2)
"""Between the time that a listing has of a change and the time that its webhook has: whole seconds, and two clocks."""
SHOWN = timedelta(days=7)
DELAYS_OF = timedelta(days=1)
DELAYS = 1000
SILENT_AFTER = 3
CHUNK = 500
JUDGED = "judged"
WEBHOOK = "raw"
"""Format of what a webhook itself brought."""


@dataclass(frozen=True)
class Hearing:
    """listed: changes that sweeps found in the last seven days, five minutes old by then; missed: those of which no
    webhook had told. Where the provider keeps what its webhooks tell, each of those is a change. median_s, p99_s: from
    a change to its webhook, over the last day's deliveries, at most 1,000. heard_at: the last webhook. unheard: changes
    that sweeps have found since then.
    """

    connection: str
    listed: int = 0
    missed: int = 0
    median_s: float | None = None
    p99_s: float | None = None
    heard_at: datetime | None = None
    unheard: int = 0

    @property
    def miss_rate(self) -> float | None:
        """Between 0 and 1; None before anything was listed."""
        return self.missed / self.listed if self.listed else None

    @property
    def silent(self) -> bool:
        """Webhooks used to come, and none has come of what has changed since."""
        return self.heard_at is not None and self.unheard >= SILENT_AFTER


def unjudged(
    conn: Connection, connection: str, now: datetime, *, kept: Collection[str] = ()
) -> tuple[datetime | None, Mapping[date, list[bool]]]:
    """What sweeps listed since the last judgement, by day: whether a webhook had told of each.

    kept: the topics of which sweeps list every delivery that the provider has told by webhook, or tried to.
    Gives up to when was judged before, for `judge`.
    """
    cursor = cursors.get(conn, f"{connection}/{JUDGED}")
    since = cursor.updated_at if cursor else None
    heard: dict[date, list[bool]] = {}
    for row in conn.execute(_settled(_kept(connection, kept), since, now)) if kept else ():
        heard.setdefault(row.received_at.date(), []).append(row.format == WEBHOOK or row.repeats > 0)
    rows = conn.execute(_settled(_swept(connection), since, now)).all()
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        told = _told(conn, connection, chunk)
        for row in chunk:
            heard.setdefault(row.received_at.date(), []).append(_was_told(connection, row, told))
    return since, heard


def judge(
    conn: Connection, connection: str, now: datetime, since: datetime | None, heard: Mapping[date, Sequence[bool]]
) -> None:
    """Count what `unjudged` gave, unless someone else has counted it meanwhile."""
    cursor = cursors.get(conn, f"{connection}/{JUDGED}")
    if (cursor.updated_at if cursor else None) != since:
        return
    for day, told in heard.items():
        row = {"connection": connection, "day": day, "listed": len(told), "missed": told.count(False)}
        statement = insert(conn, days).values(row)
        added = {name: days.c[name] + statement.excluded[name] for name in ("listed", "missed")}
        conn.execute(statement.on_conflict_do_update(index_elements=[days.c.connection, days.c.day], set_=added))
    cursors.set(conn, f"{connection}/{JUDGED}", cursors.Cursor(now - SETTLED_AFTER))


def of(conn: Connection, connection: str, now: datetime) -> Hearing:
    """How well the connection hears."""
    listed, missed = conn.execute(
        select(func.coalesce(func.sum(days.c.listed), 0), func.coalesce(func.sum(days.c.missed), 0)).where(
            days.c.connection == connection, days.c.day >= (now - SHOWN).date()
        )
    ).one()
    delays = _delays(conn, connection, now)
    heard_at = last_webhook(conn, connection)
    return Hearing(
        connection=connection,
        listed=int(listed),
        missed=int(missed),
        median_s=_rank(delays, 0.5),
        p99_s=_rank(delays, 0.99),
        heard_at=heard_at,
        unheard=_unheard(conn, connection, heard_at, now) if heard_at else 0,
    )


def last_webhook(conn: Connection, connection: str) -> datetime | None:
    """When the last one came."""
    return conn.execute(_webhooks(connection).order_by(inbox.c.received_at.desc()).limit(1)).scalar()


def _settled(read: Select[Any], since: datetime | None, now: datetime) -> Select[Any]:
    read = read.where(inbox.c.received_at <= now - SETTLED_AFTER)
    if since is not None:
        read = read.where(inbox.c.received_at > since)
    return read.order_by(inbox.c.id)


def _kept(connection: str, topics: Collection[str]) -> Select[Any]:
    """What webhooks brought, and what a sweep found first: a webhook that came later has repeated that."""
    columns = (inbox.c.format, inbox.c.repeats, inbox.c.received_at)
    mine = and_(inbox.c.connection == connection, inbox.c.source == "webhook", inbox.c.topic.in_(sorted(topics)))
    return select(*columns).where(mine)


def _swept(connection: str) -> Select[Any]:
    """Rows of sweeps: of what was read, they alone say when it had changed."""
    columns = (inbox.c.delivery_key, inbox.c.order_id, inbox.c.occurred_at, inbox.c.received_at, inbox.c.correlation)
    mine = and_(inbox.c.connection == connection, inbox.c.source == "poll", inbox.c.occurred_at.is_not(None))
    return select(*columns).where(mine)


def _webhooks(connection: str) -> Select[datetime]:
    heard = and_(inbox.c.connection == connection, inbox.c.source == "webhook", inbox.c.format == WEBHOOK)
    return select(inbox.c.received_at).where(heard)


def _told(conn: Connection, connection: str, rows: Sequence[AnyRow]) -> Mapping[str, list[tuple[datetime, datetime]]]:
    """When webhooks told of the rows' orders, documents and payments: (when it happened, when it was heard) by name.

    A webhook about a payment may have come before its order was known; the payment was read again because of it.
    """
    webhook = and_(inbox.c.connection == connection, inbox.c.source == "webhook")
    happened = func.coalesce(inbox.c.occurred_at, inbox.c.received_at)
    names = sorted({name for row in rows for name in _names(connection, row)})
    queries = (
        select(inbox.c.order_id, happened, inbox.c.received_at).where(webhook, inbox.c.order_id.in_(names)),
        select(inbox.c.correlation, inbox.c.received_at, inbox.c.received_at).where(
            webhook, inbox.c.correlation.in_(names)
        ),
        select(outbox.c.resource, outbox.c.created_at, outbox.c.created_at).where(
            outbox.c.resource.in_(names), outbox.c.verb == "refetch"
        ),
    )
    told: dict[str, list[tuple[datetime, datetime]]] = {}
    for query in queries:
        for name, at, heard_at in conn.execute(query):
            told.setdefault(name, []).append((at, heard_at))
    return told


def _was_told(connection: str, row: AnyRow, told: Mapping[str, Sequence[tuple[datetime, datetime]]]) -> bool:
    since, until = row.occurred_at - CLOCKS, row.received_at + SETTLED_AFTER
    times = (time for name in _names(connection, row) for time in told.get(name, ()))
    return any(at >= since and heard_at <= until for at, heard_at in times)


def _names(connection: str, row: AnyRow) -> Iterator[str]:
    """By which a webhook may have told of it: the order, the document, the payment (its address is in its key)."""
    yield from filter(None, (row.order_id, row.correlation))
    kind, _, rest = row.delivery_key.partition("/")
    if kind == "payment":
        yield f"{connection}/payment/{rest.rpartition('/')[0]}"


def _delays(conn: Connection, connection: str, now: datetime) -> list[float]:
    query = _webhooks(connection).add_columns(inbox.c.occurred_at)
    recent = query.where(inbox.c.received_at >= now - DELAYS_OF, inbox.c.occurred_at.is_not(None))
    rows = conn.execute(recent.order_by(inbox.c.received_at.desc()).limit(DELAYS))
    return sorted(max(0.0, (row.received_at - row.occurred_at).total_seconds()) for row in rows)


def _rank(ordered: Sequence[float], share: float) -> float | None:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else None


def _unheard(conn: Connection, connection: str, heard_at: datetime, now: datetime) -> int:
    mine = and_(inbox.c.connection == connection, inbox.c.occurred_at > heard_at)
    since = and_(mine, inbox.c.received_at.between(heard_at, now - SETTLED_AFTER))
    found = or_(inbox.c.source == "poll", and_(inbox.c.format == "listed", inbox.c.repeats == 0))
    return conn.execute(
        select(func.count()).select_from(select(inbox.c.id).where(since, found).limit(SILENT_AFTER).subquery())
    ).scalar_one()
