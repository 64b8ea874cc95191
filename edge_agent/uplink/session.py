"""The session with the hub: pumps the outbox's lanes into the MQTT link and takes the hub's answers."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import msgspec
import structlog

from edge_agent.backoff import Backoff
from edge_agent.errors import OutboxError
from edge_agent.mqtt_link import Message, MqttLink, MqttOptions, Will
from edge_agent.outbox import Outbox
from edge_agent.outbox.rows import LANES
from edge_agent.uplink.commands import Actuator, Commander
from edge_agent.uplink.lane import LaneSender, Probe
from wire.clock import Clock
from wire.errors import ContractError
from wire.events import Lane, LocalAction, LocalActionData
from wire.ids import new_ulid
from wire.messages import (
    MAX_BATCH_BYTES,
    Ack,
    ClockQuality,
    Status,
    decode,
    encode,
    encode_batch,
    encode_event,
)
from wire.topics import Leaf, topic

_COMPRESS_FROM_BYTES: Final = 1024
_BATCH_BYTES: Final = MAX_BATCH_BYTES - 1024
_BLOCKED_FIRST_S: Final = 5.0
_BLOCKED_MOST_S: Final = 300.0
_IDLE_S: Final = 30.0
_KEPT_S: Final = 10.0
"""For so long after a connection a command may be one that the broker kept while we were away."""

log = structlog.get_logger()


@dataclass(slots=True)
class UplinkStatus:
    """What the uplink says of itself."""

    is_up: bool = False
    detail: str = ""
    lanes: dict[int, str] = field(default_factory=dict)
    """Each lane's mode, with the hub's reason when it is not flowing."""
    batches_sent: int = 0
    batches_resent: int = 0
    strays: int = 0
    """Acknowledgements of epochs or numbers that are not ours."""
    set_aside: int = 0
    last_ack_s: float | None = None
    """Seconds since the hub's last acknowledgement."""


