"""How sure a fit is: parametric bootstrap and profile-likelihood intervals, each as one batch."""

import math
from dataclasses import replace

import numpy as np

from semloss.arrays import Array
from semloss.surfaces.fitted.bands import student_quantile
from semloss.surfaces.fitting import batch
from semloss.surfaces.fitting.form_fit import FormFit

_STEPS = np.array([0.4, 0.8, 1.2, 1.6, 2.0, 2.5, 3.0, 4.0, 6.0])
"""Distances of a profile from the best value, in standard errors."""


def bootstrap(fit: FormFit, count: int, seed: int, *, inflated: float = 1.0) -> Array:
    """Parameters (count, P) of fits to measurements drawn anew about the fitted surface.

    Parametric bootstrap (Efron and Tibshirani 1993, ch. 6.5) with the scatter that the covariance
    comes from, so that both tell the same doubt: the covariance as far as the surface is linear
    in its parameters, the draws beyond, within the bounds. Points are drawn in the order of their
    cells, whatever that of the rows. `inflated` is by how much the scatter of the points, not that
    of a prior, is exaggerated.
    """
    points = fit.points
    order = np.lexsort((points.seed, points.snr_db, points.cr))
    normal = np.empty((count, len(order)))
    normal[:, order] = np.random.default_rng([seed, 1]).standard_normal(normal.shape)
    starts = np.tile(fit.parameters[len(fit.form.levels) :], (count, 1))
    prior = fit.problems.prior
    if prior is not None:  # what other surfaces tell is drawn anew too
        sd = np.where(np.isfinite(prior.sd), prior.sd, 0.0)
        drawn = np.random.default_rng([seed, 2]).normal(prior.mean, sd, starts.shape)
        prior = replace(prior, mean=drawn)
    problems = replace(
        fit.problems,
        sd=inflated * fit.problems.sd,
        value=fit.fitted() + points.sign * inflated * fit.scatter.sd * normal,
        prior=prior,
    )
    solved = batch.solve(problems, starts, steps=40, ftol=1e-6)
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
