"""How a probe is held, in short."""

import numpy as np

from insonate.core import CoordinateFrame, Pose


def held(angle=0.0, turn=0.0, at=(0.0, 0.0, 0.0)):
    """Rock the face by `angle` about y, after turning it by `turn` about z."""
    c, s, cc, ss = np.cos(angle), np.sin(angle), np.cos(turn), np.sin(turn)
    rocked = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    turned = np.array([[cc, -ss, 0], [ss, cc, 0], [0, 0, 1]])
    return Pose(
        rotation=turned @ rocked,
        translation=np.array(at),
        source=CoordinateFrame.PROBE,
        target=CoordinateFrame.PATIENT,
        time=0,
    )
