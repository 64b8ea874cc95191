"""The HTTP server around the application: uvicorn, which lets open pages go before it waits for them."""

import socket

import uvicorn
from fastapi import FastAPI

from hub.api.stream import Broadcaster


class ApiServer(uvicorn.Server):
    """Runs in the caller's event loop: `await server.serve(sockets=[…])`; `should_exit` ends it.

    Streams never end by themselves, and a server that stops waits for its answers: so they are ended first.
    """

    def __init__(self, app: FastAPI, *, grace_s: int = 5) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                ws="none",
                lifespan="on",
                timeout_graceful_shutdown=grace_s,
                # A reverse proxy on the same machine may say which scheme and address a request came by.
                proxy_headers=True,
                forwarded_allow_ips="127.0.0.1",
            )
        )
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let every open page go, then stop as usual."""
        broadcaster: Broadcaster = self._app.state.broadcaster
        broadcaster.close()
        await super().shutdown(sockets)
