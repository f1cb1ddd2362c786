"""What needs torch: the network, the loss, the variants, one short fit, the file that is exported."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fitting needs torch (the extra 'fit')")

from insonate.analysis.fitting.augmentation import Augmentation  # noqa: E402
from insonate.analysis.fitting.gate import feature_space  # noqa: E402
from insonate.analysis.fitting.loop import Settings, ask, fit  # noqa: E402
from insonate.analysis.fitting.losses import dice_and_cross_entropy, soft_dice  # noqa: E402
from insonate.analysis.models.unet import UNet  # noqa: E402


def scenes(n, size=32, seed=0):
    """Dark grounds with a bright disc, class 1, and a half bright box, class 2."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((size, size))
    pictures = np.full((n, size, size), 0.1, np.float32)
    masks = np.zeros((n, size, size), np.uint8)
    for picture, mask in zip(pictures, masks, strict=True):
        row, column = rng.integers(8, size - 8, 2)
        inside = np.hypot(rows - row, columns - column) < 6
        picture[inside], mask[inside] = 0.9, 1
    return pictures, masks


def test_network_of_random_weights_answers_at_full_resolution():
    network = UNet().eval()
    with torch.inference_mode():
        answer = network(torch.rand(2, 1, 64, 96))
    assert answer.scores.shape == (2, 3, 64, 96)
    assert answer.features.shape == (2, 192) and answer.familiarity.shape == (2,)
    assert sum(one.numel() for one in network.parameters()) <= 2_000_000


def test_soft_dice_is_one_where_right_and_near_zero_where_wrong():
    truth = torch.zeros(1, 64, 64, dtype=torch.long)
    truth[:, :32] = 1
    truth[:, 48:] = 2
    scores = 50.0 * torch.nn.functional.one_hot(truth, 3).permute(0, 3, 1, 2).float()
    assert torch.allclose(soft_dice(scores, truth), torch.ones(2))
    assert soft_dice(scores.flip(2), truth).max() < 0.1
    assert dice_and_cross_entropy(scores, truth) < 1e-6 < dice_and_cross_entropy(scores.flip(2), truth)


def test_variants_keep_mask_and_picture_together():
    pictures, masks = scenes(8, size=64)
    moved, labels = Augmentation(0).warp(torch.from_numpy(pictures)[:, None], torch.from_numpy(masks).long())
    bright = moved[:, 0] > 0.5
    agree = ((labels == 1) & bright).sum() / ((labels == 1) | bright).sum()
    assert agree > 0.9
    assert not torch.equal(labels, torch.from_numpy(masks).long())


def test_variants_stay_in_range_keep_black_and_are_the_same_again():
    pictures = torch.rand(4, 1, 64, 64)
    pictures[..., 50:, :] = 0
    varied = Augmentation(3).brightness(pictures)
    assert varied.min() >= 0 and varied.max() <= 1 and not varied[..., 50:, :].any()
    assert torch.equal(varied, Augmentation(3).brightness(pictures))
    assert not torch.equal(varied, Augmentation(4).brightness(pictures))


def test_a_short_fit_learns_a_disc_and_gives_the_same_again():
    pictures, masks = scenes(16)
    negatives = np.zeros((4, 32, 32), np.float32)
    settings = Settings(n_steps=60)
    losses = []
    network = fit(pictures, masks, negatives, settings, lambda _, loss: losses.append(loss))
    assert np.mean(losses[-5:]) < 0.5 * losses[0]
    scores, features, familiarity = ask(network, *[scenes(4, seed=1)[0]])
    truth = scenes(4, seed=1)[1]
    labeled = scores.argmax(axis=1) == 1
    assert 2 * (labeled & (truth == 1)).sum() / (labeled.sum() + (truth == 1).sum()) > 0.6
    assert features.shape == (4, 192) and familiarity.shape == (4,)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_exported_file_says_what_the_network_says(tmp_path):
    pytest.importorskip("onnx", reason="export needs onnx (the extra 'fit')")
    pytest.importorskip("onnxscript", reason="export needs onnxscript (the extra 'fit')")
    onnxruntime = pytest.importorskip("onnxruntime")
    from insonate.analysis.fitting.export import export

    network = UNet().eval()
    pictures = np.random.default_rng(0).uniform(size=(20, 64, 64)).astype(np.float32)
    with torch.inference_mode():
        answer = network(torch.from_numpy(pictures)[:, None])
    space = feature_space(answer.features.numpy(), k=8)
    export(network, space, tmp_path / "n.onnx", size=64)
    scores, odds, distance = onnxruntime.InferenceSession(str(tmp_path / "n.onnx")).run(
        None, {"picture": pictures[:3, None]}
    )
    half_precision = 5e-3  # weights are stored with 11 bits
    np.testing.assert_allclose(scores, answer.scores[:3], atol=half_precision)
    np.testing.assert_allclose(odds, answer.familiarity[:3], atol=half_precision)
    np.testing.assert_allclose(distance, space.distance(answer.features[:3].numpy()), rtol=0.1)
