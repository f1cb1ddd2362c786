"""Real pictures that show no nerve block are not labeled with confidence, the whole way from the file."""

import numpy as np
import pytest

from conftest import shared_data
from insonate.pipeline.chain import as_image, label
from insonate.pipeline.reading import open as read

MOST = 0.01
"""Share of pixels that may be labeled at the threshold of the card."""


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("brachial-plexus-dicom", "DICOM_12-08_202101_20210100.dcm"),  # a probe in air
        ("plus-rf", "UltrasonixLinearRfData.igs.mha"),
        ("plus-rf", "UltrasonixLinearScanConvertedData.igs.mha"),
        ("itkpocus", "clarius_axial-lateral-resolution-2020.png"),  # a phantom of wires
        ("itkpocus", "clarius-ocular-short.mp4"),
    ],
)
def test_air_and_phantoms_are_left_alone(name, file):
    for part in read(shared_data(name) / file):
        for frame in sorted({0, part.n_frames // 2, part.n_frames - 1}):
            found = label(as_image(part, only_frame=frame)).segmentation
            assert ((found.labels > 0) & found.known()).mean() <= MOST


@pytest.mark.data
def test_a_nerve_block_is_labeled_so_that_the_test_above_can_fail():
    shares = []
    for path in sorted((shared_data("usgra-seg") / "images").glob("*.png"))[::40]:
        (image,) = read(path)
        found = label(image).segmentation
        shares.append(((found.labels > 0) & found.known()).mean())
    assert np.median(shares) > 2 * MOST
