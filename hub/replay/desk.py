"""What-if for people: runs replays beside the hub, one at a time, and keeps the last few outcomes in memory."""

import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
import structlog

from hub.errors import BusyError, NotFoundError
from hub.policies.packs import packs_of
from hub.replay.run import Draft
from hub.replay.worker import Request
from hub.rules.policy import parse_pack
from wire.clock import Clock

log = structlog.get_logger(__name__)

_KEPT: Final = 20
_GOODBYE_S: Final = 5.0
_MOST_ERROR: Final = 500
JobState = Literal["running", "done", "failed", "stopped"]


@dataclass(slots=True)
class Job:
    """One replay. `done` of `of` events; `outcome` as `hub.replay.worker` gives it."""

    id: int
    by: str
    started_at: datetime
    since: datetime | None
    until: datetime | None
    drafts: tuple[Draft, ...]
    has_pack: bool
    state: JobState = "running"
    done: int = 0
    of: int = 0
    error: str = ""
    ended_at: datetime | None = None
    outcome: dict[str, Any] = field(default_factory=dict)


class ReplayDesk:
    """Starts, shows and stops replays. Called from several threads."""

    def __init__(self, database_url: str, clock: Clock) -> None:
        self._database_url = database_url
        self._clock = clock
        self._lock = threading.Lock()
        self._jobs: dict[int, Job] = {}
        self._last = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(
        self, by: str, *, since: datetime | None, until: datetime | None, drafts: Sequence[Draft], pack: str | None
    ) -> Job:
        """Begin one. Raises BusyError while another runs, ConfigError for a draft that cannot be."""
        packs = packs_of([] if pack is None else [parse_pack(pack, "draft")])
        for draft in drafts:
            packs.check_override(draft.rule, draft.parameter, draft.held)
        request = Request(self._database_url, since, until, list(drafts), [] if pack is None else [pack])
        with self._lock:
            if any(job.state == "running" for job in self._jobs.values()):
                raise BusyError("试算正在进行，请等待或先停止 / a replay is running; stop it, or wait for its end")
            self._last += 1
            job = Job(self._last, by, self._clock.now(), since, until, tuple(drafts), pack is not None)
            self._jobs[job.id] = job
            for old in sorted(self._jobs)[:-_KEPT]:
                del self._jobs[old]
            self._process = subprocess.Popen(
                [sys.executable, "-m", "hub.replay.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        threading.Thread(
            target=self._attend, args=(job, self._process, request), name=f"replay-{job.id}", daemon=True
        ).start()
        return job

    def jobs(self) -> list[Job]:
        """The newest first."""
        with self._lock:
            return sorted(self._jobs.values(), key=lambda job: -job.id)

    def job(self, number: int) -> Job:
        """One of them. Raises NotFoundError."""
        with self._lock:
            found = self._jobs.get(number)
        if found is None:
            raise NotFoundError(
                f"没有试算 {number}（重启后不保留） / "
                f"replay {number}: there is none; outcomes are kept until the hub restarts"
            )
        return found

    def stop(self, number: int) -> Job:
        """End one that runs. Raises NotFoundError."""
        job = self.job(number)
        with self._lock:
            if job.state == "running" and self._process is not None:
                self._end(job, "stopped")
                self._process.terminate()
        return job

    def close(self) -> None:
        """The hub stops."""
        with self._lock:
            process = self._process
            for job in self._jobs.values():
                if job.state == "running":
                    self._end(job, "stopped")
        if process is not None:
            process.terminate()
            try:
                process.wait(_GOODBYE_S)
            except subprocess.TimeoutExpired:
                process.kill()

    def _attend(self, job: Job, process: "subprocess.Popen[bytes]", request: Request) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with process.stdin as asking:
                asking.write(msgspec.json.encode(request))
            for line in process.stdout:
                self._hear(job, msgspec.json.decode(line))
        except (OSError, msgspec.DecodeError) as error:
            log.warning("replay.broken", job=job.id, error=repr(error))
        finally:
            process.stdout.close()
            status = process.wait()
        with self._lock:
            if job.state == "running":
                job.error = f"the replay ended with status {status}"
                self._end(job, "failed")

    def _hear(self, job: Job, line: dict[str, Any]) -> None:
        with self._lock:
            if job.state != "running":
                return
            if "outcome" in line:
                job.outcome = line["outcome"]
                self._end(job, "done")
            elif "error" in line:
                job.error = str(line["error"])[:_MOST_ERROR]
                self._end(job, "failed")
            else:
                job.done, job.of = int(line["done"]), int(line["of"])

    def _end(self, job: Job, state: JobState) -> None:
        job.state, job.ended_at = state, self._clock.now()
