"""Says where the converted detector lies: inside the installed package, or in the checkout's `build/model`."""

import hashlib
from pathlib import Path
from typing import Final

from edge_agent.errors import ConfigError

INPUT_SIZE: Final = 300
"""Pixels of the square the network was trained on; pictures are squashed to it, not letterboxed."""

FP32: Final = "person-ssdlite-fp32.onnx"
INT8: Final = "person-ssdlite-int8.onnx"
SUMS: Final = "SHA256SUMS"

PACKAGE_FOLDER: Final = Path(__file__).parent / "model"
BUILD_FOLDER: Final = Path(__file__).parents[2] / "build" / "model"


def sha256_of(path: Path) -> str:
    """The file's SHA-256 as hex. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def written_sums(folder: Path) -> dict[str, str]:
    """File name to SHA-256, as the build wrote them down; empty where nothing was built."""
    try:
        lines = (folder / SUMS).read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return {}
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def is_whole(folder: Path, name: str) -> bool:
    """Whether the file is there with the hash that the build wrote down."""
    path = folder / name
    return path.is_file() and written_sums(folder).get(name) == sha256_of(path)


def find_model(name: str) -> Path:
    """The model file of that name. Raises ConfigError where it is missing or damaged."""
    for folder in (PACKAGE_FOLDER, BUILD_FOLDER):
        if (folder / name).is_file():
            if not is_whole(folder, name):
                raise ConfigError(f"{folder / name}: differs from its checksum; `make model` builds it again")
            return folder / name
    raise ConfigError(f"{name}: the person detector is not built; run `make model` in the checkout")
