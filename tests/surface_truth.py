"""Surfaces whose parameters are known, for the tests of fitting and prediction."""

import numpy as np
from known_surface import truth

from semloss.selection import Points
from semloss.surfaces.forms import FORMS

CRS = np.array([1 / 40, 1 / 20, 1 / 16, 1 / 12, 1 / 8, 1 / 4])
SNRS = np.arange(-8.0, 13.0, 2.0)
CURVED = [name for name, form in FORMS.items() if form.parameters]


def grid(crs=CRS, snrs=SNRS):
    cr, snr_db = (a.ravel() for a in np.meshgrid(crs, snrs, indexing="ij"))
    return cr, snr_db


def simulated(form, n=None, seed=0, parameters=None, crs=CRS, snrs=SNRS, **about):
    """Points on a known surface; with n, each value is a binomial fraction of n."""
    cr, snr_db = grid(crs, snrs)
    value = FORMS[form](cr, snr_db, truth(form) if parameters is None else np.array(parameters))
    se = np.zeros_like(value)
    noise = {}
    if n is not None:
        value = np.random.default_rng(seed).binomial(n, value) / n
        share = (value * n + 1) / (n + 2)
        se = np.sqrt(share * (1 - share) / n)
        noise = {"n": np.full(len(value), float(n)), "noise": "binomial"}
    known = {"metric": "accuracy", "receiver": "clean", "direction": "higher", "floor": 0.1}
    return Points(cr=cr, snr_db=snr_db, value=value, se=se, **(known | noise | about))
