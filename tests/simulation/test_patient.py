import tracemalloc
from itertools import islice

import numpy as np
import pytest

from insonate.core import (
    ChannelData,
    InjectionReading,
    InputError,
    NeedlePose,
    Pose,
    RangeError,
    SetControl,
    Source,
    StimulationReading,
)
from insonate.core.truth import Truth
from insonate.simulation.acoustics import kernels
from insonate.simulation.course import Course, Settings
from insonate.simulation.medium import Medium
from insonate.simulation.patient import SimulatedPatient
from refusals import refused
from simulation.analytic_body import AnalyticBody
from simulation.scripts import WHO, block, probe, sparse, wild

BODY = AnalyticBody()


def patient(seed=7):
    return SimulatedPatient(seed, body=BODY)


def bytes_of(observations):
    """Everything that was observed, comparable."""
    out = []
    for one in observations:
        if isinstance(one, ChannelData):
            out.append(("frame", one.times.tobytes(), one.samples.tobytes()))
        elif isinstance(one, Pose):
            out.append(("pose", one.time, one.translation.tobytes(), one.rotation.tobytes()))
        elif isinstance(one, NeedlePose):
            out.append(("needle", one.time, one.state, None if one.tip is None else one.tip.tobytes()))
        else:
            out.append(one)
    return out


def test_it_is_a_source_that_says_it_is_simulated_and_obeys_all():
    one = patient()
    assert isinstance(one, Source)
    assert one.simulated and one.tick == 0.05
    assert {"MoveProbe", "MoveBody", "AdvanceNeedle", "Inject", "Stimulate", "SetControl"} <= one.accepts


def test_no_attribute_yields_the_truth():
    one = patient()
    list(one.advance(block(), 0.3))
    hidden = (Truth, Medium, Course, AnalyticBody)
    seen, queue = set(), [one]
    while queue:
        thing = queue.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        assert not isinstance(thing, hidden), type(thing)
        if type(thing).__module__.startswith("insonate") or thing is one:
            queue += [getattr(thing, name) for name in dir(thing) if not name.startswith("_")]
        elif isinstance(thing, dict):
            queue += list(thing.values())
        elif isinstance(thing, list | tuple | set | frozenset):
            queue += list(thing)


def test_one_new_angle_a_tick_each_observation_with_its_time():
    observed = list(patient().advance((), 0.2))
    frames = [one for one in observed if isinstance(one, ChannelData)]
    assert [round(float(f.times[0, 0]), 9) for f in frames] == [0, 0.05, 0.1, 0.15]
    steered = [float(f.acquisition.transmits[0].direction[0]) for f in frames]
    np.testing.assert_allclose(steered, np.sin([-0.175, -0.0875, 0, 0.0875]), atol=1e-12)
    assert [type(one) for one in observed[:2]] == [Pose, ChannelData]
    assert all(np.isfinite(f.samples).all() for f in frames)


def test_a_block_is_observed_by_all_its_instruments():
    kinds = {type(one) for one in patient().advance(block(), 3.0)}
    assert kinds == {Pose, ChannelData, NeedlePose, StimulationReading, InjectionReading}


def test_chopping_time_or_commands_otherwise_changes_no_byte():
    whole = bytes_of(patient().advance(block(), 2.2))
    one, out, left = patient(), [], sorted(block(), key=lambda c: c.time)
    for until in (0.05, 0.07, 0.33, 0.9, 0.9, 1.4, 2.0, 2.2):
        now = [c for c in left if c.time < until]
        left = [c for c in left if c.time >= until]
        out += bytes_of(one.advance(now, until))
    assert out == whole
    assert one._course.digest() == _lived(block(), 2.2)._course.digest()


def _lived(commands, until):
    one = patient()
    for _ in one.advance(commands, until):
        pass
    return one


