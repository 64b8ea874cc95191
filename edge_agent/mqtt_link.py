"""An MQTT connection that comes back: connects, connects again, hands messages over.

MQTT 5 is tried first and 3.1.1 where the broker does not know it. Every connection is a new paho client, so nothing of
an old one is sent again behind our back: what must be sent again is its owner's business, and durable.
"""

import asyncio
from collections.abc import Callable, Sequence

from edge_agent.backoff import Backoff
from edge_agent.errors import UplinkError
from edge_agent.mqtt_options import Message, MqttOptions, Will
from edge_agent.mqtt_session import Session
from wire.clock import Clock

__all__ = ["Message", "MqttLink", "MqttOptions", "Will"]


class MqttLink:
    """Keeps one connection. `run` until cancelled; `on_message`, `on_up` and `on_down` are called on the loop."""

    def __init__(
        self,
        options: MqttOptions,
        clock: Clock,
        *,
        subscriptions: Sequence[str],
        on_message: Callable[[Message], None],
        on_up: Callable[[], None] = lambda: None,
        on_down: Callable[[str], None] = lambda reason: None,
        will: Will | None = None,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        self._options = options
        self._clock = clock
        self._subscriptions = list(subscriptions)
        self._on_message = on_message
        self._on_up = on_up
        self._on_down = on_down
        self._will = will
        self._backoff = Backoff(first_s=0.5, most_s=5.0, jitter=jitter)
        self._is_v5 = options.version != "3.1.1"
        self._session: Session | None = None
        self.detail = "not connected yet"
        """Why there is no connection, for a person; the protocol when there is one."""

    @property
    def is_up(self) -> bool:
        """Whether the broker has accepted us and the subscriptions are made."""
        return self._session is not None and self._session.is_up

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        """Hand a message to the connection. False when there is none; True promises nothing about its arrival."""
        session = self._session
        if session is None or not session.is_up:
            return False
        return session.publish(topic, payload, qos=qos, retain=retain)

    def subscribe(self, topic: str) -> None:
        """Listen to one topic more, now and after every reconnection. A broker's refusal shows as silence."""
        if topic in self._subscriptions:
            return
        self._subscriptions.append(topic)
        if self._session is not None and self._session.is_up:
            self._session.client.subscribe(topic, qos=1)

    def confirm(self, message: Message) -> None:
        """Acknowledge a message to the broker, when `confirms_itself` is off and the connection it came by lives."""
        if self._session is not None and message.qos:
            self._session.client.ack(message.mid, message.qos)

    async def run(self) -> None:
        """Connect, stay connected, connect again: until cancelled. Raises ConfigError for TLS files that do not fit."""
        tls = self._options.tls()
        while True:
            session = Session(self._options, tls, self._will, is_v5=self._is_v5)
            self._session = session
            try:
                await session.connect(self._subscriptions, self._on_message)
                self._backoff.reset()
                self.detail = f"connected, MQTT {'5' if self._is_v5 else '3.1.1'}"
                self._on_up()
                await session.lost
            except UplinkError as error:
                self.detail = str(error)
            finally:
                was_up = session.is_up
                session.drop()
                self._session = None
                if was_up:
                    self._on_down(self.detail)
            if session.speaks_other_version and self._options.version == "auto":
                self._is_v5 = not self._is_v5
            await self._clock.sleep(self._backoff.next_s())

    async def say_goodbye(self, topic: str, payload: bytes) -> None:
        """Publish a last retained message and disconnect properly, within a second."""
        session = self._session
        if session is None or not session.is_up:
            return
        info = session.client.publish(topic, payload, qos=1, retain=True)
        for _ in range(50):
            if info.is_published():
                break
            await asyncio.sleep(0.02)
        self.detail = "disconnected: the agent is stopping"
        session.client.disconnect()
        await asyncio.sleep(0)
