"""What a person sees of the demo in the terminal: where the page is, what happens in the house, what became of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from simulators.demo.ground_truth import STARTED, STRANGER, Entry
from simulators.demo.run import Running, begin
from simulators.demo.verdict import Row
from simulators.hub_api import Alert, HubApi, StoredEvent
from simulators.scenario import Scenario, Title
from wire.clock import Clock

Language = Literal["zh", "en"]
_POLL_S: Final = 0.5
_LINES: Final = 12
_SEVERITY: Final = {"P0": "bold white on red", "P1": "bold red", "P2": "yellow", "P3": "cyan", "P4": "dim"}
_WORDS: Final[dict[str, Title]] = {
    "page": Title(zh="网页", en="page"),
    "sign_in": Title(zh="一次性登录链接", en="sign in, once"),
    "house": Title(zh="楼里发生的事", en="what happens in the house"),
    "alerts": Title(zh="预警（以房为单位）", en="alerts"),
    "none": Title(zh="暂无", en="none yet"),
    "stop": Title(zh="按 Ctrl-C 全部停止", en="Ctrl-C stops everything"),
    "over": Title(zh="剧本已结束，一切仍在运行", en="the scenario is over; everything goes on running"),
    "stored": Title(zh="已入库事件", en="events stored"),
    "people": Title(zh="走廊计数 进/出", en="people counted in/out"),
    "waiting": Title(zh="即将开始", en="about to begin"),
}


@dataclass(slots=True)
class Picture:
    """Everything that the screen shows, in plain values."""

    scenario: Scenario
    address: str
    sign_in_link: str
    language: Language
    entries: Sequence[Entry] = ()
    alerts: Sequence[Alert] = ()
    kinds: Counter[str] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)
    is_over: bool = False

    def count(self, event: StoredEvent) -> None:
        """One more stored event."""
        self.kinds[event.kind] += 1
        if event.kind == "people.crossing":
            self.people[str(event.data.get("direction"))] += int(event.data.get("count", 0))

    def say(self, words: Title) -> str:
        """A sentence in the language of the screen."""
        return words.zh if self.language == "zh" else words.en


def draw(picture: Picture) -> RenderableType:
    """The screen. Pure, so that a test can read it."""

    def word(name: str) -> str:
        return picture.say(_WORDS[name])

    head = Table.grid(padding=(0, 2))
    head.add_row(Text(word("page"), "bold"), picture.address)
    # The link is long and must stay whole for copying.
    head.add_row(Text(word("sign_in"), "bold"), Text(picture.sign_in_link, overflow="fold"))
    parts = [
        Panel(head, title=f"Anfang 安房 · {picture.say(picture.scenario.title)}", border_style="green"),
        Panel(_house(picture) or word("waiting"), title=word("house"), border_style="blue"),
        Panel(_alerts(picture) if picture.alerts else word("none"), title=word("alerts"), border_style="red"),
    ]
    kinds = "  ".join(f"{kind} {count}" for kind, count in picture.kinds.most_common(6))
    foot = f"{word('stored')}: {sum(picture.kinds.values())}   {kinds}"
    people = f"{word('people')}: {picture.people['in']}/{picture.people['out']}"
    end = word("over") + " · " + word("stop") if picture.is_over else word("stop")
    return Group(*parts, Text(foot, "dim"), Text(f"{people}   {end}", "dim"))


def _house(picture: Picture) -> RenderableType | None:
    done = [entry for entry in picture.entries if entry.step != STARTED][-_LINES:]
    if not done:
        return None
    table = Table.grid(padding=(0, 2))
    for entry in done:
        says = _says(picture.scenario, entry)
        table.add_row(f"{entry.at.astimezone():%H:%M:%S}", Text(entry.device, "cyan"), picture.say(says))
    return table


def _says(scenario: Scenario, entry: Entry) -> Title:
    if entry.what == STRANGER and scenario.stranger is not None:
        return scenario.stranger.events[entry.step].says
    return scenario.steps[entry.step].says


def _alerts(picture: Picture) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for alert in picture.alerts[-_LINES:]:
        style = _SEVERITY.get(alert.severity, "")
        title = alert.title.zh if picture.language == "zh" else alert.title.en
        subject = alert.unit or " ".join(filter(None, (alert.gateway, alert.device))) or alert.subject
        opened = f"{alert.opened_at.astimezone():%H:%M:%S}"
        table.add_row(opened, Text(f"{alert.severity} {alert.rule}", style), Text(title, style), subject)
    return table


def table_of(rows: Sequence[Row]) -> Table:
    """The check's rows for a person."""
    table = Table(title="demo check", show_lines=False)
    table.add_column("")
    table.add_column("promise", overflow="fold")
    table.add_column("found", overflow="fold")
    for row in rows:
        mark = Text("ok", "green") if row.is_kept else Text("NO", "bold red")
        found = "\n".join([row.found, *(f"- {fault}" for fault in row.faults[:10])])
        table.add_row(mark, row.promise, found)
    return table


async def show(running: Running, clock: Clock, console: Console, language: str) -> None:
    """Begin, and keep the screen current until cancelled. Raises SimulatorError when a part ends by itself."""
    chosen: Language = "zh" if language == "zh" else "en"
    picture = Picture(running.scenario, running.site.http_url, running.sign_in_link, chosen)
    # Above the live part, so that it can still be copied when everything has stopped.
    console.print(f"{picture.say(_WORDS['page'])}: {running.site.http_url}", highlight=False)
    console.print(running.sign_in_link, soft_wrap=True, highlight=False)
    begin(running)
    end_s = clock.monotonic() + running.scenario.lasts_s
    last_id = 0
    async with HubApi(running.site.http_url, running.token) as api:
        with Live(draw(picture), console=console, auto_refresh=False) as live:
            while True:
                running.watch_children()
                running.read_ground_truth()
                async for event in api.events_after(running.scenario.gateway, last_id):
                    last_id = event.id
                    picture.count(event)
                picture.entries = running.entries
                picture.alerts = await api.alerts("open")
                picture.is_over = clock.monotonic() > end_s
                live.update(draw(picture), refresh=True)
                await clock.sleep(_POLL_S)
