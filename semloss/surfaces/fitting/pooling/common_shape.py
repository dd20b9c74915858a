"""One shape for many groups of few points: what none of them tells alone, all tell together."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.optimize import least_squares

from semloss.arrays import Array
from semloss.selection import Points
from semloss.surfaces.fitting import batch
from semloss.surfaces.fitting.batch import Prior, Problems
from semloss.surfaces.fitting.form_fit import free_count, rough_problems
from semloss.surfaces.forms import Form, ladder

_DRAWN, _FOLLOWED = 500, 3
"""Random shapes that a search looks at, and how many of them it follows."""
_EVALUATIONS = 30
_FOLDS = 5
_SPREADS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Spreads between groups that are tried, as shares of that of random shapes."""


def carries(groups: Sequence[Points], form: Form) -> bool:
    """Whether the groups together have more points than one shape and their own levels need."""
    return sum(len(points.value) for points in groups) > needed(groups, form)


def needed(groups: Sequence[Points], form: Form) -> int:
    """Parameters of one shape and of the levels of every group."""
    shape = len(form.parameters)
    return shape + sum(free_count(form, points) - shape for points in groups)


def common_shape(groups: Sequence[Points], form: Form, seed: int = 0) -> Array:
    """Shape (Q,), in search coordinates, that serves all groups best, each at its own levels."""
    problems = [rough_problems(form, points) for points in groups]
    drawn = form.random_starts(_DRAWN, np.random.default_rng(seed))
    guesses = [form.guess(points.cr, points.snr_db) for points in groups[:1]]
    low, high = _box(problems)
    starts = np.clip(batch.to_search(form, np.vstack([*guesses, drawn])), low, high)
    cost = np.sum(_residuals(problems, starts) ** 2, axis=1)
    best = np.argsort(cost, kind="stable")[:_FOLLOWED]
    ends = [_follow(problems, starts[i]) for i in best]
    return min(ends, key=lambda u: float(np.sum(_residuals(problems, u[None]) ** 2)))


def common_form(groups: Sequence[Points], seed: int = 0) -> str:
    """Name of the simplest form that predicts held-out points of the groups as well as any.

    Each form has one shape for all groups. A fifth of every group is held out in turn, errors
    are relative to the group's range, and the rule is one standard error, as for one surface.
    """
    groups = [points for points in groups if np.ptp(points.value) > 0] or list(groups)
    errors = {
        name: _held_out(groups, form, common_shape(groups, form, seed))
        for name, form in ladder().items() if form.parameters and carries(groups, form)
    }  # fmt: skip
    if not errors:
        return "constant"
    best = min(errors.values(), key=lambda squares: float(squares.mean()))
    good = [
        name for name, squares in errors.items()
        if (squares - best).mean() <= (squares - best).std(ddof=1) / math.sqrt(len(best))
    ]  # fmt: skip
    return min(good, key=lambda name: len(ladder()[name].parameters))


def common_prior(groups: Sequence[Points], form: Form, seed: int = 0) -> tuple[Array, Array]:
    """Mean (Q,) and variance (Q,) of the shapes of the groups, in search coordinates.

    The mean is the common shape; the spread, one share of how far shapes may differ at all, is
    the one under which the points are likeliest (empirical Bayes).
    """
    mean = common_shape(groups, form, seed)
    drawn = form.random_starts(_DRAWN, np.random.default_rng(seed))
    natural = np.std(batch.to_search(form, drawn), axis=0)
    problems = [
        replace(own, sd=np.sqrt(own.sd**2 + points.se**2))
        for own, points in ((rough_problems(form, points), points) for points in groups)
    ]
    likeliest = max(_SPREADS, key=lambda share: _evidence(problems, mean, share * natural))
    return mean, (likeliest * natural) ** 2


def _evidence(problems: Sequence[Problems], mean: Array, sd: Array) -> float:
    """Log-likelihood of the points, the groups' shapes drawn about a mean (Laplace)."""
    form, total = problems[0].form, 0.0
    start = batch.from_search(form, mean)[None]
    for own in problems:
        solved = batch.solve(replace(own, prior=Prior(mean, sd)), start)
        u = batch.to_search(form, solved.parameters[0, len(form.levels) :])
        told = _slopes([own], u) * sd
        volume = np.linalg.slogdet(np.eye(len(sd)) + told.T @ told)[1]
        total -= float(solved.cost[0]) + 0.5 * float(volume)
    return total


def _held_out(groups: Sequence[Points], form: Form, shape: Array) -> Array:
    """Squared errors (N,) of the points of all groups, each predicted without it."""
    problems = [rough_problems(form, points) for points in groups]
    rng = np.random.default_rng(0)
    parts = [rng.permutation(len(points.value)) % _FOLDS for points in groups]
    found = [np.empty(len(part)) for part in parts]
    for fold in range(_FOLDS):
        without = [
            replace(own, weight=np.where(part == fold, 0.0, 1.0))
            for own, part in zip(problems, parts, strict=True)
        ]
        u = batch.from_search(form, _follow(without, shape))[None]
        for squares, own, part in zip(found, without, parts, strict=True):
            error = (batch.fitted(own, u)[0] - own.value) / np.ptp(own.value)
            squares[part == fold] = error[part == fold] ** 2
    return np.concatenate(found)


def _follow(problems: Sequence[Problems], start: Array) -> Array:
    """Shape (Q,) at the bottom of the valley that a start lies in."""
    low, high = _box(problems)
    room = 1e-6 * np.minimum(np.where(np.isfinite(high - low), high - low, 1.0), 1.0)

    def residuals(u: Array) -> Array:
        return np.asarray(_residuals(problems, u[None])[0])

    def slopes(u: Array) -> Array:
        return _slopes(problems, u)

    found = least_squares(
        residuals, np.clip(start, low + room, high - room), slopes, (low, high), x_scale="jac",
        max_nfev=_EVALUATIONS,
    )  # fmt: skip
    return np.asarray(found.x)


def _slopes(problems: Sequence[Problems], u: Array) -> Array:
    """Derivatives (N, Q) of the residuals by the shape (Q,), by differences."""
    step = 1e-6 * np.maximum(np.abs(u), 1.0)
    moved = _residuals(problems, np.vstack([u, u - np.diag(step)]))
    return np.asarray((moved[0] - moved[1:]).T / step)


def _residuals(problems: Sequence[Problems], u: Array) -> Array:
    """Residuals (B, N) of the points of all groups for shapes (B, Q) in search coordinates."""
    shapes = batch.from_search(problems[0].form, u)
    return np.concatenate(
        [(batch.fitted(own, shapes) - own.value) * own.scaled for own in problems], axis=1
    )


def _box(problems: Sequence[Problems]) -> tuple[Array, Array]:
    """Bounds (Q,) of the shape in search coordinates."""
    form, count = problems[0].form, len(problems[0].form.levels)
    low, high = (batch.to_search(form, end[count:]) for end in (problems[0].low, problems[0].high))
    return np.maximum(low, -50.0), np.minimum(high, 500.0)
