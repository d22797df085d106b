from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from tradewind.errors import ConfigurationError, LedgerError
from tradewind.ledger import keyring
from tradewind.ledger.crypto import MasterKey, key_id_of
from tradewind.ledger.engine import make_engine
from tradewind.ledger.keyring import KeyRing, key_count, normalised
from tradewind.ledger.tables import data_key, key_metadata

MASTER = MasterKey(bytes(range(32)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(f"sqlite:///{tmp_path / 'keys.db'}")
    key_metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def keys(store: Engine) -> KeyRing:
    return KeyRing(store, MASTER)


def test_every_payload_has_a_key_of_its_own(keys: KeyRing) -> None:
    values = [keys.seal(b"body", row="inbox/1") for _ in range(250)]
    assert len({key_id_of(value) for value in values}) == 250
    assert keys.open_many([(value, "inbox/1") for value in values]) == [b"body"] * 250


def test_values_of_a_subject_share_its_key(keys: KeyRing) -> None:
    first, second = (keys.seal(b"Ada", row=row, subject="customer/1") for row in ("orders/1", "orders/2"))
    assert key_id_of(first) == key_id_of(second)
    assert key_id_of(keys.seal(b"Grace", row="orders/3", subject="customer/2")) != key_id_of(first)


def test_another_process_opens_what_was_sealed(store: Engine, keys: KeyRing) -> None:
    value = keys.seal(b"Ada", row="orders/1", subject="customer/1")
    other = KeyRing(store, MASTER)
    assert other.open(value, row="orders/1") == b"Ada"
    assert key_id_of(other.seal(b"", row="orders/2", subject="customer/1")) == key_id_of(value)


def test_processes_that_meet_a_subject_together_agree_on_its_key(store: Engine) -> None:
    rings = [KeyRing(store, MASTER) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        values = list(pool.map(lambda ring: ring.seal(b"Ada", row="orders/1", subject="customer/1"), rings))
    assert len({key_id_of(value) for value in values}) == 1


def test_erased_key_opens_nothing_and_the_others_stay(keys: KeyRing) -> None:
    ada = keys.seal(b"Ada", row="orders/1", subject="customer/1")
    grace = keys.seal(b"Grace", row="orders/2", subject="customer/2")
    assert keys.erase([ada, ada]) == 1
    assert keys.erase([ada]) == 0
    assert keys.open_many([(ada, "orders/1"), (grace, "orders/2")]) == [None, b"Grace"]


def test_erased_subject_gets_a_new_key(keys: KeyRing) -> None:
    before = keys.seal(b"Ada", row="orders/1", subject="customer/1")
    keys.erase([before])
    after = keys.seal(b"Ada", row="orders/1", subject="customer/1")
    assert key_id_of(before) != key_id_of(after)
    assert keys.open(after, row="orders/1") == b"Ada"


def test_erased_key_is_forgotten_by_other_processes_in_time(
    store: Engine, keys: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = keys.seal(b"Ada", row="orders/1", subject="customer/1")
    other = KeyRing(store, MASTER)
    assert other.open(value, row="orders/1") == b"Ada"
    keys.erase([value])
    monkeypatch.setattr(keyring, "REMEMBER_S", -1.0)
    assert other.open(value, row="orders/1") is None


def test_the_store_holds_no_key_in_plain_text_and_nothing_of_an_erased_one(store: Engine, keys: KeyRing) -> None:
    value = keys.seal(b"Ada", row="orders/1", subject="customer/1")
    keys.erase([value])
    with store.connect() as conn:
        row = conn.execute(select(data_key)).one()
    assert (row.wrapped, row.subject, row.master_key_id) == (None, None, MASTER.id)
    assert row.erased_at is not None
    assert key_count(store) == 0


def test_blind_index_is_the_same_in_every_process(store: Engine, keys: KeyRing) -> None:
    index = keys.blind("email", " Ada@Example.COM ")
    assert index == KeyRing(store, MASTER).blind("email", "ada@example.com")
    assert "ada" not in (index or "")
    assert keys.blind("email", None) is None


def test_another_master_key_is_refused(store: Engine, keys: KeyRing) -> None:
    keys.check()
    keys.check()
    with pytest.raises(ConfigurationError, match="master_key"):
        KeyRing(store, MasterKey(bytes(32))).check()


def test_value_of_another_row_does_not_open(keys: KeyRing) -> None:
    with pytest.raises(LedgerError):
        keys.open(keys.seal(b"Ada", row="orders/1"), row="orders/2")


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("email", "Ada@EXAMPLE.com ", "ada@example.com"),
        ("phone", "+44 (0)20-7946", "0044 0 207946"),
        ("address", "12 St. James’s Sq", "12, st james's SQ"),
    ],
)
def test_spellings_of_one_value_have_one_form(kind: keyring.IndexKind, one: str, other: str) -> None:
    assert normalised(kind, one) == normalised(kind, other) != ""