def test_frames_that_nobody_asked_for_change_no_state_and_no_later_byte():
    one = patient()
    list(islice(one.advance(block(), 1.0), 3))  # and the rest is dropped
    late = bytes_of(one.advance((), 2.2))
    assert late == bytes_of(_tail(block(), 2.2, 3))
    few = _lived([*block(), sparse(every=7, time=0.1)], 2.2)
    assert few._course.digest() != ""
    assert _without_controls(few) == _without_controls(_lived(block(), 2.2))


@pytest.mark.parametrize("times", [2, 4, 5])
def test_compressed_time_is_lived_through_tick_by_tick(times):
    def pace(value, time):
        return SetControl(name="time_compression", value=float(value), time=time, given_by=WHO)

    plain = list(patient().advance([*block()[1:]], 2.2))
    fast = list(patient().advance([*block()[1:], pace(times, 0.4), pace(1, 1.6)], 2.2))

    def others(observed):
        return bytes_of(one for one in observed if not isinstance(one, ChannelData))

    assert others(fast) == others(plain)
    frames = [one for one in fast if isinstance(one, ChannelData)]
    ticks = [round(float(one.times.ravel()[0]) / 0.05) for one in frames]
    assert ticks == [t for t in range(44) if t % times == 0 or t < 8 or t >= 32]
    within = {
        round(float(one.acquisition.transmits[0].direction[0]), 6)
        for one, t in zip(frames, ticks, strict=True)
        if 8 <= t < 32
    }
    assert len(within) == min(5, len([t for t in ticks if 8 <= t < 32]))  # each of the angles in turn


def _tail(commands, until, after):
    return islice(patient().advance(commands, until), after, None)


def _without_controls(one):
    one._course.controls = {}
    return one._course.digest()


def test_a_coarse_map_looks_alike_and_changes_no_state_and_no_later_byte():
    def coarse(on, time):
        return SetControl(name="map_coarse", value=float(on), time=time, given_by=WHO)

    plain, other = patient(), patient()
    fine = bytes_of(plain.advance([probe()], 0.4))
    observed = list(other.advance([probe(), coarse(True, 0.1), coarse(False, 0.3)], 0.4))
    rough = bytes_of(observed)
    frames = [n for n, one in enumerate(fine) if one[0] == "frame"]
    same = [fine[n] == rough[n] for n in frames]
    assert same == [0.05 * k < 0.1 - 1e-9 or 0.05 * k > 0.3 - 1e-9 for k in range(len(frames))]
    assert [one for n, one in enumerate(fine) if n not in frames] == [
        one for n, one in enumerate(rough) if n not in frames
    ]
    loud = [
        float(np.sqrt(np.mean(np.abs(one.samples) ** 2))) for one in observed if isinstance(one, ChannelData)
    ]
    assert max(loud) < 1.5 * min(loud)


def test_a_late_command_is_as_one_given_now():
    late, now = patient(), patient()
    list(late.advance([sparse()], 0.5))
    list(now.advance([sparse()], 0.5))
    assert late.now == pytest.approx(0.5)
    list(late.advance([probe(time=0.0, force=5.0)], 1.0))
    list(now.advance([probe(time=now.now, force=5.0)], 1.0))
    assert late._course.digest() == now._course.digest()


def test_a_command_refused_changes_nothing():
    one = patient()
    list(one.advance([sparse()], 0.2))
    before = one._course.digest()
    with refused(
        RangeError,
        "MoveProbe.pose must meet the skin within the window, x in -45.0..45.0 mm, got 300.0",
    ):
        one.advance([probe(force=9.0), probe(at=(0.3, 0, 0))], 0.5)
    assert one._course.digest() == before and not one._waiting


def test_seeds_differ_and_agree():
    first, again, other = (bytes_of(patient(seed).advance((), 0.1)) for seed in (1, 1, 2))
    assert first == again != other


