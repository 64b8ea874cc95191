"""A hub of a few lines that keeps the delivery contract, for tests of the agent without the real hub."""

import contextlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from wire.errors import ContractError
from wire.messages import Ack, Command, Reply, Status, decode, decode_batch, decode_event, encode
from wire.topics import Leaf, every_gateway, parse_topic, topic


class TinyHub:
    """Stores every event once, acknowledges cumulatively, names what it cannot decode."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.events: dict[tuple[str, str], dict[int, bytes]] = defaultdict(dict)
        self.rejected: dict[tuple[str, str], set[int]] = defaultdict(set)
        self.statuses: list[Status] = []
        self.replies: list[Reply] = []
        self.batches: list[int] = []
        self.duplicates = 0
        self.is_deaf = False
        """Take nothing, answer nothing: a hub that hangs."""
        self.refuses_all = False
        self.is_poison: Callable[[bytes], bool] = lambda body: False
        """Bodies that cannot be decoded, beside those that really cannot."""
        self.names_poison = True
        """Whether an undecodable event is named by number (else the whole batch is refused with 0)."""
        self._client: mqtt.Client | None = None

    def start(self, url: str, *, is_v5: bool = True) -> None:
        """Connect to the broker and take batches on a thread of paho's."""
        parts = urlsplit(url)
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id="tiny-hub",
            clean_session=None if is_v5 else True,
            protocol=MQTTProtocolVersion.MQTTv5 if is_v5 else MQTTProtocolVersion.MQTTv311,
        )
        client.max_inflight_messages_set(1000)
        subscribed = threading.Event()

        def on_connect(client: mqtt.Client, *_: Any) -> None:
            client.subscribe([(every_gateway(leaf), 1) for leaf in (Leaf.EVENT, Leaf.STATUS, Leaf.REPLY)])

        client.on_connect = on_connect
        client.on_subscribe = lambda *_: subscribed.set()
        client.on_message = lambda client, _, message: self._take(message.topic, message.payload)
        client.reconnect_delay_set(1, 1)
        client.connect(parts.hostname or "127.0.0.1", parts.port or 1883, keepalive=5)
        client.loop_start()
        self._client = client
        assert subscribed.wait(60), "the tiny hub could not subscribe"

    def stop(self) -> None:
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()
            self._client = None

    def send_command(self, gateway: str, command: Command) -> None:
        assert self._client is not None
        self._client.publish(topic(gateway, Leaf.COMMAND), encode(command), qos=1)

    def bodies(self, gateway: str, epoch: str) -> list[bytes]:
        """What is stored, in the order of the numbers."""
        with self.lock:
            return [body for _, body in sorted(self.events[gateway, epoch].items())]

    def count(self) -> int:
        with self.lock:
            return sum(len(rows) for rows in self.events.values())

    def everything(self) -> list[bytes]:
        with self.lock:
            return [body for rows in self.events.values() for _, body in sorted(rows.items())]

    def _take(self, name: str, payload: bytes) -> None:
        where = parse_topic(name)
        if where.leaf is Leaf.STATUS:
            self.statuses.append(decode(payload, Status))
        elif where.leaf is Leaf.REPLY:
            self.replies.append(decode(payload, Reply))
        elif not self.is_deaf:
            for ack in self.answers(where.gateway, payload):
                assert self._client is not None
                self._client.publish(topic(where.gateway, Leaf.ACK), encode(ack), qos=1)

    def answers(self, gateway: str, payload: bytes) -> list[Ack]:
        """Store a batch; what the contract says to answer."""
        try:
            batch = decode_batch(payload)
        except ContractError as error:
            return [Ack(epoch=error.epoch, seq=0, error=error.reason)]
        if self.refuses_all:
            return [Ack(epoch=batch.epoch, seq=0, error="this gateway is not known here")]
        key = (gateway, batch.epoch)
        answers: list[Ack] = []
        with self.lock:
            self.batches.append(len(batch.events))
            for seq, raw in enumerate(batch.events, batch.first_seq):
                body = bytes(raw)
                reason = "poison" if self.is_poison(body) else None
                try:
                    decode_event(body)
                except ContractError as error:
                    reason = error.reason
                if reason is not None and not self.names_poison:
                    return [Ack(epoch=batch.epoch, seq=0, error=reason)]
                if reason is not None:
                    self.rejected[key].add(seq)
                    answers.append(Ack(epoch=batch.epoch, seq=seq, error=reason))
                elif seq in self.events[key]:
                    self.duplicates += 1
                else:
                    self.events[key][seq] = body
            reached = self.contiguous(key, batch.floor_seq or 0)
        return [*answers, Ack(epoch=batch.epoch, seq=reached)]

    def contiguous(self, key: tuple[str, str], floor: int) -> int:
        seq = floor
        while seq + 1 in self.events[key] or seq + 1 in self.rejected[key]:
            seq += 1
        return seq


@contextlib.contextmanager
def tiny_hub(url: str, *, is_v5: bool = True) -> Iterator[TinyHub]:
    hub = TinyHub()
    hub.start(url, is_v5=is_v5)
    try:
        yield hub
    finally:
        hub.stop()
