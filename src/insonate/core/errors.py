"""The tree of errors. Every error we raise on purpose is one of these, and its text is fit for a user.

    InsonateError
    ├── InputError            what came in cannot be used (exit code 2)
    │   ├── AxesError             an array has the wrong axes
    │   ├── RangeError            a number lies outside what is possible
    │   ├── FrameError            two coordinate frames do not meet
    │   ├── FormatError           a file is not what it claims to be, or not one we read
    │   └── UnknownNameError      a name is not in the catalog
    └── OutputError           a result could not be written (exit code 3)

A message says what was expected (with its unit), what came, and the likely slip.
"""


class InsonateError(Exception):
    """Any error that Insonate raises on purpose."""


class InputError(InsonateError, ValueError):
    """What came in cannot be used as it is."""


class AxesError(InputError):
    """An array has other axes than its noun needs."""


class RangeError(InputError):
    """A number lies outside the range that is physically possible."""


class FrameError(InputError):
    """Two coordinate frames were joined that do not meet."""


class FormatError(InputError):
    """A file is damaged, is not what it claims to be, or is of a kind that is not read."""


class UnknownNameError(InputError):
    """A name is not in the catalog it was looked up in."""


class OutputError(InsonateError, OSError):
    """A result could not be written; nothing half-written was left behind."""
