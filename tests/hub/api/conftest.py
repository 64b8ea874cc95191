"""A running API for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.api import Hub, running_api


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with running_api(tmp_path) as running:
        yield running
