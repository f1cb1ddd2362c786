"""Is it an ultrasound picture, and where in it is the ultrasound.

No structure is named here, nothing is planned.
"""

from insonate.analysis.quality.area import echo_area

__all__ = ["echo_area"]
