"""The doctor tells the truth about this installation, and what is missing is not passed over."""

import platform
from importlib.metadata import PackageNotFoundError, version

from insonate.app import doctor
from insonate.pipeline.catalog import CATALOGS


def test_what_is_installed_is_told_with_its_version():
    found = doctor.examine()
    assert set(found) == {"machine", "packages", "kernels", "page", "choices"}
    assert found["packages"]["numpy"] == version("numpy")
    assert found["packages"]["insonate"] == version("insonate")
    assert found["machine"]["python"] == platform.python_version()
    assert int(found["machine"]["cores"]) >= 1
    assert all(isinstance(text, str) for section in found.values() for text in section.values())


def test_every_choice_is_listed():
    assert doctor.examine()["choices"] == {name: ", ".join(c.names()) for name, c in CATALOGS.items()}


def test_a_package_that_is_not_there_is_missing(monkeypatch):
    def found(package):
        if package == "av":
            raise PackageNotFoundError
        return "1"

    monkeypatch.setattr(doctor, "version", found)
    packages = doctor.examine()["packages"]
    assert [name for name, text in packages.items() if text == "MISSING"] == ["av"]


def test_the_kernel_told_is_the_one_that_is_used(monkeypatch):
    from insonate.imaging.beamforming import kernels

    assert doctor.examine()["kernels"]["delay-and-sum"].split()[0] == kernels.chosen()
    monkeypatch.setattr(kernels, "chosen", lambda: "reference")
    assert doctor.examine()["kernels"]["delay-and-sum"] == "reference"


def test_the_instructions_of_compiled_kernels_are_told_and_what_is_not_compiled_is(monkeypatch):
    from insonate.imaging.beamforming.kernels import native_ as beamforming
    from insonate.simulation.acoustics.kernels import native_ as acoustics
    from insonate.simulation.anatomy.kernels import native_ as anatomy

    for module in (beamforming, acoustics, anatomy):
        monkeypatch.setattr(module, "is_available", lambda: True)
        monkeypatch.setattr(module, "instructions", lambda: "avx1024")
    told = doctor.examine()["kernels"]
    assert told == {
        "delay-and-sum": "native (avx1024)",
        "remap, deposit": "native (avx1024)",
        "slice": "native (avx1024)",
        "compiled": "yes",
    }
    for module in (beamforming, acoustics, anatomy):
        monkeypatch.setattr(module, "is_available", lambda: False)
    told = doctor.examine()["kernels"]
    assert told == {
        "delay-and-sum": "numba",
        "remap, deposit": "numba",
        "slice": "numba",
        "compiled": "NO: run make native",
    }


def test_a_page_that_was_not_built_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "files", lambda room: tmp_path)
    assert doctor.examine()["page"]["built"] == "NO: run make setup"
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "index.html").touch()
    assert doctor.examine()["page"]["built"] == "yes"


def test_a_browser_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    assert doctor.examine()["page"]["browser"] == "none found on PATH"
    monkeypatch.setattr(doctor.shutil, "which", lambda name: name if name == "firefox" else None)
    assert doctor.examine()["page"]["browser"] == "firefox"
