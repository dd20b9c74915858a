"""Surfaces whose parameters are known, for the tests of fitting and prediction."""

import numpy as np

from semloss.selection import Points
from semloss.surfaces.forms import FORMS

CRS = np.array([1 / 40, 1 / 20, 1 / 16, 1 / 12, 1 / 8, 1 / 4])
SNRS = np.arange(-8.0, 13.0, 2.0)

# floor, ceiling, ln_cr_half, rate_exponent, snr_half_db, slope_per_db, shift_db, sharpness[, q]
TRUTH = {
    "constant": [0.5],
    "logistic": [0.1, 0.9, -2.0, 0.3, 3.0],
    "capped": [0.1, 0.9, -4.0, 1.5, -3.0, 0.3, 2.0, 1.5],
    "unified": [0.1, 0.9, -4.0, 1.5, -3.0, 0.4, 1.0, 1.5, 0.8],
}


def grid(crs=CRS, snrs=SNRS):
    cr, snr_db = (a.ravel() for a in np.meshgrid(crs, snrs, indexing="ij"))
    return cr, snr_db


def simulated(form, n=None, seed=0, parameters=None, **about):
    """Points on a known surface; with n, each value is a binomial fraction of n."""
    cr, snr_db = grid()
    p = np.array(TRUTH[form] if parameters is None else parameters)
    value = FORMS[form](cr, snr_db, p)
    se = np.zeros_like(value)
    if n is not None:
        value = np.random.default_rng(seed).binomial(n, value) / n
        se = np.sqrt((value * n + 1) / (n + 2) * (1 - (value * n + 1) / (n + 2)) / n)
    known = {"metric": "accuracy", "task": "clean", "direction": "higher", "floor": 0.1}
    return Points(cr=cr, snr_db=snr_db, value=value, se=se, **(known | about))
