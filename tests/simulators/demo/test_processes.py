"""The demo's processes end when they are told to, with all that they started, and their failures are told."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.wait import until, until_async

from simulators.demo.processes import run_once, start_child
from simulators.errors import StartError

pytestmark = pytest.mark.integration

OBEDIENT = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = f"""
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", {OBEDIENT!r}], stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
time.sleep(60)
"""


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie is dead; nobody in a container may be there to collect it.
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def test_a_process_that_obeys_ends_by_itself(tmp_path: Path) -> None:
    child = await start_child("obedient", [sys.executable, "-c", OBEDIENT], log=tmp_path / "log")
    await until_async(lambda: child.tail() == "up", what="its first word")
    assert child.is_running
    assert await child.stop(5.0) is True
    assert not child.is_running


async def test_one_that_does_not_is_killed_at_the_deadline_with_all_that_it_started(tmp_path: Path) -> None:
    child = await start_child("stubborn", [sys.executable, "-c", STUBBORN], log=tmp_path / "log")
    await until_async(lambda: child.tail().isdigit(), what="the grandchild")
    grandchild = int(child.tail())
    assert await child.stop(0.3) is False
    assert child.process.returncode == -signal.SIGKILL
    await until_async(lambda: not _is_alive(grandchild), what="the grandchild's end")


async def test_what_a_process_printed_is_in_the_error_of_a_command_that_failed(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"load: exit status 3: row 7 is wrong"):
        await run_once(
            "load", [sys.executable, "-c", "import sys; print('row 7 is wrong'); sys.exit(3)"], env=os.environ
        )
    with pytest.raises(StartError, match="not done within"):
        await run_once("slow", [sys.executable, "-c", OBEDIENT], env=os.environ, deadline_s=0.3)
    assert await run_once("good", [sys.executable, "-c", "print('token')"], env=os.environ) == "token\n"


def test_a_demo_that_is_killed_takes_its_processes_with_it(tmp_path: Path) -> None:
    script = f"""
import asyncio, sys
from pathlib import Path
from simulators.demo.processes import start_child
async def main():
    child = await start_child("c", [sys.executable, "-c", {OBEDIENT!r}], log=Path({str(tmp_path / "log")!r}))
    print(child.process.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    demo = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert demo.stdout is not None
    pid = int(demo.stdout.readline())
    assert _is_alive(pid)
    demo.kill()
    demo.wait()
    demo.stdout.close()
    until(lambda: not _is_alive(pid), what="the end of its child")


async def test_a_line_reaches_a_processes_standard_input(tmp_path: Path) -> None:
    child = await start_child("echo", [sys.executable, "-c", "print(input(), flush=True)"], log=tmp_path / "log")
    child.tell("go")
    async with asyncio.timeout(60):
        await child.process.wait()
    assert child.tail() == "go"
    assert await child.stop(1.0) is True
