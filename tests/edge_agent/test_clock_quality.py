"""What the gateway thinks of its clock."""

from datetime import UTC, datetime

from edge_agent.clock_quality import HOLDOVER_S, ClockJudge, KernelClock, read_kernel_clock
from wire.clock import FakeClock

DISCIPLINED = KernelClock(is_disciplined=True, offset_s=0.002)
FREE = KernelClock(is_disciplined=False, offset_s=None)


async def test_synced_then_holdover_then_unsynced() -> None:
    clock = FakeClock(datetime(2026, 11, 1, tzinfo=UTC))
    judge = ClockJudge(clock)
    assert judge.look(FREE) == "unsynced"
    assert judge.look(DISCIPLINED) == "synced"
    assert judge.offset_s == 0.002
    await clock.advance(HOLDOVER_S - 1)
    assert judge.look(FREE) == "holdover"
    await clock.advance(2)
    assert judge.look(FREE) == "unsynced"
    assert judge.offset_s is None


def test_a_clock_before_the_release_is_never_believed() -> None:
    assert ClockJudge(FakeClock(datetime(2001, 1, 1, tzinfo=UTC))).look(DISCIPLINED) == "unsynced"


def test_the_kernel_answers() -> None:
    found = read_kernel_clock()
    assert found.offset_s is None or abs(found.offset_s) < 10
    assert found.is_disciplined or found.offset_s is None
