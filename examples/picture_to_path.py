"""From a picture to a planned needle path, in the open.

    python examples/picture_to_path.py SCAN.png UL03

Without a file it makes a picture that shows nothing: the plan then says that no target was seen, and every hazard is
unknown. Spacing is unknown in a PNG, so lengths are in pixels until you supply it.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

import insonate
from insonate.formats.still import write_png
from insonate.guidance.procedures import procedure
from insonate.pipeline.chain import as_image, guide


def main() -> None:
    """Read, label, plan, and say what came out."""
    with tempfile.TemporaryDirectory() as room:
        if len(sys.argv) > 1:
            path = Path(sys.argv[1])
        else:
            path = Path(room) / "nothing.png"
            write_png(path, np.random.default_rng(0).integers(0, 90, (400, 400), dtype=np.uint8))
        (read, *_) = insonate.open(path)
    guided = guide(as_image(read), procedure(sys.argv[2] if len(sys.argv) > 2 else "UL03"))
    print(guided.procedure.name, "-", guided.procedure.review.value)
    print(guided.plan.reason)
    for hazard in guided.plan.hazards:
        print(f"  {hazard.structure}: {'known' if hazard.known else 'unknown'} ({hazard.reason})")
    for path_found in guided.plan.paths:
        print(f"  path {path_found.rank}: {path_found.reason}")


if __name__ == "__main__":
    main()
