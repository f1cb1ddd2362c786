"""First use: somebody who reads only what the page says, and does it, finishes a first simulated block."""

import pytest

from app.browser import browsing, chromium, live, serving
from app.first_use import follow
from insonate.record.timeline import check, scan

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]


def test_somebody_who_only_reads_finishes_a_first_block(tmp_path):
    chromium()
    with serving(environment={"XDG_DATA_HOME": str(tmp_path)}) as running, browsing() as page:
        live(page, running.url)
        lines = follow(page, within=500, until="begin again")
        said = [one.said for one in lines]
        assert said[0] == "Press Enter to start a guided block."
        assert sum("Hold Space" in one for one in said) >= 1
        page.wait_for_selector("dialog .sentence")
        report = page.locator("dialog").inner_text()
        assert "SIMULATED" in report
        assert "Needle to femoral" in report
        assert page.complaints == []
    (kept,) = tmp_path.rglob("*.insotime")
    assert check(kept).whole
    steps = [event.content["what"] for event in scan(kept, data=False) if event.kind == "step"]
    assert "left plan" in steps
    assert "left perform" in steps
