"""Random variants of pictures and their masks: other probes' positions, other gains, other machines.

A batch is warped at once, p' = A p + u(p) with a random affine A and a smooth random displacement u, then its
brightness is changed: log-compression, gamma, depth gain, shadows, multiplicative and additive noise, blur,
marks of a machine. The mask follows the warp only.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional


class Augmentation:
    """Random variants, the same ones for the same seed on the same kind of device."""

    def __init__(self, seed: int, device: str = "cpu") -> None:
        self.device = torch.device(device)
        self.random = torch.Generator(self.device).manual_seed(seed)

    def _uniform(self, low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(shape, generator=self.random, device=self.device)

    def _normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.random, device=self.device)

    def _chance(self, share: float, n: int) -> Tensor:
        return (torch.rand(n, generator=self.random, device=self.device) < share).float()

    def _smooth(self, n: int, planes: int, coarse: tuple[int, int], size: tuple[int, int]) -> Tensor:
        return functional.interpolate(
            self._normal(n, planes, *coarse), size, mode="bicubic", align_corners=False
        )

    def warp(self, pictures: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Move, turn, stretch, mirror and bend.

        Parameters
        ----------
        pictures : torch.Tensor
            (batch, 1, H, W) brightness, 0..1.
        masks : torch.Tensor
            (batch, H, W) class of each pixel.

        Returns
        -------
        tuple
            Pictures and masks, like those that came.
        """
        n, _, height, width = pictures.shape
        zoom = torch.exp(self._uniform(math.log(0.72), math.log(1.35), n))
        stretch = torch.exp(self._uniform(-0.15, 0.15, n))
        angle = self._normal(n) * 0.12
        shear = self._normal(n) * 0.06
        mirror = 1 - 2 * self._chance(0.5, n)
        cos, sin = torch.cos(angle), torch.sin(angle)
        matrix = torch.stack(
            [
                torch.stack(
                    [mirror * zoom * stretch * cos, zoom * (shear - sin), self._uniform(-0.3, 0.3, n)], 1
                ),
                torch.stack([mirror * zoom * sin, zoom / stretch * cos, self._uniform(-0.2, 0.2, n)], 1),
            ],
            1,
        )
        grid = functional.affine_grid(matrix, [n, 1, height, width], align_corners=False)
        bend = self._smooth(n, 2, (5, 5), (height, width)).permute(0, 2, 3, 1)
        grid = grid + bend * (0.03 * self._chance(0.6, n) * self._uniform(0, 1.5, n)).reshape(n, 1, 1, 1)
        moved = functional.grid_sample(pictures, grid, mode="bilinear", align_corners=False)
        labels = functional.grid_sample(masks[:, None].float(), grid, mode="nearest", align_corners=False)[
            :, 0
        ]
        return moved, labels.long()

    def brightness(self, pictures: Tensor) -> Tensor:
        """Change gain, compression, shading, noise and sharpness.

        Parameters
        ----------
        pictures : torch.Tensor
            (batch, 1, H, W) brightness, 0..1.

        Returns
        -------
        torch.Tensor
            Like those that came.
        """
        n, _, height, width = pictures.shape

        def each(values: Tensor) -> Tensor:
            return values.reshape(n, 1, 1, 1)

        seen = (pictures > 0.004).float()
        x = pictures.clamp(0, 1) ** each(torch.exp(self._normal(n) * 0.3))
        x = x * each(torch.exp(self._normal(n) * 0.25))
        floor = each(self._uniform(-0.08, 0.1, n))
        x = (x - floor) / (1 - floor)
        gain = (
            self._smooth(n, 1, (5, 1), (height, width)) * 0.25
            + self._smooth(n, 1, (4, 4), (height, width)) * 0.12
        )
        x = x * torch.exp(gain * each(self._chance(0.7, n)))
        # a shadow: dark below a depth, over a stretch of columns
        column = torch.linspace(-1, 1, width, device=self.device).reshape(1, 1, 1, width)
        row = torch.linspace(0, 1, height, device=self.device).reshape(1, 1, height, 1)
        beside = torch.sigmoid(
            (each(self._uniform(0.03, 0.2, n)) - (column - each(self._uniform(-1, 1, n))).abs()) * 30
        )
        below = torch.sigmoid((row - each(self._uniform(0, 0.7, n))) * 25)
        x = x * (1 - each(self._uniform(0.3, 0.95, n) * self._chance(0.25, n)) * beside * below)
        coarse = self._smooth(n, 1, (height // 2, width // 2), (height, width))
        x = x * (1 + 0.25 * coarse * each(self._uniform(0, 1, n) * self._chance(0.4, n)))
        x = x + 0.05 * self._normal(n, 1, height, width) * each(self._uniform(0, 1, n) * self._chance(0.4, n))
        soft = functional.avg_pool2d(functional.avg_pool2d(x, 3, 1, 1), 3, 1, 1)
        x = x + (soft - x) * each(self._uniform(-0.8, 1.0, n) * self._chance(0.5, n))
        return (x * seen).clamp(0, 1)

    def __call__(self, pictures: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Warp, then change the brightness."""
        moved, labels = self.warp(pictures, masks)
        return self.brightness(moved), labels
