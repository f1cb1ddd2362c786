import numpy as np
import pytest

from insonate.core import CoordinateFrame, NeedleState
from insonate.simulation.instrument.tracker import MOST_WAITING, Tracker

TICK = 0.05
TIP, HEADING = np.array([0.01, 0.0, 0.02]), np.array([0.6, 0.0, 0.8])


def watched(seed, ticks=400, step=0.005):
    """Read every 50 ms and listen every 5 ms: (arrival, pose) of each reading."""
    tracker, out = Tracker(seed), []
    per = round(TICK / step)
    for number in range(ticks * per):
        if number % per == 0:
            tracker.watch(number // per, number * step, TIP, HEADING)
        out += [(number * step, pose) for pose in tracker.arrived(number * step)]
    return out


def test_latency_lies_where_the_settings_say_and_differs_by_seed():
    means = []
    for seed in range(40):
        late = np.array([arrival - pose.time for arrival, pose in watched(seed, 60)])
        assert late.min() > 0.03 - 5 * 0.004
        means.append(late.mean() - 0.0025)  # listened to every 5 ms
    assert 0.028 < min(means) < 0.045 and 0.065 < max(means) < 0.085


def test_drop_out_happens_as_often_and_lasts_as_long_as_set():
    states = np.concatenate(
        [[pose.state is NeedleState.LOST for _, pose in watched(seed, 600)] for seed in range(12)]
    )
    starts = (states[1:] & ~states[:-1]).sum() / (~states[:-1]).sum()
    ends = (~states[1:] & states[:-1]).sum() / states[:-1].sum()
    assert starts == pytest.approx(0.02, rel=0.3)  # 7200 readings, 140 losses: 8 percent, three deviations
    assert 1 / ends == pytest.approx(3.0, rel=0.3)


def test_noise_and_calibration_are_as_set_and_the_covariance_holds_both():
    offsets, spread = [], []
    for seed in range(60):
        tips = np.array([pose.tip for _, pose in watched(seed, 60) if pose.state is NeedleState.TIP]) - TIP
        offsets.append(tips.mean(axis=0))
        spread.append(tips.std(axis=0))
    assert np.mean(spread) == pytest.approx(0.5e-3, rel=0.05)
    assert np.std(offsets) == pytest.approx(0.5e-3, rel=0.2)  # 180 numbers: five percent, three deviations
    pose = next(pose for _, pose in watched(0) if pose.state is NeedleState.TIP)
    np.testing.assert_allclose(pose.covariance, np.eye(3) * (0.5e-3**2 + 0.5e-3**2))
    assert pose.frame is CoordinateFrame.PATIENT


def test_readings_are_told_in_order_each_with_its_own_time():
    times = [pose.time for _, pose in watched(3)]
    assert times == sorted(times)
    np.testing.assert_allclose(np.diff(times), TICK)


def test_the_same_seed_says_the_same():
    first, again = watched(5, 50), watched(5, 50)
    assert [(t, p.time, p.state) for t, p in first] == [(t, p.time, p.state) for t, p in again]


def test_what_waits_is_bounded():
    tracker = Tracker(0)
    for tick in range(500):
        tracker.watch(tick, tick * TICK, TIP, HEADING)
    assert len(tracker.arrived(1e9)) == MOST_WAITING
