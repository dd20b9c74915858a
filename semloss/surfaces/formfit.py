"""Fit a form to measurements, and choose among forms by their error on data held out.

Weighted least squares over seeded starts; the standard errors of the measurements are joined by
a model-error term, so that many test images do not make a form look certain that misses a bend.
"""

import hashlib
import math
from dataclasses import replace

import lmfit
import numpy as np

from semloss import __version__
from semloss.errors import SemlossError
from semloss.selection import Points
from semloss.surfaces.domain import convex_hull
from semloss.surfaces.forms import FORMS, Array
from semloss.surfaces.prediction import FittedSurface, Outcome
from semloss.surfaces.solving import (
    Mask,
    Problem,
    Solution,
    bounds,
    covariance_of,
    draw_starts,
    free_count,
    search,
    solve,
)

_FOLD_STARTS = 3
_FOLDS = 10


def fit_surface(points: Points, form: str = "auto", seed: int = 0) -> FittedSurface:
    """Fit one form, or the best of all, to the points of a metric.

    ``auto`` takes the simplest form whose mean squared held-out error lies within one standard
    error of the best form's; the standard error is that of their difference, point by point.
    Held out is one CR between two others at a time where there are four CRs or more, else a
    tenth of the points: what counts is prediction inside the domain.

    Parameters
    ----------
    points
        Measurements as `semloss.selection.select` gives them.
    form
        Name of a form or ``auto``.
    seed
        Seed of the random starts; the same seed gives the same fit.

    Raises
    ------
    SemlossError
        When the form is unknown, the points span no surface, or are too few for the form.
    """
    if form != "auto" and form not in FORMS:
        raise SemlossError(f"--form {form}: no such form; there are auto, {', '.join(FORMS)}")
    _check_span(points)
    count = len(points.value)
    needs = {name: free_count(candidate, points) for name, candidate in FORMS.items()}
    flat = np.ptp(points.value) == 0
    if form == "auto":
        names = [n for n in FORMS if count > needs[n] + (n != "constant")]
        names = ["constant"] if flat else names
    else:
        names = [form]
        if flat and form != "constant":
            raise SemlossError(f"all {count} values are equal; use --form constant")
        if count <= needs[form]:
            raise SemlossError(
                f"{Outcome.TOO_FEW_POINTS}: {count} points for the {needs[form]} parameters of "
                f"form {form}; {Outcome.TOO_FEW_POINTS.remedy}"
            )
    folds, folding = _folds(points)
    solutions = {}
    for name in names:
        solution = solve(FORMS[name], points, seed)
        solutions[name] = _cross_validate(solution, points, folds, seed)
    chosen = _simplest_good(solutions)
    return _surface(solutions[chosen], points, solutions, folding, seed)


def _check_span(points: Points) -> None:
    """A surface needs two CRs, two SNRs and a few points."""
    for values, what, axis in ((points.cr, "CR", "CRs"), (points.snr_db, "SNR", "SNRs")):
        if len(np.unique(values)) < 2:
            text = f"{values[0]:.4g}" + (" dB" if what == "SNR" else "")
            raise SemlossError(
                f"all points have {what} {text}: a surface needs several {axis}; "
                f"extend the grid or choose other rows"
            )
    if len(points.value) < 4:
        raise SemlossError(
            f"{Outcome.TOO_FEW_POINTS}: {len(points.value)} points; a surface needs at least 4, "
            f"and 12 or more to show a bend"
        )


def _folds(points: Points) -> tuple[list[Mask], str]:
    """Masks of the points to hold out in turn, and what the scheme is called.

    Without the first or the last CR, or one of three, a form would have to extrapolate.
    """
    ratios = np.unique(points.cr)
    if len(ratios) >= 4:
        return [points.cr == cr for cr in ratios[1:-1]], "leave-inner-CR-out"
    # Along the sorted grid every fold takes points that are spread over it.
    order = np.argsort(np.lexsort((points.snr_db, points.cr)))
    count = min(_FOLDS, len(order))
    return [order % count == i for i in range(count)], f"{count}-fold"


def _cross_validate(solution: Solution, points: Points, folds: list[Mask], seed: int) -> Solution:
    """Add the held-out error; infinite where a fold leaves too few points."""
    form = solution.problem.form
    squares = []
    for out in folds:
        kept = replace(
            points,
            cr=points.cr[~out],
            snr_db=points.snr_db[~out],
            value=points.value[~out],
            se=points.se[~out],
        )
        if len(kept.value) < free_count(form, points):
            return replace(solution, held_out=math.inf)
        low, high = bounds(form, kept)
        problem = Problem(form, kept, solution.problem.sd[~out], low, high)
        starts = draw_starts(problem, _FOLD_STARTS, np.random.default_rng(seed))
        p = search(problem, np.vstack([solution.parameters, starts])).x
        error = form(points.cr[out], points.snr_db[out], p) - points.value[out]
        squares.append(error**2)
    held_out = np.concatenate(squares)
    return replace(
        solution, held_out=math.sqrt(float(np.mean(held_out))), held_out_squares=held_out
    )


