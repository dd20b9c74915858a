"""Whether measurements keep the order that a link has: better where CR or SNR is higher."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.stats import t as student

from semloss.arrays import Array
from semloss.selection.points import Points

_FEWEST = 4
"""Values at common places that two rows of a grid need for a comparison."""
_CHANCE = 0.003
"""Chance at which a reversed order of two rows that are equal is taken for a fault of one."""
_NEAREST = 6
"""Neighbours that tell what the metric is at a point, along a plane."""
_MOST = 700
"""Points beyond which those are not asked for all."""


@dataclass(frozen=True)
class Disorder:
    """Two neighbouring rows of a grid in the wrong order.

    `axis` is ``cr`` or ``snr_db``; the row at `high` reads worse than the one at `low` by `by` on
    average (metric's unit, positive), at `count` of their `of` common places.
    """

    axis: str
    low: float
    high: float
    by: float
    count: int
    of: int


def disorders(points: Points, variance: Array) -> list[Disorder]:
    """Neighbouring CRs, and neighbouring SNRs, of which the better one reads worse.

    Isotonic test: the mean difference over the places that both have, against its standard error
    from their scatter or from the known `variance` (N,) of the points, whichever is larger
    (Student's t at 0.3 %).
    """
    found = []
    for axis in ("cr", "snr_db"):
        for low, high, gain, known in _steps(points, variance, axis):
            count = len(gain)
            if count < _FEWEST:
                continue
            error = np.sqrt(max(float(gain.var(ddof=1)) / count, float(known.sum()) / count**2))
            if gain.mean() < float(student.ppf(_CHANCE, count - 1)) * error:
                found.append(
                    Disorder(axis, low, high, -float(gain.mean()), int(np.sum(gain < 0)), count)
                )
    return found


def compared(points: Points, axis: str) -> int:
    """Pairs of neighbouring rows along an axis that `disorders` can compare."""
    steps = _steps(points, np.zeros(len(points.value)), axis)
    return sum(len(gain) >= _FEWEST for _, _, gain, _ in steps)


def scatter_between_neighbours(points: Points) -> float | None:
    """Standard deviation of the measurements about what their neighbours tell, outliers aside.

    A plane through the nearest points predicts each; no form is needed. None for too few points.
    Replicates of a cell are one point.
    """
    place, cell = np.unique(np.stack([np.log(points.cr), points.snr_db]), axis=1,
                            return_inverse=True)  # fmt: skip
    count = np.bincount(cell.ravel())
    value = np.bincount(cell.ravel(), points.value) / count
    at = place.T - place.T.mean(axis=0)
    spread = at.std(axis=0)
    at = at[:, spread > 0] / spread[spread > 0]
    needed = max(_NEAREST, at.shape[1] + 2) + 2
    if len(at) < needed or at.shape[1] == 0:
        return None
    away = []
    for i in np.linspace(0, len(at) - 1, min(len(at), _MOST)).astype(int):
        near = np.argsort(np.sum((at - at[i]) ** 2, axis=1), kind="stable")[1 : _NEAREST + 1]
        plane = np.column_stack([np.ones(len(near)), at[near] - at[i]])
        weight = np.linalg.pinv(plane)[0]  # of each neighbour in the value predicted here
        error = value[i] - weight @ value[near]
        away.append(abs(error) / np.sqrt(1.0 / count[i] + np.sum(weight**2 / count[near])))
    return 1.4826 * float(np.median(away))


def _steps(
    points: Points, variance: Array, axis: str
) -> Iterator[tuple[float, float, Array, Array]]:
    """Neighbouring levels of an axis, and the gains (K,) and variances (K,) at common places."""
    along, across = (points.cr, points.snr_db)[:: 1 if axis == "cr" else -1]
    levels, at = np.unique(along, return_inverse=True)
    places, there = np.unique(across, return_inverse=True)
    cell = at.ravel() * len(places) + there.ravel()
    size = len(levels) * len(places)
    count = np.bincount(cell, minlength=size).reshape(len(levels), -1)
    safe = np.maximum(count, 1)
    value = np.bincount(cell, points.sign * points.value, size).reshape(count.shape) / safe
    spread = np.bincount(cell, variance, size).reshape(count.shape) / safe**2
    for i, j in pairwise(range(len(levels))):
        both = (count[i] > 0) & (count[j] > 0)
        yield (
            float(levels[i]), float(levels[j]), value[j, both] - value[i, both],
            spread[i, both] + spread[j, both],
        )  # fmt: skip
