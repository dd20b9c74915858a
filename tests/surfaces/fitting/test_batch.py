"""The batch solver: against scipy and lmfit, within bounds, in any chunking."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_surface import truth
from scipy.optimize import least_squares
from surface_truth import CURVED, simulated

from semloss.surfaces.fitting import batch
from semloss.surfaces.fitting.batch import Prior, Problems
from semloss.surfaces.fitting.form_fit import bounds, fit_form
from semloss.surfaces.fitting.lmfit_model import SurfaceModel
from semloss.surfaces.forms import FORMS


def problems(form, points, **changes):
    low, high = bounds(FORMS[form], points)
    sd = np.maximum(points.se, 1e-3)
    return Problems(
        FORMS[form], np.log(points.cr), points.snr_db, points.value, sd, low, high, **changes
    )


def reference(problem, start):
    """Scipy's answer to the same problem, from the same shape and the best levels for it."""
    first = batch.levels_of(problem, start[None])[0][0]
    free = problem.high > problem.low

    def residual(x):
        p = first.copy()
        p[free] = x
        value = problem.form(np.exp(problem.x), problem.snr_db, p)
        return (value - problem.value) * problem.scaled

    bounded = (problem.low[free], problem.high[free])
    inside = np.clip(first[free], bounded[0] + 1e-9, bounded[1] - 1e-9)
    options = {"x_scale": "jac", "ftol": 1e-14, "xtol": 1e-14, "gtol": 1e-14, "max_nfev": 3000}
    return least_squares(residual, inside, bounds=bounded, jac="3-point", **options).cost


@pytest.mark.parametrize("form", CURVED)
def test_it_ends_no_higher_than_scipy_from_the_same_start(form):
    points = simulated(form, n=700, seed=2)
    problem = problems(form, points)
    start = truth(form)[2:]
    solved = batch.solve(problem, start[None], steps=500, ftol=1e-14)
    assert solved.cost[0] <= reference(problem, start) * (1 + 1e-6)


@pytest.mark.parametrize("form", ["additive", "hill", "capped"])
def test_it_agrees_with_lmfit_on_parameters(form):
    points = simulated(form, n=700, seed=5)
    problem = problems(form, points)
    ours = batch.solve(problem, truth(form)[None, 2:], steps=500, ftol=1e-14).parameters[0]
    model = SurfaceModel(form)
    start = model.make_params(**dict(zip(FORMS[form].names, truth(form), strict=True)))
    start["floor"].set(value=0.1, vary=False)
    for name, low, high in zip(FORMS[form].names, problem.low, problem.high, strict=True):
        if high > low:
            start[name].set(min=low, max=high)
    fitted = model.fit(
        points.value, start, cr=points.cr, snr_db=points.snr_db, weights=problem.scaled,
        method="least_squares",
    )  # fmt: skip
    theirs = [fitted.params[name].value for name in FORMS[form].names]
    np.testing.assert_allclose(ours, theirs, rtol=2e-3)


@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_levels_in_closed_form_are_the_best_within_their_bounds(data):
    ends = sorted(data.draw(st.lists(st.floats(-0.5, 1.5), min_size=4, max_size=4)))
    points = simulated("additive", n=100, seed=data.draw(st.integers(0, 50)), floor=None)
    problem = problems("additive", points)
    problem.low[:2], problem.high[:2] = (ends[0], ends[2]), (ends[1], ends[3])
    shape = truth("additive")[2:]
    best, cost = batch.levels_of(problem, shape[None])
    assert np.all((best[0, :2] >= problem.low[:2]) & (best[0, :2] <= problem.high[:2]))
    gain = FORMS["additive"].gain(problem.x, problem.snr_db, shape)
    floors, ceilings = np.linspace(ends[0], ends[1], 41), np.linspace(ends[2], ends[3], 41)
    value = floors[:, None, None] * (1 - gain) + ceilings[None, :, None] * gain
    tried = 0.5 * np.sum(((value - problem.value) * problem.scaled) ** 2, axis=-1)
    assert cost[0] <= tried.min() * (1 + 1e-9)


def test_levels_of_many_shapes_are_those_of_each_alone():
    points = simulated("additive", n=100, seed=1, floor=None)
    problem = problems("additive", points)
    problem.high[1] = 0.9
    shapes = truth("additive")[2:] + np.array([[0.0, 0, 0], [-1, 0, 0], [9, 0, 0], [0, 0.5, 0]])
    together, costs = batch.levels_of(problem, shapes)
    assert 0 < np.sum(together[:, 1] == 0.9) < 4  # some rest on the bound, others do not
    for i, shape in enumerate(shapes):
        alone, cost = batch.levels_of(problem, shape[None])
        np.testing.assert_allclose(together[i], alone[0], rtol=1e-12)
        assert costs[i] == pytest.approx(cost[0], rel=1e-9)


def test_many_problems_are_solved_as_each_alone_whatever_the_chunks(monkeypatch):
    points = simulated("capped", n=700)
    weight = np.random.default_rng(0).exponential(size=(7, 66))
    problem = problems("capped", points, weight=weight)
    starts = np.tile(truth("capped")[2:], (7, 1))
    together = batch.solve(problem, starts)
    monkeypatch.setattr(batch, "_CHUNK", 150)
    in_chunks = batch.solve(problem, starts)
    np.testing.assert_allclose(together.parameters, in_chunks.parameters, rtol=1e-9)
    alone = batch.solve(problems("capped", points, weight=weight[3]), starts[:1])
    np.testing.assert_allclose(together.parameters[3], alone.parameters[0], rtol=1e-6)


def test_results_keep_their_bounds_and_held_parameters_stay():
    points = simulated("capped", n=100)
    problem = problems("capped", points)
    problem.low[6] = problem.high[6] = 3.0  # shift_db
    problem.high[5] = 0.2  # slope_per_db, whose truth is 0.3
    shape = np.clip(truth("capped")[2:], problem.low[2:], problem.high[2:])
    p = batch.solve(problem, shape[None]).parameters[0]
    assert np.all((p >= problem.low - 1e-12) & (p <= problem.high + 1e-12))
    assert p[6] == 3.0
    assert p[5] == pytest.approx(0.2)


def test_a_prior_counts_as_so_many_points():
    # One parameter, a known answer: the mean of two normals weighted by their information.
    points = simulated("logistic_snr", n=700, seed=1)
    plain = fit_form(FORMS["logistic_snr"], points)
    names = FORMS["logistic_snr"].names
    i = names.index("snr_half_db")
    sd = float(np.sqrt(plain.covariance()[0][i, i]))
    prior = Prior(np.array([plain.parameters[i] + sd, 0.0]), np.array([sd, np.inf]))
    start = plain.parameters[None, 2:]
    pulled = batch.solve(
        Problems(**{**plain.problems.__dict__, "prior": prior}), start, ftol=1e-14
    ).parameters[0]
    assert pulled[i] == pytest.approx(plain.parameters[i] + sd / 2, abs=0.03 * sd)


def test_a_noise_free_surface_gives_its_parameters_back_to_ten_digits():
    points = simulated("unified", floor=None)
    fit = fit_form(FORMS["unified"], points)
    np.testing.assert_allclose(fit.parameters, truth("unified"), rtol=1e-10)
