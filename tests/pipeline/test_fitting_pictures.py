"""Pictures for fitting: as many as asked, the same again, and their tissues are those of the answer key."""

import numpy as np
import pytest

from insonate.core import RangeError, Tissue
from insonate.pipeline import fitting_pictures
from insonate.pipeline.fitting_pictures import TISSUES, labeled_pictures, main, make
from insonate.simulation.answer import replay
from insonate.simulation.course import Course, Settings
from refusals import refused
from simulation.analytic_body import AnalyticBody

BODY = AnalyticBody()
SAME = 0.97
"""Share of pixels whose tissue must be that of the answer key; borders fall between other pixels."""


@pytest.fixture(scope="module")
def pictures():
    return list(labeled_pictures(BODY, 11, 4))


def test_as_many_as_asked_each_with_its_own_view_and_preset(pictures):
    assert len(pictures) == 4
    assert len({one.picture.shape for one in pictures}) > 1
    for one in pictures:
        assert one.picture.dtype == one.tissues.dtype == np.uint8
        assert one.picture.shape == one.tissues.shape
        assert one.tissues.max() <= len(TISSUES)
        assert one.picture.std() > 5
        wide = one.step * one.picture.shape[1]
        assert wide == pytest.approx(38.1e-3, abs=0.3e-3)


def test_blood_is_darker_than_what_lies_around_it(pictures):
    vessels = [TISSUES.index(tissue) + 1 for tissue in (Tissue.ARTERY, Tissue.VEIN)]
    darker = []
    for one in pictures:
        inside = np.isin(one.tissues, vessels)
        if inside.sum() > 500:
            rows = slice(*(np.flatnonzero(inside.any(axis=1))[[0, -1]]))
            darker.append(one.picture[inside].mean() < one.picture[rows][~inside[rows]].mean())
    assert darker and all(darker)


def test_the_same_seed_gives_the_same_pictures_and_another_others(pictures):
    again = next(labeled_pictures(BODY, 11, 1))
    np.testing.assert_array_equal(again.picture, pictures[0].picture)
    np.testing.assert_array_equal(again.tissues, pictures[0].tissues)
    other = next(labeled_pictures(BODY, 12, 1))
    assert other.picture.shape != again.picture.shape or (other.picture != again.picture).any()


def test_the_tissues_are_those_of_the_answer_key():
    course = Course(5, BODY)
    course.advance()
    drawer = fitting_pictures._Drawer(np.random.default_rng(0))
    one = fitting_pictures._Scanner(5).picture(course, drawer.preset())
    truth = next(iter(replay(5, Settings(), [], 0.05, body=BODY)))
    table = np.array([0, *(TISSUES.index(s.tissue) + 1 for s in truth.structures)])
    rows = np.round((1e-3 + one.step * np.arange(one.tissues.shape[0]) - truth.grid.axial[0]) / 2e-4).astype(
        int
    )
    lateral = one.step * (np.arange(one.tissues.shape[1]) - (one.tissues.shape[1] - 1) / 2)
    columns = np.round((lateral - truth.grid.lateral[0]) / 2e-4).astype(int)
    inside = (columns >= 0) & (columns < truth.labels.shape[1])
    known = table[truth.labels[np.ix_(rows, columns[inside])]]
    assert (known == one.tissues[:, inside]).mean() > SAME


def test_no_pictures_is_refused():
    with refused(RangeError, "count must lie in 1..100000 pictures, got 0"):
        list(labeled_pictures(BODY, 1, 0))


def test_a_file_holds_what_was_made_and_is_not_made_again(tmp_path, monkeypatch):
    made = []

    def compiled(individual, window, **_):
        made.append(window.name)

    monkeypatch.setattr(fitting_pictures, "compile_volumes", compiled)
    monkeypatch.setattr(fitting_pictures, "CompiledBody", lambda individual, volumes: BODY)
    path = make("femoral_crease", 3, 2, tmp_path)
    with np.load(path, allow_pickle=False) as file:
        assert len(file["step"]) == 2
        assert list(file["tissue_names"]) == [tissue.value for tissue in TISSUES]
        np.testing.assert_array_equal(file["picture:0"], next(labeled_pictures(BODY, 3, 1)).picture)
    make("femoral_crease", 3, 2, tmp_path)
    assert len(made) == 1
    main(
        [
            "--region",
            "femoral_crease",
            "--first",
            "3",
            "--individuals",
            "2",
            "--each",
            "1",
            "--out",
            str(tmp_path),
        ]
    )
    assert sorted(one.name for one in tmp_path.glob("*.npz")) == [
        "femoral_crease-3.npz",
        "femoral_crease-4.npz",
    ]
