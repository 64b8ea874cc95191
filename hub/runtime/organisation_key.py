"""The organisation's key: under it card numbers become the references that gateways send (wire.ids.credential_ref)."""

import os
import secrets
from pathlib import Path
from typing import Final

from hub.errors import ConfigError

_FILE: Final = "organisation.key"
_BYTES: Final = 32


def organisation_key(data_dir: Path) -> bytes:
    """The key in `data_dir`, made at the first call: 32 bytes, kept as hex, readable by the owner alone.

    Raises ConfigError when the file is no key. Losing it makes every stored reference unknown: back it up.
    """
    path = data_dir / _FILE
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; give a --data-dir that can be written") from error
    try:
        key = bytes.fromhex(text)
    except ValueError as error:
        raise ConfigError(f"{path}: not a key in hex; put the organisation's key back from a backup") from error
    if len(key) < 16:
        raise ConfigError(f"{path}: {len(key)} bytes are too few for a key; put it back from a backup")
    return key


def _make(path: Path) -> None:
    """Write a new key; when another process made one meanwhile, that one stays."""
    draft = path.with_name(f".{_FILE}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, f"{secrets.token_hex(_BYTES)}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