def _simplest_good(solutions: dict[str, Solution]) -> str:
    """Name of the simplest form that predicts held-out points as well as the best, within doubt."""
    best = min(solutions.values(), key=lambda s: s.held_out)
    if not math.isfinite(best.held_out):
        return next(iter(solutions))
    for name, solution in solutions.items():
        if math.isfinite(solution.held_out):
            worse = solution.held_out_squares - best.held_out_squares
            if worse.mean() <= worse.std(ddof=1) / math.sqrt(len(worse)):
                return name
    raise AssertionError("the best form is as good as itself")


def _surface(
    solution: Solution,
    points: Points,
    solutions: dict[str, Solution],
    folding: str,
    seed: int,
) -> FittedSurface:
    """Polish with lmfit, add covariance and outcome, and pack the result."""
    problem, form = solution.problem, solution.problem.form
    named = lmfit.Parameters()
    for name, value, low, high in zip(
        form.names, solution.parameters, problem.low, problem.high, strict=True
    ):
        fixed = high <= low
        named.add(
            name,
            value,
            vary=not fixed,
            min=-np.inf if fixed else low,
            max=np.inf if fixed else high,
        )

    def residual(trial: lmfit.Parameters) -> Array:
        return problem.residual(np.array([trial[name].value for name in form.names]))

    with np.errstate(invalid="ignore"):  # its own covariance, unused, of undetermined parameters
        polished = lmfit.minimize(
            residual, named, method="least_squares", max_nfev=2000, x_scale="jac", jac="3-point"
        )
    p = np.array([polished.params[name].value for name in form.names])
    if float(np.sum(problem.residual(p) ** 2)) > float(
        np.sum(problem.residual(solution.parameters) ** 2)
    ):
        p = solution.parameters
    resting = problem.free & _on_bound(p, problem.low, problem.high)
    covariance, determined = covariance_of(problem.jacobian(p), problem.free & ~resting)
    fenced = [
        parameter.name
        for parameter, rests in zip(form.parameters, resting, strict=True)
        if rests and not parameter.natural
    ]
    outcome = Outcome.CONVERGED
    if not (polished.success or solution.success):
        outcome = Outcome.NOT_CONVERGED
    elif not determined:
        outcome = Outcome.NOT_IDENTIFIABLE
    elif fenced:
        outcome = Outcome.BOUND_HIT
    message = "" if outcome is Outcome.CONVERGED else outcome.remedy
    if outcome is Outcome.BOUND_HIT:
        message = f"{', '.join(fenced)}: {message}"
    count = len(points.value)
    spread = float(np.ptp(points.value))
    return FittedSurface(
        form=form.name,
        metric=points.metric,
        task=points.task,
        direction=points.direction,
        parameters=p,
        covariance=covariance,
        floor=points.floor,
        ceiling=points.ceiling,
        model_error_sd=solution.model_error_sd,
        dof=max(count - int(problem.free.sum()), 1),
        hull=convex_hull(np.stack([np.log(points.cr), points.snr_db], axis=1)),
        outcome=outcome,
        message=message,
        quality={
            "points": count,
            "rmse": solution.rmse,
            "range": spread,
            "aicc": _finite(solution.aicc),
            "held_out": _finite(solution.held_out),
            "held_out_scheme": folding,
            "candidates": {
                name: {
                    "parameters": int(s.problem.free.sum()),
                    "rmse": s.rmse,
                    "aicc": _finite(s.aicc),
                    "held_out": _finite(s.held_out),
                }
                for name, s in solutions.items()
            },
            "seed": seed,
        },
        data={"sha256": _data_hash(points), "points": count},
        provenance={"semloss": __version__, **(points.provenance or {})},
    )


def _on_bound(p: Array, low: Array, high: Array) -> Mask:
    """Mask of parameters that rest on a bound (solvers stop a hair inside)."""
    width = np.where(np.isfinite(high - low), high - low, np.inf)
    return np.asarray((p - low <= 1e-5 * width) | (high - p <= 1e-5 * width)) & np.isfinite(width)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _data_hash(points: Points) -> str:
    """Hash of the fitted numbers in a stable order."""
    columns = np.stack([points.cr, points.snr_db, points.value, points.se], axis=1)
    ordered = columns[np.lexsort(columns.T[::-1])]
    return hashlib.sha256(np.ascontiguousarray(ordered, dtype="<f8").tobytes()).hexdigest()
