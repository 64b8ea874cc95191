"""What goes wrong with a camera: faults of the picture, as clips to play, and faults of the line, as a proxy before it.

camera (RTSP server) <-- FaultyLine <-- whoever reads: cut, stalled, refused, answered with noise, another camera
"""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from typing import Final, Literal

import numpy as np

from simulators.cameras.people import Rgb

PictureFault = Literal["freeze", "black", "cover", "shift"]
PICTURE_FAULTS: Final[tuple[PictureFault, ...]] = ("freeze", "black", "cover", "shift")
LineFault = Literal["none", "cut", "stall", "refuse_password", "no_stream", "noise"]
HOST: Final = "127.0.0.1"
CHUNK: Final = 16_384
SHIFT: Final = 0.3
"""Part of the picture by which a camera that was knocked looks elsewhere."""


def spoiled(pictures: Iterable[Rgb], fault: PictureFault, first: int, last: int, *, seed: int = 0) -> Iterator[Rgb]:
    """The same pictures, [h, w, 3], with the fault in those from `first` to before `last`."""
    random = np.random.default_rng(seed)
    held: Rgb | None = None
    for index, picture in enumerate(pictures):
        if not first <= index < last:
            held = picture
            yield picture
        elif fault == "freeze":
            held = picture if held is None else held
            yield held
        elif fault == "black":
            yield np.clip(random.normal(3, 2, picture.shape), 0, 255).astype(np.uint8)
        elif fault == "cover":
            # A hand or a bag before the lens: one colour, a little light from the side, the sensor's noise.
            side = np.linspace(0, 25, picture.shape[1])[None, :, None]
            yield np.clip(70 + side + random.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)
        else:
            down, right = (round(SHIFT * size) for size in picture.shape[:2])
            yield np.ascontiguousarray(np.roll(picture, (down, right), axis=(0, 1)))


def prolonged(pictures: Iterable[Rgb], frames: int) -> Iterator[Rgb]:
    """The pictures, the last one held until there are so many."""
    count = 0
    last: Rgb | None = None
    for count, last in enumerate(pictures, 1):  # noqa: B007  # both are used below
        yield last
    if last is not None:
        yield from chain.from_iterable(repeat((last,), max(0, frames - count)))


class FaultyLine:
    """Stands between a reader and an RTSP camera; `async with FaultyLine(port) as line:` and set `line.fault`.

    `cut` ends every connection and each new one; `stall` lets nothing through any more and keeps them open. The camera
    may be changed for another (other resolution, other codec) by `camera_port` and `cut()`.
    """

    def __init__(self, camera_port: int, port: int = 0) -> None:
        self.camera_port = camera_port
        self.port = port
        self.connections = 0
        """So many were made."""
        self.lost = 0
        """So many ended by an error of one side."""
        self._flows = asyncio.Event()
        self._flows.set()
        self._fault: LineFault = "none"
        self._listener: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "FaultyLine":
        self._listener = await asyncio.start_server(self._serve, HOST, self.port)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._listener is not None
        self._listener.close()
        self.fault = "cut"
        self.cut()
        await asyncio.gather(*self._serving, return_exceptions=True)

    @property
    def fault(self) -> LineFault:
        """What is wrong with the line now; a cut takes effect on what is open by `cut()`."""
        return self._fault

    @fault.setter
    def fault(self, fault: LineFault) -> None:
        self._fault = fault
        if fault == "stall":
            self._flows.clear()
        else:
            self._flows.set()

    def cut(self) -> None:
        """End every connection now, as a camera that loses its power does."""
        for writer in tuple(self._open):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        self._open.add(writer)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, OSError):
                if self.fault in ("refuse_password", "no_stream", "noise"):
                    await self._answer(reader, writer)
                elif self.fault != "cut":
                    await self._pass_on(reader, writer)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        random = np.random.default_rng(self.connections)
        while request := await reader.readuntil(b"\r\n\r\n"):
            if self.fault == "noise":
                writer.write(random.bytes(512))
            else:
                sequence = next(line for line in request.split(b"\r\n") if line.lower().startswith(b"cseq"))
                status = b"401 Unauthorized" if self.fault == "refuse_password" else b"404 Not Found"
                ask = b'WWW-Authenticate: Basic realm="camera"\r\n' if self.fault == "refuse_password" else b""
                writer.write(b"RTSP/1.0 " + status + b"\r\n" + sequence + b"\r\n" + ask + b"\r\n")
            await writer.drain()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        camera_reader, camera_writer = await asyncio.open_connection(HOST, self.camera_port)
        self._open.add(camera_writer)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, camera_writer))
                both.create_task(self._pump(camera_reader, writer))
        except* OSError as gone:
            # One side has gone; the other is closed for it.
            self.lost += len(gone.exceptions)
        finally:
            self._open.discard(camera_writer)
            camera_writer.close()

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while chunk := await source.read(CHUNK):
            await self._flows.wait()
            target.write(chunk)
            await target.drain()
        target.close()
