"""A gamepad moves what the keys move, as far as it is pushed, and lets go of all when it is gone."""

import json

import numpy as np
import pytest

from app.browser import PLAIN, browsing, live, module, serving, until

NAMES = ("a", "b", "x", "y", "lb", "rb", "lt", "rt", "back", "start", "rs", "up", "down", "left", "right")


def moved(hand, axes=(0, 0, 0, 0), **buttons):
    held = {"axes": list(axes), "buttons": dict.fromkeys(NAMES, 0) | buttons}
    return module("gamepad", f"moveOf({json.dumps(held)}, '{hand}')")


def test_sticks_and_triggers_move_as_their_keys_do():
    assert moved("probe") is None
    probe = moved("probe", (1, -1, 0.5, -1), rb=1, rt=1)
    assert (probe["type"], probe["slide"], probe["along"]) == ("probe", 1e-3, 1e-3)
    assert [probe["rock"], probe["tilt"], probe["rotate"]] == pytest.approx(np.radians([0.5, 1, 1]))
    assert probe["press"] == pytest.approx(0.5)
    needle = moved("needle", (1, 0, 0, 1), lb=1, rt=1)
    assert (needle["type"], needle["entry"]) == ("needle", -1e-3)
    assert [needle["angle"], needle["bevel"]] == pytest.approx(np.radians([1, -1]))
    assert needle["advance"] == pytest.approx(1e-3 / 3)
    assert moved("needle", lt=1)["advance"] == pytest.approx(-1e-3 / 3)


def test_a_stick_at_rest_and_another_layout_move_nothing():
    pad = {"connected": True, "mapping": "standard", "axes": [0.1, -0.17, 0, 0], "buttons": []}
    assert module("gamepad", f"held([null, {json.dumps(pad)}]).axes") == [0, 0, 0, 0]
    assert module("gamepad", f"held([{json.dumps(pad | {'mapping': ''})}])") is None
    assert module("gamepad", f"held([{json.dumps(pad | {'axes': [1, -1, 0, 0]})}]).axes[0]") == 1


PAD = """
window.__pad = { connected: true, mapping: 'standard', axes: [0, 0, 0, 0],
    buttons: Array.from({ length: 17 }, () => ({ value: 0, pressed: false })) }
navigator.getGamepads = () => [window.__pad]
"""


def push(page, button, value):
    page.evaluate(
        "([button, value]) => { window.__pad && (window.__pad.buttons[button].value = value) }",
        [button, value],
    )


@pytest.mark.browser
@pytest.mark.slow
def test_a_needle_is_advanced_and_injected_by_a_gamepad_that_lets_go_when_it_is_gone():
    with serving() as server, browsing(flags=PLAIN) as page:
        page.add_init_script(PAD)
        live(page, server.url)
        page.wait_for_selector(".hands")
        push(page, 3, 1)
        until(lambda: page.get_by_role("radio", name="Needle").get_attribute("aria-checked") == "true")
        push(page, 3, 0)
        push(page, 7, 1)
        until(lambda: "In 0" not in page.inner_text(".hands dl").replace("\n", " "), 30)
        push(page, 7, 0)
        push(page, 11, 1)  # drawn first, as the bar asks: blood or none comes back
        until(
            lambda: any(
                word in page.inner_text("[aria-label=Injector]") for word in (" came back", "no blood")
            ),
            30,
        )
        push(page, 11, 0)
        push(page, 0, 1)
        until(lambda: float(page.inner_text("[aria-label=Injector]").split(" mL")[0].split()[-1]) > 0.3, 30)
        page.evaluate("() => { window.__pad = null }")
        page.wait_for_timeout(1500)
        given = page.inner_text("[aria-label=Injector]")
        assert "· 0 mL/min" in given
        page.wait_for_timeout(1000)
        assert page.inner_text("[aria-label=Injector]").split(" mL")[0] == given.split(" mL")[0]
        assert page.complaints == []
