"""Fitted surfaces whose parameters, covariance and truth are known, built without a fit."""

from dataclasses import replace

import numpy as np

from semloss.surfaces.fitted.domain import convex_hull
from semloss.surfaces.fitted.fit import Fit
from semloss.surfaces.fitted.outcome import Outcome
from semloss.surfaces.forms import FORMS

CRS = np.array([1 / 40, 1 / 20, 1 / 16, 1 / 12, 1 / 8, 1 / 4])
SNRS = np.arange(-8.0, 13.0, 2.0)
CR, SNR_DB = (a.ravel() for a in np.meshgrid(CRS, SNRS, indexing="ij"))
IMAGES = 700

NAMED = {
    "floor": 0.1, "ceiling": 0.9, "level": 0.5, "ln_cr_half": -4.0, "rate_exponent": 1.5,
    "snr_half_db": -3.0, "slope_per_db": 0.3, "shift_db": 2.0, "sharpness": 1.5,
    "sharpness_exponent": 0.5, "bend": -0.5, "gap_db": 8.0, "mix": 0.6, "second_half_db": 3.0,
    "second_slope_per_db": 0.2, "second_shift_db": 3.0, "exponential_half_db": 2.0,
    "exponential_slope_per_db": 0.2, "exponential_shift_db": 3.0,
}  # fmt: skip


def truth(form):
    """Parameters (P,) of a plausible surface of a form."""
    return np.array([NAMED[name] for name in FORMS[form].names])


def known(form="capped", *, images=IMAGES, **changes):
    """Surface with the covariance that 66 binomial cells would leave; the floor is known."""
    p = truth(form)
    value = FORMS[form](CR, SNR_DB, p)
    weight = images / (value * (1 - value))
    jacobian = FORMS[form].jacobian(CR, SNR_DB, p)
    free = np.array([name != "floor" for name in FORMS[form].names])
    information = (jacobian * weight[:, None]).T @ jacobian
    covariance = np.zeros_like(information)
    covariance[np.ix_(free, free)] = np.linalg.inv(information[np.ix_(free, free)])
    surface = Fit(
        form=form, metric="accuracy", receiver="clean", direction="higher", parameters=p,
        covariance=0.5 * (covariance + covariance.T), floor=0.1, ceiling=None, model_error_sd=0.0,
        dof=None, hull=convex_hull(np.stack([np.log(CR), SNR_DB], axis=1)),
        outcome=Outcome.CONVERGED, noise="binomial", images=float(images), band="these-images",
        quality={"points": 66, "rmse": 0.0123, "held_out": 0.02, "seed": 0},
        data={"sha256": "0" * 64, "points": 66}, provenance={"codec": "deepjscc"},
    )  # fmt: skip
    return replace(surface, **changes)


def drawn(surface, count=1000, seed=0):
    """The surface with draws from its own covariance, kept within the bounds of its form."""
    form = FORMS[surface.form]
    draws = np.random.default_rng(seed).multivariate_normal(
        surface.parameters, surface.covariance, count, check_valid="ignore"
    )
    low = [p.low for p in form.all_parameters]
    high = [p.high for p in form.all_parameters]
    draws = np.clip(draws, low, high).astype(np.float32).astype(float)
    return replace(surface, draws=draws)
