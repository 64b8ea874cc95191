"""The faults of a simulated camera are what they say."""

import asyncio

import numpy as np
import pytest

from simulators.cameras.faults import PICTURE_FAULTS, FaultyLine, spoiled

RANDOM = np.random.default_rng(1)
PICTURES = [RANDOM.integers(0, 255, (36, 64, 3), np.uint8) for _ in range(9)]


@pytest.mark.parametrize("fault", PICTURE_FAULTS)
def test_a_fault_of_the_picture_begins_and_ends_where_it_is_told(fault):
    shown = list(spoiled(PICTURES, fault, 3, 6))

    assert len(shown) == len(PICTURES)
    differs = [not np.array_equal(now, good) for now, good in zip(shown, PICTURES, strict=True)]
    assert differs == [False] * 3 + [True] * 3 + [False] * 3


def test_frozen_is_the_last_good_picture_black_is_dark_and_a_cover_shows_nothing():
    frozen, black, cover = (list(spoiled(PICTURES, fault, 3, 6))[4] for fault in ("freeze", "black", "cover"))

    assert np.array_equal(frozen, PICTURES[2])
    assert black.mean() < 10
    assert cover.std() < 15


async def echo(reader, writer):
    while chunk := await reader.read(100):
        writer.write(chunk)
        await writer.drain()
    writer.close()


async def test_a_line_lets_through_stalls_cuts_and_refuses():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, FaultyLine(server.sockets[0].getsockname()[1]) as line:
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        writer.write(b"one")
        assert await reader.readexactly(3) == b"one"

        line.fault = "stall"
        writer.write(b"two")
        waiting = asyncio.create_task(reader.readexactly(3))
        await asyncio.wait([waiting], timeout=0.1)
        assert not waiting.done()
        line.fault = "none"
        assert await waiting == b"two"

        line.cut()
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(1)
        writer.close()

        line.fault = "refuse_password"
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        writer.write(b"DESCRIBE rtsp://x RTSP/1.0\r\nCSeq: 7\r\n\r\n")
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"RTSP/1.0 401")
        assert b"CSeq: 7" in answer
        writer.close()
        assert line.connections == 2
