"""The demo's processes: each in a group of its own, its output in a file, ended with a deadline, none left behind."""

import asyncio
import contextlib
import ctypes
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from simulators.errors import StartError

_STOP_S: Final = 8.0
_TAIL_LINES: Final = 15
_PR_SET_PDEATHSIG: Final = 1


@dataclass(slots=True)
class Child:
    """A running part of the demo. `log` holds what it printed."""

    name: str
    log: Path
    process: asyncio.subprocess.Process

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.process.returncode is None

    def tell(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())

    def tail(self) -> str:
        """The last lines that it printed."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_TAIL_LINES:])

    async def stop(self, deadline_s: float = _STOP_S) -> bool:
        """Ask it to end, and kill its whole group when it does not by the deadline. True when it ended by itself."""
        if self.is_running:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
        try:
            async with asyncio.timeout(deadline_s):
                await self.process.wait()
            ended = True
        except TimeoutError:
            ended = False
        # What it started itself, a camera worker for one, lives in its group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()
        return ended


async def start_child(
    name: str, command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Child:
    """Start a part in a process group of its own, so that a Ctrl-C in the terminal reaches the demo alone."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=_end_with_parent,
            env=dict(env) if env is not None else None,
            cwd=cwd,
        )
    return Child(name, log, process)


async def run_once(name: str, command: Sequence[str], *, env: Mapping[str, str], deadline_s: float = 120.0) -> str:
    """Run a command to its end; gives its standard output. Raises StartError with what it printed otherwise."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_end_with_parent,
        env=dict(env),
    )
    try:
        async with asyncio.timeout(deadline_s):
            out, error = await process.communicate()
    except (TimeoutError, asyncio.CancelledError) as reason:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        if isinstance(reason, TimeoutError):
            raise StartError(f"{name}: not done within {deadline_s:.0f} s") from None
        raise
    if process.returncode != 0:
        raise StartError(f"{name}: exit status {process.returncode}: {(error or out).decode().strip()}")
    return out.decode()


_libc = ctypes.CDLL(None, use_errno=True)


def _end_with_parent() -> None:
    """Have the kernel end this child when the demo itself is killed and can no longer do so (Linux, prctl(2))."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
