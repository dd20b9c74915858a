"""From a form at its best to a fitted surface: everything in one piece."""

import hashlib
import math
from typing import Any

import numpy as np

from semloss.arrays import Array
from semloss.selection import Points
from semloss.surfaces.fitted.domain import convex_hull
from semloss.surfaces.fitted.fit import Fit
from semloss.surfaces.fitted.outcome import Outcome
from semloss.surfaces.fitting.form_fit import FormFit
from semloss.version import __version__

_MOST_LEVELS = 100
"""Most CRs or SNRs that a fit file lists; points that lie on no grid have more."""


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
