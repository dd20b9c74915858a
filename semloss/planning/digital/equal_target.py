"""DeepJSCC against a digital chain at an equal target: the images that each delivers."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from semloss.arrays import Array
from semloss.modcods import DVB_S2, Modcods, efficiency
from semloss.planning.budget.inverse import cr_for
from semloss.planning.digital.rate_curve import RateCurve, equivalent_cr
from semloss.planning.digital.separation import NO_CURVE, check_same_metric, rising
from semloss.surfaces.fitted.fit import Fit


@dataclass(frozen=True)
class Race:
    """Images that each chain delivers at an equal target, over J SNRs.

    Attributes
    ----------
    cr_deepjscc, cr_digital
        (J,) CR that each chain (the digital one with VCM) needs; nan where it cannot.
    ratio
        (J,) images of DeepJSCC for each image of the digital chain: inf where only DeepJSCC
        meets the target, 0 where only the digital chain does, nan where neither does.
    images_per_s_deepjscc, images_per_s_digital
        (J,) 0 where the target is not met; nan where no symbol rate was given.
    note
        Why the digital side is empty, where it is.
    """

    metric: str
    target: float
    snr_db: Array
    cr_deepjscc: Array
    cr_digital: Array
    ratio: Array
    images_per_s_deepjscc: Array
    images_per_s_digital: Array
    note: str = ""


def race(
    fit: Fit,
    curve: RateCurve | None,
    *,
    target: float,
    snr_db: ArrayLike,
    bands: int,
    margin_db: float = 0.0,
    symbols_per_s: float = math.nan,
    samples_per_image: float = math.nan,
    frame_efficiency: float = 1.0,
    table: Modcods = DVB_S2,
) -> Race:
    """Compare the images per second of both chains at an equal target.

    Parameters
    ----------
    target
        Value of the metric that both must meet.
    symbols_per_s
        Symbol rate [Hz].
    samples_per_image
        Source samples n of an image.
    frame_efficiency
        Share of DeepJSCC's symbols that carry image; a MODCOD's efficiency counts its own frame.
    table
        MODCODs that the digital chain has.

    Raises
    ------
    SemlossError
        When the curve is of another metric than the fit.
    """
    check_same_metric(fit, curve)
    levels = rising(snr_db, "snr_db")
    ours = cr_for(fit, target, levels)
    theirs = np.full(levels.shape, np.nan)
    if curve is not None:
        theirs = equivalent_cr(curve.rate_for(target), efficiency(levels, margin_db, table), bands)
        theirs = np.where(np.isfinite(theirs), theirs, np.nan)
    images = symbols_per_s / samples_per_image
    spent = (ours / frame_efficiency, theirs)  # symbols of the link for each source sample
    per_s = [np.where(np.isnan(x), 0 * images, images / x) for x in spent]
    better = spent[1] / spent[0]
    ratio = np.where(np.isnan(ours), 0.0, np.where(np.isnan(theirs), np.inf, better))
    ratio = np.where((np.isnan(ours) & np.isnan(theirs)) | (curve is None), np.nan, ratio)
    if curve is None:
        per_s[1] = np.full(levels.shape, np.nan)
    return Race(
        fit.metric, target, levels, ours, theirs, ratio, per_s[0], per_s[1],
        NO_CURVE if curve is None else "",
    )  # fmt: skip
