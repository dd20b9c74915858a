"""How sure a fit is: bootstrap by cell and profile-likelihood intervals, each as one batch."""

import math
from dataclasses import replace

import numpy as np

from semloss.arrays import Array
from semloss.surfaces.fitted.bands import student_quantile
from semloss.surfaces.fitting import batch
from semloss.surfaces.fitting.form_fit import FormFit

_STEPS = np.array([0.4, 0.8, 1.2, 1.6, 2.0, 2.5, 3.0, 4.0, 6.0])
"""Distances of a profile from the best value, in standard errors."""


def bootstrap(fit: FormFit, count: int, seed: int) -> Array:
    """Parameters (count, P) of fits to resampled cells.

    Weighted likelihood bootstrap (Newton and Raftery 1994): every cell gets a random weight,
    exponential with mean 1, in the place of the number of times that it would be drawn; where a
    cell was measured with several seeds, each of them gets its own. No cell ever vanishes, so a
    small table stays a surface. The draws are stretched about the fit by N / (N - P): a fit of P
    parameters follows its points, so that both the residuals and their resampling are too small
    by the root of that (as the leverage correction HC3 on average).
    """
    cells = np.stack([fit.points.cr, fit.points.snr_db, fit.points.seed.astype(float)])
    member = np.unique(cells, axis=1, return_inverse=True)[1].ravel()
    total = int(member.max()) + 1
    weight = np.random.default_rng([seed, 1]).exponential(size=(count, total))
    weight *= total / weight.sum(axis=1, keepdims=True)
    weight = weight[:, member]
    if fit.problems.weight is not None:
        weight = weight * fit.problems.weight
    levels, prior = len(fit.form.levels), fit.problems.prior
    starts = np.tile(fit.parameters[levels:], (count, 1))
    if prior is not None:  # what other surfaces tell is drawn anew too
        sd = np.where(np.isfinite(prior.sd), prior.sd, 0.0)
        drawn = np.random.default_rng([seed, 2]).normal(prior.mean, sd, starts.shape)
        prior = replace(prior, mean=drawn)
    problems = replace(fit.problems, weight=weight, prior=prior)
    solved = batch.solve(problems, starts, steps=40, ftol=1e-6)
    size, free = len(member), int(fit.free.sum())
    if fit.form.parameters and size > free and prior is None:
        stretch = size / (size - free)
        best = batch.to_search(fit.form, fit.parameters[levels:])
        moved = batch.to_search(fit.form, solved.parameters[:, levels:]) - best
        shape = batch.from_search(fit.form, best + stretch * moved)
        level = fit.parameters[:levels]
        level = level + stretch * (solved.parameters[:, :levels] - level)
        solved.parameters[:, levels:] = shape
        solved.parameters[:, :levels] = level
    return np.clip(solved.parameters, fit.problems.low, fit.problems.high)


def profiles(fit: FormFit, interval: float = 0.95) -> dict[str, tuple[float, float]]:
    """Profile-likelihood interval of each free parameter, name -> (low, high).

    The parameter is held at distances from its best value and all others are fitted again; the
    interval ends where the deviance has risen by the squared quantile. An end that the data do
    not determine is the parameter's bound.
    """
    quantile = student_quantile(interval, fit.scatter.dof)
    covariance, _ = fit.covariance()
    form, problems, p = fit.form, fit.problems, fit.parameters
    found: dict[str, tuple[float, float]] = {}
    for i, parameter in enumerate(form.all_parameters):
        if not fit.free[i]:
            continue
        low, high = float(problems.low[i]), float(problems.high[i])
        here, error = p[i], math.sqrt(max(covariance[i, i], 0.0))
        if parameter.log:
            here, error, low_u, high_u = math.log(here), error / here, math.log(low), math.log(high)
        else:
            low_u, high_u = low, high
        room = high_u - low_u
        if not 0 < error < room:  # undetermined: look over all that the bounds leave
            error = (room if math.isfinite(room) else 60.0 * max(abs(here), 1.0)) / 6.0
        ends = []
        for sign in (-1.0, 1.0):
            place = here + sign * error * _STEPS * max(quantile / 2.0, 1.0)
            held = np.clip(np.exp(place) if parameter.log else place, low, high)
            bound = low if sign < 0 else high
            ends.append(_end(fit, i, held, bound, quantile))
        found[parameter.name] = (ends[0], ends[1])
    return found


def _end(fit: FormFit, i: int, held: Array, bound: float, quantile: float) -> float:
    """Where the root of the deviance's rise crosses the quantile on one side."""
    count = len(held)
    low = np.tile(fit.problems.low, (count, 1))
    high = np.tile(fit.problems.high, (count, 1))
    low[:, i] = high[:, i] = held
    starts = np.tile(fit.parameters[len(fit.form.levels) :], (count, 1))
    if i >= len(fit.form.levels):
        starts[:, i - len(fit.form.levels)] = held
    solved = batch.solve(replace(fit.problems, low=low, high=high), starts, steps=60, ftol=1e-6)
    best = 0.5 * float(
        np.sum(((fit.fitted() - fit.points.value) * fit.problems.scaled) ** 2)
    ) + _prior_cost(fit)
    rise = np.sqrt(np.maximum(2.0 * (solved.cost - best), 0.0))
    rise = np.maximum.accumulate(rise)
    place = np.concatenate([[fit.parameters[i]], held])
    rise = np.concatenate([[0.0], rise])
    beyond = np.flatnonzero(rise >= quantile)
    if beyond.size == 0:
        return bound
    k = int(beyond[0])
    part = (quantile - rise[k - 1]) / (rise[k] - rise[k - 1])
    return float(place[k - 1] + part * (place[k] - place[k - 1]))


def _prior_cost(fit: FormFit) -> float:
    prior = fit.problems.prior
    if prior is None:
        return 0.0
    u = batch.to_search(fit.form, fit.parameters[len(fit.form.levels) :])
    return 0.5 * float(np.sum(((u - prior.mean) / prior.sd) ** 2))
