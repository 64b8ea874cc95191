"""What people write in cells, as values. Every function takes any text, and gives a value or raises ValueError."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from hub.registry.personal_data.identity import half_width

_EXCEL_ZERO: Final = date(1899, 12, 30)
_FOREVER: Final = frozenset({"长期", "至今", "不定期", "无固定期限", "永久", "无", "-", "—", "/"})
_DATE: Final = re.compile(
    r"^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?(?:[ T]\d{1,2}:\d{2}(?::\d{2})?)?$"
)
_COMPACT: Final = re.compile(r"^(\d{4})(\d{2})(\d{2})$")
_SERIAL: Final = re.compile(r"^\d{5}(?:\.\d+)?$")
_NUMBER: Final = re.compile(r"^\d{1,5}(?:\.\d+)?$")

ROOM_TYPES: Final = {
    "居室": "bedroom",
    "卧室": "bedroom",
    "主卧": "bedroom",
    "次卧": "bedroom",
    "房间": "bedroom",
    "单间": "bedroom",
    "客厅": "living_room",
    "起居室": "living_room",
    "一居": "studio",
    "单身公寓": "studio",
    "集体宿舍": "dormitory",
    "宿舍": "dormitory",
    "厨房": "kitchen",
    "卫生间": "bathroom",
    "厕所": "bathroom",
    "浴室": "bathroom",
    "阳台": "balcony",
    "过道": "corridor",
    "走廊": "corridor",
    "地下室": "basement",
    "地下储藏室": "basement",
    "储藏室": "basement",
    "车库": "garage",
}
AREA_BASES: Final = {
    "使用面积": "usable",
    "使用": "usable",
    "居住面积": "habitable",
    "居住": "habitable",
    "建筑面积": "gross",
    "建筑": "gross",
}
DOCUMENT_TYPES: Final = {
    "身份证": "id_card",
    "居民身份证": "id_card",
    "二代身份证": "id_card",
    "港澳居民来往内地通行证": "hk_macao_permit",
    "回乡证": "hk_macao_permit",
    "港澳通行证": "hk_macao_permit",
    "台胞证": "taiwan_permit",
    "台湾居民来往大陆通行证": "taiwan_permit",
    "港澳台居民居住证": "residence_permit_hmt",
    "护照": "passport",
    "外国人永久居留身份证": "foreign_permanent",
    "外国人永居证": "foreign_permanent",
    "户口簿": "household_register",
    "户口本": "household_register",
    "出生证明": "birth_certificate",
    "出生医学证明": "birth_certificate",
    "其他": "other",
}
_TENANTS: Final = frozenset({"", "本人", "承租人", "租客", "户主", "租户"})
_FAMILY: Final = frozenset(
    {
        "配偶",
        "夫妻",
        "妻子",
        "丈夫",
        "子女",
        "儿子",
        "女儿",
        "父母",
        "父亲",
        "母亲",
        "祖孙",
        "孙子",
        "孙女",
        "家庭成员",
        "家属",
    }
)
_GUESTS: Final = frozenset({"访客", "客人", "亲友", "探亲"})


@dataclass(frozen=True, slots=True)
class Address:
    """The numbers of an address; what it does not have is empty."""

    building: str = ""
    entrance: str = ""
    door: str = ""


def to_date(text: str) -> date | None:
    """A day, in any of the forms that people and Excel write; None for what has no end (长期, 至今, 不定期)."""
    plain = half_width(text)
    if plain in _FOREVER or not plain:
        return None
    found = _DATE.fullmatch(plain) or _COMPACT.fullmatch(plain)
    if found is None and _SERIAL.fullmatch(plain):
        day = _EXCEL_ZERO + timedelta(days=int(float(plain)))
        return _sane(day, text)
    if found is None:
        raise ValueError(f"日期 {_short(text)} 无法识别 / not a date; write 2026-01-31")
    try:
        return _sane(date(int(found[1]), int(found[2]), int(found[3])), text)
    except ValueError as error:
        raise ValueError(f"日期 {_short(text)} 不存在 / there is no such day; write 2026-01-31") from error


def _sane(day: date, text: str) -> date:
    if not date(1980, 1, 1) <= day <= date(2100, 12, 31):
        raise ValueError(f"日期 {_short(text)} 不合理 / a day between 1980 and 2100 is expected")
    return day


def to_area(text: str) -> float | None:
    """Square metres."""
    plain = re.sub(r"(?:㎡|m2|m²|平方米|平米|平)$", "", half_width(text), flags=re.IGNORECASE).strip()
    if not plain:
        return None
    if not _NUMBER.fullmatch(plain) or not 0 < float(plain) <= 2000:
        raise ValueError(f"面积 {_short(text)} 应为 0–2000 的数字 / an area in m² above 0, up to 2000, is expected")
    return float(plain)


def to_room_type(text: str) -> str:
    """A room's type; a floor plan (两室一厅) is a bedroom's."""
    plain = half_width(text)
    if not plain:
        return "bedroom"
    if plain in ROOM_TYPES:
        return ROOM_TYPES[plain]
    if re.fullmatch(r"[一二两三四五六\d]室.*", plain):
        return "bedroom"
    for word, kind in ROOM_TYPES.items():
        if plain.endswith(word):
            return kind
    known = "、".join(dict.fromkeys(ROOM_TYPES))
    raise ValueError(f"房型 {_short(text)} 未知 / unknown room type; one of {known}")


def to_choice(text: str, choices: dict[str, str], what: str, default: str) -> str:
    """One of a column's words."""
    plain = half_width(text)
    if not plain:
        return default
    if plain in choices:
        return choices[plain]
    raise ValueError(f"{what} {_short(text)} 未知 / unknown; one of {'、'.join(choices)}")


