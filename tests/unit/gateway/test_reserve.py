"""Data keys made ahead, beside whoever seals."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.sandboxes import eventually
from tradewind.gateway.reserve import LEAST, MOST, Reserve
from tradewind.ledger.crypto import MasterKey
from tradewind.ledger.engine import make_engine
from tradewind.ledger.keyring import KeyRing, key_count
from tradewind.ledger.tables import key_metadata

MASTER = MasterKey(bytes(range(32)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(f"sqlite:///{tmp_path / 'keys.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def keys(store: Engine) -> KeyRing:
    return KeyRing(store, MASTER)


@pytest.fixture
def reserve(keys: KeyRing) -> Iterator[Reserve]:
    made = Reserve(keys)
    yield made
    made.close()


def test_nothing_is_made_before_it_is_wanted_and_then_as_much_as_shall_lie_ready(
    store: Engine, keys: KeyRing, reserve: Reserve
) -> None:
    key_metadata.create_all(store)
    assert keys.fresh == 0
    reserve.look()
    eventually(lambda: keys.fresh >= MOST)
    assert key_count(store) == keys.fresh


def test_what_is_sealed_with_a_key_of_the_reserve_is_opened_by_others(
    store: Engine, keys: KeyRing, reserve: Reserve
) -> None:
    key_metadata.create_all(store)
    reserve.look()
    eventually(lambda: keys.fresh >= MOST)
    there = key_count(store)
    sealed = [keys.seal(b"body", row="inbox/1") for _ in range(MOST)]
    assert key_count(store) == there  # none was made for them
    assert KeyRing(store, MASTER).open_many([(one, "inbox/1") for one in sealed]) == [b"body"] * MOST


def test_more_are_made_only_when_few_are_left(store: Engine, keys: KeyRing, reserve: Reserve) -> None:
    key_metadata.create_all(store)
    reserve.look()
    eventually(lambda: keys.fresh >= MOST)
    there = key_count(store)
    while keys.fresh > LEAST:
        keys.seal(b"body", row="inbox/1")
    reserve.look()
    assert not reserve._low.is_set()
    assert key_count(store) == there
    keys.seal(b"body", row="inbox/1")
    reserve.look()
    eventually(lambda: keys.fresh >= MOST)


def test_a_key_store_that_is_away_is_asked_again(
    store: Engine, keys: KeyRing, reserve: Reserve, caplog: pytest.LogCaptureFixture
) -> None:
    reserve.look()
    eventually(lambda: "no data keys could be made ahead" in caplog.text)
    key_metadata.create_all(store)
    reserve.look()
    eventually(lambda: keys.fresh >= MOST)


def test_a_closed_reserve_makes_no_more(keys: KeyRing) -> None:
    made = Reserve(keys)
    made.close()
    made.look()
    assert not made._thread.is_alive()