class Uplink:
    """Owns the link to the hub's broker. `run` until cancelled."""

    def __init__(
        self,
        gateway_id: str,
        options: MqttOptions,
        outbox: Outbox,
        actuator: Actuator,
        clock: Clock,
        *,
        clock_quality: Callable[[], ClockQuality],
        agent_version: str,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._gateway_id = gateway_id
        self._outbox = outbox
        self._clock = clock
        self._clock_quality = clock_quality
        self._agent_version = agent_version
        self._jitter = jitter
        self._commander = Commander(actuator, outbox, clock)
        self._wake = asyncio.Event()
        self._answers: asyncio.Queue[Ack] = asyncio.Queue(maxsize=1000)
        self._tasks: set[asyncio.Task[None]] = set()
        self._online_since = clock.now()
        self._up_at_s = clock.monotonic()
        self._blocked = Backoff(first_s=_BLOCKED_FIRST_S, most_s=_BLOCKED_MOST_S, jitter=jitter)
        self._last_ack_s: float | None = None
        self._status = UplinkStatus()
        self._event_topic = topic(gateway_id, Leaf.EVENT)
        self._ack_topic = topic(gateway_id, Leaf.ACK)
        self._command_topic = topic(gateway_id, Leaf.COMMAND)
        self._reply_topic = topic(gateway_id, Leaf.REPLY)
        self._status_topic = topic(gateway_id, Leaf.STATUS)
        self._link = MqttLink(
            options,
            clock,
            subscriptions=[self._ack_topic, self._command_topic],
            on_message=self._on_message,
            on_up=self._on_up,
            on_down=self._on_down,
            will=Will(self._status_topic, encode(Status(state="offline", agent_version=agent_version))),
            jitter=jitter,
        )
        self._probe_epochs: dict[int, str] = {}
        self._senders: dict[int, LaneSender] = {}
        for lane in LANES:
            found = outbox.lane(lane)
            self._senders[lane] = LaneSender(found.epoch, found.floor_seq, found.last_seq)
        outbox.listen(self._wake.set)

    def status(self) -> UplinkStatus:
        """How it fares, at once and without I/O."""
        self._status.is_up = self._link.is_up
        self._status.detail = self._link.detail
        self._status.lanes = {
            lane: sender.mode + (f": {sender.reason}" if sender.reason else "")
            for lane, sender in self._senders.items()
        }
        self._status.last_ack_s = (
            None if self._last_ack_s is None else round(self._clock.monotonic() - self._last_ack_s, 1)
        )
        return self._status

    async def run(self) -> None:
        """Publish and take answers until cancelled; then say goodbye."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._link.run(), name="uplink-link")
                group.create_task(self._pump(), name="uplink-pump")
        finally:
            for task in self._tasks:
                task.cancel()

    async def drain(self, at_most_s: float) -> None:
        """Wait until everything is acknowledged, while the hub is there and for a little while only."""
        end_s = self._clock.monotonic() + at_most_s
        while self._link.is_up and self._outbox.status().depth and self._clock.monotonic() < end_s:
            await self._clock.sleep(0.02)

    async def say_goodbye(self) -> None:
        """Leave a retained `offline` and disconnect, as the last thing."""
        status = Status(state="offline", since=self._clock.now(), agent_version=self._agent_version)
        await self._link.say_goodbye(self._status_topic, encode(status))

    # -- what the link tells ---------------------------------------------------------------------------------------

    def _on_up(self) -> None:
        log.info("uplink.up", detail=self._link.detail)
        self._online_since = self._clock.now()
        self._up_at_s = self._clock.monotonic()
        status = Status(
            state="online",
            since=self._online_since,
            agent_version=self._agent_version,
            epoch=self._senders[Lane.URGENT].epoch,
        )
        self._link.publish(self._status_topic, encode(status), retain=True)
        self._wake.set()

    def _on_down(self, reason: str) -> None:
        log.warning("uplink.down", reason=reason)
        for sender in self._senders.values():
            sender.rewind()
        self._wake.set()

    def _on_message(self, message: Message) -> None:
        if message.topic == self._ack_topic:
            try:
                ack = decode(message.payload, Ack)
            except ContractError:
                self._status.strays += 1
                return
            if self._answers.full():
                # Acknowledgements are cumulative and come again: the oldest can go.
                self._answers.get_nowait()
            self._answers.put_nowait(ack)
            self._wake.set()
        elif message.topic == self._command_topic and not message.is_retained:
            task = asyncio.create_task(self._command(message.payload), name="uplink-command")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _command(self, payload: bytes) -> None:
        is_fresh_link = self._clock.monotonic() - self._up_at_s < _KEPT_S
        may_have_waited = is_fresh_link and self._clock_quality() == "unsynced"
        reply = await self._commander.carry_out(payload, may_have_waited=may_have_waited)
        if reply is None:
            log.warning("uplink.command_unreadable", size=len(payload))
        elif not self._link.publish(self._reply_topic, reply):
            log.warning("uplink.reply_unsent")

    # -- the pump --------------------------------------------------------------------------------------------------

    async def _pump(self) -> None:
        while True:
            self._wake.clear()
            now_s = self._clock.monotonic()
            try:
                while not self._answers.empty():
                    await self._take(self._answers.get_nowait())
                for sender in self._senders.values():
                    if sender.on_timer(now_s):
                        self._status.batches_resent += 1
                self._follow_outbox()
                if self._link.is_up:
                    for lane in LANES:
                        await self._send(lane)
            except OutboxError as error:
                log.error("uplink.outbox", error=str(error))
                await self._clock.sleep(1.0)
            await self._wait()

    async def _wait(self) -> None:
        """Until something happens, or the next deadline."""
        if self._wake.is_set():
            return
        now_s = self._clock.monotonic()
        due = [sender.deadline_s for sender in self._senders.values() if sender.deadline_s is not None]
        due += [sender.resume_s for sender in self._senders.values() if sender.resume_s > now_s]
        pause_s = min([_IDLE_S, *(max(0.0, at - now_s) for at in due)])
        waker = asyncio.create_task(self._wake.wait())
        sleeper = asyncio.ensure_future(self._clock.sleep(pause_s))
        try:
            await asyncio.wait({waker, sleeper}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waker.cancel()
            sleeper.cancel()

    def _follow_outbox(self) -> None:
        """New epochs after a salvage, floors raised by the drop policy."""
        for lane, sender in self._senders.items():
            found = self._outbox.lane(lane)
            if found.epoch != sender.epoch:
                log.warning("uplink.new_epoch", lane=lane, epoch=found.epoch)
                sender.reset(found.epoch, found.floor_seq, found.last_seq)
            else:
                sender.raise_floor(found.floor_seq)

    async def _send(self, lane: int) -> None:
        sender = self._senders[lane]
        while (want := sender.want(self._outbox.lane(lane).last_seq, self._clock.monotonic())) is not None:
            if isinstance(want, Probe):
                self._probe(lane, sender, want)
                return
            rows = await self._outbox.read(lane, want.after, want.events, _BATCH_BYTES - 8 * want.events)
            if not self._link.is_up or not rows or sender.epoch != self._outbox.lane(lane).epoch:
                return
            if not self._publish(sender.epoch, rows[0].seq, sender.acked, [row.body for row in rows]):
                return
            sender.sent(rows[0].seq, rows[-1].seq, self._clock.monotonic(), self._jitter())

    def _publish(self, epoch: str, first_seq: int, floor_seq: int, bodies: list[bytes]) -> bool:
        payload = encode_batch(
            gateway=self._gateway_id,
            epoch=epoch,
            first_seq=first_seq,
            floor_seq=floor_seq,
            sent_at=self._clock.now(),
            clock=self._clock_quality(),
            events=bodies,
            compress=sum(map(len, bodies)) > _COMPRESS_FROM_BYTES,
        )
        if not self._link.publish(self._event_topic, payload):
            return False
        self._status.batches_sent += 1
        return True

    def _probe(self, lane: int, sender: LaneSender, probe: Probe) -> None:
        """Send something that every hub can read, to learn whether it is an event or the gateway that is refused.

        It goes under a number that the hub has already and will pass over; before there is one, under an epoch of its
        own, so that no number of the lane is ever used for it.
        """
        data = LocalActionData(action="uplink_probe", rule="hub_refused", ok=True, detail=sender.reason[:512])
        body = encode_event(LocalAction(observed_at=self._clock.now(), device=self._gateway_id, data=data))
        if probe.seq:
            is_sent = self._publish(sender.epoch, probe.seq, sender.acked, [body])
        else:
            epoch = self._probe_epochs.setdefault(lane, new_ulid(self._clock.now()))
            is_sent = self._publish(epoch, 1, 0, [body])
        if is_sent:
            sender.probed(self._clock.monotonic(), self._jitter())

    async def _take(self, ack: Ack) -> None:
        """One answer of the hub."""
        now_s = self._clock.monotonic()
        lanes = [lane for lane, sender in self._senders.items() if sender.epoch == ack.epoch]
        if not lanes and ack.error is not None and ack.seq == 0 and not ack.epoch:
            # So broken that the hub could not even read the epoch: it can be any lane that has a batch in flight.
            lanes = [lane for lane, sender in self._senders.items() if sender.flights]
        for lane, epoch in self._probe_epochs.items():
            if epoch == ack.epoch:
                await self._take_for(lane, msgspec.structs.replace(ack, seq=0), now_s)
                return
        if not lanes:
            self._status.strays += 1
        for lane in lanes:
            await self._take_for(lane, ack, now_s)

    async def _take_for(self, lane: int, ack: Ack, now_s: float) -> None:
        sender = self._senders[lane]
        if ack.error is None:
            self._last_ack_s = now_s
            verdict = sender.on_ack(ack.seq, self._outbox.lane(lane).last_seq, now_s, self._jitter())
            if verdict.delete_to is not None:
                self._blocked.reset()
        else:
            log.warning("uplink.hub_error", lane=lane, seq=ack.seq, error=ack.error)
            pause_s = self._blocked.next_s() if ack.seq == 0 else 0.0
            verdict = sender.on_error(ack.seq, ack.error, now_s, pause_s)
        if verdict.is_stray:
            self._status.strays += 1
        if verdict.set_aside is not None:
            seq, reason = verdict.set_aside
            if await self._outbox.set_aside(lane, seq, reason):
                self._status.set_aside += 1
                log.warning("uplink.event_set_aside", lane=lane, seq=seq, reason=reason)
        if verdict.must_renumber:
            log.error("uplink.outbox_rolled_back", lane=lane, epoch=ack.epoch, hub_seq=ack.seq)
            await self._outbox.renumber(lane, sender.epoch)
        if verdict.delete_to is not None:
            self._outbox.acknowledge(lane, sender.epoch, verdict.delete_to)
