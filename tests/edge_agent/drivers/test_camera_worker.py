"""What the camera's worker decides without any camera."""

from edge_agent.drivers import camera_worker
from edge_agent.drivers.camera_feed import StreamTime
from edge_agent.drivers.camera_worker import BURST_S, LONGEST_REST_S, Budget


class Machine:
    """A clock and a CPU meter that the test moves."""

    def __init__(self, monkeypatch) -> None:
        self.wall = self.cpu = 0.0
        monkeypatch.setattr(camera_worker.time, "monotonic", lambda: self.wall)
        monkeypatch.setattr(camera_worker, "_cpu_s", lambda: self.cpu)

    def frames(self, budget: Budget, cost_s: float, seconds: float, fps: float = 10.0) -> float:
        """Share of a core used when every frame costs so much; rests are kept."""
        start, spent = self.wall, self.cpu
        while self.wall - start < seconds:
            self.wall += max(cost_s, 1 / fps)
            self.cpu += cost_s
            self.wall += budget.rest_s()
        return (self.cpu - spent) / (self.wall - start)


def test_a_worker_keeps_to_its_share_of_a_core(monkeypatch):
    machine = Machine(monkeypatch)
    budget = Budget(cpu_pct=20)
    machine.frames(budget, 0.08, 60)

    assert machine.frames(budget, 0.08, 120) <= 0.21


def test_cheap_frames_never_wait_and_a_quiet_minute_is_saved_up(monkeypatch):
    machine = Machine(monkeypatch)
    budget = Budget(cpu_pct=20)

    assert machine.frames(budget, 0.01, 60) > 0.099
    machine.cpu += BURST_S * 0.9
    assert budget.rest_s() == 0


def test_a_rest_is_short_however_deep_the_debt(monkeypatch):
    machine = Machine(monkeypatch)
    budget = Budget(cpu_pct=20)
    machine.cpu += 100

    assert budget.rest_s() == LONGEST_REST_S


def test_a_streams_time_never_goes_back_whatever_its_stamps_do():
    time = StreamTime()
    placed = [
        time.place(stamp, wall) for stamp, wall in [(0, 100), (0.1, 100.1), (50, 100.2), (0, 100.3), (0.1, 100.4)]
    ]

    assert placed == sorted(placed)
    assert placed[-1] - placed[0] < 1
