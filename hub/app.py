"""The composition root: the one place that knows all parts of the hub, builds them, starts and stops them."""

import contextlib
import secrets
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog
from sqlalchemy import text
from sqlmodel import Session, col, func, select, update

from hub.config import HubConfig
from hub.errors import ConfigError
from hub.evaluation.evaluator import Evaluator
from hub.evaluation.refold import fold_what_failed
from hub.ingest.link import HubLink, LinkOptions
from hub.ingest.transaction import Intake
from hub.ingest.worker import Worker, WorkerParts
from hub.notify.channels import AppriseChannel
from hub.notify.sender import Sender
from hub.registry.personal_data.vault import load_vault
from hub.retention.sweep import Sweeper
from hub.runtime.change_notifier import ChangeFeed
from hub.runtime.embedded_broker import EmbeddedBroker
from hub.runtime.health import Health
from hub.runtime.instance_lock import acquire_instance_lock
from hub.runtime.metrics import Metrics
from hub.runtime.organisation_key import organisation_key
from hub.runtime.periodic_task import Ticker
from hub.runtime.ports import EventFolder
from hub.runtime.services import Services
from hub.store.audit_tip import AuditTip
from hub.store.changes import record_changes
from hub.store.migrate import open_database, shown
from hub.store.tables.changes import ChangeRow
from hub.store.tables.ingest import CommandRow
from hub.store.turns import acquire_write_lock
from wire.clock import Clock

if TYPE_CHECKING:
    from fastapi import FastAPI

log = structlog.get_logger(__name__)

_CHANGES_KEPT: Final = 200_000
_HOUSEKEEPING_S: Final = 60.0
_NOTIFY_S: Final = 2.0
_FOLD_AGAIN_S: Final = 3600.0
_RETENTION_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class HubOptions:
    """What `serve` was told beside the settings."""

    data_dir: Path
    config: HubConfig
    embedded_broker: bool = False
    extra_worker: str | None = None
    """The name of an ingest process beside the hub: it takes in and folds events, and does nothing else."""


