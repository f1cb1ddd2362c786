"""A small U-Net for labeled pictures: the definition that is fitted and exported.

The picture (1, H, W) is folded two by two into four channels, so that the whole network works at half resolution;
a fifth channel holds the depth, 0 at the top and 1 at the bottom. Residual stages halve the resolution, a decoder
with added skip connections restores it, and the class scores are stretched back to H x W. With r the residual branch,

    y = relu(x + r(x)),    r = norm(conv3(relu(norm(conv3(x)))))

Beside the class scores the network gives its pooled deepest features, from which a gate judges whether the picture
resembles those it was fitted on.

O. Ronneberger, P. Fischer, T. Brox, "U-Net: convolutional networks for biomedical image segmentation",
MICCAI 2015, LNCS 9351, 234-241.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


class Residual(nn.Module):  # type: ignore[misc]
    """Two 3 x 3 convolutions beside a straight path."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(n_in, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out))
        self.second = nn.Sequential(nn.Conv2d(n_out, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out))
        self.straight = (
            nn.Identity()
            if n_in == n_out
            else nn.Sequential(nn.Conv2d(n_in, n_out, 1, bias=False), nn.BatchNorm2d(n_out))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Give (batch, n_out, H, W)."""
        hidden = functional.relu(self.first(x), inplace=True)
        return functional.relu(self.second(hidden) + self.straight(x), inplace=True)


class Answer(NamedTuple):
    """What the network says about a batch of pictures."""

    scores: Tensor
    """(batch, n_classes, H, W) before the softmax."""
    features: Tensor
    """(batch, n_features) the deepest stage, averaged over the picture."""
    familiarity: Tensor
    """(batch,) log odds that the picture is of a kind the network was fitted on."""


class UNet(nn.Module):  # type: ignore[misc]
    """Class scores for every pixel, and the pooled deepest features.

    Parameters
    ----------
    n_classes : int
        Classes, background included.
    channels : sequence of int
        Channels of the encoder's stages, from half resolution down.
    dropout : float
        Share of the deepest channels dropped while fitting, 0..1.
    """

    def __init__(
        self, n_classes: int = 3, channels: Sequence[int] = (24, 48, 96, 160, 192), dropout: float = 0.1
    ) -> None:
        super().__init__()
        stem = nn.Sequential(
            nn.Conv2d(5, channels[0], 3, padding=1, bias=False),
            nn.BatchNorm2d(channels[0]),
            nn.ReLU(inplace=True),
        )
        stages: list[nn.Module] = [nn.Sequential(stem, Residual(channels[0], channels[0]))]
        stages += [Residual(a, b) for a, b in pairwise(channels)]
        self.encoder = nn.ModuleList(stages)
        self.narrow = nn.ModuleList(
            nn.Conv2d(deep, skip, 1, bias=False)
            for deep, skip in zip(channels[:0:-1], channels[-2::-1], strict=True)
        )
        self.decoder = nn.ModuleList(Residual(skip, skip) for skip in channels[-2::-1])
        self.drop = nn.Dropout2d(dropout)
        self.familiar = nn.Linear(channels[-1], 1)
        self.head = nn.Conv2d(channels[0], n_classes, 1)

    def forward(self, picture: Tensor) -> Answer:
        """Answer for pictures (batch, 1, H, W), brightness 0..1; H and W are multiples of 32."""
        folded = functional.pixel_unshuffle(picture, 2)
        rows = folded.shape[2]
        line = torch.linspace(0, 1, rows, dtype=folded.dtype, device=folded.device)
        depth = line.reshape(1, 1, rows, 1).expand_as(folded[:, :1])
        x = torch.cat([folded, depth], dim=1)
        skips = []
        for level, stage in enumerate(self.encoder):
            x = stage(x if level == 0 else functional.max_pool2d(x, 2))
            skips.append(x)
        features = x.mean(dim=(2, 3))
        x = self.drop(x)
        for narrow, stage, skip in zip(self.narrow, self.decoder, skips[-2::-1], strict=True):
            x = stage(functional.interpolate(narrow(x), scale_factor=2.0, mode="nearest") + skip)
        scores = functional.interpolate(
            self.head(x).float(), scale_factor=2.0, mode="bilinear", align_corners=False
        )
        return Answer(scores, features, self.familiar(features)[:, 0])
