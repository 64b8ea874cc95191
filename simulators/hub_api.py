"""The hub's public API as a stranger's program sees it: a bearer token, JSON, pages."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Final, Self, TypeVar

import httpx
import msgspec
from msgspec import Struct

from simulators.errors import SimulatorError

_TIMEOUT_S: Final = 10.0
_PAGE: Final = 500


class Bilingual(Struct, frozen=True):
    """A sentence in both languages."""

    zh: str
    en: str


class StoredEvent(Struct, frozen=True, kw_only=True):
    """One event as the hub has it."""

    id: int
    gateway: str
    epoch: str
    seq: int
    observed_at: datetime
    received_at: datetime
    kind: str
    device: str
    unit: str | None = None
    data: dict[str, Any] = {}


class Epoch(Struct, frozen=True, kw_only=True):
    """What of one epoch has arrived."""

    epoch: str
    contiguous_seq: int
    holes: list[tuple[int, int]]
    stored: int


class Evidence(Struct, frozen=True, kw_only=True):
    """One piece of an alert's evidence."""

    kind: str
    note: Bilingual
    event_id: int | None = None


class Alert(Struct, frozen=True, kw_only=True):
    """An alert in a list."""

    id: int
    rule: str
    severity: str
    title: Bilingual
    subject: str
    unit: str | None = None
    gateway: str | None = None
    device: str | None = None
    opened_at: datetime
    is_active: bool


class AlertDetail(Alert, frozen=True, kw_only=True):
    """An alert with what it rests on."""

    explanation: Bilingual
    evidence: list[Evidence]


class _Continuity(Struct):
    epochs: list[Epoch]


class _EventPage(Struct):
    items: list[StoredEvent]
    next: str | None = None


class _AlertPage(Struct):
    items: list[Alert]
    next: str | None = None


class _RejectedPage(Struct):
    items: list[dict[str, Any]]


_Answer = TypeVar("_Answer")


class NotThereError(SimulatorError):
    """The hub does not know what was asked for."""


class HubApi:
    """One hub. Raises SimulatorError for every answer that is not the expected one."""

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._client = httpx.AsyncClient(base_url=f"{url.rstrip('/')}/api/v1", headers=headers, timeout=_TIMEOUT_S)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def events(self, gateway: str) -> list[StoredEvent]:
        """Every stored event of a gateway, in the order of storing."""
        return [event async for event in self.events_after(gateway, 0)]

    async def events_after(self, gateway: str, after: int) -> AsyncIterator[StoredEvent]:
        """The stored events of a gateway after the one with the id `after`."""
        onward: str | None = str(after)
        while onward is not None:
            page = await self._get("/events", _EventPage, gateway=gateway, after=onward, limit=str(_PAGE))
            for event in page.items:
                yield event
            onward = page.next

    async def continuity(self, gateway: str) -> list[Epoch]:
        """What of each epoch of a gateway has arrived."""
        return (await self._get(f"/gateways/{gateway}/continuity", _Continuity)).epochs

    async def rejected(self) -> int:
        """How many messages the hub has set aside; the first page suffices to see that there is one."""
        return len((await self._get("/rejected", _RejectedPage)).items)

    async def alerts(self, state: str = "all") -> list[Alert]:
        """Every alert in a state, oldest first."""
        found: list[Alert] = []
        page = await self._get("/alerts", _AlertPage, state=state, limit=str(_PAGE))
        found += page.items
        while page.next is not None:
            page = await self._get("/alerts", _AlertPage, state=state, limit=str(_PAGE), cursor=page.next)
            found += page.items
        return sorted(found, key=lambda alert: alert.id)

    async def alert(self, alert_id: int) -> AlertDetail:
        """One alert with its evidence."""
        return await self._get(f"/alerts/{alert_id}", AlertDetail)

    async def adopt(self, gateway: str, building: str) -> None:
        """Say in which building a gateway hangs."""
        await self._send("POST", f"/gateways/{gateway}/adopt", json={"building_code": building})

    async def _get(self, path: str, kind: type[_Answer], **query: str) -> _Answer:
        body = await self._send("GET", path, params=query)
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.MsgspecError as error:
            raise SimulatorError(f"GET {path}: the hub's answer is not what its API says: {error}") from error

    async def _send(self, method: str, path: str, **request: Any) -> bytes:
        try:
            response = await self._client.request(method, path, **request)
        except httpx.HTTPError as error:
            raise SimulatorError(f"{method} {path}: {error!r}; is the hub running?") from error
        if response.status_code == httpx.codes.NOT_FOUND:
            raise NotThereError(f"{method} {path}: {response.text[:300]}")
        if response.is_error:
            raise SimulatorError(f"{method} {path}: {response.status_code} {response.text[:300]}")
        return response.content


async def is_healthy(url: str) -> bool:
    """Whether the hub at `url` says that it is ready."""
    try:
        async with httpx.AsyncClient(timeout=2.0) as client:
            return (await client.get(f"{url.rstrip('/')}/healthz")).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
