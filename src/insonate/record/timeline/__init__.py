"""One timeline of an examination: every frame, command, reading and cue, append-only, each checked whole.

Knows events and bytes; not what a frame or a command is, which is for the pipeline.
"""

from insonate.record.timeline.library import Entry, Library, home
from insonate.record.timeline.log import Damage, Log, Report, check, scan
from insonate.record.timeline.recorder import Recorder

__all__ = ["Damage", "Entry", "Library", "Log", "Recorder", "Report", "check", "home", "scan"]
