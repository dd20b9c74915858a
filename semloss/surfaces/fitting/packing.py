"""From a form at its best to a fitted surface: the outcome, and everything in one piece."""

import hashlib
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from semloss.arrays import Array
from semloss.selection import Points
from semloss.surfaces.fitted.domain import convex_hull
from semloss.surfaces.fitted.fit import Fit
from semloss.surfaces.fitted.outcome import Outcome
from semloss.surfaces.fitting.form_fit import FormFit, admitted
from semloss.surfaces.fitting.scatter import falls, variance
from semloss.surfaces.forms import FORMS
from semloss.units import format_cr
from semloss.version import __version__

_MOST_LEVELS = 100
"""Most CRs or SNRs that a fit file lists; points that lie on no grid have more."""

_NO_FORM = (
    "no form of the ladder follows these measurements: are they of one codec, channel and task "
    "(--group-by)? Trust predictions near the measured cells only"
)
_POOR = 0.05
"""Share of the metric's range that a form may miss, beyond the noise, and still be called a fit."""
_NAMED = 3
"""Outliers that are named."""


def judged(fit: FormFit, quality: Mapping[str, Any]) -> tuple[Outcome, str]:
    """How a fit ended, and what to know about it; `quality` tells the range and the choice."""
    points = fit.points
    outcome, names = fit.outcome()
    residual = fit.fitted() - points.value
    usual = 1.4826 * float(np.median(np.abs(residual)))  # standard deviation, outliers aside
    noise = variance(points, fit.fitted()) + max(usual, 0.01 * quality["range"]) ** 2
    far = fit.outliers
    if np.ptp(points.value) == 0:
        outcome = Outcome.CONSTANT_VALUES
    elif outcome is not Outcome.NOT_CONVERGED:
        if falls(points.subset(~far), noise[~far]):
            outcome, names = Outcome.NOT_MONOTONE, ""
        elif fit.scatter.model_error_sd > _POOR * quality["range"]:
            outcome, names = Outcome.POOR_FIT, ""
            if quality["chosen_by"] != "named" and len(admitted(points)) < len(FORMS):
                outcome = Outcome.TOO_FEW_POINTS  # a richer form might follow them
    message = "" if outcome is Outcome.CONVERGED else outcome.remedy
    if outcome is Outcome.POOR_FIT and quality["chosen_by"] != "named":
        message = _NO_FORM
    message = f"{names}: {message}" if names else message
    return outcome, "; ".join(filter(None, (_outlying(fit), message)))


def _outlying(fit: FormFit) -> str:
    """The cells that a robust fit weighed down, the farthest first."""
    away = fit.points.value - fit.fitted()
    far = sorted(np.flatnonzero(fit.outliers), key=lambda i: -abs(float(away[i])))
    cells = [
        f"CR {format_cr(float(fit.points.cr[i]))} at {fit.points.snr_db[i]:g} dB "
        f"({away[i]:+.3g} from the surface)"
        for i in far[:_NAMED]
    ]
    more = f" and {len(far) - _NAMED} more" if len(far) > _NAMED else ""
    return f"weighed down as outliers: {', '.join(cells)}{more}" if cells else ""


def packed(
    fit: FormFit,
    quality: dict[str, Any],
    outcome: Outcome,
    message: str,
    *,
    between: float = 0.0,
    draws: Array | None = None,
    intervals: dict[str, tuple[float, float]] | None = None,
) -> Fit:
    """Everything that makes predictions honest, in one piece.

    `between` is the doubt between forms that do equally well; it joins the model error.
    """
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
        model_error_sd=math.hypot(fit.scatter.model_error_sd, between),
        dof=fit.scatter.dof,
        hull=convex_hull(np.stack([np.log(points.cr), points.snr_db], axis=1)),
        outcome=outcome,
        message=message,
        draws=draws,
        intervals=intervals or {},
        bounds=np.stack([problems.low, problems.high], axis=1),
        noise=points.noise,
        images=float(np.median(images)) if images.size else None,
        noise_sd=float(np.median(told)) if told.size else 0.0,
        replicate_sd=points.replicate_sd,
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
    """What a fit file says of the fitted points: hash, number, and the grid that they lie on."""
    grid = {"cr": points.cr, "snr_db": points.snr_db}
    levels = {name: sorted(set(column.tolist())) for name, column in grid.items()}
    return {
        "sha256": data_hash(points), "points": len(points.value),
        **{name: column for name, column in levels.items() if len(column) <= _MOST_LEVELS},
    }  # fmt: skip


def data_hash(points: Points) -> str:
    """Hash of the fitted numbers in a stable order."""
    columns = np.stack([points.cr, points.snr_db, points.value, points.se], axis=1)
    ordered = columns[np.lexsort(columns.T[::-1])]
    return hashlib.sha256(np.ascontiguousarray(ordered, dtype="<f8").tobytes()).hexdigest()
