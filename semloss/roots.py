"""Where a target is met first: bracketing, without derivatives and for many problems at once."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from semloss.arrays import Array, Mask


def halve(
    met: Callable[[Array], Mask], short: ArrayLike, enough: ArrayLike, rounds: int
) -> tuple[Array, Array]:
    """Narrow brackets (…) around the point from which on `met` holds, `rounds` times by half.

    Returns
    -------
    tuple
        The last points that fall short and the first that are enough, (…) each.
    """
    low, high = np.asarray(short, dtype=np.float64), np.asarray(enough, dtype=np.float64)
    for _ in range(rounds):
        middle = 0.5 * (low + high)
        good = met(middle)
        low, high = np.where(good, low, middle), np.where(good, middle, high)
    return low, high


def first_met(
    surplus: Callable[[Array], Array],
    start: Array,
    stop: Array,
    counts: Sequence[int],
    slack: float = 0.0,
) -> Array:
    """Walk R ways to the first point with a surplus, and close in on it.

    The surplus need not be monotone: the first of the `counts[0]` points that has one counts.

    Parameters
    ----------
    surplus
        What points (R, G) have above their target, (R, G).
    start, stop
        Ends (R,) of the ways.
    counts
        Points on each way, then on each bracket that is left, round by round.
    slack
        By how much a point of the first round may fall short for rounding alone.

    Returns
    -------
    Array
        Points (R,) with a surplus: the very `start` where that has one, NaN where none has.
    """
    each = np.arange(len(start))
    points = np.linspace(start, stop, counts[0], axis=-1)
    met = surplus(points) >= -slack
    at, found = met.argmax(axis=1), met.any(axis=1)
    at_start = at == 0
    short, enough = points[each, np.maximum(at - 1, 0)], points[each, at]
    for count in counts[1:]:
        points = np.linspace(short, enough, count, axis=-1)
        met = surplus(points) >= 0
        met[:, -1] = True
        at = np.maximum(met.argmax(axis=1), 1)
        short, enough = points[each, at - 1], points[each, at]
    return np.where(found, np.where(at_start, start, enough), np.nan)
