"""Backups that only their owner opens: database, keys and settings in one file in the age format.

The hub needs the recipient alone (`age1…`, a public key), so whoever takes the server cannot read its old backups. The
file is a tar archive under age (age-encryption.org/v1, X25519); the program `age` opens it as well.
"""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyrage
from sqlalchemy.engine import make_url

from hub.errors import ConfigError

KEPT: Final = ("registry.key", "organisation.key", "hub.toml", "hub.id")
"""Files of a data folder without which its database cannot be read or goes on as somebody else."""
DUMP: Final = "postgresql.dump"
_DATABASE: Final = "hub.db"


def new_identity(path: Path) -> str:
    """Write a new private key, readable by its owner alone; returns its recipient. Raises ConfigError."""
    identity = pyrage.x25519.Identity.generate()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ConfigError(f"{path}: is there already; a key is never overwritten, give another name") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error
    recipient = str(identity.to_public())
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"# public key: {recipient}\n{identity}\n")
    return recipient


def create(data_dir: Path, url: str, recipient: str, out: Path) -> list[str]:
    """Write a backup of the hub to `out`, also while it runs; the names of what is inside. Raises ConfigError."""
    try:
        to = pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError as error:
        raise ConfigError(
            f"--to {recipient!r}: not an age recipient (age1…); `anfang-hub backup new-key` makes one"
        ) from error
    if out.exists():
        raise ConfigError(f"{out}: is there already; a backup is never overwritten, give another name")
    part = out.with_name(f".{out.name}.part")
    with _private_folder(data_dir) as folder:
        files = [data_dir / name for name in KEPT if (data_dir / name).is_file()]
        files.append(_snapshot(url, folder))
        archive = folder / "archive.tar"
        with tarfile.open(archive, "w") as tar:
            for file in files:
                tar.add(file, arcname=file.name)
        try:
            with archive.open("rb") as plain, os.fdopen(_private(part), "wb") as sealed:
                pyrage.encrypt_io(plain, sealed, [to])
                sealed.flush()
                os.fsync(sealed.fileno())
            part.replace(out)
        except OSError as error:
            raise ConfigError(f"{out}: cannot be written: {error.strerror}") from error
        finally:
            part.unlink(missing_ok=True)
    return [file.name for file in files]


def restore(backup: Path, identity: Path, data_dir: Path) -> list[str]:
    """Put a backup into a data folder that has no hub yet; the names of what was put there. Raises ConfigError."""
    there = [name for name in (*KEPT, _DATABASE) if (data_dir / name).exists()]
    if there:
        raise ConfigError(f"{data_dir}: holds {there[0]} already; restore into an empty folder")
    key = _identity(identity)
    data_dir.mkdir(parents=True, exist_ok=True)
    with _private_folder(data_dir) as folder:
        archive = folder / "archive.tar"
        try:
            sealed = backup.open("rb")
        except OSError as error:
            raise ConfigError(f"{backup}: cannot be read: {error.strerror}") from error
        try:
            with sealed, archive.open("wb") as plain:
                pyrage.decrypt_io(sealed, plain, [key])
        except (pyrage.DecryptError, OSError) as error:
            # A file that ends too early is an OSError of the library.
            raise ConfigError(
                f"{backup}: cannot be opened with {identity}: another key's backup, or not whole ({error})"
            ) from error
        try:
            with tarfile.open(archive) as tar:
                tar.extractall(folder / "files", filter="data")
        except (tarfile.TarError, OSError) as error:
            raise ConfigError(f"{backup}: holds no archive of a hub: {error}") from error
        files = sorted(file for file in (folder / "files").iterdir() if file.is_file())
        unknown = [file.name for file in files if file.name not in {*KEPT, _DATABASE, DUMP}]
        if unknown or not files:
            raise ConfigError(f"{backup}: no backup of a hub: holds {unknown or 'nothing'}")
        for file in files:
            file.chmod(0o600)
            shutil.move(file, data_dir / file.name)
    return [file.name for file in files]


def _identity(path: Path) -> "pyrage.x25519.Identity":
    try:
        lines = path.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--identity {path}: cannot be read: {error}") from error
    found = [line for line in lines if line.startswith("AGE-SECRET-KEY-1")]
    try:
        return pyrage.x25519.Identity.from_str(found[0])
    except (IndexError, pyrage.IdentityError) as error:
        raise ConfigError(f"--identity {path}: holds no key (AGE-SECRET-KEY-1…)") from error


def _snapshot(url: str, folder: Path) -> Path:
    """A consistent copy of the database, while others write it."""
    parsed = make_url(url)
    if parsed.drivername.startswith("sqlite"):
        source = Path(parsed.database or "")
        if not source.is_file():
            raise ConfigError(f"{source}: there is no database; give the hub's --data-dir, or --database")
        with (
            contextlib.closing(sqlite3.connect(source)) as live,
            contextlib.closing(sqlite3.connect(folder / _DATABASE)) as copy,
        ):
            live.backup(copy)
        return folder / _DATABASE
    program = shutil.which("pg_dump")
    if program is None:
        raise ConfigError("pg_dump is missing: install the PostgreSQL client of the server's version")
    dump = folder / DUMP
    plain = parsed.set(drivername="postgresql")
    address = plain.set(password=None).render_as_string(hide_password=False)
    done = subprocess.run(
        [program, "--format=custom", f"--file={dump}", address],
        env={**os.environ, **({"PGPASSWORD": str(plain.password)} if plain.password else {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ConfigError(f"pg_dump: {' '.join(done.stderr.split())[:300]}")
    return dump


def _private(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


@contextlib.contextmanager
def _private_folder(data_dir: Path) -> Iterator[Path]:
    """For the plain copy: beside the plain database, for its owner alone, gone afterwards."""
    if not data_dir.is_dir():
        raise ConfigError(f"--data-dir {data_dir}: there is no such folder")
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=data_dir) as folder:
        yield Path(folder)
