"""The nouns: what passes between stages.

NumPy and the standard library only. No file, no network, no algorithm.
"""

from insonate.core.acquisition import Acquisition, Probe, Transmit, Waveform
from insonate.core.anatomy import ModelVersion, Segmentation, Side, Structure, Tissue
from insonate.core.channel_data import ChannelData
from insonate.core.clearance import Clearance
from insonate.core.command import Command, SetControl
from insonate.core.coordinates import CoordinateFrame, Pose
from insonate.core.errors import (
    AxesError,
    FormatError,
    FrameError,
    InputError,
    InsonateError,
    OutputError,
    RangeError,
    UnknownNameError,
)
from insonate.core.grid import Grid, PixelGrid, PolarGrid
from insonate.core.image import Image, IQImage, Quantity
from insonate.core.needle_path import NeedlePath
from insonate.core.plan import HazardSighting, Plan
from insonate.core.procedure import (
    Approach,
    Hazard,
    Injectate,
    Needle,
    Procedure,
    Review,
    Sourced,
    Target,
    TargetKind,
)
from insonate.core.provenance import Step
from insonate.core.scene import Scene
from insonate.core.stages import Observation, Readable, Source

__all__ = [
    "Acquisition",
    "Approach",
    "AxesError",
    "ChannelData",
    "Clearance",
    "Command",
    "CoordinateFrame",
    "FormatError",
    "FrameError",
    "Grid",
    "Hazard",
    "HazardSighting",
    "IQImage",
    "Image",
    "Injectate",
    "InputError",
    "InsonateError",
    "ModelVersion",
    "Needle",
    "NeedlePath",
    "Observation",
    "OutputError",
    "PixelGrid",
    "Plan",
    "PolarGrid",
    "Pose",
    "Probe",
    "Procedure",
    "Quantity",
    "RangeError",
    "Readable",
    "Review",
    "Scene",
    "Segmentation",
    "SetControl",
    "Side",
    "Source",
    "Sourced",
    "Step",
    "Structure",
    "Target",
    "TargetKind",
    "Tissue",
    "Transmit",
    "UnknownNameError",
    "Waveform",
]
