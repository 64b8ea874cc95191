"""Names of the numbers in GB/T 26875.3-2011 (tables 2 to 6, figures 6 to 8), Chinese and English.

A number that is not here is the vendors' own or reserved: it is kept and shown as a number.
"""

from typing import Final, NamedTuple


class Name(NamedTuple):
    """A name for people, in both languages."""

    zh: str
    en: str


TYPE_FLAGS: Final[dict[int, Name]] = {
    1: Name("上传建筑消防设施系统状态", "system state"),
    2: Name("上传建筑消防设施部件运行状态", "component state"),
    3: Name("上传建筑消防设施部件模拟量值", "component analog value"),
    4: Name("上传建筑消防设施操作信息", "system operation"),
    5: Name("上传建筑消防设施软件版本", "system software version"),
    6: Name("上传建筑消防设施系统配置情况", "system configuration"),
    7: Name("上传建筑消防设施部件配置情况", "component configuration"),
    8: Name("上传建筑消防设施系统时间", "system time"),
    21: Name("上传用户信息传输装置运行状态", "transmitter state"),
    24: Name("上传用户信息传输装置操作信息", "transmitter operation"),
    25: Name("上传用户信息传输装置软件版本", "transmitter software version"),
    26: Name("上传用户信息传输装置配置情况", "transmitter configuration"),
    28: Name("上传用户信息传输装置系统时间", "transmitter time"),
    61: Name("读建筑消防设施系统状态", "read system state"),
    62: Name("读建筑消防设施部件运行状态", "read component state"),
    63: Name("读建筑消防设施部件模拟量值", "read component analog value"),
    64: Name("读建筑消防设施操作信息", "read system operations"),
    65: Name("读建筑消防设施软件版本", "read system software version"),
    66: Name("读建筑消防设施系统配置情况", "read system configuration"),
    67: Name("读建筑消防设施部件配置情况", "read component configuration"),
    68: Name("读建筑消防设施系统时间", "read system time"),
    81: Name("读用户信息传输装置运行状态", "read transmitter state"),
    84: Name("读用户信息传输装置操作信息记录", "read transmitter operations"),
    85: Name("读用户信息传输装置软件版本", "read transmitter software version"),
    86: Name("读用户信息传输装置配置情况", "read transmitter configuration"),
    88: Name("读用户信息传输装置系统时间", "read transmitter time"),
    89: Name("初始化用户信息传输装置", "initialise transmitter"),
    90: Name("同步用户信息传输装置时钟", "synchronise transmitter clock"),
    91: Name("查岗命令", "duty check"),
}

SYSTEM_TYPES: Final[dict[int, Name]] = {
    0: Name("通用", "generic"),
    1: Name("火灾报警系统", "fire alarm system"),
    10: Name("消防联动控制器", "fire linkage controller"),
    11: Name("消火栓系统", "hydrant system"),
    12: Name("自动喷水灭火系统", "sprinkler system"),
    13: Name("气体灭火系统", "gas extinguishing system"),
    14: Name("水喷雾灭火系统（泵启动方式）", "water spray system (pump)"),
    15: Name("水喷雾灭火系统（压力容器启动方式）", "water spray system (pressure vessel)"),
    16: Name("泡沫灭火系统", "foam extinguishing system"),
    17: Name("干粉灭火系统", "powder extinguishing system"),
    18: Name("防烟排烟系统", "smoke control system"),
    19: Name("防火门及卷帘系统", "fire doors and shutters"),
    20: Name("消防电梯", "fire lift"),
    21: Name("消防应急广播", "emergency broadcast"),
    22: Name("消防应急照明和疏散指示系统", "emergency lighting and exit signs"),
    23: Name("消防电源", "fire power supply"),
    24: Name("消防电话", "fire telephone"),
}

COMPONENT_TYPES: Final[dict[int, Name]] = {
    0: Name("通用", "generic"),
    1: Name("火灾报警控制器", "fire alarm controller"),
    10: Name("可燃气体探测器", "combustible gas detector"),
    11: Name("点型可燃气体探测器", "point combustible gas detector"),
    12: Name("独立式可燃气体探测器", "stand-alone combustible gas detector"),
    13: Name("线型可燃气体探测器", "line combustible gas detector"),
    23: Name("手动火灾报警按钮", "manual call point"),
    24: Name("消火栓按钮", "hydrant button"),
    25: Name("火灾探测器", "fire detector"),
    30: Name("感温火灾探测器", "heat detector"),
    31: Name("点型感温火灾探测器", "point heat detector"),
    40: Name("感烟火灾探测器", "smoke detector"),
    41: Name("点型离子感烟火灾探测器", "ionisation smoke detector"),
    42: Name("点型光电感烟火灾探测器", "photoelectric smoke detector"),
    43: Name("线型光束感烟火灾探测器", "beam smoke detector"),
    44: Name("吸气式感烟火灾探测器", "aspirating smoke detector"),
    50: Name("复合式火灾探测器", "combined fire detector"),
    51: Name("复合式感烟感温火灾探测器", "combined smoke and heat detector"),
    85: Name("输入模块", "input module"),
    121: Name("警报装置", "alarm sounder"),
}

SMOKE_COMPONENTS: Final = frozenset({25, 40, 41, 42, 43, 44, 50, 51, 52, 53})
"""Component types whose fire state is a smoke alarm: detectors of smoke, combined ones, and the unspecific 25."""

# Figure 6; bit 0 is "normal operation" (1) against "test" (0), and many devices leave it unset during a fire.
SYSTEM_STATES: Final[tuple[str, ...]] = (
    "normal",
    "fire",
    "fault",
    "shielded",
    "supervised",
    "started",
    "feedback",
    "delayed",
    "mains_fault",
    "battery_fault",
    "bus_fault",
    "manual",
    "configuration_changed",
    "reset",
)
# Figure 7.
COMPONENT_STATES: Final[tuple[str, ...]] = (
    "normal",
    "fire",
    "fault",
    "shielded",
    "supervised",
    "started",
    "feedback",
    "delayed",
    "power_fault",
)
# Figure 8 and table 7 of 8.2.1.8: the transmitter's own state.
TRANSMITTER_STATES: Final[tuple[str, ...]] = (
    "normal",
    "fire",
    "fault",
    "mains_fault",
    "battery_fault",
    "centre_link_fault",
    "line_fault",
)
# 8.2.1.4 and 8.2.1.9.
OPERATIONS: Final[tuple[str, ...]] = (
    "reset",
    "silence",
    "manual_alarm",
    "alarm_cleared",
    "self_test",
    "duty_answer",
    "test",
)


class AnalogType(NamedTuple):
    """What an analog number counts: value = raw * `step`, in `unit`."""

    name: Name
    unit: str
    step: float


# Table 6, as far as a public source confirms it.
ANALOG_TYPES: Final[dict[int, AnalogType]] = {
    2: AnalogType(Name("高度", "height"), "m", 0.01),
    3: AnalogType(Name("温度", "temperature"), "°C", 0.1),
    6: AnalogType(Name("气体浓度", "gas concentration"), "%LEL", 0.1),
    7: AnalogType(Name("时间", "time"), "s", 1.0),
    8: AnalogType(Name("电压", "voltage"), "V", 0.1),
    9: AnalogType(Name("电流", "current"), "A", 0.1),
    10: AnalogType(Name("流量", "flow"), "L/s", 0.1),
}


def states(bits: int, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names of the bits that are set; a bit without a name is `bit_N`."""
    return tuple(
        names[index] if index < len(names) else f"bit_{index}"
        for index in range(bits.bit_length())
        if bits >> index & 1
    )
