"""Many points as few: neighbours averaged on a lattice that is fine against the surface's bend."""

from dataclasses import replace

import numpy as np

from semloss.arrays import Array, Integers
from semloss.selection.points import Points

_MOST = 700
"""Points up to which nothing is averaged."""
_CELLS, _SIDE = 400, 20
"""Cells of the lattice, and its fewest steps along an axis of more values than that.

A logistic that climbs from a tenth to nine tenths of its range over a quarter of the axis then
moves by less than 0.3 % of its range when it is averaged over a cell.
"""


def on_lattice(points: Points, shared: float = 0.0) -> Points:
    """The points themselves where they are few, else the mean of each cell of a lattice.

    An axis keeps its values where they are few enough; otherwise equal steps of ln CR and of SNR
    in dB make the cells. Values count by their images where all are known, else alike; the
    errors, images and spread between trainings of a mean follow from those of its points; images
    that several points share, as `Points.image_correlation` tells or, without it, `shared` as the
    correlation of every two, count as often as the error of their mean falls by them.
    """
    if len(points.value) <= _MOST:
        return points
    counts = [len(np.unique(axis)) for axis in (points.cr, points.snr_db)]
    ratios = min(counts[0], max(_SIDE, _CELLS // counts[1]))
    steps = (ratios, min(counts[1], _CELLS // ratios))
    kept = [step == count for step, count in zip(steps, counts, strict=True)]
    parts = [_parts(np.log(points.cr), steps[0]), _parts(points.snr_db, steps[1])]
    _, first, cell = np.unique(np.stack(parts), axis=1, return_index=True, return_inverse=True)
    cell = cell.ravel()
    counted = np.isfinite(points.n)
    weight = np.where(counted, points.n, 0.0) if counted.all() else np.ones(len(cell))
    total: Array = np.bincount(cell, weight).astype(np.float64)
    share = weight / total[cell]

    def mean(values: Array) -> Array:
        return np.asarray(np.bincount(cell, share * values))

    alike = np.bincount(cell, share**2)
    variance: Array = np.bincount(cell, (share * points.se) ** 2).astype(np.float64)
    correlation = None
    if points.image_correlation is not None or shared:
        if points.image_correlation is None:
            luck = np.bincount(cell, share * points.se)
            covariance = shared * np.outer(luck, luck) + (1.0 - shared) * np.diag(variance)
        else:
            folded = np.zeros((len(total), len(cell)))
            folded[cell, np.arange(len(cell))] = share * points.se
            covariance = folded @ points.image_correlation @ folded.T
        independent, variance = variance, np.diag(covariance).copy()
        once = np.divide(independent, variance, out=np.ones_like(total), where=variance > 0)
        total = total * once
        sd = np.sqrt(np.where(variance > 0, variance, 1.0))
        correlation = covariance / np.outer(sd, sd)
        np.fill_diagonal(correlation, 1.0)
    return replace(
        points,
        cr=points.cr[first] if kept[0] else np.exp(mean(np.log(points.cr))),
        snr_db=points.snr_db[first] if kept[1] else mean(points.snr_db),
        value=mean(points.value),
        se=np.sqrt(variance),
        n=total if counted.all() else np.full(len(total), np.nan),
        seed=np.zeros(len(total), dtype=np.int64),
        rows=np.zeros(len(total), dtype=np.int64),
        replicate_sd=points.replicate_sd * float(np.sqrt(alike.mean())),
        follows=None,
        image_correlation=correlation,
    )


def _parts(axis: Array, count: int) -> Integers:
    """Which of `count` equal steps of an axis each point (N,) lies in; few values keep apart."""
    values, at = np.unique(axis, return_inverse=True)
    if len(values) <= count:
        return np.asarray(at.ravel(), dtype=np.int64)
    edges = np.linspace(values[0], values[-1], count + 1)[1:-1]
    return np.asarray(np.searchsorted(edges, axis), dtype=np.int64)
