"""The compiled library runs what the processor can, refuses what it would read or write beside, and survives forks."""

import multiprocessing
import os
import platform
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

native = pytest.importorskip(
    "insonate_native", reason="the native kernels are not built: make native", exc_type=ImportError
)

CPU_FLAGS = {"avx512": {"avx512f", "avx512dq", "avx2", "fma"}, "avx2": {"avx2", "fma"}}
"""What the kernel of the operating system calls them."""

GEOMETRY = {"frequency": 5e6, "sampling_frequency": 8e6, "sound_speed": 1540.0, "f_number": 1.5}
WAVE = {"angle": 0.1, "axial_step": 4e-5, "middle": 1e-3, "element_width": 2e-4, "offset": 0.0}
GRAZING = (0.05, 0.3)
LINES = {
    "n_samples": 300,
    "sampling_frequency": 4e7,
    "start": 0.0,
    "sound_speed": 1540.0,
    "frequency": 5e6,
    "element_width": 2e-4,
    "soft_baffle": False,
    "from_lines": False,
    "nearest": 1e-4,
}


def frame(n_transmits=2, n_elements=32, n_samples=300, n_axial=40, n_lateral=24):
    """Arguments of delay_and_sum: noise, plane waves."""
    rng = np.random.default_rng(0)
    elements = np.zeros((n_elements, 3))
    elements[:, 0] = (np.arange(n_elements) - (n_elements - 1) / 2) * 3e-4
    axial, lateral = 3e-3 + np.arange(n_axial) * 7e-5, (np.arange(n_lateral) - n_lateral / 2) * 1.5e-4
    angles = np.linspace(-0.2, 0.2, n_transmits)[:, None, None]
    arrival = (axial[:, None] * np.cos(angles) + lateral * np.sin(angles)) / 1540.0
    samples = (rng.normal(size=(n_transmits, n_elements, n_samples, 2)) @ (1, 1j)).astype(np.complex64)
    return samples, arrival, np.zeros(n_transmits), elements, axial, lateral


def spectrum(n_lateral=12, n_padded=64, n_frequencies=19):
    """Arguments of remap: noise."""
    rng = np.random.default_rng(1)
    return (
        (rng.normal(size=(n_lateral, n_padded, 2)) @ (1, 1j)).astype(np.complex64),
        2 * np.pi * np.fft.fftfreq(n_lateral, 1.5e-4),
        np.linspace(1e4, 4e4, n_frequencies),
        np.ones(n_frequencies),
        np.linspace(1, 0, 3001, dtype=np.float32),
    )


def points(n=500, n_elements=19):
    """Arguments of deposit."""
    rng = np.random.default_rng(2)
    scatterers = rng.uniform(-5e-3, 5e-3, (n, 4)).astype(np.float32)
    scatterers[:, 2] = rng.uniform(1e-3, 5e-3, n)
    return scatterers, scatterers[:, 2].astype(float) / 1540.0, (np.arange(n_elements) - 9) * 3e-4


def body():
    """Arguments of cut: noise in every byte of the voxels, but for materials, of which there are four."""
    rng = np.random.default_rng(3)
    voxels = rng.integers(0, 256, (12, 10, 14, 8), dtype=np.uint8)
    voxels[..., :2] %= 4
    nodes = np.zeros((20, 6, 3))
    nodes[..., 0], nodes[..., 2] = 1e-4 * np.arange(20)[:, None], 6e-4 * np.arange(6)
    return (
        *(nodes + rng.normal(0, 1e-4, nodes.shape), 16, 80, voxels, np.zeros(3), 3e-4),
        *(rng.integers(-99, 99, (8, 4, 16)).astype(np.int8), np.array([1e-4, 4e-4, 2e-5]), np.ones((3, 64))),
        *(np.array([1.0, 0]), np.array([1.0, 0, 0]), 1.5e-4, np.arange(4), *np.ones((2, 256)), np.arange(4)),
        *(np.array([1, 0.9, 1.1, 1]), 0.95),
    )


SHAPES = {
    **{"distance_step": 7e-6, "thickness": 3.2e-5, "near": 1.5e-4, "same": 9e-5},
    **{"footprint": 0.45, "edge": 0.85, "little": 0.05, "bent": 0.25},
}