def test_a_lifted_probe_sees_air():
    def deep(force):
        frames = [f for f in patient().advance([probe(force=force)], 0.05) if isinstance(f, ChannelData)]
        samples = frames[0].samples[0, 0]
        return float(np.abs(samples[:, samples.shape[1] // 4 : samples.shape[1] // 2]).mean())

    assert deep(0.0) < 0.2 * deep(2.0)


@pytest.mark.slow
def test_five_hundred_ticks_need_no_more_memory():
    one = patient()
    commands = [*block(), sparse(every=20, time=0.0)]
    for _ in one.advance(commands, 5.0):
        pass
    tracemalloc.start()
    before = tracemalloc.take_snapshot()
    for _ in one.advance((), 30.0):
        pass
    after = tracemalloc.take_snapshot()
    tracemalloc.stop()
    grown = sum(stat.size_diff for stat in after.compare_to(before, "filename"))
    assert grown < 300_000


def test_speckle_rides_with_the_tissue():
    """Pressed deeper, what lies 30 mm down comes nearer: envelope lines tracked by correlation, against the map."""
    from insonate.core import Grid
    from insonate.imaging.beamforming.delay_and_sum import delay_and_sum

    def image(force):
        one = SimulatedPatient(3, Settings(angles=(0.0,)), body=BODY)
        frame = next(f for f in one.advance([probe(force=force)], 0.05) if isinstance(f, ChannelData))
        grid = Grid(axial=np.arange(0.021, 0.033, 2e-5), lateral=np.linspace(-0.004, 0.0, 9))
        iq = delay_and_sum(frame, grid).values[0]
        pose = one._course.now.contact.pose
        place = pose.apply(np.array([[-0.002, 0, 0.027]]))
        return np.abs(iq), place, one._course.now

    (first, place, rest), (second, moved_place, pressed) = image(2.0), image(2.3)
    tissue = rest.origin(place)
    there = pressed.place(tissue) - moved_place + np.array([[-0.002, 0, 0.027]])
    imposed = float(there[0, 2] - 0.027)
    assert abs(imposed) > 1e-4
    window = slice(200, 401)
    lags = np.arange(-60, 61)

    def likeness(lag):
        return np.corrcoef(first[window].ravel(), second[window.start + lag : window.stop + lag].ravel())[
            0, 1
        ]

    score = np.array([likeness(lag) for lag in lags])
    best = int(np.argmax(score))
    a, b, c = score[best - 1 : best + 2]
    found = (lags[best] + 0.5 * (a - c) / (a - 2 * b + c)) * 2e-5
    assert found == pytest.approx(imposed, rel=0.05)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_commanded_is_refused_or_lived_through(seed):
    rng = np.random.default_rng(seed)
    one, obeyed = patient(seed), 0
    list(one.advance([sparse(every=5)], 0.05))
    for tick in range(1, 60):
        for _ in range(2):
            command = wild(rng, BODY, tick)
            try:
                one.advance([command], 0.0)
                obeyed += 1
            except InputError:
                continue
        for observation in one.advance((), (tick + 1) * 0.05):
            if isinstance(observation, ChannelData):
                assert np.isfinite(observation.samples).all()
    assert obeyed > 60


def test_a_frame_is_the_same_from_every_compiled_kernel_within_rounding(monkeypatch):
    """Other instructions round otherwise: same seed, same bytes holds on one machine, one part in 1e4 between them."""
    frames = []
    for name in [one for one in kernels.available() if one != "reference"]:
        monkeypatch.setattr(kernels, "available", lambda name=name: (name,))
        colored = SetControl(name="color_shots", value=2, time=0, given_by=WHO)
        seen = SimulatedPatient(7, Settings(angles=(0.1,)), body=BODY).advance([probe(), colored], 0.05)
        frames.append([f.samples for f in seen if isinstance(f, ChannelData)])
    for other in frames[1:]:
        for one, two in zip(frames[0], other, strict=True):
            assert np.linalg.norm(one - two) < 1e-4 * np.linalg.norm(one)
