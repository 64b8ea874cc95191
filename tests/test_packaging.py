"""What a wheel carries, and that one part of Anfang does not pull in another's libraries."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def requirements(wheel: zipfile.ZipFile, extra: str | None) -> set[str]:
    """Names of the direct requirements with that extra; None for those that everyone needs."""
    metadata = next(name for name in wheel.namelist() if name.endswith("METADATA"))
    names = set()
    for line in wheel.read(metadata).decode().splitlines():
        found = re.match(r"Requires-Dist: ([A-Za-z0-9._-]+)[^;]*(?:;.*extra == '([a-z]+)')?$", line)
        if found and found[2] == extra:
            names.add(found[1].lower())
    return names


def test_the_agent_pulls_nothing_of_the_hubs(wheel: zipfile.ZipFile) -> None:
    agent = requirements(wheel, "agent") | requirements(wheel, None)
    assert {"apsw", "onnxruntime", "libosdp", "pymodbus", "msgspec"} <= agent
    assert not agent & {"fastapi", "sqlalchemy", "sqlmodel", "uvicorn", "alembic", "amqtt", "openpyxl", "starlette"}


def test_the_hub_pulls_nothing_of_the_agents(wheel: zipfile.ZipFile) -> None:
    hub = requirements(wheel, "hub") | requirements(wheel, None)
    assert {"fastapi", "sqlmodel", "amqtt"} <= hub
    assert not hub & {"onnxruntime", "av", "opencv-python-headless", "libosdp", "pymodbus", "apsw"}


def test_data_files_travel_and_sources_of_the_pages_do_not(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert "wire/schema/batch.json" in names
    assert "firmware_profiles/schema.json" in names
    assert any(name.startswith("firmware_profiles/devices/") and name.endswith(".yaml") for name in names)
    assert not any(name.startswith("hub/web/src/") or "node_modules" in name for name in names)
    assert not any(name.startswith(("tests/", "bench/", "docs/")) for name in names)
    if (ROOT / "hub/web/dist/index.html").exists():
        assert "hub/web/dist/index.html" in names
