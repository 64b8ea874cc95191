"""A second OSDP control panel, PyPI's `osdp`, at the same reader: what passes on its line our codec reads, and both
panels come to the same card, keys and tamper, with and without the secure channel."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from support.drivers import ORGANISATION_KEY, MemorySink, agent_config, running
from support.wait import until, until_async

from edge_agent.protocols.osdp import Frame, FrameError, Framer
from simulators.devices.osdp_reader import OsdpReader
from simulators.devices.serial_line import SerialLine
from wire.ids import canonical_card, credential_ref

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
PEER = ROOT / "build" / "osdp-peer" / "bin" / "python"
ADDRESS = 101
MASTER_KEY = bytes(range(0x40, 0x50))
# The reader's identity as it sends it in CCRYPT (see OsdpReader's PdId), from which that panel derives the key.
IDENTITY = bytes.fromhex("ff00010001000000")
CARD = "25,25986"


def derived_key() -> bytes:
    """SCBK = AES-ECB(master, cUID || ~cUID), appendix D of SIA OSDP."""
    encryptor = Cipher(algorithms.AES(MASTER_KEY), modes.ECB()).encryptor()  # as the standard says
    return encryptor.update(IDENTITY + bytes(byte ^ 0xFF for byte in IDENTITY)) + encryptor.finalize()


@pytest.fixture
def line(tmp_path: Path) -> Iterator[SerialLine]:
    made = SerialLine(tmp_path / "by-id" / "rs485")
    yield made
    made.close()


class Peer:
    """The other panel's process, and what it has said."""

    def __init__(self, line: SerialLine, key: str) -> None:
        if not PEER.exists():
            pytest.fail(f"{PEER} is missing: `make peers` installs the second OSDP panel")
        script = ROOT / "tests" / "peers" / "osdp_panel.py"
        self._out = line.path.parent / "peer.jsonl"
        with self._out.open("w") as out:
            self._process = subprocess.Popen(
                [str(PEER), str(script), str(line.path.resolve()), str(ADDRESS), key], stdout=out, stderr=out
            )

    def said(self, **what: Any) -> bool:
        rows = [json.loads(row) for row in self._out.read_text().splitlines() if row.startswith("{")]
        return any(what.items() <= row.items() for row in rows)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.mark.parametrize("is_secure", [False, True], ids=["plain", "secure"])
async def test_two_control_panels_come_to_the_same(tmp_path: Path, line: SerialLine, is_secure: bool):
    key = derived_key() if is_secure else None
    line.tapped = []
    peer = Peer(line, MASTER_KEY.hex() if is_secure else "-")
    reader = OsdpReader(line, ADDRESS, key=key)
    try:
        until(lambda: peer.said(online=True, secure=is_secure), deadline_s=60, what="the other panel online")
        reader.present_card(CARD)
        until(lambda: peer.said(card="8cb2c140", bits=26), deadline_s=30, what="the card")
        reader.press_keys("12345#")
        until(lambda: peer.said(keys="12345#"), deadline_s=30, what="the keys")
        reader.tamper(True)
        until(lambda: peer.said(tamper=True, power=False), deadline_s=30, what="the tamper contact")
        peer.close()
        frames = frames_of(line)
        raw = next(frame for frame in frames if frame.name == "RAW")
        # In the secure channel the data are not in the clear, and the frame says so.
        assert bool(raw.security) == is_secure
        assert (b"\x8c\xb2\xc1\x40" in raw.data) != is_secure
        await our_panel_agrees(tmp_path, line, reader, key)
    finally:
        peer.close()
        reader.close()


def frames_of(line: SerialLine) -> list[Frame]:
    """What passed on the line, by our codec, which finds no fault in it."""
    stream = b"".join(line.tapped or [])
    line.tapped = None
    challenge = next(
        (found for found in Framer().feed(stream) if isinstance(found, Frame) and found.name == "CHLNG"), None
    )
    if challenge is not None:
        # That panel's polls before the challenge announce a MAC and have none.
        stream = stream[stream.index(challenge.raw) :]
    passed = Framer().feed(stream)
    frames = [found for found in passed if isinstance(found, Frame)]
    assert [found for found in passed if isinstance(found, FrameError)] == []
    assert {"POLL", "RAW", "KEYPAD", "LSTATR"} - {frame.name for frame in frames} == set()
    return frames


async def our_panel_agrees(folder: Path, line: SerialLine, reader: OsdpReader, key: bytes | None) -> None:
    """The same reader, with the same key, at our own panel."""
    device: dict[str, Any] = {"id": "door", "profile": "generic/osdp-reader", "bus": "b", "address": ADDRESS}
    if key is not None:
        path = folder / "scbk"
        path.write_text(key.hex())
        path.chmod(0o600)
        device["key_file"] = path
    sink = MemorySink()
    config = agent_config(folder, bus=[{"name": "b", "kind": "osdp", "port": str(line.path)}], device=[device])
    async with running(config, sink) as [driver]:
        await until_async(lambda: driver.health().state == "running", deadline_s=40, what="our panel online")
        reader.present_card(CARD)
        await until_async(lambda: sink.of("door", "lock.access"), deadline_s=20, what="the card")
        reader.tamper(False)
        await until_async(
            lambda: any(data.tamper is False for data in sink.of("door", "device.health")),
            deadline_s=20,
            what="the tamper contact",
        )
    [access] = sink.of("door", "lock.access")
    assert access.credential.ref == credential_ref(ORGANISATION_KEY, "card", canonical_card(CARD))
