"""Keeps a second process of the same role off a data folder."""

import fcntl
import io
from pathlib import Path

from hub.errors import ConfigError


def acquire_instance_lock(data_dir: Path, role: str, hint: str) -> io.TextIOWrapper:
    """Hold `role` in this folder until the file that is returned is closed. Raises ConfigError when it is taken."""
    path = data_dir / f"{role}.lock"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        file = path.open("w", encoding="ascii")
    except OSError as error:
        raise ConfigError(f"--data-dir {data_dir}: {error.strerror}; give a folder that can be written") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise ConfigError(f"{data_dir}: a hub runs there already; {hint}") from error
    return file
