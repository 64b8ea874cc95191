"""S4: an occupied unit was opened with a staff or master credential, or from afar. The tenant is always told."""

from hub.domain.device_location import Place
from hub.domain.entities import Credential
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.rules.model import Finding, Rule
from hub.rules.policy import Parameters as Base
from hub.rules.words import event_evidence, place_facts
from wire.events import LockAccess

RULE = Rule(
    id="S4",
    version="1",
    alert_class=AlertClass.SECURITY,
    severity="P2",
    title=Text("管理凭证开启住户门", "Staff opened an occupied unit"),
    trigger=Text(
        "管理员、万能或远程凭证打开有人居住的房屋，每次必报",
        "A staff, master or remote credential opened an occupied unit; every time",
    ),
    explanation=Text(
        "{place_zh}于 {at} 被{what_zh}打开（{booked_zh}）。租客有权知情；请在 24 小时内补录理由与同意依据。",
        "{place_en} was opened with {what_en} at {at} ({booked_en}). The tenant has a right to know; enter the "
        "reason and "
        "the consent within 24 hours.",
    ),
    basis=Text(
        "《住房租赁条例》第9条第3款：未经同意不得进入", "Housing Rental Regulation Art. 9(3): no entry without consent"
    ),
    benign=(Text("已预约的维修、保洁", "A booked repair or cleaning"),),
    recommended=(
        Text("立即告知租客", "Tell the tenant at once"),
        Text("补录理由和同意依据", "Enter reason and consent"),
    ),
    forbidden=(Text("不得隐瞒或删除开门记录", "Do not hide or delete the record"),),
    latched=True,
)


class Parameters(Base, frozen=True, kw_only=True):
    """Nothing of its own."""


def on_access(
    place: Place, event: LockAccess, event_id: int, *, held: Credential | None, people: int, is_booked: bool
) -> Finding | None:
    """For a granted access to a unit in which `people` live."""
    credential = event.data.credential
    is_remote = credential is not None and credential.type == "remote"
    is_staff = held is not None and held.is_of_management
    if place.unit is None or people == 0 or not (is_remote or is_staff):
        return None
    at = event.observed_at
    what = ("远程开锁", "a remote command") if is_remote else ("管理凭证", "a staff credential")
    return Finding(
        "S4",
        place.unit_subject(),
        at,
        source=place.key,
        facts={
            **place_facts(place, at),
            "what_zh": what[0],
            "what_en": what[1],
            "booked_zh": "有预约" if is_booked else "无预约",
            "booked_en": "booked" if is_booked else "not booked",
        },
        evidence=event_evidence(event_id, at, f"{what[0]}开门", f"opened with {what[1]}"),
    )
