"""The MQTT session to the hub: publish batches, await the hub's acknowledgement, take commands.

`session` does the I/O, `lane` decides (pure) what to send and what an answer means, `commands` carries out what
the hub asks, each command at most once.
"""

from edge_agent.uplink.session import Uplink, UplinkStatus

__all__ = ["Uplink", "UplinkStatus"]
