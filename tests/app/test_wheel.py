"""The built wheel, installed elsewhere: it carries page, weights and tables, and needs no make, git, Node or compiler."""

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from app.browser import free_port
from conftest import CHECKOUT

pytestmark = pytest.mark.slow

PAGE = CHECKOUT / "src" / "insonate" / "app" / "static" / "index.html"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Environment in which the wheel's code runs, and nothing of the checkout or of the machine's tools is found."""
    if not PAGE.is_file():
        pytest.skip("the page is not built")
    room = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(room), str(CHECKOUT)]
    subprocess.run([*pip, *build], check=True)
    (wheel,) = room.glob("insonate-*.whl")
    place = room / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(place), str(wheel)], check=True)
    home = room / "home"
    home.mkdir()
    return {"PATH": str(room / "nothing"), "PYTHONPATH": str(place), "HOME": str(home)}


def run(environment, *words):
    return subprocess.run(
        [sys.executable, *words],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        cwd=environment["HOME"],
    ).stdout


def test_the_code_is_the_wheel_s(installed):
    where = run(installed, "-c", "import insonate; print(insonate.__file__)").strip()
    assert Path(where).is_relative_to(installed["PYTHONPATH"])


def test_command_line_knows_its_procedures_and_weights(installed):
    listed = json.loads(run(installed, "-m", "insonate", "procedures", "--json"))
    assert {one["id"] for one in listed} == {*("BU01", "LL01", "LL10", "MU01", "UL01", "UL03", "UL06")}
    run(installed, "-m", "insonate", "demo", "--out", "demo.png")
    assert (Path(installed["HOME"]) / "demo.png").read_bytes().startswith(b"\x89PNG")


def test_page_is_served(installed):
    port = free_port()
    command = [sys.executable, "-m", "insonate", "serve", "--no-open", "--port", str(port)]
    with subprocess.Popen(
        command, env=installed, cwd=installed["HOME"], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert f":{port}/" in server.stdout.readline()
            for _ in range(100):
                try:
                    page = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).read().decode()
                    break
                except OSError:
                    time.sleep(0.1)
            assert "<title>Insonate</title>" in page
            script = page.split('src="')[1].split('"')[0]
            assert len(urllib.request.urlopen(f"http://127.0.0.1:{port}{script}", timeout=5).read()) > 10_000
        finally:
            server.terminate()
