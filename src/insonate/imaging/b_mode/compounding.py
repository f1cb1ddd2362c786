"""Compounding: the last few waves seen as one picture, partly with their phase and partly without.

    E = sqrt((1 - m) |mean y|^2 + m mean |y|^2)

over the baseband pixels y of the last N waves. With m = 0 the waves focus each other (all of the resolution, all of the
speckle); with m = 1 their speckle averages out, and their side lobes do not. S. K. Jespersen, J. E. Wilhjelm, H. Sillesen,
"Multi-angle compound imaging", Ultrason. Imaging 20(2), 81-102, 1998, for the second.
"""

from collections import deque

import numpy as np

from insonate.core import AxesError, IQImage
from insonate.core.checks import check_count, check_range


class Compounding:
    """Remembers the last waves; fed one at a time, it gives the picture of now."""

    def __init__(self, n_waves: int, *, incoherent: float = 0.5) -> None:
        """Begin with none.

        Parameters
        ----------
        n_waves : int
            How many are remembered.
        incoherent : float
            Share m of power that is added without phase, 0..1.

        Raises
        ------
        RangeError
            If a number is out of range.
        """
        check_count("n_waves", n_waves, (1, 256), "waves")
        check_range("incoherent", incoherent, (0, 1), "1", hint="percent?")
        self._incoherent = incoherent
        self._waves: deque[np.ndarray] = deque(maxlen=n_waves)

    def keep(self, n_waves: int) -> None:
        """Remember so many from now on, the newest of those at hand among them."""
        check_count("n_waves", n_waves, (1, 256), "waves")
        if n_waves != self._waves.maxlen:
            self._waves = deque(self._waves, maxlen=n_waves)

    def clear(self) -> None:
        """Forget all waves, as when the grid changes."""
        self._waves.clear()

    def add(self, iq: IQImage) -> np.ndarray:
        """Take the next wave, and give the strength of the picture of now.

        Parameters
        ----------
        iq : IQImage
            One frame, on the same grid as those remembered.

        Returns
        -------
        numpy.ndarray
            (n_axial, n_lateral) float32, not negative.

        Raises
        ------
        AxesError
            If it is not one frame, or has another shape than those remembered.
        """
        if len(iq.values) != 1:
            raise AxesError(f"a wave must be one frame, got {len(iq.values)}")
        wave = iq.values[0]
        if self._waves and self._waves[0].shape != wave.shape:
            raise AxesError(
                f"a wave must have the shape of those before, {self._waves[0].shape}, got {wave.shape}"
            )
        self._waves.append(wave)
        count = len(self._waves)
        total = np.sum(self._waves, axis=0)
        power = (1 - self._incoherent) / count**2 * (total.real**2 + total.imag**2)
        if self._incoherent:
            power = power + self._incoherent / count * sum(one.real**2 + one.imag**2 for one in self._waves)
        return np.asarray(np.sqrt(power), dtype=np.float32)
