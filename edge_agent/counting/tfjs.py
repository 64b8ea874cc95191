"""Reads a TensorFlow.js graph model: a JSON of nodes beside shards of raw weights."""

from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_agent.errors import ConfigError


class IntList(msgspec.Struct, frozen=True):
    """A list attribute; TFJS writes integers as strings."""

    i: list[str | int] = []


class Attribute(msgspec.Struct, frozen=True):
    """The few kinds of node attribute that the converter looks at."""

    list: IntList | None = None
    f: float | None = None


class Node(msgspec.Struct, frozen=True):
    """One operation of the graph."""

    name: str
    op: str
    input: list[str] = []
    attr: dict[str, Attribute] = {}

    @property
    def stride(self) -> int:
        """Of a convolution, NHWC; the model's strides are square."""
        strides = self.attr["strides"].list
        if strides is None:
            raise ConfigError(f"{self.name}: a convolution without strides; not the model we know")
        return int(strides.i[1])


class Weight(msgspec.Struct, frozen=True):
    """Where a constant lies in its group's shards: one behind the other, no padding."""

    name: str
    shape: list[Annotated[int, msgspec.Meta(ge=0)]]
    dtype: str


class Group(msgspec.Struct, frozen=True):
    """Weights that share shard files."""

    paths: list[str]
    weights: list[Weight]


class Topology(msgspec.Struct, frozen=True):
    """The graph."""

    node: list[Node]


class Model(msgspec.Struct, frozen=True, rename="camel"):
    """The file `model.json`."""

    model_topology: Topology
    weights_manifest: list[Group]


def read_graph(folder: Path) -> tuple[dict[str, Node], dict[str, NDArray[np.float32]]]:
    """Nodes and constants by name. Raises ConfigError where the shards do not fit the manifest."""
    model = msgspec.json.decode((folder / "model.json").read_bytes(), type=Model)
    constants: dict[str, NDArray[np.float32]] = {}
    for group in model.weights_manifest:
        raw = b"".join((folder / path).read_bytes() for path in group.paths)
        offset = 0
        for weight in group.weights:
            dtype = np.dtype(weight.dtype)
            count = int(np.prod(weight.shape))
            if offset + count * dtype.itemsize > len(raw):
                raise ConfigError(f"{folder}: the shards end before {weight.name}")
            values = np.frombuffer(raw, dtype, count, offset).reshape(weight.shape)
            constants[weight.name] = values.astype(np.float32)
            offset += count * dtype.itemsize
        if offset != len(raw):
            raise ConfigError(f"{folder}: the shards hold {len(raw) - offset} bytes more than the manifest says")
    return {node.name: node for node in model.model_topology.node}, constants
