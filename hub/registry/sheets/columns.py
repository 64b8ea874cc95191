"""The columns of a registry: the canonical template, what other systems call them, and those that are dropped."""

import re
import unicodedata
from typing import Final

TEMPLATE: Final = (
    "楼栋",
    "单元",
    "房号",
    "房间",
    "房型",
    "面积㎡",
    "面积口径",
    "出租方式",
    "房东姓名",
    "房东电话",
    "租客姓名",
    "证件类型",
    "证件号码",
    "手机号",
    "与承租人关系",
    "户籍县区代码",
    "起租日",
    "到租日",
    "居住登记状态",
    "登记日期",
    "租赁备案号",
    "门禁凭证号",
    "备注",
)
"""What the hub writes and reads (domain, section 5)."""

KEYS: Final = {
    "楼栋": "building",
    "单元": "entrance",
    "房号": "door",
    "房间": "room",
    "房型": "room_type",
    "面积㎡": "area",
    "面积口径": "area_basis",
    "出租方式": "let_as",
    "房东姓名": "landlord",
    "房东电话": "landlord_phone",
    "租客姓名": "name",
    "证件类型": "document_type",
    "证件号码": "document",
    "手机号": "phone",
    "与承租人关系": "relation",
    "户籍县区代码": "hukou",
    "起租日": "start",
    "到租日": "end",
    "居住登记状态": "registered",
    "登记日期": "registered_on",
    "租赁备案号": "contract_no",
    "门禁凭证号": "card",
    "备注": "remark",
}
"""Canonical header -> the key that the code uses."""

_ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "code": ("房屋编码", "房屋代码", "单元编码", "unitcode"),
    "estate": ("小区", "小区名称", "现住小区/建筑", "社区", "村", "项目"),
    "building": ("楼栋号", "幢", "幢号", "楼号", "栋", "栋号", "楼宇", "building"),
    "entrance": ("单元号", "梯", "entrance"),
    "door": ("室", "室号", "门牌号", "房间编号", "户号", "door"),
    "address": ("房屋信息", "房屋地址", "地址", "现住详细门牌", "门牌", "租住地址", "address"),
    "room": ("房间号", "间", "居室名称", "床位"),
    "room_type": ("房间类型", "房间用途", "户型"),
    "area": ("面积", "房屋面积", "面积（㎡）", "面积(㎡)", "建筑面积", "使用面积", "居住面积", "面积平方米"),
    "area_basis": ("口径",),
    "let_as": ("租住方式", "租赁方式", "出租类型"),
    "landlord": ("业主", "业主姓名", "房东", "出租人", "出租人姓名"),
    "landlord_phone": ("业主电话", "房东手机", "房东联系电话", "出租人电话"),
    "landlord_document": ("房东证件", "房东证件号", "房东身份证号", "业主身份证号"),
    "name": ("姓名", "承租人", "承租人姓名", "租户姓名", "住户姓名", "name"),
    "document_type": ("证件种类",),
    "document": ("身份证号", "身份证号码", "身份证", "证件号", "承租人证件号码", "idnumber"),
    "other_document_type": ("其他证件类型",),
    "other_document": ("护照/其他证件号码", "护照号码", "护照号", "其他证件号码"),
    "born": ("出生日期", "出生年月日"),
    "kind": ("人员类型", "人员类别", "住户类型"),
    "phone": ("电话", "联系电话", "手机", "手机号码", "联系方式", "phone"),
    "relation": ("与其他人员关系", "与户主关系", "人员关系", "关系"),
    "hukou": ("户籍地代码", "户籍区划代码", "户籍地区代码", "行政区划代码"),
    "start": ("起租日期", "租期开始", "租赁开始日期", "入住日期", "入住时间", "开始日期"),
    "end": ("到租日期", "到期日", "租期结束", "租赁结束日期", "退租日期", "截止日期", "结束日期"),
    "registered": ("居住登记", "是否登记", "是否办理居住登记"),
    "registered_on": ("居住登记日期", "办理日期"),
    "contract_no": ("备案号", "网签备案号", "合同备案号"),
    "card": ("门禁卡号", "卡号", "门禁卡", "门卡号"),
    "remark": ("说明", "附注"),
}

_DROPPED: Final = re.compile(
    r"户籍地址|户籍详细|户口所在地详|民族|政治面貌|党员|婚姻|婚育|健康|疾病|病史|重点|宗教|信仰|血型|职业病|残疾|前科|信访|精神|吸毒|照片|人脸|指纹"
)
_IGNORED: Final = frozenset(
    {
        "序号", "编号", "月租", "租金", "押金", "车牌", "车辆信息", "城市", "性别", "所属网格", "户籍类型", "户籍",
        "是否人户分离", "实际居住地", "户籍地",
    }
)  # fmt: skip
_OF_THE_HOUSE: Final = frozenset({"房屋面积", "建筑面积"})
"""Areas of the whole unit, whatever room the row is about."""
_BASIS_IN_HEADER: Final = {"使用面积": "usable", "居住面积": "habitable", "建筑面积": "gross"}


def plain(header: str) -> str:
    """A header in one form: half width, without blanks, stars and brackets that say that it is needed."""
    text = unicodedata.normalize("NFKC", header)
    text = re.sub(r"[\s*＊]|\((?:必填|选填|可选)\)", "", text)
    return text.lower()


_BY_NAME: Final[dict[str, str]] = {plain(header): key for header, key in KEYS.items()} | {
    plain(alias): key for key, aliases in _ALIASES.items() for alias in aliases
}


_HEADERS: Final = {key: header for header, key in KEYS.items()} | {"address": "房屋信息", "code": "房屋编码"}


def key_of(header: str) -> str | None:
    """What a column means, or None."""
    return _BY_NAME.get(plain(header))


def header_of(key: str) -> str:
    """The template's header for a key, for a column that a file does not have."""
    return _HEADERS.get(key, key)


def basis_of(header: str) -> str | None:
    """Which area a column named after it holds."""
    return _BASIS_IN_HEADER.get(plain(header))


def is_of_the_house(header: str) -> bool:
    """Whether an area of that header is the whole unit's."""
    return plain(header) in _OF_THE_HOUSE


def is_dropped(header: str) -> bool:
    """Whether this is data that nobody here may keep (PIPL 5, 6): dropped with a warning, and never read."""
    return _DROPPED.search(header) is not None


def is_ignored(header: str) -> bool:
    """Whether this is a column that is simply of no use here."""
    return plain(header) in _IGNORED or not header.strip()
