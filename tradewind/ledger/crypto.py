"""Sealing: AES-256-GCM under data keys, which a master key from outside wraps. Nothing here touches a database."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import time
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tradewind.errors import ConfigurationError, SealBroken
from tradewind.settings import Settings

KEY_BYTES = 32
ID_BYTES = 16
NONCE_BYTES = 12  # NIST SP 800-38D: 96 bits, random per message
_FORMAT = b"\x01"


class KeyWrapper(Protocol):
    """Whoever holds the master key: this process, or a key management service."""

    @property
    def id(self) -> str: ...

    def wrap(self, key: bytes, context: bytes) -> bytes: ...

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Raises SealBroken when the wrapped key was not wrapped here, or for another context."""
        ...


class MasterKey:
    """A master key in this process's memory. id: the first 8 bytes of its SHA-256, in hex."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self.id = hashlib.sha256(b"tradewind master key" + key).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"MasterKey(id={self.id})"

    def wrap(self, key: bytes, context: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        try:
            return self._cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], context)
        except InvalidTag:
            raise SealBroken("a data key was wrapped by another master key") from None


def master_key(settings: Settings) -> MasterKey:
    """The master key of the settings; makes the file, readable by its owner alone, if there is none.

    Raises ConfigurationError when it is not 32 bytes in base64.
    """
    if settings.master_key is not None:
        return MasterKey(_decoded(settings.master_key.get_secret_value(), "master_key", "TRADEWIND_MASTER_KEY"))
    path = settings.master_key_file
    if not path.exists():
        _make_key_file(path)
    return MasterKey(_decoded(path.read_text(), "master_key_file", str(path)))


def _make_key_file(path: Path) -> None:
    """Written aside and linked into place, so that two processes that start together agree on one key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _decoded(text: str, setting: str, source: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigurationError(setting, source, "must be 32 bytes in base64 (openssl rand -base64 32)")
    return key


def new_key_id() -> bytes:
    """Random, and led by the time in milliseconds, so that the key store's index grows at its end."""
    return int(time.time() * 1000).to_bytes(6) + os.urandom(ID_BYTES - 6)


def seal(plaintext: bytes, key_id: bytes, key: bytes, row: str) -> bytes:
    """Encrypt for one row. The key's id and the row's identity are associated data: a sealed value cannot be moved."""
    nonce = os.urandom(NONCE_BYTES)
    return _FORMAT + key_id + nonce + AESGCM(key).encrypt(nonce, plaintext, _FORMAT + key_id + row.encode())


def key_id_of(sealed: bytes) -> bytes:
    """The id of the data key that opens it. Raises SealBroken for what was never sealed here."""
    if sealed[:1] != _FORMAT or len(sealed) < 1 + ID_BYTES + NONCE_BYTES:
        raise SealBroken("a sealed value has an unknown format")
    return sealed[1 : 1 + ID_BYTES]


def unseal(sealed: bytes, key: bytes, row: str) -> bytes:
    """Decrypt what was sealed for this row. Raises SealBroken when it was changed, or sealed for another row."""
    start = 1 + ID_BYTES
    nonce, ciphertext = sealed[start : start + NONCE_BYTES], sealed[start + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, sealed[:start] + row.encode())
    except InvalidTag:
        raise SealBroken(f"{row}: the sealed value was changed, or belongs to another row") from None


def keyed_hash(key: bytes, kind: str, value: str) -> str:
    """HMAC-SHA256 in hex; `kind` keeps equal values of different kinds apart."""
    return hmac.new(key, f"{kind}\0{value}".encode(), hashlib.sha256).hexdigest()


def keyed_digest(key: bytes, value: str) -> bytes:
    """Keyed BLAKE2b of 16 bytes (RFC 7693): without the key, nobody can make two values of one digest."""
    return hashlib.blake2b(value.encode(), digest_size=16, key=key).digest()
