"""Reads secrets from files that nobody else can read."""

import stat
from pathlib import Path

from edge_agent.errors import ConfigError


def secret_fault(path: Path) -> str | None:
    """What is wrong with a secret's file (missing, unreadable, readable by others), with the mend; None: nothing."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            return f"{path}: not a file; give the path of a file"
        with path.open("rb"):
            pass
    except OSError as error:
        return f"{path}: {error.strerror}; give the path of a file that this user can read"
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return f"{path}: others may read it (mode {stat.S_IMODE(found.st_mode):04o}); chmod 600 {path}"
    return None


def read_secret(path: Path, where: str) -> str:
    """The text of a secret's file without the line's end. Raises ConfigError; `where` names the key for a person."""
    fault = secret_fault(path)
    if fault is not None:
        raise ConfigError(f"{where}: {fault}")
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where}: {path}: cannot be read as text: {error}") from error
    if not text:
        raise ConfigError(f"{where}: {path}: it is empty; write the secret into it")
    return text
