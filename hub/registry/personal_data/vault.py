"""Seals what identifies a person, and finds it again by a blind index: the database alone gives nobody away.

The key file in the data folder holds one key a line, newest first: `ID HEX`. New values are sealed under the first; the
others still open what was sealed before (rotation). Indexes use one key of their own, derived from the oldest.
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.errors import ConfigError, RegistryError

_FILE: Final = "registry.key"
_NONCE: Final = 12


@dataclass(frozen=True, slots=True)
class VaultKey:
    """One key with its short name."""

    id: str
    key: bytes


class Vault:
    """Seals and opens with AES-256-GCM; `field` is bound to the value, so that a name cannot pose as a phone."""

    def __init__(self, keys: tuple[VaultKey, ...]) -> None:
        if not keys:
            raise ConfigError("registry key: there is none")
        self._newest = keys[0]
        self._ciphers = {key.id: AESGCM(key.key) for key in keys}
        self._index_key = HKDF(SHA256(), 32, None, b"anfang blind index").derive(keys[-1].key)

    @property
    def newest(self) -> str:
        """The name of the key under which values are sealed now."""
        return self._newest.id

    def seal(self, field: str, value: str) -> str:
        """`ID:` and base64 of nonce and ciphertext."""
        nonce = os.urandom(_NONCE)
        sealed = self._ciphers[self._newest.id].encrypt(nonce, value.encode(), field.encode())
        return f"{self._newest.id}:{base64.b64encode(nonce + sealed).decode()}"

    def open(self, field: str, sealed: str) -> str:
        """The value. Raises RegistryError when it was not sealed as this field under a key that we hold."""
        key_id, _, body = sealed.partition(":")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise RegistryError(f"a sealed {field}: key {key_id!r} is not in {_FILE}; put it back from a backup")
        try:
            plain = base64.b64decode(body, validate=True)
            return cipher.decrypt(plain[:_NONCE], plain[_NONCE:], field.encode()).decode()
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise RegistryError(
                f"a sealed {field} cannot be opened: it was changed, or {_FILE} is another one"
            ) from error

    def index(self, field: str, value: str) -> str:
        """What equal values share, and nobody without the key can compute: HMAC-SHA-256 in hex."""
        return hmac.new(self._index_key, f"{field}:{value}".encode(), hashlib.sha256).hexdigest()


def load_vault(data_dir: Path) -> Vault:
    """The vault of a data folder; its key is made at the first call, for the owner's eyes. Raises ConfigError."""
    path = data_dir / _FILE
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        _make(path)
    return Vault(_keys(path))


def add_key(data_dir: Path) -> None:
    """Put a new key in front: from the next `load_vault` on values are sealed under it. Raises ConfigError."""
    load_vault(data_dir)
    path = data_dir / _FILE
    held = _keys(path)
    number = max((int(key.id[1:]) for key in held if key.id[:1] == "k" and key.id[1:].isdigit()), default=0) + 1
    _write(path, (VaultKey(f"k{number}", secrets.token_bytes(32)), *held))


def drop_keys(data_dir: Path) -> None:
    """Forget the keys that nothing needs: the newest seals, and the oldest makes the indexes."""
    path = data_dir / _FILE
    held = _keys(path)
    _write(path, (held[0], *held[-1:]) if len(held) > 1 else held)


def _keys(path: Path) -> tuple[VaultKey, ...]:
    keys: list[VaultKey] = []
    for number, line in enumerate(path.read_text(encoding="ascii", errors="replace").splitlines(), 1):
        if not line.strip():
            continue
        key_id, _, body = line.strip().partition(" ")
        try:
            key = bytes.fromhex(body)
        except ValueError as error:
            raise ConfigError(f"{path}:{number}: not `ID HEX`; put the file back from a backup") from error
        if len(key) != 32:
            raise ConfigError(f"{path}:{number}: {len(key)} bytes are not a key of 32; put the file back from a backup")
        keys.append(VaultKey(key_id, key))
    if not keys:
        raise ConfigError(f"{path}: holds no key; put the file back from a backup")
    return tuple(keys)


def _write(path: Path, keys: tuple[VaultKey, ...]) -> None:
    """Replace the file whole: a key that is lost is every name that is lost."""
    draft = path.with_name(f".{_FILE}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, "".join(f"{key.id} {key.key.hex()}\n" for key in keys).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def new_vault() -> Vault:
    """A vault whose key is nowhere else: for tests and for what-if in memory."""
    return Vault((VaultKey("memory", secrets.token_bytes(32)),))


def _make(path: Path) -> None:
    """Write a key; when another process made one meanwhile, that one stays."""
    draft = path.with_name(f".{_FILE}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, f"k1 {secrets.token_hex(32)}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
