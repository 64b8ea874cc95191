"""The five topics of a gateway, built and parsed in this one place."""

from enum import StrEnum
from typing import Final, NamedTuple

from wire.errors import ContractError
from wire.ids import is_gateway_id

ROOT: Final = "anfang/v1"


class Leaf(StrEnum):
    """The last level of a topic: what kind of message it carries."""

    EVENT = "event"
    ACK = "ack"
    STATUS = "status"
    COMMAND = "command"
    REPLY = "reply"


_LEAVES: Final = frozenset(leaf.value for leaf in Leaf)


class Topic(NamedTuple):
    """A parsed topic."""

    gateway: str
    leaf: Leaf


def topic(gateway: str, leaf: Leaf) -> str:
    """`anfang/v1/{gateway}/{leaf}`. Raises ContractError when `gateway` is not an identity."""
    if not is_gateway_id(gateway):
        raise ContractError(f"gateway {gateway!r}: 3 to 64 of a-z, 0-9 and '-' are allowed")
    return f"{ROOT}/{gateway}/{leaf}"


def every_gateway(leaf: Leaf, *, share: str | None = None) -> str:
    """The filter for one leaf of all gateways; with `share`, as an MQTT 5 shared subscription of that name."""
    plain = f"{ROOT}/+/{leaf}"
    return f"$share/{share}/{plain}" if share else plain


def parse_topic(text: str) -> Topic:
    """The gateway and the leaf of a topic. Raises ContractError for anything else."""
    head, _, tail = text.rpartition("/")
    root, _, gateway = head.rpartition("/")
    if root != ROOT or not is_gateway_id(gateway) or tail not in _LEAVES:
        raise ContractError(f"topic {text!r} is none of {ROOT}/{{gateway}}/{{event,ack,status,command,reply}}")
    return Topic(gateway, Leaf(tail))
