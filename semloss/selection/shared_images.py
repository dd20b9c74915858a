"""What the cells of a table share by being measured on the same test images."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from semloss.arrays import Array
from semloss.outcomes import KEY, PerImage, key_of, per_image, read_outcomes
from semloss.tables.several import TABLE

_SHRUNK = 0.02
"""Share by which correlations are drawn to 0, so that their matrix is positive definite."""


def told_outcomes(
    rows: pd.DataFrame, files: Mapping[str, str]
) -> tuple[PerImage | None, list[str]]:
    """Outcomes of single images for rows of a table; None where not all of the rows have them.

    Parameters
    ----------
    rows
        Rows (N,) of a table.
    files
        As ``attrs["outcomes"]`` of the table has them.

    Returns
    -------
    tuple
        The outcomes, and a note where some rows have them and others do not.

    Raises
    ------
    SemlossError
        When a file holds no outcomes.
    """
    if not files or not {*KEY} <= {*rows.columns}:
        return None, []
    runs = {name: read_outcomes(Path(file)) for name, file in files.items()}
    tables = rows[TABLE] if TABLE in rows else [""] * len(rows)
    homes = [runs.get(str(name), runs.get("")) for name in tables]
    keys = [key_of(row) for row in rows[[*KEY]].to_dict("records")]
    told = [(run, key) for run, key in zip(homes, keys, strict=True) if run and key in run.of]
    if len(told) == len(keys):
        return per_image(told), []
    return None, [
        f"outcomes of single images are there for {len(told)} of {len(keys)} measurements, and so "
        "not used; semloss collect says how to have all"
    ] * bool(told)


def image_correlation(values: Array) -> Array:
    """Correlation (N, N) of the errors of N means over images, from the images' outcomes.

    The error of a mean over n images is a sum of n deviations; two means share those of the
    images that both were measured on: with z the deviations over their root mean square, the
    correlation is ``sum z_a z_b / sqrt(n_a n_b)`` over the shared images. The matrix of all pairs
    is shrunk a little, so that it is positive definite also for fewer images than points.

    Parameters
    ----------
    values
        (N, images); NaN where a point was not measured on an image. Where all of a point's
        outcomes are alike, they tell no correlation: it is 0.
    """
    told = np.isfinite(values)
    count = np.maximum(told.sum(axis=1, keepdims=True), 1)
    mean = np.where(told, values, 0.0).sum(axis=1, keepdims=True) / count
    off = np.where(told, values - mean, 0.0)
    length = np.sqrt(np.sum(off**2, axis=1, keepdims=True))
    alike = length <= 1e-7 * np.sqrt(count) * np.abs(mean)  # what float32 leaves of no spread
    off = np.divide(off, length, out=np.zeros_like(off), where=~alike & (length > 0))
    shared = (1.0 - _SHRUNK) * off @ off.T
    np.fill_diagonal(shared, 1.0)
    return np.asarray(shared)
