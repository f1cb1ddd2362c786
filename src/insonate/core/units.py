"""Units as types: SI everywhere inside, written once in the signature.

The annotation is for the reader, the type checker and the documentation; at run time each is a plain float.
"""

from typing import Annotated

Meters = Annotated[float, "m"]
Seconds = Annotated[float, "s"]
Hertz = Annotated[float, "Hz"]
Radians = Annotated[float, "rad"]
MetersPerSecond = Annotated[float, "m/s"]
Decibels = Annotated[float, "dB"]
CubicMeters = Annotated[float, "m3"]
CubicMetersPerSecond = Annotated[float, "m3/s"]
SquareMeters = Annotated[float, "m2"]
Kilograms = Annotated[float, "kg"]
Newtons = Annotated[float, "N"]
Pascals = Annotated[float, "Pa"]
Amperes = Annotated[float, "A"]
Ohms = Annotated[float, "ohm"]
