"""Draws of a corrected surface: within the metric's range, rising with CR and SNR, in few words."""

import math
from dataclasses import dataclass

import numpy as np

from semloss.arrays import Array

MARGIN = 2
"""Knots of the lattice beyond either end of the table."""
_LATTICE = 5e-4
"""What interpolation between knots may miss, as a share of the range."""
_RANK = 32
"""Surfaces that draws are made of."""
_TINY = 1e-18


@dataclass(frozen=True)
class Drawn:
    """Draws (D, X, S) of the surface, their mean and standard deviation (X, S)."""

    surfaces: Array
    mean: Array
    sd: Array


def drawn_within(
    surface: Array, scale: float, mean: Array, covariance: Array, normal: Array,
    ends: tuple[float, float], sign: float,
) -> Drawn:  # fmt: skip
    """Draws within the metric's range that rise with CR and SNR.

    The covariance's symmetric root, and pairs about the mean, leave the draws the same whatever
    the order of the points and the direction of the metric. What range and rise change is read
    against the same draws without them, so that chance has little part in it.
    """
    spread, axes = np.linalg.eigh(0.5 * (covariance + covariance.T))
    root = (axes * np.sqrt(np.maximum(spread, 0.0))) @ axes.T
    half = normal[: (len(normal) + 1) // 2] @ root
    away = np.stack([half, -half], axis=1).reshape(-1, len(mean))[: len(normal)]
    free = surface + scale * (mean + away).reshape(-1, *surface.shape)
    bound = sign * rising(sign * np.clip(free, *ends))
    centre = surface + scale * mean.reshape(surface.shape)
    own = scale * np.sqrt(np.maximum(np.diag(covariance), 0.0)).reshape(surface.shape)
    share = bound.std(axis=0) / np.maximum(free.std(axis=0), _TINY)
    sd = np.hypot(share * own, _LATTICE * scale)
    return Drawn(bound, centre + bound.mean(axis=0) - free.mean(axis=0), sd)


def rising(surfaces: Array, margin: int = MARGIN) -> Array:
    """The surfaces (D, X, S) nearest to given ones, by their largest change, that never fall.

    Half way between the running maximum and the running minimum from the other end (isotonic
    regression in the largest norm); beyond the table, no further than its edge.
    """
    within = slice(margin, -margin or None)
    inner = surfaces[:, within, within]
    above = np.maximum.accumulate(np.maximum.accumulate(inner, axis=1), axis=2)
    turned = inner[:, ::-1, ::-1]
    below = np.minimum.accumulate(np.minimum.accumulate(turned, axis=1), axis=2)[:, ::-1, ::-1]
    found = surfaces.copy()
    found[:, within, within] = 0.5 * (above + below)
    for axis in (1, 2):
        lines = np.moveaxis(found, axis, 0)
        for i in reversed(range(margin)):
            np.minimum(lines[i], lines[i + 1], out=lines[i])
            np.maximum(lines[-1 - i], lines[-2 - i], out=lines[-1 - i])
    return found


def compressed(away: Array, sd: Array) -> tuple[Array, Array]:
    """Surfaces (R, X, S) and weights (D, R) that draws (D, X, S) are sums of, to their sd."""
    flat = away.reshape(len(away), -1)
    left, size, right = np.linalg.svd(flat, full_matrices=False)
    rank = min(_RANK, len(size))
    weights = left[:, :rank] * math.sqrt(len(away))
    basis = size[:rank, None] * right[:rank] / math.sqrt(len(away))
    kept = np.sqrt(np.mean((weights @ basis) ** 2, axis=0))
    basis *= np.where(kept > 0, sd.ravel() / np.maximum(kept, _TINY), 0.0)
    return basis.reshape(-1, *away.shape[1:]), weights
