from collections.abc import Iterator

from insonate.core import Observation, Source


class Silence:
    name = "silence"
    accepts: frozenset[str] = frozenset()
    simulated = False

    def advance(self, commands, until) -> Iterator[Observation]:
        yield from ()


class Deaf:
    name = "deaf"


def test_whatever_advances_is_a_source():
    assert isinstance(Silence(), Source)
    assert not isinstance(Deaf(), Source)
