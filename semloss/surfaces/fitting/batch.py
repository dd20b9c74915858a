"""Many least-squares problems of one form, solved side by side.

Every problem has its own values, weights and start; the points are common. Floor and ceiling
enter linearly, so they are solved in closed form inside (variable projection with Kaufman's
Jacobian), and a Levenberg-Marquardt search moves the shape parameters only, within their bounds,
positive ones on a logarithmic scale. Sources: Golub and Pereyra 1973, Kaufman 1975, More 1978.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semloss.arrays import Array, Mask
from semloss.surfaces.forms import Form

_CHUNK = 40_000
"""Residuals held at once: the working arrays of a chunk stay in the cache."""
_TINY = 1e-300


@dataclass(frozen=True)
class Prior:
    """Normal prior on the shape parameters in the coordinates of the search.

    `mean` (Q,), or (B, Q) for one of each problem, and `sd` (Q,) are on the logarithmic scale
    for parameters with `log`; an infinite `sd` says nothing about a parameter.
    """

    mean: Array
    sd: Array


@dataclass(frozen=True)
class Problems:
    """B problems over N points: `value` and `sd` are (N,) or (B, N).

    `low` and `high` bound the full vector, (P,) or (B, P), levels first; equal bounds hold a
    parameter.
    `weight` (N,) or (B, N) multiplies each squared residual (bootstrap counts, held-out zeros).
    """

    form: Form
    x: Array
    snr_db: Array
    value: Array
    sd: Array
    low: Array
    high: Array
    weight: Array | None = None
    prior: Prior | None = None

    @property
    def scaled(self) -> Array:
        """Factor (N,) or (B, N) of each residual: sqrt(weight) / sd."""
        return 1.0 / self.sd if self.weight is None else np.sqrt(self.weight) / self.sd


@dataclass(frozen=True)
class Solved:
    """Parameters (B, P), their cost (half the weighted squares) and whether each converged."""

    parameters: Array
    cost: Array
    converged: Mask

    def best(self) -> int:
        """Index of the problem of least cost."""
        return int(np.argmin(self.cost))


def solve(problems: Problems, starts: Array, *, steps: int = 200, ftol: float = 1e-10) -> Solved:
    """Follow each start (B, Q) of the shape downhill.

    Parameters
    ----------
    starts
        Shape parameters (B, Q) within their bounds; values and weights of the problems are
        common or have the same B.
    steps
        Most steps of a problem.
    ftol
        Relative fall of the cost below which a problem has converged.
    """
    count = len(starts)
    parameters = np.empty((count, problems.low.shape[-1]))
    cost, converged = np.empty(count), np.empty(count, dtype=bool)
    size = max(_CHUNK // max(len(problems.x), 1), 1)
    for begin in range(0, count, size):
        rows = slice(begin, begin + size)
        part = _Search(_rows(problems, rows), starts[rows])
        part.run(steps, ftol)
        parameters[rows], cost[rows], converged[rows] = part.parameters(), part.cost, part.done
    return Solved(parameters, cost, converged)


def levels_of(problems: Problems, shapes: Array) -> tuple[Array, Array]:
    """Best full vectors (B, P) and costs (B,) for given shapes (B, Q), in closed form."""
    parameters, costs = [], []
    size = max(_CHUNK // max(len(problems.x), 1), 1)
    for begin in range(0, len(shapes), size):
        rows = slice(begin, begin + size)
        part = _rows(problems, rows)
        gain = part.form.gain(part.x, part.snr_db, shapes[rows])
        levels, _ = _levels(part, gain)
        residual = _residual(part, gain, levels)
        parameters.append(np.concatenate([levels, shapes[rows]], axis=1))
        costs.append(0.5 * np.einsum("bn,bn->b", residual, residual))
    return np.concatenate(parameters), np.concatenate(costs)


def costs(problems: Problems, shapes: Array, weights: Array) -> Array:
    """Costs (F, B) of shapes (B, Q) under each of the weights (F, N), levels in closed form."""
    gain = problems.form.gain(problems.x, problems.snr_db, shapes)
    found = np.empty((len(weights), len(shapes)))
    for i, weight in enumerate(weights):
        part = replace(problems, weight=weight)
        residual = _residual(part, gain, _levels(part, gain)[0])
        found[i] = 0.5 * np.einsum("bn,bn->b", residual, residual)
    return found


def fitted(problems: Problems, shapes: Array) -> Array:
    """Values (B, N) for given shapes (B, Q), each at its best levels."""
    parameters, _ = levels_of(problems, shapes)
    gain = problems.form.gain(problems.x, problems.snr_db, shapes)
    floor, ceiling = parameters[:, :1], parameters[:, len(problems.form.levels) - 1][:, None]
    return np.asarray(floor + (ceiling - floor) * gain)


def to_search(form: Form, shape: Array) -> Array:
    """Shape parameters in the coordinates of the search: positive ones as logarithms."""
    return np.where(form.logs, np.log(np.maximum(shape, _TINY)), shape)


def from_search(form: Form, u: Array) -> Array:
    """Shape parameters from the coordinates of the search."""
    return np.where(form.logs, np.exp(np.where(form.logs, u, 0.0)), u)


def _rows(problems: Problems, rows: slice | NDArray[np.intp]) -> Problems:
    """The problems of some rows; what is common stays common."""

    def cut(array: Array) -> Array:
        return array[rows] if array.ndim == 2 else array

    return Problems(
        problems.form, problems.x, problems.snr_db, cut(problems.value), cut(problems.sd),
        cut(problems.low), cut(problems.high),
        None if problems.weight is None else cut(problems.weight),
        None if problems.prior is None else replace(problems.prior, mean=cut(problems.prior.mean)),
    )  # fmt: skip


def _levels(problems: Problems, gain: Array) -> tuple[Array, Mask]:
    """Best levels (B, L) within their bounds for given gains (B, N), and which are free."""
    count = len(problems.form.levels)
    low, high = problems.low[..., :count], problems.high[..., :count]
    square = problems.scaled**2
    if count == 1:
        mean = np.sum(square * problems.value, axis=-1) / np.sum(square, axis=-1)
        level = np.clip(np.broadcast_to(mean, (len(gain),))[:, None], low, high)
        return level, (level > low) & (level < high)
    rest = 1.0 - gain
    weighted = square * gain
    s22 = np.einsum("bn,bn->b", weighted, gain)
    s12 = np.einsum("bn,bn->b", weighted, rest)
    s11 = np.sum(square, axis=-1) - s22 - 2.0 * s12
    by_point = np.broadcast_to(square * problems.value, gain.shape)
    b2 = np.einsum("bn,bn->b", by_point, gain)
    b1 = by_point.sum(axis=1) - b2
    safe11, safe22 = np.maximum(s11, _TINY), np.maximum(s22, _TINY)

    def edge(i: int, end: Array) -> Array:
        """Best levels (B, 2) with one of them at an end."""
        other = (b2 - s12 * end) / safe22 if i == 0 else (b1 - s12 * end) / safe11
        other = np.clip(other, low[..., 1 - i], high[..., 1 - i])
        both = (np.broadcast_to(end, other.shape), other)
        return np.stack(both if i == 0 else both[::-1], axis=1)

    for i in range(2):
        if np.all(low[..., i] == high[..., i]):  # a known floor leaves one level to find
            best = edge(i, low[..., i])
            return best, (best > low) & (best < high)
    determinant = s11 * s22 - s12 * s12
    open_ = determinant > 1e-12 * s11 * s22
    safe = np.where(open_, determinant, 1.0)
    best = np.stack([(s22 * b1 - s12 * b2) / safe, (s11 * b2 - s12 * b1) / safe], axis=1)
    inside = open_ & np.all((best > low) & (best < high), axis=1)
    if inside.all():
        return best, np.ones_like(best, dtype=bool)
    # The optimum of a convex problem outside its box lies on an edge: try the four.
    edges = [
        edge(i, end)
        for i in range(2)
        for end in (low[..., i], high[..., i])
        if np.all(np.isfinite(end))
    ]
    if edges:
        tried = np.stack(edges)
        floor, ceiling = tried[..., 0], tried[..., 1]
        costs = (
            s11 * floor**2 + s22 * ceiling**2 + 2 * s12 * floor * ceiling
            - 2 * (b1 * floor + b2 * ceiling)
        )  # fmt: skip
        at = np.argmin(costs, axis=0)
        best = np.where(inside[:, None], best, tried[at, np.arange(len(gain))])
    return best, (best > low) & (best < high)


def _residual(problems: Problems, gain: Array, levels: Array) -> Array:
    span = (levels[:, -1] - levels[:, 0])[:, None]
    residual = span * gain
    residual += levels[:, :1]
    residual -= problems.value
    residual *= problems.scaled
    return residual


class _Search:
    """State of one chunk of problems on their way down."""

    def __init__(self, problems: Problems, starts: Array) -> None:
        form = problems.form
        count = len(form.levels)
        self.problems = problems
        self.logs = np.flatnonzero(form.logs)
        shape = (len(starts), len(form.parameters))
        self.low = np.broadcast_to(to_search(form, problems.low[..., count:]), shape)
        self.high = np.broadcast_to(to_search(form, problems.high[..., count:]), shape)
        self.u = np.clip(to_search(form, starts), self.low, self.high)
        self.done = np.zeros(len(starts), dtype=bool)
        self.cost = np.full(len(starts), np.inf)
        self.levels = np.zeros((len(starts), count))

    def parameters(self) -> Array:
        """Full vectors (B, P) of where the problems stand."""
        return np.concatenate([self.levels, from_search(self.problems.form, self.u)], axis=1)

    def run(self, steps: int, ftol: float) -> None:
        """Move until every problem has converged or has had its steps."""
        size = self.u.shape[1]
        rows = np.arange(len(self.u))
        if size == 0:
            cost, levels, _, _ = self._evaluate(self.problems, self.u)
            self.cost, self.levels, self.done = cost, levels, np.ones(len(rows), dtype=bool)
            return
        problems, u, low, high = self.problems, self.u, self.low, self.high
        cost, levels, gradient, curvature = self._evaluate(problems, u)
        damping = np.full(len(rows), 1e-2)
        growth = np.full(len(rows), 3.0)
        calm = np.zeros(len(rows), dtype=bool)
        scale = np.maximum(np.einsum("bqq->bq", curvature), 1e-12)
        diagonal = np.arange(size)
        for _ in range(steps):
            held = ((u <= low) & (gradient > 0)) | ((u >= high) & (gradient < 0)) | (low >= high)
            slope = np.where(held, 0.0, gradient)
            matrix = np.where(held[:, :, None] | held[:, None, :], 0.0, curvature)
            matrix[:, diagonal, diagonal] += np.where(held, 1.0, damping[:, None] * scale)
            matrix[:, diagonal, diagonal] += 1e-14 * scale
            step = -np.linalg.solve(matrix, slope[:, :, None])[:, :, 0]
            trial = np.clip(u + step, low, high)
            new_cost, new_levels, new_gradient, new_curvature = self._evaluate(problems, trial)
            better = new_cost < cost
            fall = np.where(better, cost - new_cost, 0.0)
            small = better & (fall <= ftol * new_cost + _TINY) & (damping < 1.0)
            stuck = ~better & ((damping > 1e8) | (np.abs(trial - u).max(axis=1) < 1e-13))
            flat = np.abs(slope).max(axis=1) <= 1e-14 * (1.0 + cost)
            pick = better[:, None]
            u = np.where(pick, trial, u)
            levels = np.where(pick, new_levels, levels)
            gradient = np.where(pick, new_gradient, gradient)
            curvature = np.where(pick[:, :, None], new_curvature, curvature)
            cost = np.where(better, new_cost, cost)
            scale = np.maximum(scale * 0.7, np.einsum("bqq->bq", curvature))
            damping = np.where(better, np.maximum(damping * 0.15, 1e-14), damping * growth)
            growth = np.where(better, 3.0, growth * 1.5)
            finished = small | stuck | flat
            calm = fall <= 1e-6 * cost
            if finished.any():
                self._store(rows[finished], u[finished], levels[finished], cost[finished])
                self.done[rows[finished]] = True
                left = np.flatnonzero(~finished)
                if left.size == 0:
                    return
                rows, u, levels, cost = rows[left], u[left], levels[left], cost[left]
                gradient, curvature, scale = gradient[left], curvature[left], scale[left]
                damping, growth, low, high = damping[left], growth[left], low[left], high[left]
                calm = calm[left]
                problems = _rows(problems, left)
        self._store(rows, u, levels, cost)
        self.done[rows] = calm  # out of steps, but hardly moving any more

    def _store(self, rows: NDArray[np.intp], u: Array, levels: Array, cost: Array) -> None:
        self.u[rows], self.levels[rows], self.cost[rows] = u, levels, cost

    def _evaluate(self, problems: Problems, u: Array) -> tuple[Array, Array, Array, Array]:
        """Cost (B,), levels (B, L), gradient (B, Q) and Gauss-Newton curvature (B, Q, Q)."""
        shape = u.copy()
        shape[:, self.logs] = np.exp(u[:, self.logs])
        gain, slopes = problems.form.slopes(problems.x, problems.snr_db, shape)
        levels, free = _levels(problems, gain)
        residual = _residual(problems, gain, levels)
        factor = np.broadcast_to(problems.scaled, gain.shape)
        span = (levels[:, -1] - levels[:, 0])[:, None]
        slopes *= (span * factor)[:, None, :]
        if self.logs.size:
            slopes[:, self.logs] *= shape[:, self.logs, None]
        if len(problems.form.levels) == 2:
            _project(slopes, (1.0 - gain) * factor, gain * factor, free)
        gradient = (slopes @ residual[:, :, None])[:, :, 0]
        curvature = slopes @ slopes.transpose(0, 2, 1)
        cost = 0.5 * np.einsum("bn,bn->b", residual, residual)
        if problems.prior is not None:
            away = (u - problems.prior.mean) / problems.prior.sd
            cost += 0.5 * np.sum(away**2, axis=1)
            gradient += away / problems.prior.sd
            each = np.arange(u.shape[1])
            curvature[:, each, each] += problems.prior.sd**-2
        return cost, levels, gradient, curvature


def _project(slopes: Array, floor: Array, ceiling: Array, free: Mask) -> None:
    """Take out of the slopes (B, Q, N) what the free levels make good anyway, in place."""
    floor = floor * free[:, :1]
    floor /= np.sqrt(np.maximum(np.einsum("bn,bn->b", floor, floor), _TINY))[:, None]
    ceiling = ceiling * free[:, 1:]
    whole = np.einsum("bn,bn->b", ceiling, ceiling)
    ceiling -= np.einsum("bn,bn->b", ceiling, floor)[:, None] * floor
    own = np.einsum("bn,bn->b", ceiling, ceiling)
    ceiling *= np.where(own > 1e-20 * whole, np.maximum(own, _TINY) ** -0.5, 0.0)[:, None]
    basis = np.stack([floor, ceiling], axis=1)
    slopes -= (slopes @ basis.transpose(0, 2, 1)) @ basis
