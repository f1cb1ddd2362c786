"""Deviations add as squares; margins follow from them and from the least margin of each tissue."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from insonate.core import Sourced, Tissue
from insonate.guidance.uncertainty import Uncertainty, contact_probability, interval, uncertainty
from tolerances import RTOL_FLOAT64

LENGTHS = st.floats(1e-5, 0.05)
TWO_SIGMA = 2 * math.sqrt(0.5**2 + 1.0**2 + 0.3**2) * 1e-3
"""Of the deviations that the file states [m]."""


def number(value):
    return Sourced(value=value, source="test", evidence="D")


def stated(tip=3e-3, boundary=4e-3, calibration=12e-3, **least):
    return Uncertainty(
        tip=number(tip),
        boundary=number(boundary),
        calibration=number(calibration),
        least={Tissue[name.upper()]: number(value) for name, value in least.items()},
    )


def test_deviations_add_as_squares():
    assert stated().sigma == pytest.approx(13e-3, rel=RTOL_FLOAT64)


@given(LENGTHS, LENGTHS, LENGTHS)
def test_no_cause_makes_it_smaller(tip, boundary, calibration):
    sigma = stated(tip, boundary, calibration).sigma
    assert max(tip, boundary, calibration) <= sigma <= tip + boundary + calibration


def test_a_margin_is_two_sigma_and_says_of_what():
    margin = stated(vein=1e-3).margin(Tissue.VEIN)
    assert margin.value == pytest.approx(26e-3, rel=RTOL_FLOAT64)
    assert margin.evidence == "D"
    assert margin.source == (
        "two sigma of tip 3 mm, boundary 4 mm, calibration 12 mm, as assumed in guidance/uncertainty.toml; "
        "no source gives a distance"
    )


def test_a_margin_is_never_under_the_least_of_its_tissue_and_says_so():
    margin = stated(artery=30e-3, vein=1e-3).margin(Tissue.ARTERY)
    assert margin.value == 30e-3
    assert margin.source == (
        "design minimum of artery; two sigma of tip 3 mm, boundary 4 mm, calibration 12 mm would be 26 mm, as assumed in "
        "guidance/uncertainty.toml; no source gives a distance"
    )


@pytest.mark.parametrize(("artery", "vein"), [(30e-3, 40e-3), (40e-3, 30e-3)])
def test_a_vessel_of_unknown_kind_has_the_largest_of_all_vessels(artery, vein):
    assert stated(artery=artery, vein=vein, nerve=50e-3).margin(Tissue.VESSEL).value == 40e-3


def test_a_tissue_without_a_least_margin_has_two_sigma():
    assert stated(artery=30e-3).margin(Tissue.NERVE).value == pytest.approx(26e-3, rel=RTOL_FLOAT64)


@pytest.mark.parametrize(
    ("tissue", "margin"),
    [
        (Tissue.ARTERY, 3e-3),
        (Tissue.PLEURA, 3e-3),
        (Tissue.VESSEL, 3e-3),
        (Tissue.VEIN, TWO_SIGMA),  # the least, 2 mm, is less
        (Tissue.NERVE, TWO_SIGMA),  # the least, 1 mm, is less
        (Tissue.BONE, TWO_SIGMA),
    ],
)
def test_margins_of_the_file_in_numbers(tissue, margin):
    assert uncertainty().margin(tissue).value == pytest.approx(margin, rel=RTOL_FLOAT64)


def test_every_number_of_the_file_is_an_assumption_with_its_reason():
    found = uncertainty()
    numbers = [found.tip, found.boundary, found.calibration, *found.least.values()]
    assert [one.value for one in numbers[:3]] == pytest.approx([5e-4, 1e-3, 3e-4], rel=RTOL_FLOAT64)
    assert {one.evidence for one in numbers} == {"D"}
    assert {tissue: one.value for tissue, one in found.least.items()} == pytest.approx(
        {Tissue.ARTERY: 3e-3, Tissue.PLEURA: 3e-3, Tissue.VEIN: 2e-3, Tissue.NERVE: 1e-3}, rel=RTOL_FLOAT64
    )


@given(st.floats(0, 0.05), st.floats(1e-4, 0.01))
def test_chance_of_contact_is_the_tail_of_a_normal_distribution(distance, sigma):
    assert contact_probability(distance, sigma) == pytest.approx(
        norm.sf(distance / sigma), rel=RTOL_FLOAT64, abs=1e-300
    )


def test_on_the_boundary_the_chance_is_even():
    assert contact_probability(0.0, 1e-3) == 0.5


@given(st.floats(0, 0.05), st.floats(1e-4, 0.01))
def test_the_interval_holds_95_percent_and_no_negative_distance(distance, sigma):
    low, high = interval(distance, sigma)
    assert norm.cdf((high - distance) / sigma) == pytest.approx(0.975, rel=1e-6)
    assert low == pytest.approx(max(2 * distance - high, 0.0), abs=1e-12)
    assert 0 <= low <= distance < high
