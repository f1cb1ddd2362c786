"""The network's shapes, its depth channel, its residual stages, in random weights."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fitting needs torch (the extra 'fit')")

from insonate.analysis.models.unet import Residual, UNet  # noqa: E402
from tolerances import RTOL_FLOAT32  # noqa: E402

SMALL = (4, 6, 8)
"""Channels of a network that answers at once."""


def small(**more):
    torch.manual_seed(0)
    return UNet(**{"channels": SMALL} | more).eval()


def ask(network, picture):
    with torch.no_grad():
        return network(picture)


def test_the_shipped_size_answers_at_full_resolution_with_at_most_two_million_numbers():
    network = UNet().eval()
    answer = ask(network, torch.rand(2, 1, 64, 96))
    assert answer.scores.shape == (2, 3, 64, 96)
    assert answer.features.shape == (2, 192)
    assert answer.familiarity.shape == (2,)
    assert sum(one.numel() for one in network.parameters()) <= 2_000_000


@pytest.mark.parametrize(("height", "width", "n_classes"), [(32, 32, 3), (64, 32, 2), (32, 96, 5)])
def test_scores_are_given_for_every_pixel_and_class(height, width, n_classes):
    answer = ask(small(n_classes=n_classes), torch.rand(1, 1, height, width))
    assert answer.scores.shape == (1, n_classes, height, width)
    assert answer.features.shape == (1, SMALL[-1])


def test_pictures_of_a_batch_do_not_see_each_other():
    network, pictures = small(), torch.rand(3, 1, 32, 32)
    together = ask(network, pictures)
    for index in range(3):
        alone = ask(network, pictures[index : index + 1])
        for one, all_of_them in zip(alone, together, strict=True):
            torch.testing.assert_close(one[0], all_of_them[index], rtol=RTOL_FLOAT32, atol=1e-5)


def test_depth_is_seen_and_side_is_not_told():
    """On a flat picture the answer changes from top to bottom, and from side to side only at the borders."""
    scores = ask(small(), torch.full((1, 1, 128, 256), 0.5)).scores[0]
    inner = scores[:, :, 96:160]
    np.testing.assert_allclose(inner, inner[:, :, :1].expand_as(inner), atol=1e-5)
    column = scores[:, 32:96, 128]
    assert (column.max(dim=1).values - column.min(dim=1).values).min() > 1e-3


def test_depth_goes_from_zero_at_the_top_to_one_at_the_bottom():
    seen = []
    network = small()
    network.encoder[0].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    picture = torch.rand(2, 1, 32, 64)
    ask(network, picture)
    (given,) = seen
    assert given.shape == (2, 5, 16, 32)  # four pixels folded, and the depth
    depth = np.broadcast_to(np.linspace(0, 1, 16)[:, None], (16, 32))
    for one in given[:, 4]:
        np.testing.assert_allclose(one, depth, rtol=RTOL_FLOAT32, atol=1e-7)
    for k, (row, column) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        np.testing.assert_array_equal(given[:, k], picture[:, 0, row::2, column::2])


@pytest.mark.parametrize("n_out", [5, 7])
def test_a_residual_stage_is_its_formula(n_out):
    torch.manual_seed(1)
    stage = Residual(5, n_out).eval()
    x = torch.randn(2, 5, 8, 8)
    functional = torch.nn.functional

    def norm_of_conv(pair, of, padding):
        convolved = functional.conv2d(of, pair[0].weight, padding=padding)
        return pair[1](convolved)

    with torch.no_grad():
        hidden = functional.relu(norm_of_conv(stage.first, x, 1))
        straight = x if n_out == 5 else norm_of_conv(stage.straight, x, 0)
        expected = functional.relu(straight + norm_of_conv(stage.second, hidden, 1))
        torch.testing.assert_close(stage(x.clone()), expected)


def test_features_are_the_mean_of_the_deepest_stage_and_familiarity_is_a_line_in_them():
    network, seen = small(), []
    network.encoder[-1].register_forward_hook(lambda _module, _given, made: seen.append(made.clone()))
    answer = ask(network, torch.rand(2, 1, 32, 32))
    torch.testing.assert_close(answer.features, seen[0].mean(dim=(2, 3)))
    line = answer.features @ network.familiar.weight[0] + network.familiar.bias
    torch.testing.assert_close(answer.familiarity, line.detach())


def test_every_weight_takes_part():
    """A branch that nothing leads through would never be fitted."""
    network = UNet(channels=SMALL, dropout=0.0).train()
    answer = network(torch.rand(2, 1, 32, 32))
    (answer.scores.square().sum() + answer.familiarity.square().sum()).backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().sum() > 0, name


def test_dropout_acts_only_while_fitting():
    network, picture = UNet(channels=(4, 6, 64), dropout=0.5).eval(), torch.rand(1, 1, 32, 32)
    quiet = ask(network, picture).scores
    assert torch.equal(quiet, ask(network, picture).scores)
    network.drop.train()
    torch.manual_seed(0)
    assert not torch.equal(quiet, ask(network, picture).scores)
