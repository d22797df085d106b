"""Findings on this machine: the master key, the disk, the ledger, and what waits in it."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from tradewind.cli.checks.check import Check, of_error
from tradewind.domain.connections import Connection as ProviderConnection
from tradewind.errors import LedgerTooNew, TradewindError
from tradewind.gateway.store import LedgerStore, StoreUnavailable
from tradewind.ledger import audit, connections, dead_letters, hearing, inbox, tables
from tradewind.ledger.dialect import db_now
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import Settings, config_file
from tradewind.sync.subscriptions import hook_url

LEAST_FREE_BYTES = 1_000_000_000
MOST_SKEW_S = 5.0
LATE = timedelta(minutes=2)


def settings_check(settings: Settings) -> Check:
    path = config_file()
    return Check("settings", f"{path if path.exists() else 'defaults and environment'}, state in {settings.state_dir}")


def key_check(settings: Settings) -> Check:
    """Looks, and makes nothing: a key that was lost must not be replaced by a new one."""
    if settings.master_key is not None:
        return Check("master key", "from TRADEWIND_MASTER_KEY")
    path = settings.master_key_file
    if not path.exists():
        return Check(
            "master key", f"{path} does not exist", "restore it from where you keep it; a new ledger makes one"
        )
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        return Check("master key", f"{path} can be read by others", f"chmod 600 {path}")
    return Check("master key", str(path))


def disk_check(settings: Settings) -> Check:
    free = shutil.disk_usage(settings.state_dir).free
    found = f"{free / 1e9:,.1f} GB free for {settings.state_dir}"
    return Check("disk", found, "make room: a full disk stops the gateway" if free < LEAST_FREE_BYTES else None)


def missing_databases(settings: Settings) -> list[Check]:
    """The SQLite files that are not there: opening them would make them."""
    checks = []
    for subject, url in (("ledger", settings.database_url), ("key store", settings.keys_url)):
        address = make_url(url)
        if address.get_backend_name() == "sqlite" and not Path(address.database or "").exists():
            advice = "`tradewind up` or `tradewind connect` makes it; `tradewind restore` fills it from a backup"
            checks.append(Check(subject, f"{address.database} does not exist", advice))
    return checks


def opened(settings: Settings) -> tuple[Ledger | None, Check]:
    """The ledger if it is reachable and migrated, and the finding."""
    where = make_url(settings.database_url).render_as_string(hide_password=True)
    try:
        return open_ledger(settings), Check("ledger", f"{where}, migrated")
    except LedgerTooNew as error:
        return None, Check("ledger", str(error), "upgrade this tradewind, or use the ledger's own version")
    except TradewindError as error:
        return None, of_error("ledger", error, "see that this is the master key that the ledger was made with")
    except (SQLAlchemyError, OSError) as error:
        cause = str(getattr(error, "orig", None) or error).splitlines()[0]
        return None, Check("ledger", f"{where}: {cause}", "start the database, or set TRADEWIND_DATABASE_URL right")


def connected(ledger: Ledger) -> list[ProviderConnection]:
    """Every connection but those that were disconnected on purpose."""
    with ledger.read() as conn:
        return connections.connected(conn, ledger.keys)


def ledger_checks(settings: Settings, ledger: Ledger) -> Iterator[Check]:
    """Whether it takes writes, keeps our time, was not tampered with, and what waits."""
    yield _writable(settings)
    with ledger.read() as conn:
        skew_s = (db_now(conn) - datetime.now(UTC)).total_seconds()
        if abs(skew_s) > MOST_SKEW_S:
            advice = "set both clocks by NTP: leases expire by the database's clock"
            yield Check("ledger's clock", f"{skew_s:+.0f} s from this machine's", advice)
        yield _backlog(conn)
        yield from _dead(conn)
        broken = audit.first_broken(conn)
        if broken is None:
            yield Check("audit trail", "unbroken")
        else:
            advice = "compare with a backup: an entry was changed or removed"
            yield Check("audit trail", f"broken at entry {broken}", advice)


def _writable(settings: Settings) -> Check:
    store = LedgerStore(lambda: open_ledger(settings))
    try:
        store.probe()
    except StoreUnavailable as error:
        return Check(
            "ledger's writes", str(error), "see that the disk is not full, and no other program holds its lock"
        )
    finally:
        store.close()
    return Check("ledger's writes", "taken")


def _backlog(conn: Connection) -> Check:
    waiting = inbox.counts(conn)["received"]
    oldest = conn.execute(
        select(func.min(tables.inbox.c.received_at)).where(tables.inbox.c.state == "received")
    ).scalar_one()
    if oldest is None or datetime.now(UTC) - oldest < LATE:
        return Check("inbox", f"{waiting} deliveries wait")
    found = f"{waiting} deliveries wait, the oldest since {oldest:%Y-%m-%d %H:%M} UTC"
    return Check("inbox", found, "nothing applies them: see that `tradewind up`, or the order-sync flow, runs")


def _dead(conn: Connection) -> Iterator[Check]:
    for group in dead_letters.groups(conn):
        found = f"{group.count:,} of {group.name}, the latest {group.example_kind} {group.example_id}"
        advice = f"{group.example_reason}: mend that, then `tradewind dead-letters replay {group.name}`"
        yield Check("dead letters", found, advice)


def hearing_checks(settings: Settings, ledger: Ledger) -> Iterator[Check]:
    """Of every connection that webhooks should come for: how much they brought, how late, and whether they still come.

    A journal that never sends is none of them.
    """
    now = datetime.now(UTC)
    with ledger.read() as conn:
        for one in connections.connected(conn, ledger.keys):
            heard = hearing.of(conn, str(one.key), now)
            if hook_url(settings, one) is not None and (heard.listed or heard.heard_at):
                yield _heard(heard)


def _heard(heard: hearing.Hearing) -> Check:
    rate = heard.miss_rate
    missed = "nothing was listed yet" if rate is None else f"{rate:.1%} of {heard.listed:,} changes missed in a week"
    late = "" if heard.median_s is None else f"; {heard.median_s:.1f} s late, p99 {heard.p99_s:.1f} s"
    last = f"; the last at {heard.heard_at:%Y-%m-%d %H:%M} UTC" if heard.heard_at else "; none ever came"
    advice = "what changes is swept, minutes late: see the subscriptions at the provider, and that public_url is right"
    return Check(f"{heard.connection} webhooks", missed + late + last, advice if heard.silent else None)
