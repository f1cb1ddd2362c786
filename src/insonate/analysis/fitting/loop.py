"""One fit: batches of varied pictures, AdamW, one rise and fall of the learning rate.

With s the step and S their number, the rate rises over the first 15 % and falls as a cosine to nothing (one cycle).
Each batch holds pictures with their masks and a few pictures without anatomy; the loss is Dice and cross-entropy
over the pixels, plus the cross-entropy of the question "is this a picture of the kind I know".

L. N. Smith, N. Topin, "Super-convergence: very fast training of neural networks using large learning rates",
arXiv:1708.07120, 2017.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from insonate.analysis.fitting.augmentation import Augmentation
from insonate.analysis.fitting.losses import dice_and_cross_entropy
from insonate.analysis.models.canvas import DARK, LEVELS
from insonate.analysis.models.unet import UNet

TOLD_EVERY = 25
"""Steps between two words of progress; asking for the loss makes an accelerator wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a fit is told."""

    n_steps: int = 4000
    """Batches."""
    n_positive: int = 7
    """Pictures with masks in a batch."""
    n_negative: int = 1
    """Pictures without anatomy in a batch."""
    rate: float = 2e-3
    """Highest learning rate."""
    decay: float = 0.05
    """Weight decay of the convolutions."""
    familiarity: float = 0.1
    """Weight of the question whether the picture is of a known kind."""
    seed: int = 0
    """Decides the first weights, the order and the variants."""
    n_classes: int = 3
    """Classes, background included."""
    channels: tuple[int, ...] = (24, 48, 96, 160, 192)
    """Of the network's stages."""
    emphasis: tuple[float, ...] | None = None
    """How much each class but the background counts in the mean of Dice; all alike where there is none."""
    even: bool = False
    """Whether the network reads even canvases (`canvas.even`), made so after they were varied."""
    half: bool = True
    """Whether most is computed in 16-bit floats; slower where a processor has none."""
    device: str = "cpu"
    """Where it is computed, as PyTorch names it: `cpu`, `cuda`. Numbers drawn differ from one kind to the next."""


def evened(pictures: Tensor) -> Tensor:
    """Make canvases even, as `canvas.even` does with one.

    Parameters
    ----------
    pictures : torch.Tensor
        (batch, 1, size, size) brightness, 0..1.

    Returns
    -------
    torch.Tensor
        Like what came.
    """
    flat = pictures.flatten(1)
    level = (flat * (LEVELS - 1) + 0.5).clamp(max=LEVELS - 1).long()
    lit = (flat > DARK).to(flat.dtype)
    count = torch.zeros(len(flat), LEVELS, dtype=flat.dtype, device=flat.device).scatter_add_(1, level, lit)
    rank = (count.cumsum(1) - count / 2) / count.sum(1, keepdim=True).clamp(min=1)
    return (rank.gather(1, level) * lit).reshape(pictures.shape)


def _queue(n: int, rng: np.random.Generator) -> Callable[[int], np.ndarray]:
    waiting = np.zeros(0, int)

    def take(count: int) -> np.ndarray:
        nonlocal waiting
        while len(waiting) < count:
            waiting = np.concatenate([waiting, rng.permutation(n)])
        taken, waiting = waiting[:count], waiting[count:]
        return taken

    return take


def fit(
    pictures: np.ndarray,
    masks: np.ndarray,
    negatives: np.ndarray,
    settings: Settings,
    progress: Callable[[int, float], None] | None = None,
    *,
    start: Mapping[str, Tensor] | None = None,
    keep: Callable[[int, UNet], None] | None = None,
) -> UNet:
    """Fit a network to pictures and their masks.

    Parameters
    ----------
    pictures : numpy.ndarray
        (n, size, size) float32 canvases, 0..1.
    masks : numpy.ndarray
        (n, size, size) class of each pixel.
    negatives : numpy.ndarray
        (m, size, size) float32 canvases without anatomy; none are needed where a batch holds none.
    settings : Settings
        Length, rates, seed.
    progress : callable, optional
        Told the step and the loss, every `TOLD_EVERY` steps.
    start : mapping, optional
        Weights to begin from instead of random ones; those of another shape, as of a head of other classes, are left out.
    keep : callable, optional
        Told the step and the network after every step, to leave something behind if the fit is cut off.

    Returns
    -------
    UNet
        The fitted network, ready to be asked.
    """
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    vary = Augmentation(settings.seed, settings.device)
    network = UNet(n_classes=settings.n_classes, channels=settings.channels)
    if start is not None:
        own = network.state_dict()
        fitting = {name: one for name, one in start.items() if name in own and own[name].shape == one.shape}
        network.load_state_dict(own | fitting)
    network.to(device=settings.device, memory_format=torch.channels_last)
    kernels = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": kernels, "weight_decay": settings.decay}, {"params": others, "weight_decay": 0.0}],
        lr=settings.rate,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.rate, total_steps=settings.n_steps, pct_start=0.15
    )
    known = torch.from_numpy(pictures)[:, None].to(settings.device)
    truth = torch.from_numpy(masks.astype(np.int64)).to(settings.device)
    unknown = torch.from_numpy(negatives)[:, None].to(settings.device)
    empty = torch.zeros(settings.n_negative, *masks.shape[1:], dtype=torch.int64, device=settings.device)
    familiar = torch.cat([torch.ones(settings.n_positive), torch.zeros(settings.n_negative)]).to(
        settings.device
    )
    next_known, next_unknown = _queue(len(known), rng), _queue(len(unknown), rng)
    network.train()
    for step in range(settings.n_steps):
        chosen = next_known(settings.n_positive)
        batch = torch.cat([known[chosen], unknown[next_unknown(settings.n_negative)]])
        varied, labels = vary(batch, torch.cat([truth[chosen], empty]))
        if settings.even:
            varied = evened(varied)
        with torch.autocast(torch.device(settings.device).type, dtype=torch.bfloat16, enabled=settings.half):
            answer = network(varied.contiguous(memory_format=torch.channels_last))
        loss = dice_and_cross_entropy(answer.scores.float(), labels, settings.emphasis)
        doubt = functional.binary_cross_entropy_with_logits(answer.familiarity.float(), familiar)
        loss = loss + settings.familiarity * doubt
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        if progress is not None and step % TOLD_EVERY == TOLD_EVERY - 1:
            progress(step, float(loss.detach()))
        if keep is not None:
            keep(step, network)
    network.to("cpu")
    network.eval()
    return network


def ask(
    network: UNet, pictures: np.ndarray, *, batch: int = 16, even: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ask a fitted network about pictures, straight and mirrored, in single precision.

    Parameters
    ----------
    network : UNet
        From `fit`.
    pictures : numpy.ndarray
        (n, size, size) float32 canvases, 0..1.
    batch : int
        Pictures at once.
    even : bool
        Whether it reads even canvases.

    Returns
    -------
    tuple of numpy.ndarray
        Scores (n, n_classes, size, size), features (n, n_features) and familiarity (n,), each the mean of the
        straight and the mirrored picture.
    """

    def both(asked: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        if even:
            asked = evened(asked)
        straight, mirrored = network(asked), network(asked.flip(3))
        return (
            (straight.scores + mirrored.scores.flip(3)) / 2,
            (straight.features + mirrored.features) / 2,
            (straight.familiarity + mirrored.familiarity) / 2,
        )

    network.eval()
    with torch.inference_mode():
        parts = [both(part[:, None]) for part in torch.from_numpy(pictures).split(batch)]
    scores, features, familiarity = (torch.cat(column).numpy() for column in zip(*parts, strict=True))
    return scores, features, familiarity
