"""What the metric is where a link's budget leads, and the CRs that one may ask there."""

import numpy as np
from numpy.typing import ArrayLike

from semloss.errors import SemlossError
from semloss.planning.budget.budget import Budget, chosen_cr
from semloss.planning.link.link import LinkData
from semloss.surfaces.fitted.fit import Fit, Prediction
from semloss.units import ROUND_CRS


def metric_at(
    link: LinkData,
    fit: Fit,
    budget: Budget,
    *,
    cr: ArrayLike | str | None = None,
    interval: float | None = 0.95,
) -> Prediction:
    """Predict the metric at a budget's SNR, and at the link's CR where no other is given.

    Raises
    ------
    SemlossError
        When the link tells no CR or no bandwidth.
    """
    ratio = chosen_cr(link) if cr is None else cr
    if np.isnan(budget.snr_db).any():
        raise SemlossError("bandwidth_mhz is missing: the SNR depends on it")
    return fit.predict(cr=ratio, snr_db=budget.snr_db, interval=interval)


def round_crs(fit: Fit) -> list[float]:
    """Ratios 1/m with round m within the fitted CRs, and the fitted range's ends, rising."""
    low, high = fit.cr_range
    inside = [cr for cr in ROUND_CRS if low * 1.01 < cr < high / 1.01]
    return sorted({low, high, *inside})


def measured_crs(fit: Fit) -> list[float]:
    """CRs that the fit was measured at, rising.

    Raises
    ------
    SemlossError
        When the fit does not tell them.
    """
    crs = [cr for cr in fit.measured_levels("cr") if cr <= 1]
    if not crs:
        raise SemlossError(
            "the fit does not tell its measured CRs: fit its table anew, or name them"
        )
    return crs


def measured_at(fit: Fit, cr: float) -> bool | None:
    """Whether the fit was measured at a CR, to a thousandth; None where it does not tell."""
    known = fit.measured_levels("cr")
    return any(abs(cr / one - 1) < 1e-3 for one in known) if known else None
