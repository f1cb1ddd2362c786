"""The file that is exported says what the network says."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fitting needs torch (the extra 'fit')")
onnx = pytest.importorskip("onnx", reason="export needs onnx (the extra 'fit')")
pytest.importorskip("onnxscript", reason="export needs onnxscript (the extra 'fit')")

from insonate.analysis.fitting.export import SMALL, _fold_normalization, export, export_scores  # noqa: E402
from insonate.analysis.fitting.gate import feature_space  # noqa: E402
from insonate.analysis.models.unet import UNet  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

HALF_PRECISION = 5e-3
"""Weights are stored with 11 bits, and a score is the sum of some thousand products."""


def seasoned():
    """A network whose normalizations have seen something: means, variances, gains and offsets of their own."""
    torch.manual_seed(0)
    network = UNet(channels=(8, 12, 16)).eval()
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.2)
            part.running_var.uniform_(0.5, 2)
            part.weight.data.uniform_(0.5, 1.5)
            part.bias.data.normal_(0, 0.2)
    return network


def ask(network, pictures):
    with torch.inference_mode():
        return network(torch.from_numpy(pictures)[:, None])


PICTURES = np.random.default_rng(0).uniform(size=(20, 64, 64)).astype(np.float32)


def test_folding_the_normalization_changes_nothing_that_is_said():
    network = seasoned()
    before = ask(network, PICTURES[:3])
    _fold_normalization(network)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in network.modules())
    for one, other in zip(before, ask(network, PICTURES[:3]), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


@pytest.fixture(scope="module", name="exported")
def _exported(tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "network.onnx"
    network = seasoned()
    answer = ask(network, PICTURES)
    space = feature_space(answer.features.numpy(), k=8)
    export(network, space, path, size=64)
    return path, answer, space


def test_the_file_says_what_the_network_says(exported):
    onnxruntime = pytest.importorskip("onnxruntime")
    path, answer, space = exported
    session = onnxruntime.InferenceSession(str(path))
    for n in (1, 3):  # the size of a batch is free
        scores, odds, distance = session.run(None, {"picture": PICTURES[:n, None]})
        np.testing.assert_allclose(scores, answer.scores[:n], atol=HALF_PRECISION)
        np.testing.assert_allclose(odds, answer.familiarity[:n], atol=HALF_PRECISION)
        np.testing.assert_allclose(distance, space.distance(answer.features[:n].numpy()), rtol=0.1)


def test_the_file_is_whole_and_names_what_it_takes_and_gives(exported):
    model = onnx.load(str(exported[0]))
    onnx.checker.check_model(model, full_check=True)
    assert [one.name for one in model.graph.input] == ["picture"]
    assert [one.name for one in model.graph.output] == ["scores", "odds", "distance"]
    assert model.opset_import[0].version == 18


def test_large_weights_are_stored_in_half_precision_and_small_ones_are_not(exported):
    model = onnx.load(str(exported[0]))
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype == np.float32:
            assert values.size < SMALL
        if values.dtype == np.float16:
            assert values.size >= SMALL
    stored = sum(
        onnx.numpy_helper.to_array(one).nbytes
        for one in model.graph.initializer
        if onnx.numpy_helper.to_array(one).dtype == np.float16
    )
    assert stored > 0.8 * 2 * sum(one.numel() for one in seasoned().parameters() if one.ndim > 1)


def test_the_file_tells_nothing_of_the_machine_it_was_made_on(exported):
    model = onnx.load(str(exported[0]))
    assert not any(node.doc_string or node.metadata_props for node in model.graph.node)
    content = exported[0].read_bytes()
    assert b"site-packages" not in content
    assert b".py" not in content


def test_the_scores_alone_are_those_of_the_network(tmp_path):
    import onnxruntime

    network = seasoned()
    said = ask(network, PICTURES[:2]).scores.numpy()
    export_scores(network, tmp_path / "scores.onnx", size=64)
    session = onnxruntime.InferenceSession(tmp_path / "scores.onnx", providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"picture": PICTURES[:2, None]})
    np.testing.assert_allclose(found, said, atol=HALF_PRECISION * np.abs(said).max())
