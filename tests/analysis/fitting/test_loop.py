"""One short fit learns, is the same again, and a network is asked straight and mirrored."""

from collections import Counter

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fitting needs torch (the extra 'fit')")

from analysis.fitting.pictures import discs  # noqa: E402
from insonate.analysis.fitting import loop  # noqa: E402
from insonate.analysis.fitting.loop import Settings, _queue, ask, evened, fit  # noqa: E402
from insonate.analysis.models.canvas import even  # noqa: E402
from insonate.analysis.models.unet import Answer, UNet  # noqa: E402

NOTHING = np.zeros((4, 32, 32), np.float32)


def test_a_short_fit_learns_a_disc(monkeypatch):
    monkeypatch.setattr(loop, "TOLD_EVERY", 1)
    pictures, masks = discs(16)
    told = []
    network = fit(pictures, masks, NOTHING, Settings(n_steps=60), lambda *at: told.append(at))
    assert [step for step, _ in told] == list(range(60))
    losses = [loss for _, loss in told]
    assert np.mean(losses[-5:]) < 0.5 * losses[0]
    assert not network.training
    unseen, truth = discs(4, seed=1)
    scores, features, familiarity = ask(network, unseen)
    labeled = scores.argmax(axis=1) == 1
    assert 2 * (labeled & (truth == 1)).sum() / (labeled.sum() + (truth == 1).sum()) > 0.6
    assert features.shape == (4, 192)
    assert familiarity.shape == (4,)
    assert familiarity.mean() > ask(network, NOTHING)[2].mean()  # pictures with a disc are its kind


def test_one_seed_gives_one_network_and_another_another():
    pictures, masks = discs(8)
    settings = Settings(n_steps=3, n_positive=2)
    first, same = (fit(pictures, masks, NOTHING, settings).state_dict() for _ in range(2))
    other = fit(pictures, masks, NOTHING, Settings(n_steps=3, n_positive=2, seed=1)).state_dict()
    for name, weight in first.items():
        torch.testing.assert_close(weight, same[name], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(first["head.weight"], other["head.weight"])


def test_a_picture_comes_again_only_when_all_have_been():
    take = _queue(5, np.random.default_rng(0))
    taken = np.concatenate([take(3) for _ in range(10)])
    for start in range(0, 30, 5):
        assert sorted(taken[start : start + 5]) == list(range(5))
    assert len({tuple(taken[start : start + 5]) for start in range(0, 30, 5)}) > 1  # in a new order


def test_a_batch_may_be_larger_than_the_pictures():
    taken = _queue(3, np.random.default_rng(0))(8)
    assert len(taken) == 8
    assert max(Counter(taken.tolist()).values()) <= 3


class Told(torch.nn.Module):
    """Says of a picture what it is: its brightness as a score, that of its left half as feature and familiarity."""

    def forward(self, picture):
        left = picture[:, 0, :, : picture.shape[3] // 2].mean(dim=(1, 2))
        return Answer(picture.expand(-1, 3, -1, -1), left[:, None], left)


def test_a_network_is_asked_straight_and_mirrored_and_the_mean_is_told():
    pictures = np.random.default_rng(0).random((5, 8, 8)).astype(np.float32)
    scores, features, familiarity = ask(Told(), pictures, batch=2)
    for k in range(3):
        np.testing.assert_allclose(scores[:, k], pictures, rtol=1e-6)  # mirrored back onto itself
    np.testing.assert_allclose(familiarity, pictures.mean(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(features[:, 0], familiarity, rtol=1e-6)


def test_asking_does_not_change_the_network():
    network = UNet().train()
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    ask(network, discs(3)[0])
    assert not network.training
    assert all(torch.equal(weight, before[name]) for name, weight in network.state_dict().items())


def test_the_size_of_a_batch_does_not_matter():
    network, pictures = UNet().eval(), discs(5)[0]
    for one, other in zip(ask(network, pictures, batch=2), ask(network, pictures, batch=5), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def test_a_fit_begins_from_given_weights_and_leaves_a_head_of_other_classes_out():
    pictures, masks = discs(8)
    first = fit(pictures, masks, NOTHING, Settings(n_steps=2, n_positive=2)).state_dict()
    told = []
    settings = Settings(
        n_steps=1, n_positive=2, n_negative=0, familiarity=0, n_classes=5, rate=1e-9, half=False
    )
    none = np.zeros((0, 32, 32), np.float32)
    second = fit(pictures, masks, none, settings, start=first, keep=lambda *at: told.append(at))
    assert second.state_dict()["head.weight"].shape[0] == 5
    name = "encoder.1.first.0.weight"
    torch.testing.assert_close(second.state_dict()[name], first[name], rtol=1e-4, atol=1e-5)
    assert [step for step, _ in told] == [0]


def test_canvases_are_made_even_while_fitting_as_they_are_in_use():
    canvases = np.random.default_rng(2).random((3, 40, 40)).astype(np.float32) ** 2
    canvases[1, 20:], canvases[2] = 0, 0
    done = evened(torch.from_numpy(canvases)[:, None])[:, 0].numpy()
    for one, of in zip(done, canvases, strict=True):
        np.testing.assert_allclose(one, even(of), atol=1e-6)


def test_a_network_that_reads_even_canvases_is_asked_with_them():
    pictures = np.random.default_rng(3).random((2, 16, 16)).astype(np.float32)
    scores, _, _ = ask(Told(), pictures, even=True)
    for said, of in zip(scores, pictures, strict=True):
        np.testing.assert_allclose(said[0], even(of), atol=1e-6)


@pytest.mark.parametrize("even", [True, False])
def test_a_fit_on_even_canvases_makes_every_batch_even(monkeypatch, even):
    made = []
    whole = loop.evened
    monkeypatch.setattr(loop, "evened", lambda pictures: made.append(len(pictures)) or whole(pictures))
    pictures, masks = discs(4)
    fit(pictures, masks, NOTHING, Settings(n_steps=2, n_positive=2, even=even))
    assert made == ([3, 3] if even else [])
