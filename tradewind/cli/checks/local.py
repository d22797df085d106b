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
from tradewind.ledger import audit, connections, inbox, outbox, tables
from tradewind.ledger.dialect import db_now
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import Settings, config_file

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
    deliveries, commands = inbox.counts(conn)["dead"], outbox.counts(conn)["dead"]
    if deliveries:
        advice = "`tradewind deliveries list --state dead` names the reasons; `tradewind deliveries replay` after a fix"
        yield Check("dead deliveries", str(deliveries), advice)
    if commands:
        latest = outbox.dead(conn)[0]
        advice = f"the latest: {latest.key}: {latest.reason}; the nightly reconciliation says what to do about each"
        yield Check("dead commands", str(commands), advice)
