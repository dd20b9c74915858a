"""What the cells of a table share by being measured on the same test images."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from semloss.arrays import Array
from semloss.outcomes import KEY, key_of, per_image, read_outcomes

_SHRUNK = 0.02
"""Share by which correlations are drawn to 0, so that their matrix is positive definite."""


def told_outcomes(rows: pd.DataFrame, files: Sequence[str]) -> tuple[Array | None, list[str]]:
    """Outcomes (N, images) of single images for rows (N,) of a table, None where not all are told.

    Files hold them; a note tells where some rows have them and others do not.

    Raises
    ------
    SemlossError
        When a file holds no outcomes.
    """
    if not files or not {*KEY} <= {*rows.columns}:
        return None, []
    outcomes = [read_outcomes(Path(file)) for file in files]
    keys = [key_of(row) for row in rows[[*KEY]].to_dict("records")]
    values = per_image(outcomes, keys)
    told = sum(any(key in one.of for one in outcomes) for key in keys)
    if values is not None or not told:
        return values, []
    return None, [
        f"outcomes of single images are there for {told} of {len(keys)} measurements, and so not "
        "used; semloss collect says how to have all"
    ]


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
