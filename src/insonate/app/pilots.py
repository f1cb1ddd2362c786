"""Who holds the probe: one pilot at a time, asked for and handed over; the others watch.

Whoever moves first, while nobody does, is the pilot. Another asks; the pilot hands over, or lets go. A pilot whose page goes
away is none any more, and leaves syringe and stimulator off. Used from one thread, that of the server.
"""

from insonate.core import InputError


class Pilots:
    """The viewers of one examination, by number, and who of them is the pilot."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._next = 1
        self.viewers: set[int] = set()
        """Who is here."""
        self.pilot: int | None = None
        """Who holds the probe; None if nobody."""
        self.asking: int | None = None
        """Who asks for it; None if nobody."""

    def enter(self) -> int:
        """Give a new viewer a number."""
        number, self._next = self._next, self._next + 1
        self.viewers.add(number)
        return number

    def leave(self, viewer: int) -> bool:
        """Take note that a viewer is gone; True if that was the pilot."""
        self.viewers.discard(viewer)
        if self.asking == viewer:
            self.asking = None
        if self.pilot != viewer:
            return False
        self.pilot, self.asking = self.asking, None  # whoever waits need not wait longer
        return True

    def check(self, viewer: int) -> None:
        """Let a viewer move something: the pilot, or anybody while there is none, who then is the pilot.

        Raises
        ------
        InputError
            If another is the pilot.
        """
        if self.pilot is None:
            self.pilot = viewer
        if self.pilot != viewer:
            raise InputError(f"Viewer {self.pilot} holds the probe. Ask for it to take over.")

    def ask(self, viewer: int) -> None:
        """Ask for the probe; where nobody holds it, it is taken."""
        if self.pilot is None:
            self.pilot = viewer
        elif self.pilot != viewer:
            self.asking = viewer

    def give(self, viewer: int) -> None:
        """Hand over to whoever asks, or let go if nobody does.

        Raises
        ------
        InputError
            If the viewer is not the pilot.
        """
        if self.pilot != viewer:
            raise InputError("Only who holds the probe can hand it over.")
        self.pilot, self.asking = self.asking, None
