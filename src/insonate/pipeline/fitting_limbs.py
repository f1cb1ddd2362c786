"""Bodies of no particular place, written by a seed in the language of regions: only to fit networks on, never a patient.

A region of the patient is anatomy: its nerve lies where nerves of that region lie, in every individual. A network that has
seen three regions knows three places. Here layers, bellies of muscle, bone, vessels and nerves are thrown together, wide on
purpose, so that what is left to learn is what a nerve and a vessel look like, not where they are. Discs around vessels
and nerves do not meet; a bundle keeps its arrangement along the limb. Ranges: `fitting_limbs.toml`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from insonate.simulation.anatomy import Region, read
from insonate.simulation.facts import facts

NAME = "limb"
"""Of the region; not among those of the patient."""

HALF = 42.0
"""Half of the length that is written, along x and along y [mm]."""

LOWEST = 34.0
"""How deep vessels and nerves reach [mm]."""

ASIDE = 24.0
"""How far to the side they lie [mm]."""

MOST_TRIES = 200
"""Places drawn for one of them until it meets no other; then it is left out."""

CITED = 'source = "thrown by a seed, fitting_limbs.toml; design"\nevidence = "D"\n'


def limb(seed: int) -> Region:
    """Throw a body together.

    Parameters
    ----------
    seed : int
        Decides all of it.

    Returns
    -------
    Region
        With one window, no variant and no pathology.

    Examples
    --------
    >>> limb(3).windows[0].name
    'limb'
    """
    return read(text=_Thrown(seed).text(), name=NAME)


def _value(value: Any) -> str:
    """Write a value as TOML."""
    if isinstance(value, str | bool):
        return json.dumps(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(_value, value)) + "]"
    return str(value) if isinstance(value, int) else repr(round(float(value), 4))


_Disc = tuple[float, float, float]
"""x, z and radius of what no other vessel or nerve may meet [mm]."""


class _Thrown:
    """One body, being written. Lengths in mm, as in the language."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng((seed, 0x11B))
        self.table = facts("insonate.pipeline", "fitting_limbs")
        self.blocks: list[str] = []
        self.discs: list[_Disc] = []
        self.names: list[str] = []
        self.tubes: list[dict[str, Any]] = []
        layers = self.table["layers"]
        self.skin = 1e3 * self.between(layers["skin"])
        self.fascia = self.skin + 1e3 * self.log_between(layers["fat"])
        self.tilt = self.between(layers["tilt"])
        self.artery: _Disc | None = None
        self.drift = (self.between((-4, 4)), self.between((-2, 2)))

    def between(self, limits: Sequence[float]) -> float:
        return float(self.rng.uniform(limits[0], limits[1]))

    def log_between(self, limits: Sequence[float]) -> float:
        return float(np.exp(self.rng.uniform(np.log(limits[0]), np.log(limits[1]))))

    def count(self, shares: Sequence[float]) -> int:
        return int(self.rng.choice(len(shares), p=shares))

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def add(self, kind: str, **content: Any) -> None:
        lines = "".join(f"{key} = {_value(value)}\n" for key, value in content.items())
        self.blocks.append(f"[[{kind}]]\n{lines}{CITED}")

    def text(self) -> str:
        """Write all of it, what lies deep first placed, then what yields to it."""
        self._layers()
        self._vessels()
        self._nerves()
        self._tendons()
        self._bellies()
        self._bone()
        self._inner()
        for tube in self.tubes:
            self.add("tube", **tube)
        window = f"[windows.{NAME}]\ncenter_mm = [0, 0]\nreach_mm = [84, 40, 44]\n"
        return "\n".join([window, *self.blocks])

    def _layers(self) -> None:
        between, fat = self.between, self.fascia - self.skin
        self.add("surface", name="surface of skin", depth_mm=0.0, below="skin", tissue="skin")
        self.add(
            "surface",
            name="dermis",
            depth_mm=self.skin,
            waves=[[0.06, 5.0]],
            below="subcutaneous fat",
            tissue="fat",
            texture="fat",
            fiber="dermis",
            strength_db=between((-8, 0)),
            breaks=between((0.3, 1)),
            echo_db=between((-40, -28)),
        )
        most = int(self.table["layers"]["most_septa"])
        for k in range(self.rng.integers(0, 1 + min(most, int(fat / 2)))):
            self.add(
                "surface",
                name=f"septum {k}",
                depth_mm=self.skin + fat * between((0.2, 0.9)),
                slope_x=self.tilt * between((0.2, 1)) + between((-0.08, 0.08)),
                bow_mm=between((-1, 1)),
                waves=[[between((0.2, 0.8)), between((7, 14))], [between((0.05, 0.2)), between((2.5, 5))]],
                strength_db=between((-12, 2)),
                breaks=between((0.6, 1.8)),
            )
        bed = self.count(self.table["layers"]["beds"])
        self.muscle = bed == 0
        self.add(
            "surface",
            name="deep fascia",
            depth_mm=self.fascia,
            slope_x=self.tilt,
            bow_mm=between((-2, 2)),
            waves=[[between((0.2, 0.7)), between((8, 14))], [between((0.08, 0.2)), between((3, 5))]],
            below="bed",
            tissue="muscle" if bed == 0 else "fat",
            texture=("muscle", "deep fat", "fat")[bed],
            echo_db=between((-44, -34) if bed == 0 else (-36, -22)),
            fiber="deep fascia",
            strength_db=between((-3, 7)),
            breaks=between((0.4, 1.4)),
            plies=int(self.rng.integers(1, 4)),
            ply_gap_mm=between((0.4, 1.2)),
        )

    def _place(self, radius: float, beside: _Disc | None, gap: float) -> tuple[float, float] | None:
        """Find a middle for a disc that meets no other, beside one or anywhere."""
        top = self.fascia + 0.8
        for _ in range(MOST_TRIES):
            if beside is None:
                x, z = self.between((-16, 16)), self.between((top + radius, min(28, top + 22)))
            else:
                turn, far = self.between((0, 2 * np.pi)), beside[2] + radius + gap + 0.15
                x, z = beside[0] + far * np.cos(turn), beside[1] + far * np.sin(turn)
            fits = top + abs(x * self.tilt) + 1 <= z - radius and z + radius <= LOWEST and abs(x) <= ASIDE
            if fits and all(np.hypot(x - a, z - b) > radius + r + 0.15 for a, b, r in self.discs):
                self.discs.append((x, z, radius))
                return x, z
        return None

    def _tube(
        self, name: str, tissue: str, at: tuple[float, float], width: float, height: float, turn: float
    ) -> dict[str, Any]:
        """Begin a tube that goes along the limb with all others."""
        stations = [
            {
                "y_mm": HALF * share,
                "x_mm": at[0] + self.drift[0] * share,
                "z_mm": max(at[1] + self.drift[1] * share, self.fascia + 0.8 + 0.45 * height),
                "width_mm": width * (1 + 0.06 * share * self.between((-1, 1))),
                "height_mm": height * (1 + 0.06 * share * self.between((-1, 1))),
                "turn_deg": turn + 5 * share * self.between((-1, 1)),
            }
            for share in (-1.0, 0.0, 1.0)
        ]
        tube: dict[str, Any] = {"name": name, "tissue": tissue, "stations": stations}
        self.tubes.append(tube)
        self.names.append(name)
        return tube

    def _vessels(self) -> None:
        table, between = self.table["vessels"], self.between

        def filled() -> dict[str, float]:
            return {"echo_db": between(table["haze_db"])} if self.chance(table["hazy"]) else {}

        for k in range(self.count(table["arteries"])):
            across = 1e3 * (self.log_between(table["artery"]) if k == 0 else between(table["second"]))
            near = None if k == 0 or self.chance(0.5) else self.artery
            at = self._place(across / 2, near, between((0.2, 3)))
            if at is None:
                continue
            self.artery = self.artery or (*at, across / 2)
            tube = self._tube(
                f"artery {k}", "artery", at, across, across * between((0.85, 1)), between((-20, 20))
            )
            tube |= filled() | {
                "uneven": between((0.02, 0.1)),
                "wall": {
                    "strength_db": between((-2, 8)),
                    "breaks": between((0.6, 1.2)),
                    "plies": int(self.rng.integers(1, 3)),
                    "ply_gap_mm": 0.55,
                },
                "companions": {
                    "count": max(int(self.rng.integers(0, 4)), 1),
                    "width_mm": between((0.6, 1.2)),
                    "gap_mm": between((0.5, 1)),
                    "strength_db": between((-4, 0)),
                },
            }
        for k in range(self.count(table["veins"])):
            width = 2 * self.artery[2] if self.artery else 1e3 * between(table["alone"])
            width = min(width * between(table["vein_ratio"]), 1e3 * table["widest"])
            flat = between(table["flat"])
            beside = self.artery if self.chance(table["beside"]) else None
            at = self._place(width * (1 + flat) / 4, beside, between((0.1, 2.5)))
            if at is None:
                continue
            tube = self._tube(f"vein {k}", "vein", at, 0.96 * width, 0.96 * width * flat, between((-40, 40)))
            tube |= filled() | {
                "uneven": between((0.05, 0.15)),
                "yields": True,
                "wall": {"strength_db": between((-3, 4)), "breaks": between((0.7, 1.3))},
            }

    def _nerves(self) -> None:
        table, between = self.table["nerves"], self.between
        kinds = [block for name, block in self.table.items() if name.startswith("nerve: ")]
        shares = [block["share"] for block in kinds]
        last: _Disc | None = None
        for k in range(1 + self.count(table["count"])):
            kind = kinds[self.count(shares)]
            width = 1e3 * self.log_between(kind["width"])
            height = width * between(kind["flat"])
            fascicles = int(np.clip(width * height * between(kind["per_mm2"]), *kind["count"]))
            drawn = self.rng.random()
            beside = self.artery if drawn < table["beside_artery"] else None
            if beside is None and drawn < table["beside_artery"] + table["beside_another"]:
                beside = last
            gap = 1e3 * self.log_between(table["gap"])
            at = self._place(width / 2, beside, gap) or self._place(width / 2, None, gap)
            if at is None:
                continue
            last = self.discs[-1]
            tube = self._tube(
                f"nerve {k}", "nerve", at, 0.97 * width, 0.97 * height, between(kind["turn_deg"])
            )
            tube |= {
                "texture": "stroma",
                "echo_db": between(kind["stroma_db"]),
                "uneven": between((0.05, 0.16)),
                "wall": {"strength_db": between((-6, 5)), "breaks": between((0.5, 1.4))},
                "fascicles": {
                    "count": fascicles,
                    "ratio": between(kind["ratio"]),
                    "size_spread": between((0.15, 0.45)),
                    "strength_db": between(kind["rim_db"]),
                    "echo_db": between(kind["fascicle_db"]),
                },
            }

    def _tendons(self) -> None:
        table, between = self.table["others"], self.between
        for k in range((0, 1, 2, 4)[self.count(table["tendons"])]):
            width = between((3, 8))
            at = self._place(width / 2, None, 0.2)
            if at is not None:
                tube = self._tube(
                    f"tendon {k}", "tendon", at, 0.95 * width, width * between((0.4, 0.9)), between((-30, 30))
                )
                tube |= {
                    "texture": str(self.rng.choice(["tendon", "cuff"])),
                    "uneven": between((0.04, 0.12)),
                    "yields": True,
                    "wall": {"strength_db": between((-9, 0)), "breaks": between((0.8, 1.4))},
                }
        if self.chance(table["node_share"]):
            width = between((6, 13))
            height = width * between((0.35, 0.6))
            at = self._place(width / 2, None, 0.2)
            if at is not None:
                self.add(
                    "ellipsoid",
                    name="node",
                    tissue="lymph node",
                    uneven=0.06,
                    x_mm=at[0],
                    y_mm=between((-8, 8)),
                    z_mm=at[1],
                    width_mm=width,
                    length_mm=1.3 * width,
                    height_mm=height,
                    turn_deg=between((-30, 30)),
                    hilum={"depth_mm": 0.25 * height, "echo_db": 12},
                    wall={"strength_db": -5, "breaks": 1.0},
                )

    def _belly(
        self, name: str, wide: tuple[float, float], aside: float, below: tuple[float, float], turn: float
    ) -> dict[str, Any]:
        between = self.between
        width = between(wide)
        height = min(width * between((0.3, 0.8)), 20.0)
        x, z = between((-aside, aside)), self.fascia + height / 2 + between(below)
        stations = [
            {
                "y_mm": y,
                "x_mm": x + between((-5, 5)),
                "z_mm": z + between((-1, 3)),
                "width_mm": width * between((0.7, 1.1)),
                "height_mm": height * between((0.8, 1)),
                "turn_deg": between((-turn, turn)),
            }
            for y in (-45.0, 45.0)
        ]
        return {
            "name": name,
            "tissue": "muscle",
            "texture": "muscle",
            "yields": True,
            "wall": {
                "strength_db": between((-12, 5)),
                "breaks": between((0.6, 1.4)),
                "plies": int(self.rng.integers(1, 3)),
                "ply_gap_mm": 0.5,
            },
            "stations": stations,
        }

    def _bellies(self) -> None:
        table, between = self.table["others"], self.between
        for k in range(self.rng.integers(int(self.muscle), int(table["most_bellies"]) + 1)):
            belly = self._belly(f"belly {k}", (14, 44), 38, (0.6, 16), 20)
            belly |= {
                "uneven": between((0.03, 0.08)),
                "pennation_deg": between((-12, 12)),
                "echo_db": between((-46, -35)),
            }
            self.add("tube", **belly)
        for k in range(self.count(table["dark_bellies"])):
            belly = self._belly(f"dark belly {k}", (5, 16), 24, (0.5, 18), 40)
            belly |= {
                "uneven": between((0.05, 0.12)),
                "texture_db": between((-9, 0)),
                "echo_db": between((-56, -42)),
            }
            self.add("tube", **belly)

    def _bone(self) -> None:
        table, between = self.table["others"], self.between
        if not self.chance(table["bone_share"]):
            return
        lowest = max((z + radius for _, z, radius in self.discs), default=self.fascia + 8)
        top = min(max(lowest + abs(self.drift[1]) + between((1, 10)), self.fascia + 7), 43.0)
        middle, radius = between((-26, 26)), 1e3 * between(table["bone"])
        across = np.linspace(-HALF, HALF, 9)
        aside = np.minimum(np.abs(across - middle), 0.98 * radius)
        depth = np.minimum(top + radius - np.sqrt(radius**2 - aside**2), 60)
        self.add(
            "relief",
            name="bone",
            tissue="bone",
            rind={"depth_mm": 0.25, "echo_db": between((34, 42))},
            waves=[[0.08, 2.5], [between((0.1, 0.4)), 7.0]],
            wall={"strength_db": between((5, 11)), "breaks": between((0.4, 0.9)), "rough_mm": 0.04},
            stations=[{"x_mm": float(x), "z_mm": float(z)} for x, z in zip(across, depth, strict=True)],
        )

    def _inner(self) -> None:
        table, between = self.table["layers"], self.between
        for k in range(self.rng.integers(0, int(table["most_inner"]) + 1)):
            self.add(
                "surface",
                name=f"inner fascia {k}",
                depth_mm=self.fascia + between((2, 20)),
                slope_x=between((-0.5, 0.5)),
                bow_mm=between((-4, 4)),
                waves=[[between((0.3, 1)), between((8, 14))], [0.15, 3.5]],
                over=[name for name in self.names if self.chance(0.5)],
                gap_mm=between((0.3, 1)),
                strength_db=between((-10, 5)),
                breaks=between((0.5, 1.5)),
                plies=int(self.rng.integers(1, 3)),
                ply_gap_mm=0.5,
            )
        around = [name for name in self.names if not name.startswith("tendon")]
        if around and self.chance(table["halo_share"]):
            self.add(
                "halo",
                around=around,
                reach_mm=1e3 * between(table["halo"]),
                echo_db=between(table["halo_db"]),
            )
