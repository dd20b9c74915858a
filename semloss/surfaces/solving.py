"""Weighted least squares for one form: bounds, seeded starts, model error, covariance."""

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, least_squares

from semloss.selection import Points
from semloss.surfaces.forms import Array, Form

Mask = NDArray[np.bool_]

_DRAWS = 500
_STARTS = 30
_ROUGH, _MIDDLE, _FINE = (8, 1e-3), (30, 1e-4), (200, 1e-10)
"""Effort of a descent: most evaluations, and the relative change at which it stops."""
_BOUNDED = {"accuracy", "macro_f1", "ssim", "ms_ssim", "ms_ssim_3", "semantic_loss", "lpips"}
_RANK = 1e-9
"""Smallest eigenvalue, against the largest, of a direction that the data still determine."""


@dataclass(frozen=True)
class Problem:
    """Points with the weights and bounds under which one form is fitted."""

    form: Form
    points: Points
    sd: Array
    low: Array
    high: Array

    @property
    def free(self) -> Mask:
        """Mask (P,) of the parameters that are not known beforehand."""
        return self.high > self.low

    def residual(self, p: Array) -> Array:
        """Weighted residuals (N,)."""
        return (self.form(self.points.cr, self.points.snr_db, p) - self.points.value) / self.sd

    def jacobian(self, p: Array) -> Array:
        """Derivatives (N, P) of the weighted residuals."""
        return self.form.jacobian(self.points.cr, self.points.snr_db, p) / self.sd[:, None]


@dataclass(frozen=True)
class Solution:
    """Best parameters of a form on given points.

    `rmse` is the plain in-sample error, `held_out` the error on data left out and
    `held_out_squares` its square point by point; NaN and empty where not computed. `aicc` is
    that of the Gaussian likelihood with the model-error term counted as a parameter.
    """

    problem: Problem
    parameters: Array
    model_error_sd: float
    success: bool
    rmse: float
    aicc: float
    held_out: float = math.nan
    held_out_squares: Array = field(default_factory=lambda: np.empty(0))


def solve(form: Form, points: Points, seed: int) -> Solution:
    """Best fit of one form over seeded starts, model-error term included."""
    low, high = bounds(form, points)
    spread = float(np.ptp(points.value)) or max(abs(float(points.value[0])), 1.0)
    tiny = 1e-7 * spread
    problem = Problem(form, points, np.hypot(points.se, 0.01 * spread), low, high)
    rng = np.random.default_rng(seed)
    best = search(problem, draw_starts(problem, _STARTS, rng))
    model_error = 0.0
    for _ in range(3):
        model_error = _model_error(problem, best.x, tiny)
        problem = replace(problem, sd=np.hypot(points.se, model_error))
        best = _descend(problem, best.x, _FINE)
    count, size = len(points.value), int(problem.free.sum()) + 1
    deviance = float(np.sum(problem.residual(best.x) ** 2 + np.log(2 * np.pi * problem.sd**2)))
    spare = count - size - 1
    return Solution(
        problem=problem,
        parameters=best.x,
        model_error_sd=model_error,
        success=best.success,
        rmse=float(np.sqrt(np.mean((problem.residual(best.x) * problem.sd) ** 2))),
        aicc=deviance + 2 * size * count / spare if spare > 0 else math.inf,
    )


def search(problem: Problem, starts: Array) -> "Descent":
    """Follow every start a little, the better ones further, the best two to the bottom."""
    points = list(starts)
    for effort, kept in ((_ROUGH, 8), (_MIDDLE, 2), (_FINE, 1)):
        descents = sorted((_descend(problem, p, effort) for p in points), key=lambda d: d.cost)
        points = [d.x for d in descents[:kept]]
    return descents[0]


def free_count(form: Form, points: Points) -> int:
    """Parameters that the data must determine (a known floor is none of them)."""
    return len(form.names) - (form.has_range and points.floor is not None)


def bounds(form: Form, points: Points) -> tuple[Array, Array]:
    """Bounds (P,) of the parameters; a known floor is fixed, a known ceiling is an upper limit.

    The ceiling of the surface may stay below the clean ceiling: a link-trained receiver need not
    reach it at any CR.
    """
    low = np.array([parameter.low for parameter in form.parameters])
    high = np.array([parameter.high for parameter in form.parameters])
    worst, best = float(points.value.min()), float(points.value.max())
    spread = best - worst
    sign = 1.0
    if points.direction == "lower":
        worst, best, sign = best, worst, -1.0
    if not form.has_range:
        return low, high
    floor = sorted((worst - sign * 2 * spread, worst + sign * 0.1 * spread))
    ceiling = sorted((best - sign * 0.1 * spread, best + sign * 3 * spread))
    if points.metric in _BOUNDED:
        floor, ceiling = (list(np.clip(ends, 0.0, 1.0)) for ends in (floor, ceiling))
    if points.floor is not None:
        floor = [points.floor, points.floor]
    if points.ceiling is not None:
        limit = max(sign * points.ceiling, sign * best) * sign
        ceiling = sorted((ceiling[0] if sign > 0 else ceiling[1], limit))
    low[:2], high[:2] = (floor[0], ceiling[0]), (floor[1], ceiling[1])
    return low, high


