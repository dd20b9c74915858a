"""Outcomes of single images, by the row of the table that they belong to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semloss.arrays import Array, Mask

KEY = ("cell", "snr_db", "task", "receiver", "metric")
"""Columns of the metrics table that tell its rows apart."""

Key = tuple[str, float, str, str, str]
"""A row of the table, as `KEY` has it."""

Values = Mask | NDArray[np.float32]
"""One outcome for each image, (n,): right or wrong, or a number."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What became of some test images in the measurements of one run.

    Attributes
    ----------
    image
        Name (n,) of each image, no two alike. By its pixels, so that the same image is known again
        in another run, whatever else is measured there.
    label
        Class (n,) of each image, empty where it has none.
    of
        Row of the table -> outcome of each image, (n,).
    """

    image: NDArray[np.str_]
    label: NDArray[np.str_]
    of: Mapping[Key, Values]


def key_of(row: Mapping[Any, Any]) -> Key:
    """Which row of the table this is, from its columns."""
    cell, snr_db, task, receiver, metric = (row[name] for name in KEY)
    return str(cell), round(float(snr_db), 9), str(task), str(receiver), str(metric)


def per_image(outcomes: Sequence[Outcomes], keys: Sequence[Key]) -> Array | None:
    """Outcomes of the rows `keys`, one below the other, over all images of all runs.

    Returns
    -------
    array
        (N, images), NaN where a row was not measured on an image; None where the outcomes of a
        row are told nowhere.
    """
    homes = [next((one for one in outcomes if key in one.of), None) for key in keys]
    found = [one for one in homes if one is not None]
    if not found or len(found) < len(keys):
        return None
    runs = list(dict.fromkeys(found))
    names = list(dict.fromkeys(str(name) for run in runs for name in run.image))
    column = {name: at for at, name in enumerate(names)}
    places = {run: np.array([column[str(name)] for name in run.image]) for run in runs}
    values = np.full((len(keys), len(names)), np.nan)
    for at, (run, key) in enumerate(zip(found, keys, strict=True)):
        values[at, places[run]] = run.of[key]
    return values
