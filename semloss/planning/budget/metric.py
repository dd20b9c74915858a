"""What the metric is where a link's budget leads."""

import numpy as np
from numpy.typing import ArrayLike

from semloss.errors import SemlossError
from semloss.planning.budget.budget import Budget
from semloss.planning.link.link import LinkData
from semloss.surfaces.fitted.fit import Fit, Prediction


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
    ratio = link.cr if cr is None else cr
    if ratio is None:
        raise SemlossError('cr is missing: give it in the table [image], e.g. cr = "1/12"')
    if np.isnan(budget.snr_db).any():
        raise SemlossError("bandwidth_mhz is missing: the SNR depends on it")
    return fit.predict(cr=ratio, snr_db=budget.snr_db, interval=interval)
