"""The key ring: data keys in a database of their own. Erasing a key erases what it sealed, in every backup too."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Engine, bindparam, delete, func, select, update

from tradewind.errors import ConfigurationError, LedgerError
from tradewind.ledger import crypto
from tradewind.ledger.bulk import insert_many
from tradewind.ledger.prepared import Prepared
from tradewind.ledger.tables import data_key

# A commit of the key store per payload would halve the rate of the inbox: fresh keys are stored by the block, and
# before use.
BLOCK = 100
MOST_BLOCK = 1000
RESERVE_BLOCK = 100  # made beside threads that have to answer: none of them waits long for Python's lock
BUSY_S = 1.0  # a block that was used up sooner is followed by one of twice its size
# Keys stay in memory this long, at most; so long an erased key may live on in another process.
REMEMBER_S = 60.0
CHUNK = 500
INDEX_SUBJECT = "blind index"
IDENTITY_SUBJECT = "delivery identity"

_WRAPPED = Prepared(
    select(data_key.c.id, data_key.c.wrapped).where(
        data_key.c.id.in_(bindparam("ids", expanding=True)), data_key.c.wrapped.is_not(None)
    )
)
_OF_SUBJECT = Prepared(select(data_key.c.id).where(data_key.c.subject == bindparam("subject")))

IndexKind = Literal["email", "phone", "address"]


class KeyRing:
    """Seals and opens values for rows. One per process; safe in threads.

    A value without `subject` gets a data key of its own; values of one subject (a customer, a connection) share one.
    """

    def __init__(self, engine: Engine, master: crypto.KeyWrapper) -> None:
        self._engine = engine
        self._master = master
        self._lock = threading.RLock()
        self._fresh: list[tuple[bytes, bytes]] = []
        self._block = BLOCK
        self._filled = float("-inf")
        self._known: dict[bytes, bytes] = {}
        self._subjects: dict[str, bytes] = {}
        self._known_since = time.monotonic()
        self._index_key: bytes | None = None
        self._identity_key: bytes | None = None

    def seal(self, plaintext: bytes, *, row: str, subject: str | None = None) -> bytes:
        """Encrypt for one row, named by its natural key, e.g. `connection/stripe:main`."""
        key_id, key = self._fresh_key() if subject is None else self._subject_key(subject)
        return crypto.seal(plaintext, key_id, key, row)

    def open(self, sealed: bytes, *, row: str) -> bytes | None:
        """Decrypt; None when the key was erased. Raises LedgerError when it was changed or is another row's."""
        return self.open_many([(sealed, row)])[0]

    def open_many(self, values: Sequence[tuple[bytes, str]]) -> list[bytes | None]:
        """Decrypt (sealed, row) pairs with one look into the key store."""
        ids = [crypto.key_id_of(sealed) for sealed, _ in values]
        keys = self._keys(ids)
        return [
            None if (key := keys.get(key_id)) is None else crypto.unseal(sealed, key, row)
            for key_id, (sealed, row) in zip(ids, values, strict=True)
        ]

    def blind(self, kind: IndexKind, value: str | None) -> str | None:
        """What a value can be found by without being readable: a keyed hash of its normal form; None for none."""
        normal = normalised(kind, value or "")
        if not normal:
            return None
        if self._index_key is None:
            self._index_key = self._subject_key(INDEX_SUBJECT)[1]
        return crypto.keyed_hash(self._index_key, kind, normal)

    def identity(self, name: str) -> bytes:
        """Sixteen bytes that stand for a delivery's name: the same for ever, and telling nothing without the key."""
        if self._identity_key is None:
            self._identity_key = self._subject_key(IDENTITY_SUBJECT)[1]
        return crypto.keyed_digest(self._identity_key, name)

    def erase(self, sealed: Iterable[bytes]) -> int:
        """Erase the keys of these sealed values for good; gives how many there were."""
        return self._erase(_key_ids(sealed))

    def known(self, sealed: Sequence[bytes]) -> list[bool]:
        """Of each value, whether the store has its key, or had it until it was erased."""
        if not sealed:
            return []
        ids = [crypto.key_id_of(value).hex() for value in sealed]
        found: set[str] = set()
        with self._engine.connect() as conn:
            for start in range(0, len(ids), CHUNK):
                wanted = data_key.c.id.in_(ids[start : start + CHUNK])
                found |= set(conn.execute(select(data_key.c.id).where(wanted)).scalars())
        return [id in found for id in ids]

    def discard(self, sealed: Iterable[bytes]) -> None:
        """Delete the keys of values that are kept no longer, so that the key store does not grow for ever."""
        ids = sorted(_key_ids(sealed))
        with self._lock, self._engine.begin() as conn:
            for start in range(0, len(ids), CHUNK):
                unnamed = data_key.c.subject.is_(None)
                conn.execute(delete(data_key).where(data_key.c.id.in_(ids[start : start + CHUNK]), unnamed))
            self._forget()

    def check(self) -> None:
        """Raises ConfigurationError when the master key is not the one that the key store was made with."""
        try:
            self._index_key = self._subject_key(INDEX_SUBJECT)[1]
        except LedgerError:
            advice = f"is not the key that this key store was made with (it has id {self._master.id})"
            raise ConfigurationError("master_key", "TRADEWIND_MASTER_KEY or master_key_file", advice) from None

    def confirm(self) -> None:
        """`check` anew, whatever is remembered."""
        with self._lock:
            self._forget()
            self.check()

    def _erase(self, ids: Collection[str]) -> int:
        erased = 0
        ordered = sorted(ids)
        with self._lock, self._engine.begin() as conn:
            for start in range(0, len(ordered), CHUNK):
                wanted = data_key.c.id.in_(ordered[start : start + CHUNK])
                statement = update(data_key).where(wanted, data_key.c.erased_at.is_(None))
                gone = {"wrapped": None, "subject": None, "erased_at": datetime.now(UTC)}
                erased += conn.execute(statement.values(gone)).rowcount
            self._forget()
        return erased

    @property
    def fresh(self) -> int:
        """Keys that are stored and have sealed nothing yet."""
        return len(self._fresh)

    def reserve(self, count: int) -> None:
        """Store fresh keys until there are so many, a few at a time, while others seal."""
        while self.fresh < count:
            block = _new_keys(RESERVE_BLOCK)
            self._store(block, subject=None)
            with self._lock:
                self._fresh += block

    def _fresh_key(self) -> tuple[bytes, bytes]:
        with self._lock:
            if not self._fresh:
                block = _new_keys(self._next_block())
                self._store(block, subject=None)
                self._fresh = block
            return self._fresh.pop()

    def _next_block(self) -> int:
        now = time.monotonic()
        self._block = min(2 * self._block, MOST_BLOCK) if now - self._filled < BUSY_S else BLOCK
        self._filled = now
        return self._block

    def _subject_key(self, subject: str) -> tuple[bytes, bytes]:
        with self._lock:
            self._expire()
            key_id = self._subjects.get(subject)
            if key_id is None:
                key_id = self._find_subject(subject)
            if key_id is None:
                self._store(_new_keys(1), subject=subject)
                # Another process may have been first: its key holds.
                key_id = self._find_subject(subject)
            assert key_id is not None
            self._subjects[subject] = key_id
            return key_id, self._keys([key_id])[key_id]

    def _find_subject(self, subject: str) -> bytes | None:
        with self._engine.connect() as conn:
            found = _OF_SUBJECT.scalar(conn, subject=subject)
        return bytes.fromhex(found) if found else None

    def _store(self, keys: Sequence[tuple[bytes, bytes]], *, subject: str | None) -> None:
        now = datetime.now(UTC)
        rows = [
            {
                "id": key_id.hex(),
                "subject": subject,
                "master_key_id": self._master.id,
                "wrapped": self._master.wrap(key, key_id),
                "created_at": now,
            }
            for key_id, key in keys
        ]
        with self._engine.begin() as conn:
            insert_many(conn, data_key, rows)

    def _keys(self, ids: Sequence[bytes]) -> dict[bytes, bytes]:
        with self._lock:
            self._expire()
            unknown = sorted({key_id.hex() for key_id in ids if key_id not in self._known})
            for start in range(0, len(unknown), CHUNK):
                self._read(unknown[start : start + CHUNK])
            return {key_id: self._known[key_id] for key_id in ids if key_id in self._known}

    def _read(self, ids: Sequence[str]) -> None:
        with self._engine.connect() as conn:
            rows = _WRAPPED.rows(conn, ids=ids)
        for hex_id, wrapped in rows:
            key_id = bytes.fromhex(hex_id)
            self._known[key_id] = self._master.unwrap(wrapped, key_id)

    def _expire(self) -> None:
        if time.monotonic() - self._known_since > REMEMBER_S:
            self._forget()

    def _forget(self) -> None:
        self._known.clear()
        self._subjects.clear()
        self._known_since = time.monotonic()


def _new_keys(count: int) -> list[tuple[bytes, bytes]]:
    """Each with its id."""
    return [(crypto.new_key_id(), os.urandom(crypto.KEY_BYTES)) for _ in range(count)]


def _key_ids(sealed: Iterable[bytes]) -> set[str]:
    """What was changed so that it names no key is left out."""
    ids = set()
    for value in sealed:
        with contextlib.suppress(LedgerError):
            ids.add(crypto.key_id_of(value).hex())
    return ids


def key_count(engine: Engine) -> int:
    """How many keys the store holds, erased ones left out."""
    with engine.begin() as conn:
        return conn.execute(select(func.count()).where(data_key.c.erased_at.is_(None))).scalar_one()


def normalised(kind: IndexKind, value: str) -> str:
    """The form in which a value is compared.

    email: case folded. phone: digits, without an international prefix's zeros. address: letters and digits alone.
    """
    text = unicodedata.normalize("NFKC", value).casefold().strip()
    match kind:
        case "email":
            return text
        case "phone":
            return re.sub(r"\D", "", text).removeprefix("00")
        case "address":
            return re.sub(r"[\W_]", "", text)
