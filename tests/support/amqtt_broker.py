"""amqtt, which speaks MQTT 3.1.1 only, in a process of its own on a free port of the loopback."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from support.servers import can_connect, free_port
from support.wait import until

_PROGRAM = """
import asyncio, sys, warnings
warnings.simplefilter("ignore")
from amqtt.broker import Broker

async def main():
    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{sys.argv[1]}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    broker = Broker(config)
    await broker.start()
    await asyncio.Event().wait()

asyncio.run(main())
"""


@contextlib.contextmanager
def amqtt_broker(folder: Path) -> Iterator[str]:
    """Gives the broker's URL; its log is in `folder`."""
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "amqtt.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", _PROGRAM, str(port)], stdout=log, stderr=log, env=os.environ)
    try:
        until(lambda: can_connect(port), what="amqtt accepting connections")
        yield f"mqtt://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)
