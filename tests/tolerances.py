"""Why each tolerance is what it is. Tests import these, never a bare number."""

ATOL_ZERO = 1e-12
"""Zero, in double precision, of a quantity of order one."""

RTOL_FLOAT64 = 1e-9
"""A formula evaluated twice in double precision, in another order."""

RTOL_FLOAT32 = 1e-4
"""The same in single precision, after a few hundred additions."""

ATOL_GREY8 = 0.5 / 255 + 1e-6
"""Half a step of eight-bit grey, and the rounding of single precision."""
