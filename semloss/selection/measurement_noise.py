"""Measurement noise: what the table tells of it, and what replicates show."""

import math

import numpy as np
import pandas as pd
from scipy.stats import chi2

from semloss.arrays import Array, Integers
from semloss.facts import metric_facts
from semloss.selection.points import Noise
from semloss.tables.cells import cell_text

_CELLS_FOR_MEDIAN = 5
"""Replicated cells from which the median says what is usual."""
_ASTRAY = 1e-4
"""Chance of a cell's spread beyond which it is taken for a training that went astray."""


def measurement_noise(rows: pd.DataFrame, metric: str) -> tuple[Array, Array, Noise]:
    """Standard errors (N,), images (N,) and the kind of noise.

    Binomial for an accuracy with n, with Laplace's rule so that 0 or n hits do not count as
    certain; else `se`, else sd / sqrt(n), else sd (taken as the error of the value), else 0.
    """
    value = rows["value"].to_numpy(float)
    columns = {c: rows[c].to_numpy(float) for c in ("se", "sd", "n") if c in rows}
    n = columns.get("n", np.full(len(rows), np.nan))
    n = np.where(n > 0, n, np.nan)
    error = np.full(len(rows), np.nan)
    if metric_facts(metric).noise == "binomial":
        smooth = (value * n + 1) / (n + 2)
        error = np.sqrt(smooth * (1 - smooth) / n)
    noise: Noise = "binomial" if np.isfinite(error).any() else "none"
    if "se" in columns:
        error = np.where(np.isnan(error), columns["se"], error)
    if "sd" in columns:
        spread = columns["sd"] / np.sqrt(np.where(np.isnan(n), 1.0, n))
        error = np.where(np.isnan(error), spread, error)
    error = np.nan_to_num(error)
    if noise == "none" and np.any(error > 0):
        noise = "reported"
    return error, n, noise


def seeds(rows: pd.DataFrame) -> Integers:
    """Training seeds (N,): 0 where none is named; names other than integers are counted."""
    if "seed" not in rows:
        return np.zeros(len(rows), dtype=np.int64)
    texts = [cell_text(cell) or "0" for cell in rows["seed"]]
    try:
        numbers = np.array([float(text) for text in texts])
    except ValueError:
        numbers = np.full(len(texts), np.nan)
    if np.all(np.isfinite(numbers) & (numbers == np.round(numbers)) & (abs(numbers) < 2**53)):
        return numbers.astype(np.int64)
    return pd.factorize(pd.Series(texts))[0].astype(np.int64)


def cells(rows: pd.DataFrame) -> Integers:
    """Which grid point each row (N,) measures: same CR, training SNR and test SNR, same number."""
    key = pd.DataFrame({"cr": rows["cr"].round(12), "snr_db": rows["snr_db"].round(9)})
    if "train_snr_db" in rows:
        key["train_snr_db"] = rows["train_snr_db"].round(9)
    number = key.groupby(list(key), dropna=False, sort=False).ngroup()
    return np.asarray(number, dtype=np.int64)


def spread_between_seeds(
    value: Array, se: Array, cell: Integers, image_correlation: Array | float = 0.0
) -> tuple[float, int]:
    """Standard deviation that training again adds to the measurement noise.

    Variance components, one way, random: the variance between replicates of a cell, pooled over
    the cells with their degrees of freedom, is that of seeds plus that of measuring; the mean of
    the latter is known (Searle, Casella and McCulloch, Variance Components, 1992, ch. 3). Seeds
    that are measured on the same images share their luck, and differ by the rest of it only: of
    m replicates with covariance S, measuring adds ``tr S - sum S / m`` to their sum of squares.
    A single training that went astray is no spread: a cell beyond what one in ten thousand would
    show by chance, as the median cell tells, counts like that one.

    Parameters
    ----------
    value, se
        Measurements (N,) and their standard errors.
    cell
        Grid point (N,) of each.
    image_correlation
        Correlation (N, N) of the measurement errors, or one number for every two of a cell.

    Returns
    -------
    tuple
        Standard deviation, not below 0, and its degrees of freedom, both 0 without replicates.
    """
    count = np.bincount(cell)
    dof = count - 1
    total = int(dof[count > 0].sum())
    if total == 0:
        return 0.0, 0
    mean = np.bincount(cell, value) / np.maximum(count, 1)
    squares = np.asarray(np.bincount(cell, (value - mean[cell]) ** 2), dtype=np.float64)
    between = float(np.sum(_without_wild(squares, dof)))
    own = np.bincount(cell, se**2)
    # The variance of each cell's sum of errors:
    if isinstance(image_correlation, float):
        all_alike = np.bincount(cell, se) ** 2
        summed = (1.0 - image_correlation) * own + image_correlation * all_alike
    else:
        summed = np.array([
            se[at] @ image_correlation[np.ix_(at, at)] @ se[at]
            for at in (np.flatnonzero(cell == one) for one in range(len(count)))
        ])  # fmt: skip
    measured = float(np.sum(own - summed / np.maximum(count, 1)))
    return math.sqrt(max(between - measured, 0.0) / total), total


def _without_wild(squares: Array, dof: Integers) -> Array:
    """Sums of squares (C,) of cells, the median's in the place of those beyond all chance."""
    told = dof > 0
    if told.sum() < _CELLS_FOR_MEDIAN:
        return squares
    free = np.maximum(dof, 1)
    usual = float(np.median((squares / chi2.ppf(0.5, free))[told]))
    wild = squares > usual * chi2.isf(_ASTRAY, free)
    return np.where(wild, usual * free, squares) if usual > 0 else squares
