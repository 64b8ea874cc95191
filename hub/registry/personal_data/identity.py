"""Names, phones and document numbers: their one written form, their checks (GB 11643) and their masks."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Final

from stdnum.exceptions import ValidationError as StdnumError
from stdnum.iso7064 import mod_11_2

DOCUMENT_TYPES: Final = {
    "id_card": "身份证",
    "hk_macao_permit": "港澳居民来往内地通行证",
    "taiwan_permit": "台胞证",
    "residence_permit_hmt": "港澳台居民居住证",
    "passport": "护照",
    "foreign_permanent": "外国人永久居留身份证",
    "household_register": "户口簿",
    "birth_certificate": "出生证明",
    "other": "其他",
}
_CHECKED: Final = frozenset({"id_card", "residence_permit_hmt"})
_GB_11643: Final = re.compile(r"^[1-9]\d{16}[\dX]$")
_PHONE: Final = re.compile(r"^(?:\+?86)?(1[3-9]\d{9}|1[0-2]\d{9}|0\d{2,3}\d{7,8})$")
_NAME: Final = re.compile(r"^[^\x00-\x1f<>=|]{1,64}$")


@dataclass(frozen=True, slots=True)
class Document:
    """A document number in its one form. `born_on` is what an identity card says."""

    type: str
    number: str
    is_valid: bool | None
    born_on: date | None


def half_width(text: str) -> str:
    """Full-width letters, digits and signs as plain ones, without the blanks around."""
    return unicodedata.normalize("NFKC", text).strip().strip("'\u2018\u2019").strip()


def clean_name(text: str) -> str:
    """A name with single blanks. Raises ValueError."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not _NAME.fullmatch(name):
        raise ValueError("姓名为空或含有控制字符 / a name of 1 to 64 characters is expected")
    return name


def clean_phone(text: str) -> str:
    """Digits alone. Raises ValueError."""
    digits = re.sub(r"[\s()（）-]", "", half_width(text))
    found = _PHONE.fullmatch(digits)
    if found is None:
        raise ValueError(
            "手机号应为 11 位数字 / a Chinese mobile (11 digits) or landline number with area code is expected"
        )
    return found[1]


def clean_document(kind: str, text: str, today: date) -> Document:
    """A document number; identity cards are checked as GB 11643-1999 says. Raises ValueError."""
    number = re.sub(r"\s", "", half_width(text)).upper()
    if kind not in DOCUMENT_TYPES:
        raise ValueError(f"证件类型 {kind!r} 未知 / unknown document type; one of {', '.join(DOCUMENT_TYPES)}")
    if kind not in _CHECKED:
        if not re.fullmatch(r"[0-9A-Z()-]{4,32}", number):
            raise ValueError("证件号码应为 4–32 位字母数字 / 4 to 32 letters and digits are expected")
        return Document(kind, number, None, None)
    if looks_cut_by_excel(number):
        raise ValueError(
            "疑似被Excel截断（末尾为000），请以文本格式重新导出 / cut to 15 digits by Excel: export as text"
        )
    if not _GB_11643.fullmatch(number):
        raise ValueError("身份证号应为 17 位数字加校验位 / 17 digits and a check character are expected")
    try:
        mod_11_2.validate(number)
    except StdnumError as error:
        raise ValueError("身份证号校验位错误 / the check character of the ID number is wrong") from error
    try:
        born_on = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError as error:
        raise ValueError("身份证号中的出生日期不存在 / the birth date in the number does not exist") from error
    if not date(1890, 1, 1) <= born_on <= today:
        raise ValueError("身份证号中的出生日期不合理 / the birth date in the ID number cannot be")
    return Document(kind, number, True, born_on)


def looks_cut_by_excel(number: str) -> bool:
    """Excel keeps 15 significant digits: an 18-digit number then ends in 000, and its check digit is wrong."""
    if not (len(number) == 18 and number.isdigit() and number.endswith("000")):
        return False
    return not mod_11_2.is_valid(number)


def mask_name(name: str) -> str:
    """`张三` as `张*`, `欧阳明日` as `欧***`, `John Smith` as `J***`."""
    return name[:1] + "*" * min(max(len(name) - 1, 1), 3)


def mask_phone(phone: str) -> str:
    """`13800001234` as `138****1234`."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 10 else f"****{phone[-2:]}"


def mask_document(number: str) -> str:
    """The last four, behind as many stars as there are characters."""
    return "*" * max(len(number) - 4, 4) + number[-4:] if len(number) > 5 else "*" * len(number)


def is_minor(born_on: date, today: date) -> bool:
    """Under 18."""
    return (today.year - born_on.year) - ((today.month, today.day) < (born_on.month, born_on.day)) < 18
