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


@dataclass(frozen=True, eq=False)
class PerImage:
    """Outcomes of several measurements over the images of all of them.

    Attributes
    ----------
    image
        Name of each image.
    values
        Outcomes (N, images), NaN where one was not measured on an image.
    """

    image: tuple[str, ...]
    values: Array


def per_image(told: Sequence[tuple[Outcomes, Key]]) -> PerImage:
    """Outcomes of rows of tables, one below the other; each is told by the run that it is of.

    Raises
    ------
    KeyError
        When a run does not tell of its row.
    """
    runs = list(dict.fromkeys(run for run, _ in told))
    names = tuple(dict.fromkeys(str(name) for run in runs for name in run.image))
    column = {name: at for at, name in enumerate(names)}
    places = {run: np.array([column[str(name)] for name in run.image]) for run in runs}
    values = np.full((len(told), len(names)), np.nan)
    for at, (run, key) in enumerate(told):
        values[at, places[run]] = run.of[key]
    return PerImage(names, values)
