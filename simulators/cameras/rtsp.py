"""An RTSP camera that plays a clip: the server of aio-rtsp-toolkit, RTP over TCP.

`python -m simulators.cameras.rtsp CLIP` serves until it is ended; tests kill and stop it like a real camera.
"""

import argparse
import asyncio
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from aio_rtsp_toolkit import server as rtsp_server

HOST: Final = "127.0.0.1"


class _Quiet:
    """The toolkit writes every packet's fate to standard output otherwise."""

    def __getattr__(self, level: str) -> object:
        return lambda *_, **__: None


@dataclass(slots=True)
class RtspCamera:
    """`async with RtspCamera(clip) as camera:` and read `camera.url`. `loops` 0 plays for ever.

    The address serves every file of the clip's folder, the clip under its name. Each client gets the clip from its
    beginning.
    """

    clip: Path
    loops: int = 0
    port: int = 0
    _server: "rtsp_server.RtspServer | None" = None
    _serving: "asyncio.Task[None] | None" = None

    @property
    def url(self) -> str:
        """Where to read it; known once it runs."""
        return f"rtsp://{HOST}:{self.port}/{self.clip.name}?play_count={self.loops}"

    async def start(self) -> None:
        """Listen. Raises OSError where the port is taken."""
        rtsp_server.logger = _Quiet()
        self.port = self.port or _free_port()
        self._server = rtsp_server.RtspServer(str(self.clip.parent), host=HOST, port=self.port)
        self._server.logger = _Quiet()
        await self._server.start()

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            await self._server.close()
            self._server = None

    async def __aenter__(self) -> "RtspCamera":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


async def _serve(clip: Path, port: int, loops: int) -> None:
    async with RtspCamera(clip, loops, port) as camera:
        sys.stdout.write(camera.url + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    """Serve a clip; its address is the first line of standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--loops", type=int, default=0, help="0: for ever")
    chosen = parser.parse_args()
    asyncio.run(_serve(chosen.clip.resolve(), chosen.port, chosen.loops))


if __name__ == "__main__":
    main()
