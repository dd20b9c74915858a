"""One form fitted to the points of a surface: bounds, starts, noise, likelihood."""

import math
from dataclasses import dataclass, replace

import numpy as np

from semloss.arrays import Array, Mask
from semloss.facts import metric_facts
from semloss.selection import Points
from semloss.surfaces.fitted.outcome import Outcome
from semloss.surfaces.fitting import batch
from semloss.surfaces.fitting.batch import Prior, Problems
from semloss.surfaces.fitting.scatter import Scatter, scatter, variance
from semloss.surfaces.fitting.search import distinct, search
from semloss.surfaces.forms import Form, ladder

_RANK = 1e-9
"""Smallest eigenvalue, against the largest, of a direction that the data still determine."""
_BLIND = 1e6
"""Standard error beyond which a parameter counts as undetermined, in any of their units."""
_HUBER = 1.345
"""Standardised residual beyond which a robust fit weighs a point less (95 % efficiency)."""
_ROBUST_ROUNDS = 12
"""Rounds in which weights and surface find each other."""
_HUBER_LEAST = 8
"""Points beyond which a robust fit can do without the most extreme ones."""
_FAR = 4.5
"""Standardised residual beyond which a robust fit names the point as an outlier."""


@dataclass(frozen=True)
class FormFit:
    """A form at its best on given points.

    `problems` holds the final weights; `shapes` the distinct best shapes found, best first;
    `scatter` says how far the points lie from it and why; `rmse` is the plain in-sample
    error; `aicc` and `bic` are those of the plain Gaussian likelihood, with the model error
    counted as a parameter where there is one.
    """

    problems: Problems
    points: Points
    parameters: Array
    shapes: Array
    converged: bool
    scatter: Scatter
    rmse: float
    aicc: float
    bic: float

    @property
    def form(self) -> Form:
        """The form."""
        return self.problems.form

    @property
    def free(self) -> Mask:
        """Mask (P,) of the parameters that are not known beforehand."""
        return self.problems.high > self.problems.low

    @property
    def resting(self) -> Mask:
        """Mask (P,) of the free parameters that rest on a bound."""
        low, high, p = self.problems.low, self.problems.high, self.parameters
        width = np.where(np.isfinite(high - low), high - low, np.inf)
        near = (p - low <= 1e-5 * width) | (high - p <= 1e-5 * width)
        return np.asarray(self.free & near & np.isfinite(width))

    def fitted(self) -> Array:
        """Values (N,) of the surface at the points."""
        return self.form(self.points.cr, self.points.snr_db, self.parameters)

    @property
    def outliers(self) -> Mask:
        """Mask (N,) of the points that a robust fit leaves far from its surface."""
        if self.problems.weight is None:
            return np.zeros(len(self.points.value), dtype=bool)
        away = np.abs(self.fitted() - self.points.value) / self.scatter.sd
        return np.asarray(away > _FAR)

    def outcome(self) -> tuple[Outcome, str]:
        """How the fit ended, and the names it concerns."""
        if not self.converged:
            return Outcome.NOT_CONVERGED, ""
        if not self.covariance()[1]:
            return Outcome.NOT_IDENTIFIABLE, ""
        fenced = [
            parameter.name
            for parameter, rests in zip(self.form.all_parameters, self.resting, strict=True)
            if rests and not parameter.natural
        ]
        return (Outcome.BOUND_HIT if fenced else Outcome.CONVERGED), ", ".join(fenced)

    def covariance(self) -> tuple[Array, bool]:
        """Covariance (P, P) of the parameters, and whether the data determine them all.

        Known parameters and those on a bound get none. A direction that the data leave open
        gets none either: no fitted value depends on it.
        """
        free = self.free & ~self.resting
        size = len(self.parameters)
        covariance = np.zeros((size, size))
        if not free.any():
            return covariance, True
        jacobian = self.form.jacobian(self.points.cr, self.points.snr_db, self.parameters)
        inner = (jacobian * self.problems.scaled[:, None])[:, free]
        information = inner.T @ inner
        if self.problems.prior is not None:
            information += np.diag(_prior_information(self.problems, self.parameters)[free])
        scale = np.sqrt(np.maximum(np.diag(information), 1e-300))
        values, vectors = np.linalg.eigh(information / np.outer(scale, scale))
        kept = values > _RANK * values.max()
        inverse = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
        covariance[np.ix_(free, free)] = inverse / np.outer(scale, scale)
        blind = np.diag(covariance) > _BLIND**2  # an almost flat surface: no parameter shows
        covariance[blind] = covariance[:, blind] = 0.0
        return 0.5 * (covariance + covariance.T), bool(kept.all() and not blind.any())


