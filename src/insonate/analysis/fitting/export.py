"""A fitted network as one ONNX file, with the features' distance inside, stored in half precision.

Batch normalization is folded into the convolutions. Weights are kept as 16-bit floats and widened when the file is
loaded, so that it stays small and is computed in single precision.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from insonate.analysis.fitting.gate import FeatureSpace
from insonate.analysis.models.unet import UNet

SMALL = 64
"""Tensors with fewer numbers than this stay in single precision."""


class Exported(nn.Module):
    """Scores, log odds of being familiar, and the features' distance."""

    def __init__(self, network: UNet, space: FeatureSpace) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.from_numpy(space.mean))
        self.register_buffer("whiten", torch.from_numpy(space.whiten))

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Answer for pictures (batch, 1, size, size)."""
        answer = self.network(picture)
        away = (answer.features - self.mean) @ self.whiten
        return answer.scores, answer.familiarity, torch.sqrt((away * away).sum(dim=1))


def _fold_normalization(network: UNet) -> None:
    for part in network.modules():
        if not isinstance(part, nn.Sequential) or len(part) < 2:
            continue
        if isinstance(part[0], nn.Conv2d) and isinstance(part[1], nn.BatchNorm2d):
            part[0] = nn.utils.fuse_conv_bn_eval(part[0], part[1])
            part[1] = nn.Identity()


def _halve(path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(str(path))
    widened = []
    for tensor in list(model.graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < SMALL:
            continue
        stored = numpy_helper.from_array(values.astype(np.float16), f"{tensor.name}.half")
        model.graph.initializer.remove(tensor)
        model.graph.initializer.append(stored)
        widened.append(helper.make_node("Cast", [stored.name], [tensor.name], to=TensorProto.FLOAT))
    nodes = [*widened, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def export(network: UNet, space: FeatureSpace, path: Path, *, size: int) -> None:
    """Write the network as ONNX.

    Parameters
    ----------
    network : UNet
        From `loop.fit`; it is changed (normalization is folded).
    space : FeatureSpace
        Of the pictures it was fitted on.
    path : pathlib.Path
        The file to write.
    size : int
        Rows and columns of the canvas.
    """
    network.eval()
    _fold_normalization(network)
    torch.onnx.export(
        Exported(network, space).eval(),
        (torch.zeros(2, 1, size, size),),
        str(path),
        input_names=["picture"],
        output_names=["scores", "odds", "distance"],
        dynamic_shapes={"picture": {0: torch.export.Dim("batch", min=1, max=64)}},
        opset_version=18,
        external_data=False,
        verbose=False,
    )
    _halve(path)


class _Scores(nn.Module):
    """The class scores alone."""

    def __init__(self, network: UNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor) -> Tensor:
        """Answer for pictures (batch, 1, size, size)."""
        return self.network(picture).scores


def export_scores(network: UNet, path: Path, *, size: int) -> None:
    """Write the network as ONNX, its scores alone.

    Parameters
    ----------
    network : UNet
        From `loop.fit`; it is changed (normalization is folded).
    path : pathlib.Path
        The file to write.
    size : int
        Rows and columns of the canvas.
    """
    network.eval()
    _fold_normalization(network)
    torch.onnx.export(
        _Scores(network).eval(),
        (torch.zeros(2, 1, size, size),),
        str(path),
        input_names=["picture"],
        output_names=["scores"],
        dynamic_shapes={"picture": {0: torch.export.Dim("batch", min=1, max=64)}},
        opset_version=18,
        external_data=False,
        verbose=False,
    )
    _halve(path)
