"""Variants: mask and picture move together, brightness stays in range, one seed gives one result."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fitting needs torch (the extra 'fit')")

from analysis.fitting.pictures import discs  # noqa: E402
from insonate.analysis.fitting.augmentation import Augmentation  # noqa: E402


def batch(n=8, size=64):
    pictures, masks = discs(n, size=size)
    return torch.from_numpy(pictures)[:, None], torch.from_numpy(masks).long()


def middle(mask):
    """Center of a mask's pixels (row, column)."""
    return torch.nonzero(mask).float().mean(dim=0)


def test_mask_and_picture_move_together():
    pictures, masks = batch()
    moved, labels = Augmentation(0).warp(pictures, masks)
    bright = moved[:, 0] > 0.5
    agree = ((labels == 1) & bright).sum() / ((labels == 1) | bright).sum()
    assert agree > 0.9
    assert not torch.equal(labels, masks)


def test_a_warp_moves_turns_sizes_and_mirrors():
    """Over many variants of one picture: places, sizes and handedness all change, and the disc mostly stays in view."""
    n, size = 200, 64
    picture, mask = torch.full((1, 1, size, size), 0.1), torch.zeros(1, size, size, dtype=torch.long)
    rows, columns = np.indices((size, size))
    disc = torch.from_numpy(np.hypot(rows - 32, columns - 20) < 7)
    mask[0][disc] = 1
    mask[0, 20:28, 40:48] = 2
    _, labels = Augmentation(1).warp(picture.expand(n, -1, -1, -1), mask.expand(n, -1, -1))
    seen = [one for one in labels if (one == 1).any() and (one == 2).any()]
    assert len(seen) > 0.8 * n
    sizes = torch.tensor([(one == 1).sum() for one in seen]) / disc.sum()
    assert sizes.min() < 0.75 < 1.35 < sizes.max()  # the zoom of a length is from 0.72 to 1.35
    sides = torch.stack([middle(one == 2) - middle(one == 1) for one in seen])
    assert 0.3 < (sides[:, 1] > 0).float().mean() < 0.7  # mirrored half of the time
    assert (sides[:, 0] < 0).float().mean() > 0.9  # never upside down
    assert torch.stack([middle(one == 1) for one in seen]).std(dim=0).min() > 2


def test_a_warp_makes_no_new_classes_and_keeps_kind_and_shape():
    pictures, masks = batch()
    masks[:, :4] = 2
    moved, labels = Augmentation(2).warp(pictures, masks)
    assert (moved.shape, moved.dtype) == (pictures.shape, pictures.dtype)
    assert (labels.shape, labels.dtype) == (masks.shape, masks.dtype)
    assert set(labels.unique().tolist()) <= {0, 1, 2}
    assert 0 <= moved.min() <= moved.max() <= pictures.max() + 1e-6


def test_what_comes_from_beyond_the_picture_is_black_and_nothing():
    ones = torch.ones(32, 1, 32, 32)
    moved, labels = Augmentation(3).warp(ones, torch.ones(32, 32, 32, dtype=torch.long))
    outside = moved[:, 0] == 0
    assert outside.any()
    assert not labels[outside].any()


def test_brightness_stays_in_range_and_black_stays_black():
    pictures = torch.rand(16, 1, 64, 64)
    pictures[..., 50:, :] = 0
    varied = Augmentation(3).brightness(pictures)
    assert varied.min() >= 0
    assert varied.max() <= 1
    assert not varied[..., 50:, :].any()
    assert varied.shape == pictures.shape
    assert torch.isfinite(varied).all()


def test_brightness_changes_gain_and_texture_but_not_what_is_where():
    pictures, masks = batch(64)
    varied = Augmentation(5).brightness(pictures)
    inside = torch.stack([one[0][mask == 1].mean() for one, mask in zip(varied, masks, strict=True)])
    outside = torch.stack([one[0][mask == 0].mean() for one, mask in zip(varied, masks, strict=True)])
    assert (inside > outside).float().mean() > 0.95
    assert outside.std() > 0.02
    assert not torch.equal(varied[0], varied[1])


def test_one_seed_gives_one_result_and_another_another():
    pictures, masks = batch()
    first, same, other = (Augmentation(seed)(pictures, masks) for seed in (7, 7, 8))
    assert torch.equal(first[0], same[0])
    assert torch.equal(first[1], same[1])
    assert not torch.equal(first[0], other[0])


def test_every_call_gives_a_new_variant_and_leaves_what_came():
    pictures, masks = batch()
    kept = pictures.clone(), masks.clone()
    vary = Augmentation(7)
    assert not torch.equal(vary(pictures, masks)[0], vary(pictures, masks)[0])
    assert torch.equal(pictures, kept[0])
    assert torch.equal(masks, kept[1])


def test_all_of_it_is_the_warp_and_then_the_brightness():
    pictures, masks = batch()
    vary = Augmentation(9)
    moved, labels = vary.warp(pictures, masks)
    expected = vary.brightness(moved)
    varied, same_labels = Augmentation(9)(pictures, masks)
    assert torch.equal(varied, expected)
    assert torch.equal(labels, same_labels)
