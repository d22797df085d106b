"""The ledger of a simulated process: the real one over one SQLite file, with every commit a place to die or to fail."""

from __future__ import annotations

import functools
import gc
import itertools
import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import OperationalError

from tests.simulation.clock import VirtualClock, set_database_clock
from tests.simulation.loop import VirtualLoop
from tests.simulation.process import Process
from tests.simulation.watch import watch
from tradewind.ledger.crypto import master_key
from tradewind.ledger.engine import Ledger, make_engine, migrate
from tradewind.ledger.keyring import KeyRing
from tradewind.settings import Settings

MASTER_KEY = "c2ltdWxhdGlvbiBzaW11bGF0aW9uIHNpbXVsYXRpb24="
TEMPLATE = "template"
_TELLINGS = itertools.count(1)
_KEPT: list[object] = []


@dataclass
class Weather:
    """What the database suffers from now."""

    away: bool = False
    full: bool = False
    refused: dict[str, int] = field(default_factory=lambda: {"database_away": 0, "disk_full": 0})

    def check(self, name: str, struck: bool, told: str) -> None:
        if struck:
            self.refused[name] += 1
            raise OperationalError("COMMIT", None, sqlite3.OperationalError(told))


@dataclass(frozen=True)
class Store:
    """The databases of one telling and what its processes share. world: who looks at the ledger from outside."""

    settings: Settings
    name: str
    world: sqlite3.Connection
    engine: Engine
    key_engine: Engine
    loop: VirtualLoop
    clock: VirtualClock
    rng: random.Random
    weather: Weather
    committed: list[Callable[[], None]]

    def open(self, process: Process) -> SimLedger:
        """As a process opens it: with nothing remembered."""
        keys = KeyRing(self.key_engine, master_key(self.settings))
        return SimLedger(
            self.engine, self.key_engine, keys, self.settings.state_dir / "locks", process=process, store=self
        )

    def close(self) -> None:
        self.engine.dispose()
        self.key_engine.dispose()
        self.world.close()


@dataclass(frozen=True)
class SimLedger(Ledger):
    process: Process = field(kw_only=True)
    store: Store = field(kw_only=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        self._arrive()
        with super().read() as conn:
            yield conn

    @contextmanager
    def write(self) -> Iterator[Connection]:
        self._arrive()
        # A thread can lose the processor here for as long as it likes. Not where it reads: it may hold a lock, and the
        # others would wait for it in the one thread that all of them are.
        if self.store.rng.random() < 0.1:
            self.store.loop.suspend(self.store.rng.uniform(0.0, 0.2))
            self.process.reach()
        if self.process.lose_processor():
            self.process.pause(self.store.rng.choice((32.0, 45.0, 130.0)))
            self.store.loop.suspend(0.0)
            self.process.reach()
        weather = self.store.weather
        with super().write() as conn:
            yield conn
            self.process.reach()
            weather.check("disk_full", weather.full, "database or disk is full")
        for notice in self.store.committed:
            notice()
        self.process.commit()

    def close(self) -> None:
        """The engines are the seed's."""

    def _arrive(self) -> None:
        if self.process.dead:
            self.process.reach()
        self.process.reach()
        self.store.weather.check("database_away", self.store.weather.away, "unable to open database file")


def make_store(loop: VirtualLoop, clock: VirtualClock, rng: random.Random) -> Store:
    """A migrated, empty ledger of its own, in memory."""
    settings, name = prepare(), f"telling-{next(_TELLINGS)}"
    engines = []
    for part, url in (("ledger", settings.database_url), ("keys", settings.keys_url)):
        engine = make_engine(url)
        _keep_in_memory(engine, f"{name}-{part}", clock)
        with closing(_open(f"{TEMPLATE}-{part}")) as template, engine.connect() as database:
            template.backup(cast(sqlite3.Connection, database.connection.dbapi_connection))
        engines.append(engine)
    return Store(settings, name, _open(f"{name}-ledger"), engines[0], engines[1], loop, clock, rng, Weather(), [])


def _keep_in_memory(engine: Engine, name: str, clock: VirtualClock) -> None:
    """Instead of the file that the engine names. A crash is simulated by what is not committed; the disk's own
    durability is not what is tried here.
    """

    @event.listens_for(engine, "do_connect")
    def connect(_: Any, __: Any, ___: Any, given: dict[str, Any]) -> sqlite3.Connection:
        database = _open(name, **given)
        set_database_clock(database, clock)
        return database


def _open(name: str, **given: Any) -> sqlite3.Connection:
    """A connection to a database that this process shares and that ends with its last connection."""
    given = {"isolation_level": None, **given}
    return sqlite3.connect(f"file:/{name}?vfs=memdb", **given, uri=True)


@functools.cache
def prepare() -> Settings:
    """Migrated once a process, before anything is simulated: what every telling begins with."""
    folder = tempfile.TemporaryDirectory(prefix="simulation-")
    settings = Settings(state_dir=Path(folder.name), master_key=MASTER_KEY)  # type: ignore[arg-type]
    migrate(settings)
    for part in ("ledger", "keys"):
        template = _open(f"{TEMPLATE}-{part}")
        with closing(sqlite3.connect(settings.state_dir / f"{part}.db")) as database:
            database.execute("PRAGMA journal_mode = DELETE")
            database.backup(template)
        if part == "ledger":
            watch(template)
        _KEPT.extend((template, folder))
    # What is there for good need not be looked through after each telling.
    gc.collect()
    gc.freeze()
    return settings
