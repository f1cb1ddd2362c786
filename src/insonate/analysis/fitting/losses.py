"""What a fit makes small: soft Dice over the batch beside cross-entropy.

With p the probability and t the truth (0 or 1) of class c, summed over all pixels of the batch,

    dice(c) = (2 sum p t + e) / (sum p + sum t + e),    loss = cross-entropy + sum over c of (1 - dice(c)) / n

F. Milletari, N. Navab, S.-A. Ahmadi, "V-Net: fully convolutional neural networks for volumetric medical image
segmentation", 3DV 2016, 565-571.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional


def soft_dice(scores: Tensor, truth: Tensor, *, smooth: float = 100.0) -> Tensor:
    """Dice of each class but the background, over the whole batch.

    Parameters
    ----------
    scores : torch.Tensor
        (batch, n_classes, H, W) before the softmax.
    truth : torch.Tensor
        (batch, H, W) class of each pixel.
    smooth : float
        Pixels added above and below, so that an empty class is no edge case.

    Returns
    -------
    torch.Tensor
        (n_classes - 1,) 0..1.
    """
    share = torch.softmax(scores, dim=1)[:, 1:]
    true = functional.one_hot(truth, scores.shape[1])[..., 1:].permute(0, 3, 1, 2).to(share.dtype)
    axes = (0, 2, 3)
    return (2 * (share * true).sum(axes) + smooth) / (share.sum(axes) + true.sum(axes) + smooth)


def dice_and_cross_entropy(scores: Tensor, truth: Tensor, emphasis: Sequence[float] | None = None) -> Tensor:
    """Loss of a batch: cross-entropy plus one minus the mean soft Dice.

    Parameters
    ----------
    scores : torch.Tensor
        (batch, n_classes, H, W) before the softmax.
    truth : torch.Tensor
        (batch, H, W) class of each pixel.
    emphasis : sequence of float, optional
        How much the Dice of each class but the background counts in the mean; all alike by default.

    Returns
    -------
    torch.Tensor
        A number.
    """
    dice = soft_dice(scores, truth)
    weight = torch.ones_like(dice) if emphasis is None else dice.new_tensor(emphasis)
    return functional.cross_entropy(scores, truth) + (1 - (weight * dice).sum() / weight.sum())
