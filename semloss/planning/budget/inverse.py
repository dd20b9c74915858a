"""Many questions put to a fitted surface at once: values, and the SNR or CR that targets need."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from semloss.arrays import Array, Mask
from semloss.roots import halve
from semloss.surfaces.fitted.bands import surface_draws
from semloss.surfaces.fitted.fit import Fit

_HALVINGS = 50
_ALONG = 129
"""SNRs at which draws of a surface are taken; between them each is straight."""


def values(fit: Fit, cr: ArrayLike, snr_db: ArrayLike) -> Array:
    """Metric without its band, at CR in (0, 1] and Es/N0 in dB, which broadcast."""
    return np.asarray(fit.predict(cr=cr, snr_db=snr_db, interval=None).value, dtype=np.float64)


def snr_for(fit: Fit, target: ArrayLike, cr: ArrayLike) -> Array:
    """Smallest SNR [dB] of the fitted range at which each target is met at its CR.

    `target` and `cr` broadcast. The lowest fitted SNR where that meets the target already;
    nan where the highest does not. Agrees with `Fit.min_snr`.
    """
    goal, ratio = np.broadcast_arrays(np.asarray(target, float), np.asarray(cr, float))
    low, high = fit.snr_db_range
    return _first(fit, goal, low, high, lambda snr_db: values(fit, ratio, snr_db))


def cr_for(fit: Fit, target: ArrayLike, snr_db: ArrayLike) -> Array:
    """Smallest CR of the fitted range at which each target is met at its SNR [dB].

    `target` and `snr_db` broadcast. The smallest fitted CR where that meets the target already;
    nan where the largest does not. Agrees with `Fit.min_cr`.
    """
    goal, snr = np.broadcast_arrays(np.asarray(target, float), np.asarray(snr_db, float))
    low, high = (math.log(cr) for cr in fit.cr_range)

    def along(ln_cr: Array) -> Array:
        return values(fit, np.minimum(np.exp(ln_cr), 1.0), snr)

    return np.exp(_first(fit, goal, low, high, along))


def snr_draws(fit: Fit, target: float, cr: float) -> Array:
    """Smallest SNR [dB] at which a target is met at a CR, then that of each draw, (1 + D,).

    Ends as for `snr_for`; D is 0 for a surface without draws.
    """
    needed = snr_for(fit, target, cr).reshape(1)
    count = 0 if fit.correction is None else len(fit.correction.draws)
    if not count:
        return needed
    levels = np.linspace(*fit.snr_db_range, _ALONG)
    which = np.repeat(np.arange(count), _ALONG)
    ln_cr = np.full(count * _ALONG, math.log(cr))
    drawn = surface_draws(fit, ln_cr, np.tile(levels, count), which).reshape(count, _ALONG)
    # what is worse at a higher SNR is as good as what is better below it
    rising = np.maximum.accumulate(fit.sign * drawn, axis=1) + 1e-12 * np.arange(_ALONG)
    goal = fit.sign * target
    met = [np.interp(goal, one, levels) if goal <= one[-1] else np.nan for one in rising]
    return np.concatenate([needed, met])


def _first(
    fit: Fit, target: Array, low: float, high: float, along: Callable[[Array], Array]
) -> Array:
    """Bisect every element at once; forms are monotone, so nothing more is needed."""
    slack = 1e-12 * np.maximum(np.abs(target), 1.0)  # a predicted value meets itself

    def met(x: Array) -> Mask:
        return np.asarray(fit.sign * (along(x) - target) >= -slack)

    start, stop = np.full(target.shape, low), np.full(target.shape, high)
    _, found = halve(met, start, stop, _HALVINGS)
    return np.where(met(start), low, np.where(met(stop), found, np.nan))
