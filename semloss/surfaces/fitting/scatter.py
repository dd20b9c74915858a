"""What scatters the measurements about a surface: test images, training, and the form's misfit."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import chi2

from semloss.arrays import Array
from semloss.selection import Points

_DOUBT = 0.05
"""A form is taken to miss the surface when chance explains its residuals less often than this."""
_OUTLYING = 2.5
"""Standard deviations beyond which a robust fit takes a residual for an outlier."""


def variance(points: Points, fitted: Array) -> Array:
    """Variance (N,) of the measurements, given the fitted values (N,) in the metric's unit.

    Binomial noise follows from the fitted value, not from the measured one (which would weigh
    lucky points more), by Laplace's rule; any other noise is as reported. The spread between
    training seeds, where replicates tell it, is added.
    """
    own = points.se**2
    counted = np.isfinite(points.n)
    if points.noise == "binomial" and counted.any():
        n = np.where(counted, points.n, 1.0)
        p = (np.clip(fitted, 0.0, 1.0) * n + 1.0) / (n + 2.0)
        own = np.where(counted, p * (1.0 - p) / n, own)
    return np.asarray(own + points.replicate_sd**2)


@dataclass(frozen=True)
class Scatter:
    """How far measurements lie from a surface, and why.

    `sd` (N,) is the standard deviation of each; `model_error_sd` the part that no measurement
    noise explains; `dof` the degrees of freedom behind it, None where the noise is known and
    explains everything.
    """

    sd: Array
    model_error_sd: float
    dof: int | None

    def deviance(
        self, residual: Array, weight: Array | None = None, most: float = math.inf
    ) -> float:
        """Minus twice the Gaussian log-likelihood of residuals (N,), outliers by their weight.

        None counts for more than `most`: how far off an outlier lies speaks for no form.
        """
        squares = (residual / self.sd) ** 2
        if weight is not None:
            squares = np.minimum(weight * squares, most)
        return float(np.sum(squares + np.log(2 * np.pi * self.sd**2)))


def scatter(
    points: Points, fitted: Array, free: int, *, even: bool = False, robust: bool = False
) -> Scatter:
    """Scatter about a form's fitted values (N,) that `free` parameters were fitted to.

    Where the known noise explains the residuals (chi-square test, 5 %), it is all there is. Else
    a constant model error t joins it, such that ``sum r^2 / (v + t^2) = dof``: many images do
    not make a misfit form look certain. With `even` the told noise is set aside and one scatter,
    that of the residuals, stands for all points. With `robust` no residual counts for more than
    the median tells (`_OUTLYING` of its standard deviations), or outliers would excuse themselves.
    """
    squares = (fitted - points.value) ** 2
    dof = max(len(squares) - free, 1)
    if robust:
        usual = 1.4826**2 * float(np.median(squares)) * len(squares) / dof
        squares = np.minimum(
            squares, _OUTLYING**2 * max(usual, float(variance(points, fitted).max()))
        )
    spread = float(np.ptp(points.value)) or max(abs(float(points.value[0])), 1.0)
    tiny = 1e-7 * spread
    if even:
        level = max(math.sqrt(float(squares.sum()) / dof), tiny)
        return Scatter(np.full(len(squares), level), level, dof)
    known = variance(points, fitted)
    error, told = _model_error(squares, known, dof, tiny)
    return Scatter(np.sqrt(known + error**2), error, told)


def _model_error(squares: Array, known: Array, dof: int, tiny: float) -> tuple[float, int | None]:
    """Standard deviation t of the model error, and degrees of freedom (None where t = 0)."""
    if np.all(known > 0) and np.sum(squares / known) <= chi2.ppf(1.0 - _DOUBT, dof):
        return 0.0, None

    def excess(t: float) -> float:
        return float(np.sum(squares / (known + t * t)) - dof)

    top = math.sqrt(float(squares.sum()) / dof) + tiny
    return (tiny if excess(tiny) <= 0 else float(brentq(excess, tiny, top))), dof


def falls(points: Points, variance: Array) -> int:
    """Neighbours on the grid whose metric gets worse as SNR or CR rises, beyond their noise.

    Counted at 4.5 standard deviations of the difference: in a table of a thousand neighbours,
    chance alone says so once in a hundred and fifty tables.
    """
    count = 0
    for same, along in ((points.cr, points.snr_db), (points.snr_db, points.cr)):
        order = np.lexsort((along, same))
        gain = points.sign * np.diff(points.value[order])
        spread = np.sqrt(variance[order][1:] + variance[order][:-1])
        neighbours = (np.diff(same[order]) == 0) & (np.diff(along[order]) > 0)
        count += int(np.sum(neighbours & (gain < -4.5 * spread)))
    return count