def everything(**how):
    """One call of each kernel."""
    return (
        native.delay_and_sum(*frame(), **GEOMETRY, **how),
        native.remap(*spectrum(), **WAVE, grazing=GRAZING, **how),
        native.deposit(*points(), **LINES, **how),
        *(native.cut(*body(), shapes=SHAPES, **how) if native.has("slice") else ()),
    )


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def expected_sets():
    """Say what the operating system says that this processor runs."""
    if platform.machine() in ("aarch64", "arm64"):
        return ("neon", "plain")
    cpu = Path("/proc/cpuinfo")
    if platform.machine() != "x86_64" or not cpu.exists():
        pytest.skip("nothing here says what the processor runs")
    flags = set(next(line for line in cpu.read_text().splitlines() if line.startswith("flags")).split())
    return (*(name for name, needed in CPU_FLAGS.items() if needed <= flags), "plain")


def test_all_that_the_processor_runs_can_be_had_and_the_best_is_chosen(monkeypatch):
    monkeypatch.delenv("INSONATE_ISA", raising=False)
    print("instructions:", native.instructions(), "of", native.available())
    assert native.available() == expected_sets()
    assert native.instructions() == expected_sets()[0]


@pytest.mark.parametrize("name", ["avx512", "avx2", "neon", "plain", "avx1024", ""])
def test_instructions_can_be_named_and_those_that_are_not_there_are_not_taken(monkeypatch, name):
    monkeypatch.setenv("INSONATE_ISA", name)
    assert native.instructions() == (name if name in native.available() else native.available()[0])


@pytest.mark.parametrize(
    ("wanted", "count"), [("3", 3), ("0", None), ("257", None), ("two", None), ("-1", None)]
)
def test_threads_can_be_named(monkeypatch, wanted, count):
    monkeypatch.setenv("INSONATE_THREADS", wanted)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert native.threads() == (count or cores)


@pytest.mark.parametrize("instructions", native.available())
def test_threads_change_no_bit(instructions):
    alone = everything(instructions=instructions, threads=1)
    for threads in (2, 3, 7):
        assert same(everything(instructions=instructions, threads=threads), alone)


def test_callers_at_once_do_not_disturb_each_other():
    alone = everything(threads=2)
    found = [None] * 8

    def call(k):
        found[k] = everything(threads=2)

    callers = [threading.Thread(target=call, args=(k,)) for k in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert all(same(each, alone) for each in found)


def in_a_fork(question):
    """Give what a forked child answers."""
    context = multiprocessing.get_context("fork")
    receive, send = context.Pipe(duplex=False)
    child = context.Process(target=lambda: send.send(question()))
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # Python warns of forks beside threads: they are the point
        child.start()
    child.join(60)
    assert child.exitcode == 0
    return receive.recv()


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


@forks
def test_a_fork_computes_the_same():
    alone = everything(threads=2)
    assert in_a_fork(lambda: same(everything(threads=2), alone))
    assert same(everything(threads=2), alone)


@forks
@pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="nothing here counts the threads of a process"
)
def test_a_fork_has_threads_of_its_own():
    everything(threads=4)

    def count():
        before = len(list(Path("/proc/self/task").iterdir()))
        everything(threads=4)
        return before, len(list(Path("/proc/self/task").iterdir()))

    assert in_a_fork(count) == (1, 4)


@forks
def test_a_fork_in_the_middle_of_a_call_does_not_wait_for_threads_it_has_not():
    alone, stop = everything(threads=3), threading.Event()

    def go_on():
        while not stop.is_set():
            everything(threads=3)

    callers = [threading.Thread(target=go_on) for _ in range(2)]
    for caller in callers:
        caller.start()
    try:
        assert all(in_a_fork(lambda: same(everything(threads=3), alone)) for _ in range(12))
    finally:
        stop.set()
        for caller in callers:
            caller.join()


@pytest.mark.parametrize("threads", [0, -1, 257])
def test_a_number_of_threads_that_cannot_be_is_refused(threads):
    with pytest.raises(ValueError, match=rf"^threads must lie in 1..256, got {threads}$"):
        everything(threads=threads)


