"""What is known at one moment. Any part may be unknown; what is so is `Truth`, never this."""

from dataclasses import dataclass

from insonate.core.anatomy import Segmentation
from insonate.core.errors import AxesError
from insonate.core.image import Image


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """What is known at one moment, each part with its own time."""

    image: Image | None = None
    """The newest picture; None if there is none."""
    segmentation: Segmentation | None = None
    """Structures in it; None if not looked for."""
    area: tuple[int, int, int, int] | None = None
    """Rows and columns of the picture that hold echoes: first row, first column, rows, columns; None if not judged."""

    def __post_init__(self) -> None:
        if self.image is not None and self.segmentation is not None:
            seen, labelled = self.image.grid.shape, self.segmentation.grid.shape
            if seen != labelled:
                raise AxesError(
                    f"Scene.segmentation must lie on the image's grid of {seen[0]} x {seen[1]} pixels, got "
                    f"{labelled[0]} x {labelled[1]}"
                )