def to_relation(text: str) -> tuple[str, bool]:
    """(tenant, co_occupant or guest; whether it is family)."""
    plain = half_width(text)
    if plain in _TENANTS:
        return "tenant", False
    if plain in _GUESTS:
        return "guest", False
    return "co_occupant", plain in _FAMILY


def to_kind(text: str) -> str:
    """A resident's kind (租户, 家属, 访客) as a relation; what is no relation (常住, 流动) as nothing."""
    plain = half_width(text)
    return plain if plain in _FAMILY | _GUESTS | {"同住人", "室友", "合租人"} else ""


def to_birth(text: str, today: date) -> date | None:
    """A birth date."""
    plain = half_width(text)
    found = _DATE.fullmatch(plain) or _COMPACT.fullmatch(plain)
    try:
        day = date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        day = None
    if plain and (day is None or not date(1890, 1, 1) <= day <= today):
        raise ValueError(f"出生日期 {_short(text)} 无法识别 / not a birth date; write 1990-01-31")
    return day


def to_registered(text: str) -> str | None:
    """`filed`, `exempt`, or None for not registered."""
    plain = half_width(text)
    if plain in {"", "否", "未登记", "未办理", "无", "N", "n", "待办"}:
        return None
    if plain in {"是", "已登记", "已办理", "有", "Y", "y", "有效"}:
        return "filed"
    if plain in {"无需", "免登记", "无需登记", "免", "不适用", "本地户籍"}:
        return "exempt"
    raise ValueError(f"居住登记状态 {_short(text)} 未知 / unknown; write 已登记, 未登记 or 无需登记")


def to_region(text: str) -> str:
    """A six-digit region code, from a longer one too."""
    plain = half_width(text)
    if not plain:
        return ""
    if re.fullmatch(r"\d{6}(?:\d{6})?", plain):
        return plain[:6]
    raise ValueError(f"户籍县区代码 {_short(text)} 应为 6 位数字 / a region code of six digits is expected")


def to_address(text: str) -> Address:
    """`3-2-501`, `3幢2单元501室`, `3栋2单元501`, `3#2-501`, `××村123号3楼302`, full width or half."""
    plain = re.sub(r"\s", "", half_width(text))
    named = re.search(
        r"(?P<b>[0-9A-Za-z]+)(?:幢|栋|号楼|座|#)(?:(?P<e>[0-9A-Za-z]+)(?:单元|梯|-))?(?:\d+[楼层])?(?P<d>[0-9A-Za-z]+)(?:室|号|房)?$",
        plain,
    )
    village = re.search(r"(?P<b>\d+)号(?:(?P<e>\d+)单元)?(?:\d+[楼层])?(?P<d>\d+[A-Za-z]?)(?:室|房)?$", plain)
    dashed = re.fullmatch(
        r"(?:.*?[^\dA-Za-z-])?(?P<b>[0-9A-Za-z]+)-(?:(?P<e>[0-9A-Za-z]+)-)?(?P<d>[0-9A-Za-z]+)(?:室|房)?", plain
    )
    found = named or village or dashed
    if found is None:
        raise ValueError(f"地址 {_short(text)} 无法识别 / not understood; write 3幢2单元501室 or 3-2-501")
    return Address(found["b"], found["e"] or "", found["d"])


def to_place_number(text: str, suffixes: str) -> str:
    """`3幢` as `3`, `2单元` as `2`, `501室` as `501`; `无` as nothing."""
    plain = re.sub(r"\s", "", half_width(text))
    if plain in {"无", "-", "/"}:
        return ""
    plain = re.sub(rf"(?:{suffixes})$", "", plain)
    if plain and not re.fullmatch(r"[0-9A-Za-z\u4e00-\u9fff-]{1,32}", plain):
        raise ValueError(f"{_short(text)} 含有不能用于编码的字符 / has characters that cannot be part of a code")
    return plain


def cell_text(value: object) -> str:
    """A cell as text. Excel's numbers lose their `.0`; its dates become 2026-01-31."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        # By its decimal digits: Excel keeps fifteen, and the nearest binary number has others after them.
        return str(int(Decimal(repr(value))))
    return str(value).strip()


def _short(text: str) -> str:
    return repr(text if len(text) <= 24 else text[:24] + "…")
