"""Give structures their proper names, by stated rules only.

Rule "one of its tissue": in a picture that the operator says was taken for a procedure whose target is one nerve, the
largest structure of that tissue that is known is the target. It is wrong where the model's structure is none of that
tissue (the card's invented rate, told with the name), and where the picture does not show the procedure's view, which
nobody here can tell. Where a second structure of the tissue is more than half as large the rule gives no name, unless the
target is a plexus and the second lies with the largest (`Target.together`): then either is it, and the largest bears the
name. Several targets (the four nerves of the axilla) and vessels (artery or vein) have no rule: they keep the word for their
tissue. Labels of another model than the card's have no error rate, so they get no name either.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.ndimage import distance_transform_edt

from insonate.analysis.models import simulated_tissues, stored
from insonate.analysis.models.nerve_vessel import card
from insonate.core import Grid, PixelGrid, Procedure, Segmentation, Target, Tissue

CLEARLY = 0.5
"""A second structure larger than this share of the largest makes the choice unsure."""


def invented_rate(table: Mapping[str, Any], tissue: Tissue) -> tuple[float, float, float] | None:
    """Give how often the model's structures of a tissue are none, from its card.

    Parameters
    ----------
    table : mapping
        The card.
    tissue : Tissue
        The tissue asked for.

    Returns
    -------
    (float, float, float) or None
        Rate and its 95 % interval, 0..1; None where the card does not say.
    """
    value = table.get("measured", {}).get(tissue.value, {}).get("invented")
    if value is None:
        return None
    rate, low, high = value
    return float(rate), float(low), float(high)


def name_structures(
    segmentation: Segmentation, procedure: Procedure, *, table: Mapping[str, Any] | None = None
) -> Segmentation:
    """Name the target of a procedure where the rule allows.

    Parameters
    ----------
    segmentation : Segmentation
        Of one frame.
    procedure : Procedure
        That the picture was taken for.
    table : mapping, optional
        The model's card; that of the network that said so by default.

    Returns
    -------
    Segmentation
        The same with proper names where the rule gives one; all else unchanged.
    """
    target = procedure.target
    model = segmentation.model
    if table is None:
        table = stored.card(simulated_tissues.NAME) if model.name == simulated_tissues.NAME else card()
    rate = invented_rate(table, target.tissue)
    if (model.name, model.version) != (table["name"], table["version"]) or rate is None:
        return segmentation
    if len(target.structures) != 1:
        return segmentation
    if any(one.name == target.structures[0] for one in segmentation.structures):
        return segmentation  # somebody has named it
    known = segmentation.known()
    sizes = {
        label: int(((segmentation.labels == label) & known).sum())
        for label, structure in enumerate(segmentation.structures, start=1)
        if structure.tissue is target.tissue and structure.named_by is None
    }
    ranked = sorted((size, label) for label, size in sizes.items() if size > 0)
    if not ranked:
        return segmentation
    label = ranked[-1][1]
    rivals = {other for size, other in ranked[:-1] if size > CLEARLY * ranked[-1][0]}
    if not rivals <= _with(label, set(sizes), segmentation, target):
        return segmentation
    wrong, low, high = (100 * share for share in rate)
    rule = (
        f"the largest {target.tissue.value} of a picture taken for {procedure.id}; of the model's {target.tissue.value}s "
        f"{wrong:.0f} % ({low:.0f} to {high:.0f}) are none, and that the picture shows this view is taken on trust"
    )
    structures = list(segmentation.structures)
    structures[label - 1] = replace(
        structures[label - 1], name=target.structures[0], instance=1, named_by=rule
    )
    return replace(segmentation, structures=tuple(structures))


def _with(label: int, others: set[int], segmentation: Segmentation, target: Target) -> set[int]:
    """Give the structures that lie together with one, and so on from one to the next, itself among them."""
    grid, together = segmentation.grid, target.together
    own, near = {label}, {label}
    if together is None or not isinstance(grid, Grid | PixelGrid) or grid.unit != "m":
        return own
    while near:
        away = distance_transform_edt(~np.isin(segmentation.labels[0], sorted(near)), sampling=grid.step)
        near = {
            other
            for other in others - own
            if (mask := segmentation.mask(other)).any() and away[mask].min() <= together.value
        }
        own |= near
    return own
