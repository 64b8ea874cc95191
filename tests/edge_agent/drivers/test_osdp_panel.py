"""The panel's own dealings with the line: what it tells libosdp while a siren waits."""

import pytest

from edge_agent.drivers.osdp_panel import HURRY_TURNS, Panel, ReaderSetup
from edge_agent.protocols.osdp import Frame, build, parse

_ID, _POLL, _NAK = 0x61, 0x60, 0x41


class QuietLink:
    """A line on which nobody answers, unless the test says what."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []

    def read(self, most: int) -> bytes:
        return self.answers.pop(0)[:most] if self.answers else b""

    def write(self, data: bytes) -> int:
        return len(data)

    def discard_input(self) -> None:
        self.answers.clear()

    def close(self) -> None:
        pass


@pytest.fixture
def link() -> QuietLink:
    return QuietLink()


@pytest.fixture
def panel(link: QuietLink) -> Panel:
    made = Panel(link, [ReaderSetup(5), ReaderSetup(9)], lambda event: None)
    made._online = frozenset({5})
    return made


def test_who_was_not_there_is_refused_in_its_name_once_while_a_siren_waits(panel: Panel) -> None:
    panel.write(b"\xff" + build(9, _ID, b"\0", sequence=2))
    assert panel.read(512) == b"", "nobody is in a hurry"
    panel._hurry_turns = HURRY_TURNS
    refusal = parse(panel.read(512))
    assert isinstance(refusal, Frame)
    assert (refusal.address, refusal.is_reply, refusal.sequence, refusal.code) == (9, True, 2, _NAK)
    assert panel.read(512) == b"", "once for each question"


def test_a_reader_that_answers_is_waited_for_and_its_answer_goes_first(panel: Panel, link: QuietLink) -> None:
    panel._hurry_turns = HURRY_TURNS
    panel.write(build(5, _POLL))
    assert panel.read(512) == b""
    panel.write(build(9, _ID, b"\0"))
    told = build(9, 0x45, bytes(12), is_reply=True)
    link.answers.append(told)
    assert panel.read(512) == told
