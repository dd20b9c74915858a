"""Where the search for a form's shape begins, and how the best valley is found.

A form of few parameters has few valleys, and the best of a hundred starts find the deepest one.
The richest form has dozens: its best finds so far are varied, some of their parameters drawn
anew, until no variation leads deeper (iterated local search, Lourenço, Martin and Stützle 2003).
"""

from dataclasses import replace

import numpy as np

from semloss.arrays import Array
from semloss.selection import Points
from semloss.surfaces.fitting import batch
from semloss.surfaces.fitting.batch import Problems, Solved
from semloss.surfaces.forms import FORMS, Form

_DRAWS_PER_START = 10
_KEPT = 8
_RICH = 10
"""Shape parameters beyond which a form has many valleys."""
_VARIED, _VARIATIONS, _REDRAWN = 3, 50, 0.6
"""Finds that are varied, variations of each, and share of their parameters that is drawn anew."""
_ALIKE = 1e-3
"""Relative difference of cost up to which two finds count as one valley."""
_COLD = 200
"""Random shapes that a fit to a part of the points looks at."""
_FOLLOWED, _FINISHED = 4, 1
"""Cold starts of each part that are followed a little, and those followed to the bottom."""


def search(problems: Problems, points: Points, starts: int, rng: np.random.Generator) -> Solved:
    """Best shapes of a form, found from the best of random starts and, if rich, of variations."""
    form = problems.form
    if not form.parameters:
        return batch.solve(problems, np.empty((1, 0)))
    count, levels = starts, len(form.levels)
    rich = len(form.parameters) > _RICH
    own = [form.guess(points.cr, points.snr_db)[None]]
    if problems.prior is not None:
        own.append(batch.from_search(form, problems.prior.mean)[None])
    drawn = form.random_starts(_DRAWS_PER_START * starts * (1 + rich), rng)
    begun = [_screened(problems, np.vstack([*own, drawn]), count * (1 + rich))]
    if rich:
        begun.append(_extended(problems, points, starts, rng))
    found = batch.solve(problems, np.vstack(begun), steps=12, ftol=1e-4)
    if rich:
        found = batch.solve(problems, _valleys(found, levels, 4 * _KEPT), steps=20, ftol=1e-5)
        best = _valleys(found, levels, _VARIED)
        varied = _varied(problems, best, rng)
        found = batch.solve(problems, varied, steps=8, ftol=1e-4)
        further = np.vstack([best, _valleys(found, levels, 3 * _KEPT)])
        found = batch.solve(problems, further, steps=20, ftol=1e-5)
        ends = _valleys(found, levels, _KEPT)
    else:
        ends = found.parameters[np.argsort(found.cost, kind="stable")[:_KEPT], levels:]
    return batch.solve(problems, ends, steps=200, ftol=1e-8)


def search_parts(problems: Problems, points: Points, weights: Array, known: Array) -> Array:
    """Best parameters (F, P) of F fits to parts of the points, each told by its weights (F, N).

    A part starts from the best of random shapes, which know nothing of what is left out of it,
    and from `known` shapes (K, Q), those of the whole: the deeper valley is taken.
    """
    form, levels = problems.form, len(problems.form.levels)
    if problems.weight is not None:
        weights = weights * problems.weight
    if not form.parameters:
        return batch.solve(
            replace(problems, weight=weights), np.empty((len(weights), 0))
        ).parameters
    drawn = form.random_starts(_COLD, np.random.default_rng(0))
    shapes = _inside(problems, np.vstack([form.guess(points.cr, points.snr_db)[None], drawn]))
    order = np.argsort(batch.costs(problems, shapes, weights), axis=1, kind="stable")
    begun = shapes[order[:, :_FOLLOWED]]
    found = _each_part(problems, weights, begun, steps=12, ftol=1e-3)
    order = np.argsort(found.cost.reshape(len(weights), -1), axis=1, kind="stable")
    cold = found.parameters.reshape(len(weights), -1, problems.low.shape[-1])[..., levels:]
    cold = np.take_along_axis(cold, order[:, :_FINISHED, None], axis=1)
    warm = np.broadcast_to(known, (len(weights), *known.shape))
    found = _each_part(problems, weights, np.concatenate([warm, cold], axis=1), steps=60, ftol=1e-7)
    best = np.argmin(found.cost.reshape(len(weights), -1), axis=1)
    ends = found.parameters.reshape(len(weights), -1, problems.low.shape[-1])
    return np.asarray(ends[np.arange(len(weights)), best])


def distinct(parameters: Array, levels: int) -> Array:
    """Shapes that differ, in the order given."""
    kept: list[Array] = []
    for p in parameters:
        if not any(np.allclose(p[levels:], other, rtol=1e-2, atol=1e-3) for other in kept):
            kept.append(p[levels:])
    return np.array(kept)


def _each_part(
    problems: Problems, weights: Array, starts: Array, *, steps: int, ftol: float
) -> Solved:
    """Follow starts (F, K, Q) of F parts, all side by side."""
    count = starts.shape[1]
    spread = replace(problems, weight=np.repeat(weights, count, axis=0))
    return batch.solve(spread, starts.reshape(-1, starts.shape[2]), steps=steps, ftol=ftol)


def _inside(problems: Problems, shapes: Array) -> Array:
    """Shapes within the bounds."""
    levels = len(problems.form.levels)
    return np.clip(shapes, problems.low[levels:], problems.high[levels:])


def _screened(problems: Problems, shapes: Array, count: int) -> Array:
    """The shapes of least cost."""
    shapes = _inside(problems, shapes)
    _, cost = batch.levels_of(problems, shapes)
    return shapes[np.argsort(cost, kind="stable")[:count]]


def _extended(problems: Problems, points: Points, starts: int, rng: np.random.Generator) -> Array:
    """The best shape of the richest form that this one extends, with what is new drawn."""
    form = problems.form
    within = _within(form)
    own = [form.names.index(name) for name in within.names]
    smaller = replace(
        problems, form=within, low=problems.low[own], high=problems.high[own], prior=None
    )
    found = search(smaller, points, starts, rng)
    shapes = form.random_starts(starts, rng)
    levels = len(form.levels)
    kept = [place - levels for place in own[levels:]]
    shapes[:, kept] = found.parameters[found.best(), levels:]
    return _inside(problems, shapes)


def _within(form: Form) -> Form:
    """The form of most parameters among those whose parameters this one all has."""
    names = set(form.names)
    parts = [other for other in FORMS.values() if other.has_range and set(other.names) < names]
    return max(parts, key=lambda other: len(other.names))


def _valleys(found: Solved, levels: int, count: int) -> Array:
    """Shapes of the deepest valleys, one of each, told apart by their cost."""
    kept: list[int] = []
    for i in np.argsort(found.cost, kind="stable"):
        if not kept or found.cost[i] > (1.0 + _ALIKE) * found.cost[kept[-1]]:
            kept.append(int(i))
    return found.parameters[kept[:count], levels:]


def _varied(problems: Problems, shapes: Array, rng: np.random.Generator) -> Array:
    """The best of variations of shapes, some of the parameters of each drawn anew."""
    each = np.repeat(shapes, _DRAWS_PER_START * _VARIATIONS, axis=0)
    drawn = problems.form.random_starts(len(each), rng)
    mixed = np.where(rng.random(each.shape) < _REDRAWN, drawn, each)
    return _screened(problems, mixed, len(shapes) * _VARIATIONS)
