"""Commands as plain values for JSON, and back: with seed and settings they are the replay of a simulated examination."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from insonate.core import Command, Pose, UnknownNameError


def plain(command: Command) -> dict[str, Any]:
    """Give a command as plain values for JSON; `commanded` gives it back."""

    def value(one: Any) -> Any:
        if isinstance(one, np.ndarray):
            return one.tolist()
        if isinstance(one, Pose):
            return {
                "rotation": one.rotation.tolist(),
                "translation": one.translation.tolist(),
                "time": one.time,
            }
        if dataclasses.is_dataclass(one) and not isinstance(one, type):
            return {field.name: value(getattr(one, field.name)) for field in dataclasses.fields(one)}
        return one

    return {"kind": type(command).__name__} | {
        field.name: value(getattr(command, field.name)) for field in dataclasses.fields(command)
    }


def commanded(values: Sequence[dict[str, Any]]) -> list[Command]:
    """Give commands back from plain values.

    Parameters
    ----------
    values : sequence of dict
        From `plain`, as they stand in `examination.json`.

    Returns
    -------
    list of Command
        In their order.

    Raises
    ------
    UnknownNameError
        If a kind is not one of ours.
    """
    from insonate import core

    kinds: dict[str, Any] = {
        name: getattr(core, name)
        for name in ("SetControl", "MoveProbe", "MoveBody", "AdvanceNeedle", "Inject", "Stimulate")
    }
    out: list[Command] = []
    for one in values:
        kind, rest = one.get("kind"), {key: value for key, value in one.items() if key != "kind"}
        if kind not in kinds:
            raise UnknownNameError(f"a command must be one of {', '.join(kinds)}, got {kind!r}")
        if kind == "MoveProbe":
            pose = rest["pose"]
            rest["pose"] = Pose(
                rotation=np.array(pose["rotation"]),
                translation=np.array(pose["translation"]),
                source=core.CoordinateFrame.PROBE,
                target=core.CoordinateFrame.PATIENT,
                time=pose["time"],
            )
        elif kind == "Stimulate" and rest["stimulus"] is not None:
            rest["stimulus"] = core.Stimulus(**rest["stimulus"])
        elif kind == "AdvanceNeedle":
            rest["entry"], rest["direction"] = np.array(rest["entry"]), np.array(rest["direction"])
        out.append(kinds[kind](**rest))
    return out
