"""The ledger of a simulated process: the real one over one SQLite file, with every commit a place to die or to fail."""

from __future__ import annotations

import functools
import gc
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
    """The files of one seed and what their processes share."""

    settings: Settings
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

    @property
    def path(self) -> Path:
        return self.settings.state_dir / "ledger.db"

    def close(self) -> None:
        self.engine.dispose()
        self.key_engine.dispose()
        shutil.rmtree(self.settings.state_dir)


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
    """A migrated, empty ledger of its own, in memory where the machine allows it."""
    made = Path(tempfile.mkdtemp(prefix="simulation-", dir=_in_memory()))
    template = prepare()
    for name in ("ledger.db", "keys.db"):
        shutil.copyfile(template / name, made / name)
    settings = Settings(state_dir=made, master_key=MASTER_KEY)  # type: ignore[arg-type]
    engines = [make_engine(settings.database_url), make_engine(settings.keys_url)]
    for engine in engines:

        @event.listens_for(engine, "connect")
        def configure(connection: Any, _: Any) -> None:
            # A crash is simulated by what is not committed; the disk's own durability is not what is tried here.
            connection.execute("PRAGMA synchronous = OFF").close()
            connection.execute("PRAGMA journal_mode = MEMORY").close()
            set_database_clock(connection, clock)

    return Store(settings, engines[0], engines[1], loop, clock, rng, Weather(), [])


@functools.cache
def prepare() -> Path:
    """Migrated once a process, before anything is simulated: the files that every seed begins with."""
    made = Path(tempfile.mkdtemp(prefix="simulation-template-", dir=_in_memory()))
    migrate(Settings(state_dir=made, master_key=MASTER_KEY))  # type: ignore[arg-type]
    for name in ("ledger.db", "keys.db"):
        with sqlite3.connect(made / name) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            database.execute("PRAGMA journal_mode = DELETE")
        database.close()
    with sqlite3.connect(made / "ledger.db") as database:
        watch(database)
    database.close()
    # What is there for good need not be looked through after each telling.
    gc.collect()
    gc.freeze()
    return made


def _in_memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