def draw_starts(problem: Problem, count: int, rng: np.random.Generator) -> Array:
    """Best `count` of many drawn shapes, each with its best floor and ceiling in closed form."""
    form, points = problem.form, problem.points
    if not form.has_range:
        return np.array([[float(np.mean(points.value))]])
    shapes = np.vstack([form.guess(points.cr, points.snr_db), form.random_starts(_DRAWS, rng)])
    shapes[:, :2] = 0.0, 1.0
    gain = form(points.cr, points.snr_db, shapes[:, None, :])
    weight = problem.sd**-2
    mean_gain = (gain @ weight / weight.sum())[:, None]
    mean = float(points.value @ weight / weight.sum())
    centred = gain - mean_gain
    if problem.free[0]:
        span = centred @ (weight * (points.value - mean)) / (centred**2 @ weight + 1e-12)
        floor = np.clip(mean - span * mean_gain[:, 0], problem.low[0], problem.high[0])
    else:
        floor = np.full(len(shapes), problem.low[0])
    beyond = points.value - floor[:, None]
    span = np.sum(weight * gain * beyond, axis=1) / (gain**2 @ weight + 1e-12)
    shapes[:, 0] = floor
    shapes[:, 1] = np.clip(floor + span, problem.low[1], problem.high[1])
    shapes = np.clip(shapes, problem.low, problem.high)
    misfit = (form(points.cr, points.snr_db, shapes[:, None, :]) - points.value) ** 2 @ weight
    return shapes[np.argsort(misfit, kind="stable")[:count]]


@dataclass(frozen=True)
class Descent:
    """Where a start led."""

    x: Array
    cost: float
    success: bool


def _descend(problem: Problem, start: Array, effort: tuple[int, float]) -> Descent:
    """Follow one start downhill, known parameters held."""
    free = problem.free
    p = np.clip(start, problem.low, problem.high)

    def whole(x: Array) -> Array:
        full = p.copy()
        full[free] = x
        return full

    evaluations, tolerance = effort

    def residual(x: Array) -> Array:
        return problem.residual(whole(x))

    def jacobian(x: Array) -> Array:
        return problem.jacobian(whole(x))[:, free]

    result = least_squares(
        residual,
        p[free],
        jac=jacobian,
        bounds=(problem.low[free], problem.high[free]),
        x_scale="jac",
        ftol=tolerance,
        xtol=tolerance,
        gtol=tolerance,
        max_nfev=evaluations,
    )
    return Descent(whole(result.x), float(result.cost), bool(result.success))


def _model_error(problem: Problem, p: Array, tiny: float) -> float:
    """Standard deviation that, beside the measurement noise, explains the residuals.

    It solves sum r^2 / (se^2 + t^2) = degrees of freedom; 0 (or a round-off guard where no noise
    is told) when the noise alone explains them.
    """
    squares = (problem.residual(p) * problem.sd) ** 2
    noise = problem.points.se**2
    dof = max(len(squares) - int(problem.free.sum()), 1)
    least = tiny if np.any(noise == 0) else 0.0

    def excess(t: float) -> float:
        return float(np.sum(squares / (noise + t * t)) - dof)

    top = math.sqrt(float(squares.sum()) / dof) + tiny
    bottom = max(least, 1e-3 * tiny)
    return least if excess(bottom) <= 0 else float(brentq(excess, bottom, top))


def covariance_of(jacobian: Array, free: Mask) -> tuple[Array, bool]:
    """Covariance (P, P) of the free parameters, and whether the data determine them all.

    A direction that the data leave open (relative eigenvalue below `_RANK`) gets no variance: no
    fitted value depends on it.
    """
    covariance = np.zeros((jacobian.shape[1],) * 2)
    if not free.any():
        return covariance, True
    inner = jacobian[:, free]
    scale = np.maximum(np.linalg.norm(inner, axis=0), 1e-300)
    values, vectors = np.linalg.eigh((inner / scale).T @ (inner / scale))
    kept = values > _RANK * values.max()
    inverse = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    covariance[np.ix_(free, free)] = inverse / np.outer(scale, scale)
    return 0.5 * (covariance + covariance.T), bool(kept.all())