class Hub:
    """Everything in one process: ingest, rules that time triggers, the API, perhaps a broker. `start`, then `stop`."""

    def __init__(self, options: HubOptions, clock: Clock) -> None:
        """Open and prepare what can fail. Raises ConfigError."""
        config = options.config
        self._config = config
        self._clock = clock
        self._place = _take_place(options)
        try:
            self.database = open_database(options.data_dir, config.database.url)
        except BaseException:
            self._place.close()
            raise
        try:
            organisation_key(options.data_dir)
            self.metrics = Metrics()
            self.feed = ChangeFeed()
            self.services = Services(self.database, clock, self.feed, options.data_dir, self._wake_ingest)
            self._folder: EventFolder = Evaluator(tip=AuditTip(options.data_dir))
            links = [HubLink(self._link_options(options, number), clock) for number in range(config.ingest.workers)]
            self._workers = [self._worker(link, number) for number, link in enumerate(links)]
            host, port, _ = self._link_options(options, 0).address
            self._broker = EmbeddedBroker(host, port) if options.embedded_broker else None
        except BaseException:
            self.database.close()
            self._place.close()
            raise
        is_extra = options.extra_worker is not None
        self._tickers = (
            []
            if is_extra
            else [
                Ticker("rules", config.rules.tick_s, self._tick, self.metrics),
                Ticker("housekeeping", _HOUSEKEEPING_S, self._keep_house, self.metrics),
                Ticker("unfolded", _FOLD_AGAIN_S, self._fold_again, self.metrics),
                # A thread of its own: a slow mail server must not hold up the rules.
                Ticker("notify", _NOTIFY_S, self._send_messages, self.metrics),
                Ticker("retention", _RETENTION_S, self._sweep, self.metrics),
            ]
        )
        self._sweeper = Sweeper(self.database, clock)
        self._sender = Sender(self.database, load_vault(options.data_dir), AppriseChannel(), clock)
        self._is_stopping = False

    def start(self) -> None:
        """Start every thread. Raises ConfigError when the embedded broker finds its port taken."""
        if self._broker is not None:
            self._broker.start()
        for worker in self._workers:
            worker.start()
        for ticker in self._tickers:
            ticker.start()
        log.info("hub.started", database=shown(self.database), mqtt=self._config.mqtt.url)

    def stop(self) -> None:
        """Finish what is in hand and end every thread; then close the database."""
        self._is_stopping = True
        for worker in self._workers:
            worker.stop()
        for ticker in self._tickers:
            ticker.stop()
        if self._broker is not None:
            self._broker.stop()
        self.database.close()
        self._place.close()
        log.info("hub.stopped")

    def api(self) -> "FastAPI":
        """The HTTP application, with health and figures."""
        # Here and not above: a process that only takes in events starts without the web.
        from hub.api.app import create_app
        from hub.api.health import health_routes

        app = create_app(self.services)

        def refresh() -> None:
            self.metrics.open_pages.set(app.state.broadcaster.open_pages)
            self.metrics.broker_up.set(sum(worker.is_up for worker in self._workers))
            self._measure()

        app.router.routes.extend(health_routes(self.health, self.metrics, refresh))
        return app

    def health(self) -> Health:
        """Ready once a session with the broker has been there; afterwards its loss is told and not fatal.

        Gateways keep their events while the broker is away, and whoever looks at alerts must still be able to.
        """
        parts = {"broker": self._workers[0].detail, "database": "migrated"}
        dead = [worker for worker in self._workers if not worker.is_alive]
        if self._is_stopping or dead:
            parts["ingest"] = "stopping" if self._is_stopping else "not running"
        is_ready = not dead and not self._is_stopping and any(worker.has_been_up for worker in self._workers)
        return Health(is_ready, parts)

    def _send_messages(self) -> None:
        self._sender.send_due()

    # -- inside ---------------------------------------------------------------------------------------------------

    def _sweep(self) -> None:
        self._sweeper.sweep_if_due()

    def _worker(self, link: HubLink, number: int) -> Worker:
        is_open = self._config.ingest.accept_unknown_gateways
        intake = Intake(self.database, self._clock, self.feed, self._folder, self.metrics, accept_unknown=is_open)
        parts = WorkerParts(self.database, self._clock, self.feed, self.metrics, is_open)
        return Worker(link, intake, parts, name=f"ingest-{number}")

    def _link_options(self, options: HubOptions, number: int) -> LinkOptions:
        section = options.config.mqtt
        return LinkOptions(
            url=section.url,
            client_id=f"anfang-hub-{hub_id(options.data_dir)}-{options.extra_worker or 'main'}-{number}",
            username=section.username,
            password=None if section.password_file is None else _read_password(section.password_file),
            ca_file=section.ca_file,
            cert_file=section.cert_file,
            key_file=section.key_file,
            version=section.version,
            share=section.share,
        )

    def _wake_ingest(self) -> None:
        self._workers[0].wake()

    def _tick(self) -> None:
        now = self._clock.now()
        with self.database.write() as session:
            acquire_write_lock(session)
            changes = self._folder.tick(session, now)
            record_changes(session, changes, now)
        if changes:
            self.feed.wake()

    def _fold_again(self) -> None:
        """Apply failed events again: at the start, for a new release may have mended the rule, and hourly."""
        folded, failed = fold_what_failed(self.database, self._folder, self._clock.now(), actor="system")
        if folded or failed:
            log.warning("rules.folded_again", folded=folded, failed=failed)
        if folded:
            self.feed.wake()

    def _keep_house(self) -> None:
        """Old changes go (a page away longer reloads), commands whose time has passed end."""
        now = self._clock.now()
        with self.database.write() as session:
            purge_changes(session)
            over = update(CommandRow).where(col(CommandRow.expires_at) <= now)
            session.connection().execute(
                over.where(col(CommandRow.state).in_(["waiting", "sent"])).values(state="expired")
            )
        self._measure()

    def _measure(self) -> None:
        with self.database.read() as session:
            self.metrics.change_position.set(session.exec(select(func.max(ChangeRow.id))).one() or 0)
            if self.database.is_sqlite:
                pages = session.connection().execute(text("PRAGMA page_count")).scalar_one()
                size = pages * session.connection().execute(text("PRAGMA page_size")).scalar_one()
            else:
                size = session.connection().execute(text("SELECT pg_database_size(current_database())")).scalar_one()
            self.metrics.database_bytes.set(size)


def _take_place(options: HubOptions) -> TextIOWrapper:
    """One process for each role. SQLite has one writing process in all, whatever its role."""
    if options.extra_worker is None or options.config.database.url is None:
        return acquire_instance_lock(options.data_dir, "hub", "stop it first, or give another --data-dir")
    return acquire_instance_lock(
        options.data_dir, f"ingest-{options.extra_worker}", "give each worker a --name of its own"
    )


def purge_changes(session: Session, keep: int = _CHANGES_KEPT) -> None:
    """Delete all but the newest changes. The newest stays always: its number must never be given again."""
    newest = session.exec(select(func.max(ChangeRow.id))).one()
    if newest is not None:
        session.connection().execute(text("DELETE FROM change WHERE id <= :last"), {"last": newest - max(1, keep)})


def hub_id(data_dir: Path) -> str:
    """A name for this hub at its broker, made once: two hubs of one name would throw each other out."""
    path = data_dir / "hub.id"
    with contextlib.suppress(FileExistsError), path.open("x", encoding="ascii") as file:
        file.write(secrets.token_hex(6) + "\n")
    name = path.read_text(encoding="ascii").strip()
    if not name.isalnum():
        raise ConfigError(f"{path}: not a hub's name; remove the file")
    return name


def _read_password(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"mqtt.password_file {path}: {error.strerror}") from error
