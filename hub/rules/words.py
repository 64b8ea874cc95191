"""Sentences and evidence that several rules share."""

from datetime import datetime

from hub.domain.device_location import Place
from hub.domain.local_time import local_text
from hub.domain.text import Fact, Text
from hub.rules.model import Evidence


def event_evidence(event_id: int, at: datetime, zh: str, en: str) -> tuple[Evidence, ...]:
    """One event as evidence."""
    return (Evidence("event", at, Text(zh, en), event_id=event_id),)


def record_evidence(ref: str, at: datetime, zh: str, en: str) -> Evidence:
    """One version of a record as evidence."""
    return Evidence("record", at, Text(zh, en), ref=ref)


def place_facts(place: Place, at: datetime) -> dict[str, Fact]:
    """Facts that every finding about a device has: where, which, when."""
    words = place.words()
    return {
        "place_zh": words.zh,
        "place_en": words.en,
        "gateway": place.gateway,
        "device": place.device,
        "at": local_text(at),
    }


def people_words(count: int | None) -> Text:
    """A head-count from the registry, for rescue."""
    if count is None:
        return Text("台账人数未知", "the number of residents is not known")
    return Text(f"台账在住 {count} 人", f"{count} registered resident(s)")


CHECK_ON_SITE = Text("先电话或上门核实，再处理", "Check by phone or on site first, then act")
ASK_POLITELY = Text("礼貌联系住户或房东核对台账", "Ask the household or the landlord politely, and mend the registry")
BEYOND_CALENDAR = Text(
    "工作日历尚无该年度的放假安排，期限无法计算",
    "the holidays of that year are not published yet: the term cannot be worked out",
)
DARK = Text("网关或设备失联", "a gateway or device is silent")
