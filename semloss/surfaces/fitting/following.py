"""A metric that is a function of another one: its fit is that of the other, carried over."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from semloss.selection import Points
from semloss.surfaces.fitted.fit import Fit
from semloss.surfaces.fitting.packing import about
from semloss.surfaces.forms import FORMS

_ERRORS = ("range", "rmse", "leave_cr_out", "leave_snr_out", "edge_out", "k_fold", "held_out")
"""Figures of a fit in the metric's unit."""


def followed(fit: Fit, points: Points) -> Fit:
    """The fit of `points`, whose values are affine in those that `fit` was made from.

    Form, shape and doubt are those of `fit`; only the levels and what is in the metric's unit
    change, so that one measurement gives one model under all its names.
    """
    assert points.follows is not None
    slope, offset = points.follows.slope, points.follows.offset
    count = len(FORMS[fit.form].levels)
    scale = np.where(np.arange(len(fit.parameters)) < count, slope, 1.0)
    shift = np.where(np.arange(len(fit.parameters)) < count, offset, 0.0)
    names = FORMS[fit.form].names[:count]
    intervals = fit.intervals | {
        name: _ends(slope, offset, *fit.intervals[name]) for name in names if name in fit.intervals
    }
    bounds = fit.bounds
    if bounds is not None:
        bounds = np.sort(scale[:, None] * bounds + shift[:, None], axis=1)
    told = points.se[points.se > 0]
    quality = _figures(fit.quality, slope, len(points.value))
    rows = fit.quality["candidates"].items()
    quality["candidates"] = {name: _figures(row, slope, len(points.value)) for name, row in rows}
    if "diagnosis" in quality:
        quality["diagnosis"] = {
            part: [_moved(row, slope) for row in rows]
            for part, rows in quality["diagnosis"].items()
        }
    source = points.follows.points.metric
    return replace(
        fit,
        metric=points.metric,
        direction=points.direction,
        parameters=scale * fit.parameters + shift,
        covariance=fit.covariance * np.outer(scale, scale),
        floor=points.floor,
        ceiling=points.ceiling,
        model_error_sd=abs(slope) * fit.model_error_sd,
        draws=None if fit.draws is None else scale * fit.draws + shift,
        intervals=intervals,
        bounds=bounds,
        noise=points.noise,
        noise_sd=float(np.median(told)) if told.size else 0.0,
        replicate_sd=points.replicate_sd,
        quality=quality,
        data=about(points),
        provenance=fit.provenance | dict(points.group) | {"follows": source},
    )


def _moved(row: Mapping[str, Any], slope: float) -> dict[str, Any]:
    """A line of the diagnosis in the other unit."""
    scale = {"mean": slope, "away": slope, "rms": abs(slope), "by": abs(slope)}
    return {name: value * scale[name] if name in scale else value for name, value in row.items()}


def _ends(slope: float, offset: float, low: float, high: float) -> tuple[float, float]:
    one, other = sorted((slope * low + offset, slope * high + offset))
    return one, other


def _figures(row: Mapping[str, Any], slope: float, count: int) -> dict[str, Any]:
    """Figures in the other unit: errors scaled, criteria by the density's change of unit."""
    found = dict(row)
    for name in _ERRORS:
        if found.get(name) is not None:
            found[name] *= abs(slope)
    for name in ("aicc", "bic"):
        if found.get(name) is not None:
            found[name] += 2.0 * count * float(np.log(abs(slope)))
    return found
