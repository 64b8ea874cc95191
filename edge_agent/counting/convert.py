"""Turns the COCO SSDLite-MobileNetV2 graph of TensorFlow.js into ONNX: person class alone, boxes decoded in the graph.

Kept are the convolutions and the twelve prediction heads. Batch norms and scales are folded into the convolution
before them, the class dimension is cut to person, the resizing loop and the non-maximum suppression stay outside.

    image  uint8   [1, 300, 300, 3]  RGB
    scores float32 [1, 1917]         probability of a person
    boxes  float32 [1, 1917, 4]      x1, y1, x2, y2 as parts of the picture's width and height
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from edge_agent.counting.model_files import INPUT_SIZE
from edge_agent.counting.tfjs import Node
from edge_agent.errors import ConfigError

PERSON: Final = 1
CLASSES: Final = 91
LEVELS: Final = 6

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A value that has a name in the ONNX graph."""

    name: str
    channels: int
    size: int


@dataclass(frozen=True, slots=True)
class Pending:
    """A convolution not yet written, so that what follows can still be folded in; `plus` is a residual input."""

    source: Tensor
    kernel: Array  # [out, in / groups, k, k]
    bias: Array  # [out]
    stride: int
    groups: int
    plus: Tensor | None = None

    def scaled(self, factor: Array) -> "Pending":
        """Every output channel times a factor."""
        if self.plus is not None:
            raise ConfigError("a scale after a residual sum: not the model we know")
        return replace(self, kernel=self.kernel * factor.reshape(-1, 1, 1, 1), bias=self.bias * factor.reshape(-1))

    def shifted(self, offset: Array) -> "Pending":
        """Every output channel plus an offset."""
        return replace(self, bias=self.bias + offset.reshape(-1))


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME: (before, after), the odd pixel after."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class Converter:
    """Walks the graph from the heads back to the picture and writes ONNX nodes on the way."""

    def __init__(self, nodes: Mapping[str, Node], constants: Mapping[str, Array]) -> None:
        self._nodes = nodes
        self._constants = constants
        self._written: list[onnx.NodeProto] = []
        self._initializers: list[onnx.TensorProto] = []
        self._done: dict[str, Tensor | Pending] = {"Preprocessor/sub": self._input()}
        self._const("relu6_low", np.float32(0))
        self._const("relu6_high", np.float32(6))

    def _const(self, name: str, value: Array | np.float32 | NDArray[np.int64]) -> str:
        self._initializers.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def _write(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self._written.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def _input(self) -> Tensor:
        self._write("Cast", ["image"], "image_float", to=TensorProto.FLOAT)
        self._write("Transpose", ["image_float"], "image_planes", perm=[0, 3, 1, 2])
        self._write("Mul", ["image_planes", self._const("in_scale", np.float32(2 / 255))], "image_scaled")
        self._write("Sub", ["image_scaled", self._const("in_offset", np.float32(1))], "image_normal")
        return Tensor("image_normal", 3, INPUT_SIZE)

    def _visit(self, name: str) -> Tensor | Pending:
        name = name.partition(":")[0]
        if name not in self._done:
            self._done[name] = self._make(self._nodes[name])
        return self._done[name]

    def _make(self, node: Node) -> Tensor | Pending:
        match node.op:
            case "Conv2D" | "DepthwiseConv2dNative":
                return self._convolution(node)
            case "Add" | "AddV2" | "AddN" | "BiasAdd" | "Mul":
                return self._arithmetic(node)
            case "FusedBatchNorm":
                gamma, beta, mean, variance = (self._constants[name] for name in node.input[1:5])
                factor = gamma / np.sqrt(variance + np.float32(node.attr["epsilon"].f or 0))
                return self._pending(node.input[0]).scaled(factor).shifted(beta - mean * factor)
            case "Relu6":
                source = self._tensor(node.input[0])
                self._write("Clip", [source.name, "relu6_low", "relu6_high"], node.name)
                return Tensor(node.name, source.channels, source.size)
            case "Identity":
                return self._visit(node.input[0])
        raise ConfigError(f"{node.name}: unexpected operation {node.op}; not the model we know")

    def _convolution(self, node: Node) -> Pending:
        source = self._tensor(node.input[0])
        kernel = self._constants[node.input[1]]  # [k, k, in, out], depthwise [k, k, channels, 1]
        if node.name.endswith("ClassPredictor/Conv2D"):
            kernel = kernel[..., PERSON::CLASSES]
        is_depthwise = node.op != "Conv2D"
        kernel = kernel.transpose(2, 3, 0, 1) if is_depthwise else kernel.transpose(3, 2, 0, 1)
        groups = source.channels if is_depthwise else 1
        return Pending(source, kernel, np.zeros(len(kernel), np.float32), node.stride, groups)

    def _arithmetic(self, node: Node) -> Tensor | Pending:
        names = [name.partition(":")[0] for name in node.input]
        constants = [name for name in names if self._nodes[name].op == "Const"]
        values = [self._visit(name) for name in names if name not in constants]
        if len(values) == 2 and not constants and node.op != "Mul":
            return self._residual(node.name, values[0], values[1])
        if len(values) != 1 or len(constants) != 1 or not isinstance(values[0], Pending):
            raise ConfigError(f"{node.name}: {node.op} of {names}; not the model we know")
        constant = self._constants[constants[0]]
        if node.name.endswith("ClassPredictor/BiasAdd"):
            constant = constant[PERSON::CLASSES]
        return values[0].scaled(constant) if node.op == "Mul" else values[0].shifted(constant)

    def _residual(self, name: str, first: Tensor | Pending, second: Tensor | Pending) -> Pending:
        if isinstance(second, Pending) and not isinstance(first, Pending):
            first, second = second, first
        if not isinstance(first, Pending) or first.plus is not None:
            raise ConfigError(f"{name}: a sum of no convolution; not the model we know")
        other = second if isinstance(second, Tensor) else self._flush(name + "/other", second)
        return replace(first, plus=other)

    def _pending(self, name: str) -> Pending:
        value = self._visit(name)
        if not isinstance(value, Pending):
            raise ConfigError(f"{name}: a batch norm of no convolution; not the model we know")
        return value

    def _tensor(self, name: str) -> Tensor:
        """The value under its name, written now if it was still pending."""
        value = self._visit(name)
        if isinstance(value, Pending):
            value = self._done[name.partition(":")[0]] = self._flush(name.partition(":")[0], value)
        return value

    def _flush(self, name: str, conv: Pending) -> Tensor:
        size = conv.kernel.shape[2]
        before, after = same_padding(conv.source.size, size, conv.stride)
        kernel = self._const(f"{name}/kernel", np.ascontiguousarray(conv.kernel))
        bias = self._const(f"{name}/bias", conv.bias)
        output = f"{name}/convolved" if conv.plus else name
        self._write(
            "Conv",
            [conv.source.name, kernel, bias],
            output,
            strides=[conv.stride] * 2,
            pads=[before, before, after, after],
            group=conv.groups,
            kernel_shape=[size, size],
        )
        if conv.plus:
            self._write("Add", [output, conv.plus.name], name)
        return Tensor(name, len(conv.bias), -(-conv.source.size // conv.stride))

    def model(self) -> onnx.ModelProto:
        """The whole model. Raises ConfigError where the graph is not the one we know."""
        scores = [self._head(level, "Class", 1) for level in range(LEVELS)]
        offsets = [self._head(level, "BoxEncoding", 4) for level in range(LEVELS)]
        anchors = self._constants["Postprocessor/ExpandDims"][0]  # [1917, 4]: y1, x1, y2, x2
        self._write("Concat", scores, "logits", axis=1)
        self._write("Sigmoid", ["logits"], "probabilities")
        self._write("Reshape", ["probabilities", self._const("flat", np.array([1, -1], np.int64))], "scores")
        self._write("Concat", offsets, "offsets", axis=1)
        self._decode_boxes(anchors)
        graph = helper.make_graph(
            self._written,
            "ssdlite_mobilenet_v2_person",
            [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, INPUT_SIZE, INPUT_SIZE, 3])],
            [
                helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, len(anchors)]),
                helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, len(anchors), 4]),
            ],
            self._initializers,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        return model

    def _head(self, level: int, kind: str, last: int) -> str:
        head = self._tensor(f"BoxPredictor_{level}/{kind}Predictor/BiasAdd")
        name = f"level{level}{kind}"
        self._write("Transpose", [head.name], f"{name}_nhwc", perm=[0, 2, 3, 1])
        shape = self._const(f"{name}_shape", np.array([1, -1, last], np.int64))
        return self._write("Reshape", [f"{name}_nhwc", shape], name)

    def _decode_boxes(self, anchors: Array) -> None:
        """SSD's box coder with scale factors 10, 10, 5, 5, in (y, x, h, w); swapped to x first at the end."""
        low, high = anchors[:, :2], anchors[:, 2:]
        self._const("anchor_centres", ((low + high) * np.float32(0.5))[None].astype(np.float32))
        self._const("anchor_sizes", (high - low)[None])
        halves = self._const("halves", np.array([2, 2], np.int64))
        self._written.append(helper.make_node("Split", ["offsets", halves], ["offset_yx", "offset_hw"], axis=2))
        self._write("Mul", ["offset_yx", self._const("tenth", np.float32(0.1))], "offset_yx_small")
        self._write("Mul", ["offset_yx_small", "anchor_sizes"], "offset_yx_part")
        self._write("Add", ["offset_yx_part", "anchor_centres"], "centres")
        self._write("Mul", ["offset_hw", self._const("fifth", np.float32(0.2))], "offset_hw_small")
        self._write("Exp", ["offset_hw_small"], "growth")
        self._write("Mul", ["growth", "anchor_sizes"], "sizes")
        self._write("Mul", ["sizes", self._const("half", np.float32(0.5))], "half_sizes")
        self._const("x_first", np.array([1, 0], np.int64))
        for op, corner in (("Sub", "low"), ("Add", "high")):
            self._write(op, ["centres", "half_sizes"], f"{corner}_yx")
            self._write("Gather", [f"{corner}_yx", "x_first"], f"{corner}_xy", axis=2)
        self._write("Concat", ["low_xy", "high_xy"], "boxes", axis=2)


def convert(nodes: Mapping[str, Node], constants: Mapping[str, Array], path: Path) -> None:
    """Write the ONNX file. Raises ConfigError where the graph is not the one we know."""
    onnx.save(Converter(nodes, constants).model(), path)
