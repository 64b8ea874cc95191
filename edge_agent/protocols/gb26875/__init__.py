"""GB/T 26875.3-2011: what a fire panel's user information transmission device says to a monitoring centre.

The gateway only listens, acknowledges, asks and keeps time; it is no type-approved transmitter (GB 26875.1).
"""

from edge_agent.protocols.gb26875.frame import (
    Command,
    Frame,
    Framer,
    answer_to,
    encode_frame,
)
from edge_agent.protocols.gb26875.objects import (
    Analog,
    AppData,
    ComponentConfig,
    ComponentState,
    Operation,
    SystemConfig,
    SystemState,
    SystemTime,
    TransmitterState,
    Unparsed,
    Version,
    decode_app_data,
)

__all__ = [
    "Analog",
    "AppData",
    "Command",
    "ComponentConfig",
    "ComponentState",
    "Frame",
    "Framer",
    "Operation",
    "SystemConfig",
    "SystemState",
    "SystemTime",
    "TransmitterState",
    "Unparsed",
    "Version",
    "answer_to",
    "decode_app_data",
    "encode_frame",
]
