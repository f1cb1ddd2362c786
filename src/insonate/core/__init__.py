"""The nouns: what passes between stages.

NumPy and the standard library only. No file, no network, no algorithm.
"""

from insonate.core.acquisition import Acquisition, Probe, Transmit, Waveform
from insonate.core.anatomy import ModelVersion, Segmentation, Side, Structure, Tissue
from insonate.core.channel_data import ChannelData
from insonate.core.clearance import Clearance
from insonate.core.color_flow import ColorFlow
from insonate.core.command import (
    AdvanceNeedle,
    Command,
    Inject,
    MoveBody,
    MoveProbe,
    SetControl,
    Stimulate,
)
from insonate.core.coordinates import CoordinateFrame, Pose
from insonate.core.cue import Cue, Level
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
from insonate.core.event import Event
from insonate.core.grid import Grid, PixelGrid, PolarGrid
from insonate.core.image import Image, IQImage, Quantity
from insonate.core.injection import Dose, Drawn, InjectionReading
from insonate.core.needle import NeedleEcho, NeedlePose, NeedleState
from insonate.core.needle_path import NeedlePath
from insonate.core.plan import HazardSighting, Plan
from insonate.core.procedure import (
    Approach,
    Hazard,
    Injectate,
    Needle,
    Procedure,
    Review,
    Sign,
    Sourced,
    Target,
    TargetKind,
)
from insonate.core.provenance import Step
from insonate.core.scene import Scene
from insonate.core.stages import Observation, Readable, Source
from insonate.core.stimulation import StimulationReading, Stimulus

__all__ = [
    "Acquisition",
    "AdvanceNeedle",
    "Approach",
    "AxesError",
    "ChannelData",
    "Clearance",
    "ColorFlow",
    "Command",
    "CoordinateFrame",
    "Cue",
    "Dose",
    "Drawn",
    "Event",
    "FormatError",
    "FrameError",
    "Grid",
    "Hazard",
    "HazardSighting",
    "IQImage",
    "Image",
    "Inject",
    "Injectate",
    "InjectionReading",
    "InputError",
    "InsonateError",
    "Level",
    "ModelVersion",
    "MoveBody",
    "MoveProbe",
    "Needle",
    "NeedleEcho",
    "NeedlePath",
    "NeedlePose",
    "NeedleState",
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
    "Sign",
    "Source",
    "Sourced",
    "Step",
    "Stimulate",
    "StimulationReading",
    "Stimulus",
    "Structure",
    "Target",
    "TargetKind",
    "Tissue",
    "Transmit",
    "UnknownNameError",
    "Waveform",
]
