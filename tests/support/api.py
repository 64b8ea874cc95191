"""The API behind a real server on a free port, with a database and a clock of its own."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI
from sqlmodel import SQLModel

from hub.access.credentials import hash_password, new_token, new_user
from hub.access.roles import Role
from hub.api.app import create_app
from hub.runtime.change_notifier import ChangeFeed
from hub.runtime.services import Services
from hub.store.database import Database, database_url
from hub.store.tables.access import User
from support.wait import until
from wire.clock import FakeClock

PASSWORD = "correct horse battery"


class ApiServer(uvicorn.Server):
    """uvicorn, which lets open pages go before it waits for them, as `serve` does."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2))
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.broadcaster.close()
        await super().shutdown(sockets)


@dataclass
class Hub:
    """A running API. `client` gives HTTP clients that are closed at the end."""

    services: Services
    clock: FakeClock
    address: str
    app: FastAPI
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def database(self) -> Database:
        return self.services.database

    def client(self, **headers: str) -> httpx.Client:
        made = httpx.Client(base_url=self.address, headers=headers, timeout=60, trust_env=False)
        self.clients.append(made)
        return made

    def token(self, role: Role = Role.ADMIN, *scopes: str, life: timedelta | None = None) -> str:
        with self.database.write() as session:
            now = self.clock.now()
            return new_token(session, role=role, scopes=scopes, name="test", life=life, now=now)

    def caller(self, role: Role = Role.ADMIN, *scopes: str) -> httpx.Client:
        """A program with a token of this role."""
        return self.client(Authorization=f"Bearer {self.token(role, *scopes)}")

    def user(self, name: str = "zhangsan", role: Role = Role.MANAGER, *scopes: str) -> User:
        with self.database.write() as session:
            return new_user(
                session,
                name=name,
                role=role,
                scopes=scopes,
                password_hash=hash_password(PASSWORD),
                now=self.clock.now(),
            )

    def signed_in(self, name: str = "zhangsan", role: Role = Role.MANAGER) -> httpx.Client:
        """A browser's client: the cookie, and the page's token on every request."""
        self.user(name, role)
        browser = self.client()
        answer = browser.post("/api/v1/session", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        browser.headers["X-CSRF-Token"] = answer.json()["csrf"]
        return browser

    async def advance(self, seconds: float) -> None:
        await self.clock.advance(seconds)


@contextlib.contextmanager
def running_api(folder: Path) -> Iterator[Hub]:
    """A hub's API with an empty database in `folder`."""
    database = Database(database_url(folder, None))
    SQLModel.metadata.create_all(database.writer)
    clock = FakeClock()
    services = Services(database, clock, ChangeFeed(), folder)
    app = create_app(services)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = ApiServer(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    until(lambda: server.started, what="the server listening")
    running = Hub(services, clock, f"http://127.0.0.1:{listener.getsockname()[1]}", app)
    try:
        yield running
    finally:
        for client in running.clients:
            client.close()
        server.should_exit = True
        thread.join(10)
        listener.close()
        database.close()
