"""From a form at its best, or from another metric's fit, to a fitted surface in one piece."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from semloss.selection import Points
from semloss.surfaces.fitted.domain import convex_hull
from semloss.surfaces.fitted.fit import Fit
from semloss.surfaces.fitted.outcome import Outcome
from semloss.surfaces.fitting.discrepancy.correct import Discrepancy
from semloss.surfaces.fitting.form_fit import FormFit
from semloss.surfaces.forms import FORMS
from semloss.version import __version__

_MOST_CELLS = 400
"""Most cells whose values a fit file lists."""
_MOST_LEVELS = 100
"""Most CRs or SNRs that a fit file lists; points that lie on no grid have more."""


def packed(
    fit: FormFit,
    quality: dict[str, Any],
    outcome: Outcome,
    message: str,
    *,
    missed: Discrepancy | None = None,
    intervals: dict[str, tuple[float, float]] | None = None,
) -> Fit:
    """Everything that makes predictions honest, in one piece."""
    points, problems = fit.points, fit.problems
    images = points.n[np.isfinite(points.n)]
    told = points.se[points.se > 0]
    return Fit(
        form=fit.form.name,
        metric=points.metric,
        receiver=points.receiver,
        task=points.task,
        direction=points.direction,
        parameters=fit.parameters,
        covariance=fit.covariance()[0],
        floor=points.floor,
        ceiling=points.ceiling,
        model_error_sd=fit.scatter.model_error_sd,
        dof=fit.scatter.dof,
        hull=convex_hull(np.stack([np.log(points.cr), points.snr_db], axis=1)),
        outcome=outcome,
        message=message,
        intervals=intervals or {},
        bounds=np.stack([problems.low, problems.high], axis=1),
        noise=points.noise,
        images=float(np.median(images)) if images.size else None,
        noise_sd=float(np.median(told)) if told.size else 0.0,
        # Without replicates, what scatters cells beyond their images is taken for the training.
        replicate_sd=points.replicate_sd
        if points.replicate_dof or missed is None
        else missed.training_sd,
        correction=None if missed is None else missed.correction,
        quality=quality,
        data=about(points),
        provenance={
            "semloss": __version__,
            **(points.provenance or {}),
            **points.group,
            **_asked(points),
        },
    )


def _asked(points: Points) -> dict[str, str]:
    """Columns of the table that set this surface apart from others, beside metric and receiver."""
    further = [column for column in points.group if column not in ("metric", "receiver")]
    return {"grouped_by": ", ".join(further)} if further else {}


def about(points: Points) -> dict[str, Any]:
    """What a fit file says of the fitted points: hash, number, their grid, and each cell's mean.

    Cells are CR, SNR in dB and value, to six digits; where there are many, none.
    """
    grid = {"cr": points.cr, "snr_db": points.snr_db}
    levels = {name: sorted(set(column.tolist())) for name, column in grid.items()}
    return {
        "sha256": data_hash(points), "points": len(points.value),
        **{name: column for name, column in levels.items() if len(column) <= _MOST_LEVELS},
        **_cells(points),
    }  # fmt: skip


def _cells(points: Points) -> dict[str, Any]:
    where, cell = np.unique(
        np.stack([points.cr, points.snr_db], axis=1), axis=0, return_inverse=True
    )
    if len(where) > _MOST_CELLS:
        return {}
    mean = np.bincount(cell.ravel(), points.value) / np.bincount(cell.ravel())
    rows = np.column_stack([where, mean]).tolist()
    return {"cells": [[cr, snr_db, float(f"{value:.6g}")] for cr, snr_db, value in rows]}


def data_hash(points: Points) -> str:
    """Hash of the fitted numbers in a stable order."""
    columns = np.stack([points.cr, points.snr_db, points.value, points.se], axis=1)
    ordered = columns[np.lexsort(columns.T[::-1])]
    return hashlib.sha256(np.ascontiguousarray(ordered, dtype="<f8").tobytes()).hexdigest()


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
        correction=None if fit.correction is None else fit.correction.scaled(slope),
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