def test_instructions_that_cannot_run_are_refused():
    known = ", ".join(native.available())
    with pytest.raises(ValueError, match=rf"^instructions must be one of {known}, got 'avx1024'$"):
        everything(instructions="avx1024")


@pytest.mark.parametrize(
    ("which", "change"),
    [
        (1, lambda arrival: arrival[:, :-1]),
        (1, lambda arrival: arrival[:-1]),
        (2, lambda starts: starts[:-1]),
        (3, lambda elements: elements[:-1]),
        (3, lambda elements: elements[:, :2]),
        (4, lambda axial: axial[:-1]),
        (5, lambda lateral: np.append(lateral, 1.0)),
        (0, lambda samples: samples[0]),
    ],
)
def test_arrays_that_do_not_fit_each_other_are_refused_before_they_are_read(which, change):
    arguments = list(frame())
    arguments[which] = change(arguments[which])
    with pytest.raises(ValueError, match="must have shape"):
        native.delay_and_sum(*arguments, **GEOMETRY)


@pytest.mark.parametrize("which", [1, 2, 3])
def test_arrays_of_remap_that_do_not_fit_are_refused(which):
    arguments = list(spectrum())
    arguments[which] = arguments[which][:-1]
    if which == 2:
        arguments[3] = np.append(arguments[3], [1.0])
    with pytest.raises(ValueError, match="must have shape"):
        native.remap(*arguments, **WAVE, grazing=GRAZING)


def test_arrays_of_deposit_that_do_not_fit_are_refused():
    scatterers, delays, elements = points()
    for arguments in (
        (scatterers[:, :3], delays, elements),
        (scatterers, delays[:-1], elements),
        (scatterers, delays, elements[:, None]),
    ):
        with pytest.raises(ValueError, match="must have shape"):
            native.deposit(*arguments, **LINES)


def test_what_delay_and_sum_does_not_cover_is_refused_before_anything_is_computed():
    samples, arrival, starts, elements, axial, lateral = frame()
    deep = elements.copy()
    deep[3, 2] = 1e-6
    broad = np.broadcast_to(np.complex64(0), (1, 2**15, 2))
    many = np.zeros((2**15, 3))
    hostile = [
        ((samples, arrival, starts, deep, axial, lateral), GEOMETRY, "elements must lie at one depth"),
        ((samples, arrival, starts, elements[::-1], axial, lateral), GEOMETRY, "elements must rise in x"),
        ((samples, arrival, starts, elements * np.nan, axial, lateral), GEOMETRY, "elements must lie at one"),
        ((samples, arrival, starts, elements, axial[::-1], lateral), GEOMETRY, "depths must rise"),
        ((samples, arrival, starts, elements, axial, lateral * np.nan), GEOMETRY, "columns must be finite"),
        (
            (broad, arrival[:1], starts[:1], many, axial, lateral),
            GEOMETRY,
            "records must be shorter than 2\\^24, elements fewer than 2\\^15",
        ),
        *(
            (frame(), GEOMETRY | {name: value}, "settings must be positive")
            for name in ("sampling_frequency", "sound_speed", "f_number")
            for value in (0.0, -1.0, float("nan"), float("inf"))
        ),
    ]
    for arguments, settings, message in hostile:
        with pytest.raises(native.NotCoveredError, match=message):
            native.delay_and_sum(*arguments, **settings)


def test_what_remap_does_not_cover_is_refused():
    made, lateral, k, pulse, window = spectrum()
    hostile = [
        ((made, lateral, k, pulse, window[:2500]), WAVE, "2, 4, 6 or 8 taps"),
        ((made, lateral, k, pulse, np.ones(5001, np.float32)), WAVE, "2, 4, 6 or 8 taps"),
        ((made[:1], lateral[:1], k, pulse, window), WAVE, "two rows or more"),
        ((made[:, :7], lateral, k, pulse, window), WAVE, "as long as the window"),
        ((made, lateral, -k, pulse, window), WAVE, "wavenumbers must be positive"),
        ((made, lateral * np.nan, k, pulse, window), WAVE, "wavenumbers must be positive"),
        ((made, lateral * 0, k, pulse, window), WAVE, "rows must have a step"),
        (spectrum(), WAVE | {"axial_step": 0.0}, "settings must be finite"),
        (spectrum(), WAVE | {"angle": float("nan")}, "settings must be finite"),
    ]
    for arguments, settings, message in hostile:
        with pytest.raises(native.NotCoveredError, match=message):
            native.remap(*arguments, **settings, grazing=GRAZING)


