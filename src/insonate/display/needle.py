"""A tracked needle over a picture: two rails that frame its echo, and a ring that says what is known of the tip.

A tip that is seen has its 95 % region drawn whole, in the needle's color, and rails up to it. One off the plane has it
dotted, one that is lost or doubted dashed and gray; the rails end a centimeter before it then: nobody knows where it ends.
"""

from typing import Literal

import numpy as np

from insonate.core.units import Meters, Radians
from insonate.display.drawing import Line, Stroke
from insonate.display.palette import table

TipState = Literal["seen", "off plane", "lost", "doubted"]

UNSURE: Meters = 0.01
"""Of the shaft that is not drawn before a tip that is not seen [m]."""

BESIDE: Meters = 3e-4
"""Between the shaft's edge and its rail, so that no echo is covered [m]."""

SMALLEST: Meters = 5e-4
"""Half axis of a ring that can be seen [m]."""

CORNERS = 40
"""Of a ring."""


def needle_lines(
    tip: tuple[Meters, Meters],
    tail: tuple[Meters, Meters],
    ellipse: tuple[Meters, Meters, Radians] | None,
    *,
    diameter: Meters,
    state: TipState,
) -> tuple[Line, ...]:
    """Draw a needle.

    Parameters
    ----------
    tip, tail : (float, float)
        Axial and lateral, of the tip and of where the shaft leaves the skin [m].
    ellipse : (float, float, float), optional
        Half axes of the tip's 95 % region, and the angle of the first to the lateral axis [m, m, rad].
    diameter : float
        Outer, of the shaft [m].
    state : str
        What is known of the tip.

    Returns
    -------
    tuple of Line
        Rails, then the ring; no rails where the shaft is shorter than what is not known of it.
    """
    colors = table()
    unsure = state in ("lost", "doubted")
    color = colors["state"]["unknown"]["color"] if unsure else colors["needle"]["color"]
    end, start = np.array(tip, float), np.array(tail, float)
    length = float(np.linalg.norm(end - start))
    lines = []
    if length > 0:
        along = (end - start) / length
        across = np.array([-along[1], along[0]]) * (diameter / 2 + BESIDE)
        last = end if state == "seen" else end - along * min(UNSURE, length)
        stroke = Stroke(color=color, width=1.5, dash=(5.0, 5.0) if unsure else ())
        if float(np.linalg.norm(last - start)) > 1e-6:
            lines = [
                Line(
                    role="needle",
                    name="shaft of the needle",
                    points=(_point(start + side * across), _point(last + side * across)),
                    stroke=stroke,
                )
                for side in (1, -1)
            ]
    if ellipse is not None:
        first, second, turn = max(ellipse[0], SMALLEST), max(ellipse[1], SMALLEST), ellipse[2]
        angle = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
        lateral = first * np.cos(angle) * np.cos(turn) - second * np.sin(angle) * np.sin(turn)
        axial = first * np.cos(angle) * np.sin(turn) + second * np.sin(angle) * np.cos(turn)
        dash = {"seen": (), "off plane": (1.5, 3.5)}.get(state, (4.0, 4.0))
        lines.append(
            Line(
                role="needle",
                name=f"tip of the needle, {state}",
                points=tuple(_point(end + np.array(one)) for one in zip(axial, lateral, strict=True)),
                stroke=Stroke(color=color, width=2.0, dash=dash),
                closed=True,
            )
        )
    return tuple(lines)


def _point(at: np.ndarray) -> tuple[float, float]:
    return float(at[0]), float(at[1])
