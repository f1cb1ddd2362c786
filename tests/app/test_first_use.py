"""First use: somebody who reads only what the page says, and does it, comes to a needle on its planned path.

The whole block, to the report, takes two minutes of both cores: `python tests/app/first_use.py` plays it on demand, and with
`--pointer --procedure UL03` a supraclavicular one without a key.
"""

import pytest

from app.browser import PLAIN, browsing, chromium, live, serving
from app.first_use import PATIENTS, Pointer, follow
from insonate.record.timeline import check, scan

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_somebody_who_only_reads_comes_to_a_needle_on_its_path(tmp_path):
    chromium()
    with serving(environment={"XDG_DATA_HOME": str(tmp_path)}) as running, browsing(flags=PLAIN) as page:
        live(page, running.url)
        said = [one.said for one in follow(page, within=200, until="to pass the skin")]
        assert said[0] == "Press Enter to start a guided block."
        assert any(one.startswith("Press Enter to take path 1:") for one in said)
        assert "5 of 7" in page.get_by_role("navigation", name="Thread").inner_text()
        assert page.complaints == []
    (kept,) = tmp_path.rglob("*.insotime")
    assert check(kept).whole
    steps = [event.content["what"] for event in scan(kept, data=False) if event.kind == "step"]
    assert steps[0] == "left choose"
    assert steps[-1] == "left plan"


def test_somebody_who_only_points_does_so_in_the_neck(tmp_path):
    chromium()
    with (
        serving(*PATIENTS["UL03"], environment={"XDG_DATA_HOME": str(tmp_path)}) as running,
        browsing(flags=PLAIN) as page,
    ):
        live(page, running.url)
        pressed = []
        page.expose_function("pressed", lambda key: pressed.append(key))  # noqa: PLW0108
        page.evaluate(
            "() => window.addEventListener('keydown', (event) => event.isTrusted && window.pressed(event.key))"
        )
        said = [
            one.said for one in follow(page, within=200, until="advance along the dashes", hand=Pointer(page))
        ]
        assert said[0] == "Press Enter to start a guided block."
        assert any(one.startswith("Press N") for one in said)
        assert any("to pass the skin" in one for one in said)
        assert pressed == []  # no key was
        assert "brachial plexus" in page.inner_text(".plan")
        assert page.complaints == []