def test_what_deposit_does_not_cover_is_refused():
    hostile = [
        ({"n_samples": 2**24}, "shorter than 2\\^24"),
        ({"n_samples": -1}, "shorter than 2\\^24"),
        ({"element_width": 2e-2}, "elements must be narrower"),
        ({"sampling_frequency": float("inf")}, "settings must be finite"),
        ({"nearest": 0.0}, "settings must be finite"),
    ]
    for change, message in hostile:
        with pytest.raises(native.NotCoveredError, match=message):
            native.deposit(*points(), **LINES | change)


def test_nothing_in_gives_nothing_out():
    for arguments in (
        frame(n_transmits=0),
        frame(n_elements=0),
        frame(n_axial=0),
        frame(n_lateral=0),
        frame(n_samples=0),
        frame(n_samples=1),
    ):
        made = native.delay_and_sum(*arguments, **GEOMETRY)
        assert made.shape == (len(arguments[4]), len(arguments[5]))
        assert made.dtype == np.complex64
        assert not made.any()
    assert native.remap(*spectrum(n_frequencies=0), **WAVE, grazing=GRAZING).shape == (12, 0)
    assert not native.deposit(*points(n=0), **LINES).any()
    assert native.deposit(*points(), **LINES | {"n_samples": 0}).shape == (19, 0)
    assert native.deposit(*points(n_elements=0), **LINES).shape == (0, 300)


@pytest.mark.parametrize("instructions", native.available())
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1e300, -1e300])
def test_moments_that_are_no_number_are_heard_nowhere_and_harm_no_other_pixel(instructions, wrong):
    """The wrapper does not read all moments; the library must not read beside the record for any."""
    samples, arrival, *rest = frame(n_transmits=1)
    clean = native.delay_and_sum(samples, arrival, *rest, **GEOMETRY, instructions=instructions)
    for row, column in ((0, 0), (5, 3), (39, 23)):
        spoiled = arrival.copy()
        spoiled[0, row, column] = wrong
        made = native.delay_and_sum(samples, spoiled, *rest, **GEOMETRY, instructions=instructions)
        others = np.ones(clean.shape, bool)
        others[row, column] = False
        np.testing.assert_allclose(made[others], clean[others], atol=1e-5)


@pytest.mark.parametrize("instructions", native.available())
def test_scatterers_that_are_no_number_harm_no_memory(instructions):
    scatterers, delays, elements = points()
    for wrong in (np.nan, np.inf, -np.inf, 3e38):
        for column in range(4):
            spoiled = scatterers.copy()
            spoiled[::7, column] = wrong
            made = native.deposit(spoiled, delays, elements, **LINES, instructions=instructions)
            assert made.shape == (19, 300)
    native.deposit(scatterers, delays * np.nan, elements, **LINES, instructions=instructions)
    native.deposit(scatterers, delays + 1e300, elements, **LINES, instructions=instructions)


def test_a_library_of_other_sources_is_not_loaded(monkeypatch):
    from insonate_native import _library

    monkeypatch.setattr(_library, "ABI", _library.ABI + 1)
    with pytest.raises(
        ImportError, match=r"^the native kernels were built from other sources: build them anew$"
    ):
        _library._loaded()
    monkeypatch.setattr(_library, "PATH", Path("nowhere.so"))
    with pytest.raises(ImportError, match=r"^the native kernels are not built: nowhere.so: "):
        _library._loaded()


def test_a_pointer_is_given_only_to_what_lies_as_promised():
    from insonate_native import _library

    assert _library.at(np.zeros((2, 3), np.float32), np.float32, (2, 3)) > 0
    for array in (np.zeros((2, 3)), np.zeros((3, 2), np.float32), np.zeros((3, 2), np.float32).T):
        with pytest.raises(TypeError, match=r"^expected contiguous float32 \(2, 3\), got "):
            _library.at(array, np.float32, (2, 3))
