"""A gateway for crash tests: the agent's real outbox and uplink, fed from a record of what it accepted.

    python -m support.counting_agent FOLDER MQTT_URL GATEWAY EVENTS PER_SECOND

Each event carries its own number (as `count`, lanes in turn). Before events are given to the outbox, `begin A B` is
written to FOLDER/accepted; when the outbox has them on disk, `done NUMBER EPOCH SEQ` for each. A restart goes on behind
the last `begin`: what was begun and not done may or may not be on disk, and both are right. A file FOLDER/hurry ends
the pacing; FOLDER/delivered is written when everything is acknowledged.
"""

import asyncio
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge_agent.mqtt_link import MqttOptions
from edge_agent.outbox import Outbox
from edge_agent.uplink import Uplink
from wire.clock import SystemClock
from wire.events import KnownEvent, LocalAction, LocalActionData, PeopleCrossing, PeopleCrossingData

AT = datetime(2026, 11, 23, 6, 12, 44, tzinfo=UTC)
_GROUP = 10


class NoDevices:
    """There is nothing to actuate."""

    async def actuate(self, device_id: str, command: str, arguments: Mapping[str, Any]) -> None:
        raise AssertionError(f"{command} for {device_id}: nobody sent a command")


def numbered(number: int) -> KnownEvent:
    """Event `number`: odd ones go in the routine lane, even ones in the urgent lane."""
    if number % 2:
        data = PeopleCrossingData(direction="in", count=number, line="door", confidence=1.0)
        return PeopleCrossing(observed_at=AT, device=f"n-{number}", data=data)
    return LocalAction(observed_at=AT, device=f"n-{number}", data=LocalActionData(action="test", rule="accepted"))


def last_begun(accepted: Path) -> int:
    """The highest number that an earlier process began; a line that a kill cut off counts for what it says."""
    if not accepted.exists():
        return 0
    begun = [line.split() for line in accepted.read_text().splitlines() if line.startswith("begin ")]
    return max((int(words[2]) for words in begun if len(words) == 3), default=0)


async def main(folder: Path, url: str, gateway: str, total: int, per_s: float) -> None:
    clock = SystemClock()
    outbox = await Outbox.open(folder / "outbox.db", gateway_id=gateway, max_bytes=1 << 28, clock=clock)
    options = MqttOptions(url=url, client_id=gateway, is_persistent=True)
    uplink = Uplink(gateway, options, outbox, NoDevices(), clock, clock_quality=lambda: "synced", agent_version="test")
    running = asyncio.create_task(uplink.run())
    ledger_path = folder / "accepted"
    number = last_begun(ledger_path)
    with ledger_path.open("a") as accepted:
        # The line before may have been cut off by a kill.
        accepted.write("\n")
        while number < total:
            last = min(total, number + _GROUP)
            accepted.write(f"begin {number + 1} {last}\n")
            accepted.flush()
            numbers = range(number + 1, last + 1)
            places = await outbox.accept([numbered(n) for n in numbers])
            accepted.writelines(f"done {n} {epoch} {seq}\n" for n, (epoch, seq) in zip(numbers, places, strict=True))
            accepted.flush()
            number = last
            if not (folder / "hurry").exists():
                await asyncio.sleep(_GROUP / per_s)
    while outbox.status().depth:
        await asyncio.sleep(0.05)
        if running.done():
            await running
    (folder / "delivered").write_text("yes\n")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5])))
