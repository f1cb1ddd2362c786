"""A picture and a place to the needle in it: what the picture shows where a tracker says that a needle lies.

No structure is named here, no advice given.
"""

from insonate.analysis.needle.echo import needle_echo

__all__ = ["needle_echo"]