def _prior_information(problems: Problems, p: Array) -> Array:
    """Inverse variance (P,) that the prior adds, in the natural unit of each parameter."""
    assert problems.prior is not None
    count = len(problems.form.levels)
    unit = np.where(problems.form.logs, p[count:], 1.0)
    return np.concatenate([np.zeros(count), (unit * problems.prior.sd) ** -2.0])


def _told_by_data(problems: Problems, points: Points, p: Array) -> int:
    """Effective number of parameters that the points determine beside the prior, rounded.

    At most half as many as points: further ones are told by the prior as well, and an error from
    one or two degrees of freedom says nothing.
    """
    free = problems.high > problems.low
    jacobian = problems.form.jacobian(points.cr, points.snr_db, p) * problems.scaled[:, None]
    told = jacobian[:, free].T @ jacobian[:, free]
    whole = told + np.diag(_prior_information(problems, p)[free])
    return min(round(float(np.trace(np.linalg.pinv(whole) @ told))), len(points.value) // 2)


def free_count(form: Form, points: Points) -> int:
    """Parameters that the data must determine (a known floor is none of them)."""
    return len(form.names) - (form.has_range and floor_is_known(points))


def admitted(points: Points) -> list[str]:
    """Names of the forms that the points can carry: fewer parameters than points.

    The constant always stands, as the yardstick.
    """
    return [
        name
        for name, form in ladder().items()
        if len(points.value) > free_count(form, points) or not form.parameters
    ]


def floor_is_known(points: Points) -> bool:
    """Whether the metric is told where it ends when nothing gets through, as chance is."""
    return points.floor is not None and metric_facts(points.metric).floor_is_reached


def bounds(form: Form, points: Points, *, robust: bool = False) -> tuple[Array, Array]:
    """Bounds (P,) of the parameters; a known floor is fixed, a known ceiling is an upper limit.

    With `robust` the most extreme twentieth of the values at either end bounds nothing.
    The floor of an image metric is a limit only: a decoder that hears nothing still paints the
    mean image. The ceiling of the surface may stay below the clean ceiling: a link-trained
    receiver need not reach it at any CR.
    """
    low = np.array([parameter.low for parameter in form.all_parameters])
    high = np.array([parameter.high for parameter in form.all_parameters])
    if not form.has_range:
        return low, high
    order = np.argsort(points.value, kind="stable")
    aside = -(-len(order) // 20) if robust and len(order) > _HUBER_LEAST else 0
    ends = [int(order[aside]), int(order[-1 - aside])]
    sign = points.sign
    if sign < 0:
        ends = ends[::-1]
    worst, best = (float(points.value[i]) for i in ends)
    spread = abs(best - worst) or max(abs(best), 1.0)
    # The extreme points may be the luckiest ones; the levels still keep their order.
    slack_low, slack_high = (
        min(0.1 * spread + 3.0 * float(points.se[i]), 0.5 * spread) for i in ends
    )
    floor = sorted((worst - sign * 2 * spread, worst + sign * slack_low))
    ceiling = sorted((best - sign * slack_high, best + sign * 3 * spread))
    levels = metric_facts(points.metric).level_range
    floor, ceiling = (list(np.clip(ends, *levels)) for ends in (floor, ceiling))
    if points.floor is not None:
        known = floor_is_known(points)
        floor = sorted((points.floor, points.floor if known else worst + sign * slack_low))
    if points.ceiling is not None:
        limit = max(sign * points.ceiling, sign * best) * sign
        ceiling = sorted((ceiling[0] if sign > 0 else ceiling[1], limit))
    low[:2], high[:2] = (floor[0], ceiling[0]), (floor[1], ceiling[1])
    return low, high


def fit_form(
    form: Form,
    points: Points,
    seed: int = 0,
    *,
    starts: int = 100,
    prior: Prior | None = None,
    robust: bool = False,
) -> FormFit:
    """Best fit of one form over seeded starts, with the noise and the model error it implies.

    Parameters
    ----------
    starts
        Starts of the search, the best of ten times as many random shapes.
    prior
        Normal prior on the shape parameters, from other surfaces of the same form.
    robust
        Weigh residuals beyond 1.345 standard deviations down (Huber), on a scale that the
        outliers themselves do not widen.
    """
    problems = rough_problems(form, points, prior, robust=robust)
    solved = search(problems, points, starts, np.random.default_rng(seed))
    if robust:  # an outlier may have led the whole search astray: again, with what it shows
        away = np.abs(form(points.cr, points.snr_db, solved.parameters[solved.best()])
                      - points.value)  # fmt: skip
        usual = max(1.4826 * float(np.median(away)), 1e-7 * float(np.ptp(points.value)), 1e-300)
        problems = replace(problems, weight=_HUBER / np.maximum(away / usual, _HUBER))
        solved = search(problems, points, starts, np.random.default_rng(seed))
    shapes = distinct(solved.parameters[np.argsort(solved.cost)], len(form.levels))
    best = solved.parameters[solved.best()]
    return _settled(problems, points, best, shapes, robust=robust)


def refit(fit: FormFit, points: Points, *, robust: bool = False) -> FormFit:
    """The same form on further points of the same surface, from the shapes found on fewer."""
    problems = rough_problems(fit.form, points, fit.problems.prior, robust=robust)
    return _settled(problems, points, fit.parameters, fit.shapes, robust=robust)


def rough_problems(
    form: Form, points: Points, prior: Prior | None = None, *, robust: bool = False
) -> Problems:
    """The points as a search for the form sees them, before the scatter about it is known."""
    low, high = bounds(form, points, robust=robust)
    spread = float(np.ptp(points.value)) or max(abs(float(points.value[0])), 1.0)
    known = variance(points, points.value) if points.noise == "binomial" else 0.0
    rough = np.broadcast_to(np.sqrt(known + (0.01 * spread) ** 2), points.value.shape)
    return Problems(
        form, np.log(points.cr), points.snr_db, points.value, rough, low, high, prior=prior
    )


def _settled(
    problems: Problems, points: Points, best: Array, shapes: Array, *, robust: bool
) -> FormFit:
    """Fit and scatter in agreement, the told noise believed or set aside."""
    told = _settle(problems, points, best, shapes, robust=robust, even=False)
    if points.noise != "reported":
        return told
    # Cells that share their test images share their luck, and lie closer to a smooth surface
    # than their standard errors say: the likelihood tells whether to believe those, corrected
    # for few points, for parameters that meet them all leave no scatter to judge.
    even = _settle(problems, points, best, shapes, robust=robust, even=True)
    return even if even.aicc < told.aicc else told


def _settle(
    problems: Problems, points: Points, best: Array, shapes: Array, *, robust: bool, even: bool
) -> FormFit:
    """Fit and scatter brought into agreement with each other, from the best parameters (P,)."""
    form = problems.form
    count, levels = len(points.value), len(form.levels)
    free = int(np.sum(problems.high > problems.low))
    spent, rough = free, problems.sd
    for _ in range(_ROBUST_ROUNDS if robust else 3):
        fitted = form(points.cr, points.snr_db, best)
        if problems.prior is not None:  # it pays for what the data do not tell
            spent = _told_by_data(problems, points, best)
        found = scatter(points, fitted, spent, even=even, robust=robust)
        if count <= free:  # points that a prior's parameters all meet tell no scatter
            found = replace(found, sd=np.maximum(found.sd, rough))
        problems = replace(problems, sd=found.sd)
        if robust:
            z = np.abs(fitted - points.value) / found.sd
            problems = replace(problems, weight=_HUBER / np.maximum(z, _HUBER))
        solved = batch.solve(problems, best[None, levels:], steps=500, ftol=1e-11)
        best = solved.parameters[0]
    residual = form(points.cr, points.snr_db, best) - points.value
    deviance = found.deviance(residual, problems.weight, _HUBER * _FAR if robust else math.inf)
    size = free + (found.dof is not None)
    spare = count - size - 1
    return FormFit(
        problems=problems,
        points=points,
        parameters=best,
        shapes=np.vstack([best[None, levels:], shapes[:3]]),
        converged=bool(solved.converged[0]),
        scatter=found,
        rmse=float(np.sqrt(np.mean(residual**2))),
        aicc=deviance + 2 * size * count / spare if spare > 0 else math.inf,
        bic=deviance + size * math.log(count),
    )
