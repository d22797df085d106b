import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tradewind.errors import ConfigurationError, LedgerError
from tradewind.ledger import crypto
from tradewind.settings import Settings

KEY = bytes(range(32))


def sealed(plaintext: bytes = b"Ada", row: str = "inbox/1", key: bytes = KEY) -> bytes:
    return crypto.seal(plaintext, crypto.new_key_id(), key, row)


def test_sealed_value_opens_for_its_row() -> None:
    value = sealed()
    assert b"Ada" not in value
    assert crypto.unseal(value, KEY, "inbox/1") == b"Ada"


def test_equal_values_are_sealed_differently() -> None:
    assert sealed() != sealed()


def test_value_moved_to_another_row_does_not_open() -> None:
    with pytest.raises(LedgerError, match="inbox/2"):
        crypto.unseal(sealed(), KEY, "inbox/2")


@pytest.mark.parametrize("place", [1, 16, 20, 30, -1])
def test_changed_value_does_not_open(place: int) -> None:
    value = bytearray(sealed())
    value[place] ^= 1
    with pytest.raises(LedgerError):
        crypto.unseal(bytes(value), KEY, "inbox/1")


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(LedgerError):
        crypto.unseal(sealed(), bytes(32), "inbox/1")


@pytest.mark.parametrize("value", [b"", b"\x02" + bytes(60), b"\x01short"])
def test_what_was_never_sealed_is_named_as_such(value: bytes) -> None:
    with pytest.raises(LedgerError, match="format"):
        crypto.key_id_of(value)


def test_later_key_ids_sort_after_earlier_ones() -> None:
    first = crypto.new_key_id()
    while (second := crypto.new_key_id())[:6] == first[:6]:
        pass
    assert len(first) == crypto.ID_BYTES
    assert second > first


def test_wrapped_key_opens_in_its_context_alone() -> None:
    master = crypto.MasterKey(KEY)
    wrapped = master.wrap(b"data key", b"id-1")
    assert master.unwrap(wrapped, b"id-1") == b"data key"
    for other, context in ((master, b"id-2"), (crypto.MasterKey(bytes(32)), b"id-1")):
        with pytest.raises(LedgerError):
            other.unwrap(wrapped, context)


def test_master_key_shows_only_its_id() -> None:
    shown = repr(crypto.MasterKey(KEY))
    assert crypto.MasterKey(KEY).id in shown
    assert KEY.hex() not in shown


def test_key_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "state")
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: crypto.master_key(settings).id, range(8)))
    assert len(ids) == 1
    assert stat.S_IMODE(settings.master_key_file.stat().st_mode) == 0o600
    assert [path.name for path in settings.state_dir.iterdir()] == ["master.key"]


def test_key_of_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, master_key=base64.b64encode(KEY).decode())
    assert crypto.master_key(settings).id == crypto.MasterKey(KEY).id
    assert not settings.master_key_file.exists()


@pytest.mark.parametrize("text", ["", "not base64!", base64.b64encode(bytes(16)).decode()])
def test_key_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "master.key").write_text(text)
    with pytest.raises(ConfigurationError, match="32 bytes"):
        crypto.master_key(Settings(state_dir=tmp_path))


def test_blind_hashes_of_different_kinds_differ() -> None:
    assert crypto.keyed_hash(KEY, "email", "1") == crypto.keyed_hash(KEY, "email", "1")
    assert crypto.keyed_hash(KEY, "email", "1") != crypto.keyed_hash(KEY, "phone", "1")
    assert crypto.keyed_hash(KEY, "email", "1") != crypto.keyed_hash(bytes(32), "email", "1")
