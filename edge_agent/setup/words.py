"""What the doctor says in plain words, in English and Chinese: what was looked at, and what to do when it is bad."""

from typing import Final, Literal, NamedTuple

Language = Literal["en", "zh"]


class Words(NamedTuple):
    """The name of a check, and the mend where the finding itself names none in Chinese."""

    en: str
    zh: str
    mend_en: str
    mend_zh: str


AREAS: Final[dict[str, Words]] = {
    "config": Words(
        "configuration file", "配置文件",
        "mend the keys that are named", "按提示的行和键修改配置文件",
    ),
    "data": Words(
        "data folder", "数据目录",
        "give the folder to the user that runs the agent", "把目录的所有者改为运行程序的用户，或另选一个目录",
    ),
    "secret": Words(
        "secret files", "密钥文件",
        "let only the agent's user read them: chmod 600", "只让运行程序的用户可读：chmod 600",
    ),
    "profile": Words(
        "device profiles", "设备档案",
        "anfang-agent profile validate FILE says the line", "用 anfang-agent profile validate 文件 查看出错的行",
    ),
    "port": Words(
        "serial ports and serial servers", "串口与串口服务器",
        "plug the adapter in, add the user to the group dialout, stop the other program, or mend the address",
        "插好适配器，把用户加入 dialout 组，停掉占用串口的程序，或改正地址",
    ),
    "device": Words(
        "devices of the running agent", "正在运行的驱动",
        "look at wiring, power and addresses: anfang-agent discover", "检查接线、供电和地址：anfang-agent discover",
    ),
    "agent": Words(
        "the agent runs", "程序在运行",
        "start it: anfang-agent run CONFIG.toml", "启动：anfang-agent run 配置文件",
    ),
    "siren": Words(
        "smoke and sirens", "烟感与声光报警",
        "name sirens in [reflexes], with a profile that has siren_on",
        "在 [reflexes] 中写上声光报警器，其档案须有 siren_on 命令",
    ),
    "broker": Words(
        "local MQTT broker", "本地 MQTT 服务器",
        "start the broker, or mend [mqtt] url, username and password_file",
        "启动 MQTT 服务器，或改正 [mqtt] 的 url、username、password_file",
    ),
    "hub": Words(
        "connection to the hub", "与平台的连接",
        "look at network, address, certificate and password of [hub]", "检查网络和 [hub] 的地址、证书、密码",
    ),
    "ack": Words(
        "the hub confirms events", "平台确认收到事件",
        "the hub takes nothing in: see its log, and whether this gateway is registered",
        "平台没有接收：查看平台日志，并确认本网关已登记",
    ),
    "outbox": Words(
        "outbox on disk", "本地待发队列",
        "the agent salvages a damaged file when it starts; free the disk or replace it",
        "程序启动时会抢救损坏的文件；请清理或更换磁盘",
    ),
    "disk": Words(
        "room on the disk", "磁盘空间",
        "free some room, or make [outbox] max_mib smaller", "清理磁盘，或减小 [outbox] 的 max_mib",
    ),
    "clock": Words(
        "clock", "时钟",
        "set it from the network: timedatectl set-ntp true; replace the battery of the clock",
        "开启网络校时：timedatectl set-ntp true；必要时更换时钟电池",
    ),
    "camera": Words(
        "cameras", "摄像头",
        "look at address, network and power; anfang-agent camera test shows a picture's size",
        "检查地址、网络和供电；用 anfang-agent camera test 试看",
    ),
    "model": Words(
        "person detector", "人体检测模型",
        "install the package again, or `make model` in a checkout", "重新安装，或在源码目录运行 make model",
    ),
}  # fmt: skip

STATES: Final[dict[str, dict[Language, str]]] = {
    "good": {"en": "good", "zh": "正常"},
    "warning": {"en": "look", "zh": "注意"},
    "bad": {"en": "bad", "zh": "故障"},
}
