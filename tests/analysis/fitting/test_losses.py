"""Soft Dice and the loss against closed forms."""

import math

import pytest

torch = pytest.importorskip("torch", reason="fitting needs torch (the extra 'fit')")

from insonate.analysis.fitting.losses import dice_and_cross_entropy, soft_dice  # noqa: E402

SURE = 50.0
"""A score so high that its softmax is one in single precision."""


def thirds():
    """(1, 64, 64): class 1 on the left half, class 2 on the last quarter of rows."""
    truth = torch.zeros(1, 64, 64, dtype=torch.long)
    truth[:, :32] = 1
    truth[:, 48:] = 2
    return truth


def certain(truth, n_classes=3):
    return SURE * torch.nn.functional.one_hot(truth, n_classes).permute(0, 3, 1, 2).float()


def test_dice_is_one_where_all_is_right():
    assert torch.allclose(soft_dice(certain(thirds()), thirds()), torch.ones(2))
    assert dice_and_cross_entropy(certain(thirds()), thirds()) < 1e-6


def test_dice_of_knowing_nothing_in_numbers():
    truth = thirds()
    n, e = truth.numel(), 100.0
    for k, dice in zip((1, 2), soft_dice(torch.zeros(1, 3, 64, 64), truth), strict=True):
        true = int((truth == k).sum())
        assert float(dice) == pytest.approx((2 * true / 3 + e) / (n / 3 + true + e), rel=1e-5)


def test_the_loss_of_knowing_nothing_in_numbers():
    truth, scores = thirds(), torch.zeros(1, 3, 64, 64)
    expected = math.log(3) + 1 - float(soft_dice(scores, truth).mean())
    assert float(dice_and_cross_entropy(scores, truth)) == pytest.approx(expected, rel=1e-5)


def test_dice_of_a_half_overlap_in_numbers():
    truth = torch.zeros(1, 40, 40, dtype=torch.long)
    truth[:, :20] = 1
    said = torch.zeros_like(truth)
    said[:, 10:30] = 1
    dice = soft_dice(certain(said, 2), truth, smooth=0.0)
    assert dice.shape == (1,)
    assert float(dice) == pytest.approx(0.5, rel=1e-5)
    with_smooth = (2 * 400 + 60) / (1600 + 60)
    assert float(soft_dice(certain(said, 2), truth, smooth=60.0)) == pytest.approx(with_smooth, rel=1e-5)


def test_a_class_that_is_neither_there_nor_said_counts_as_right():
    nothing = torch.zeros(1, 32, 32, dtype=torch.long)
    assert torch.allclose(soft_dice(certain(nothing), nothing), torch.ones(2))


def test_dice_is_of_the_batch_as_a_whole():
    """A picture without the class does not get a Dice of its own."""
    truth = torch.stack([torch.ones(16, 16, dtype=torch.long), torch.zeros(16, 16, dtype=torch.long)])
    said = torch.zeros_like(truth)
    said[0, :8] = 1
    assert float(soft_dice(certain(said, 2), truth, smooth=0.0)) == pytest.approx(
        2 * 128 / (128 + 256), rel=1e-5
    )


def test_the_way_down_leads_to_the_truth():
    truth = thirds()
    scores = torch.zeros(1, 3, 64, 64, requires_grad=True)
    dice_and_cross_entropy(scores, truth).backward()
    assert torch.equal((-scores.grad).argmax(dim=1), truth)


def test_emphasis_decides_whose_dice_counts():
    generator = torch.Generator().manual_seed(3)
    scores = torch.randn(2, 3, 8, 8, generator=generator)
    truth = torch.randint(0, 3, (2, 8, 8), generator=generator)
    first, second = soft_dice(scores, truth)
    plain = torch.nn.functional.cross_entropy(scores, truth)
    found = dice_and_cross_entropy(scores, truth, (3.0, 1.0))
    torch.testing.assert_close(found, plain + 1 - (3 * first + second) / 4)
    even = dice_and_cross_entropy(scores, truth)
    torch.testing.assert_close(dice_and_cross_entropy(scores, truth, (2.0, 2.0)), even)
