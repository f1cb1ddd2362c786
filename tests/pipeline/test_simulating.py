import json

import numpy as np
import pytest
from typer.testing import CliRunner

from insonate.app.cli import app
from insonate.core import FormatError, InputError, InsonateError, RangeError, UnknownNameError
from insonate.formats.insonate_hdf5 import read
from insonate.pipeline import simulating
from insonate.pipeline.simulating import read_scatterers, simulate_scatterers
from insonate.simulation.acoustics import deposit, frequency
from insonate.simulation.acoustics.scatterers import Scatterers
from insonate.simulation.probes import probe
from refusals import refused

TABLE = "x_mm,y_mm,z_mm,amplitude\n0,0,20,0.001\n3,0.5,25,-2e-3\n"


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def test_a_table_is_read_in_meters_and_in_any_order(tmp_path, table):
    truth = [[0, 0, 0.02, 1e-3], [3e-3, 0.5e-3, 0.025, -2e-3]]
    np.testing.assert_allclose(read_scatterers(table), truth, rtol=1e-12)
    other = tmp_path / "turned.csv"
    other.write_bytes("\ufeffamplitude, z_mm,x_mm,y_mm\r\n1e-3,20,0,0\r\n\r\n-2e-3,25,3,0.5\r\n".encode())
    np.testing.assert_allclose(read_scatterers(other), truth, rtol=1e-12)


@pytest.mark.parametrize("engine", ["A", "B"])
def test_the_file_holds_what_the_engine_gives(tmp_path, table, engine):
    out = tmp_path / "echoes.h5"
    told = []
    made = simulate_scatterers(
        table, "linear_15", [0.1, -0.1], out, engine=engine, report=lambda *how_far: told.append(how_far)
    )
    (data,) = read(out)
    values = read_scatterers(table)
    run = frequency.simulate if engine == "A" else deposit.simulate
    truth = run(
        Scatterers(positions=values[:, :3], amplitudes=values[:, 3]),
        probe("linear_15"),
        data.acquisition.transmits,
    )
    np.testing.assert_array_equal(data.samples, truth.samples)
    np.testing.assert_allclose([t.direction[0] for t in data.acquisition.transmits], np.sin([0.1, -0.1]))
    assert data.provenance[0].settings["engine"] == engine
    assert made.result["scatterers"] == 2
    assert made.result["angles_deg"] == [5.729578, -5.729578]
    assert "2 scatterers of points.csv under linear_15, 2 plane waves" in made.sentence
    assert told[-1][2] == "writing"


COLUMNS = "points.csv: the first line must name the columns x_mm, y_mm, z_mm, amplitude, got "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", COLUMNS + "none"),
        ("x,y,z,amplitude\n0,0,20,1\n", COLUMNS + "x, y, z, amplitude"),
        ("x_mm,y_mm,z_mm,amplitude,phase\n", COLUMNS + "x_mm, y_mm, z_mm, amplitude, phase"),
        ("x_mm,x_mm,z_mm,amplitude\n", COLUMNS + "x_mm, x_mm, z_mm, amplitude"),
        ("0,0,20,1\n", COLUMNS + "0, 0, 20, 1"),
        ("x_mm,y_mm,z_mm,amplitude\n", "points.csv: a table must hold at least one scatterer, got none"),
        (TABLE + "1,2,3\n", "points.csv, line 4: there must be 4 values, got 3"),
        (TABLE + "1,2,deep,4\n", "points.csv, line 4: z_mm must be a finite number, got 'deep'"),
        (TABLE + "1,nan,3,4\n", "points.csv, line 4: y_mm must be a finite number, got 'nan'"),
        (TABLE + "1,2,1e999,4\n", "points.csv, line 4: z_mm must be a finite number, got '1e999'"),
        (TABLE + "1,2,3,\n", "points.csv, line 4: amplitude must be a finite number, got ''"),
    ],
)
def test_a_table_that_is_none_is_refused(table, text, message):
    table.write_text(text, encoding="utf-8")
    with refused(FormatError, message):
        read_scatterers(table)


@pytest.mark.parametrize(
    "content", [b"\x89HDF\r\n\x1a\n\x00", b"\x00" * 50, b'x_mm,y_mm,z_mm,amplitude\n"0,0,20', b"a" * 10**6]
)
def test_bytes_that_are_no_table_are_refused(table, content):
    table.write_bytes(content)
    with pytest.raises(FormatError, match=r"points\.csv"):
        read_scatterers(table)


def test_a_table_without_end_is_refused(table, monkeypatch):
    monkeypatch.setattr(simulating, "MOST", 1)
    with refused(FormatError, "points.csv: a table can hold 1 scatterers, got more"):
        read_scatterers(table)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    path = tmp_path / "none.csv"
    with refused(InputError, f"{path}: cannot be read: No such file or directory"):
        read_scatterers(path)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"out": "echoes.png"}, InputError, "--out must end in .h5, got 'echoes.png'"),
        ({"engine": "K"}, UnknownNameError, "engine must be one of A, B, got 'K'"),
        ({"angles": []}, InputError, "--angles must hold at least one angle, got none"),
        ({"angles": [1.5]}, RangeError, "--angles must lie in -60..60 deg, got 85.9437"),
        (
            {"probe": "linear"},
            UnknownNameError,
            "probe must be one of linear_7_5, linear_15, got 'linear' (did you mean 'linear_15'?)",
        ),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_made(tmp_path, table, changes, error, message):
    settings = {"probe": "linear_15", "angles": [0.0], "out": "echoes.h5"} | changes
    before = sorted(tmp_path.iterdir())
    with refused(error, message):
        simulate_scatterers(
            table,
            settings.pop("probe"),
            settings.pop("angles"),
            tmp_path / settings.pop("out"),
            **settings,
        )
    assert sorted(tmp_path.iterdir()) == before


def test_a_scatterer_above_the_face_is_refused(tmp_path, table):
    table.write_text(TABLE + "0,0,-1,1\n", encoding="utf-8")
    with refused(RangeError, "Scatterers.positions must lie below the face, z > 0 m, got z of -0.001"):
        simulate_scatterers(table, "linear_15", [0.0], tmp_path / "echoes.h5")


def test_the_command_gives_one_document(tmp_path, table):
    out = tmp_path / "echoes.h5"
    wanted = ["--probe", "linear_15", "--angles", "-8,0", "--engine", "B", "--json"]
    ran = CliRunner().invoke(app, ["simulate", "--scatterers", str(table), *wanted, "--out", str(out)])
    assert ran.exit_code == 0
    result = json.loads(ran.stdout)
    assert result["angles_deg"] == [-8, 0]
    assert result["out"] == str(out)
    assert out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "simulate needs a region or --scatterers FILE.csv, and not both"),
        (["--scatterers", "points.csv"], "simulate needs --out, where the result is written"),
        (
            ["--scatterers", "points.csv", "--angles", "8 deg", "--out", "echoes.h5"],
            "--angles must be degrees with commas between, such as -8,0,8, got '8 deg'",
        ),
    ],
)
def test_a_command_that_cannot_be_is_one_clear_line(arguments, message):
    ran = CliRunner().invoke(app, ["simulate", *arguments])
    assert isinstance(ran.exception, InsonateError)
    assert str(ran.exception) == message
