"""One form at its best: what bounds its levels, what it may cost, what criteria it is judged by."""

import math
from dataclasses import replace

import numpy as np
import pytest
from known_surface import truth
from surface_truth import simulated

from semloss.selection import Points
from semloss.surfaces.fitting.batch import Prior
from semloss.surfaces.fitting.form_fit import admitted, bounds, fit_form, free_count
from semloss.surfaces.forms import FORMS

ADDITIVE = FORMS["additive"]


def measured(value, se=0.0, metric="quality", **about):
    """Points of given values, which a line of SNRs and two CRs carry."""
    count = len(value)
    known = {"receiver": "none", "direction": "higher", **about}
    return Points(
        metric, cr=np.where(np.arange(count) % 2, 0.1, 0.05), snr_db=np.arange(float(count)),
        value=np.asarray(value, dtype=float), se=np.full(count, se), **known,
    )  # fmt: skip


def levels(points, **options):
    """Bounds of the floor and of the ceiling."""
    low, high = bounds(ADDITIVE, points, **options)
    return (low[0], high[0]), (low[1], high[1])


RISING = np.linspace(0.2, 0.8, 7)


# A range of 0.6: a level lies at most a tenth of it and three standard errors inside the extreme
# point, and at most twice (floor) or three times (ceiling) of it outside.
@pytest.mark.parametrize(
    ("points", "floor", "ceiling"),
    [
        (measured(RISING), (-1.0, 0.26), (0.74, 2.6)),
        (measured(RISING, se=0.02), (-1.0, 0.32), (0.68, 2.6)),
        (measured(RISING, se=0.2), (-1.0, 0.5), (0.5, 2.6)),  # they keep their order
        (measured(RISING, direction="lower"), (0.74, 2.0), (-1.6, 0.26)),
        (measured(RISING, metric="accuracy", receiver="clean"), (0.0, 0.26), (0.74, 1.0)),
        (measured(RISING, metric="accuracy", floor=0.1, ceiling=0.9), (0.1, 0.1), (0.74, 0.9)),
        (measured(RISING, metric="accuracy", floor=0.1, ceiling=0.7), (0.1, 0.1), (0.74, 0.8)),
        (measured(RISING, metric="ssim", floor=0.0), (0.0, 0.26), (0.74, 1.0)),
        (measured(RISING, metric="mse", direction="lower", floor=1.0, ceiling=0.0),
         (0.74, 1.0), (0.0, 0.26)),
        (measured([0.5] * 7), (-1.5, 0.6), (0.4, 3.5)),
        (measured([-4.0] * 7), (-12.0, -3.6), (-4.4, 8.0)),
    ],
)  # fmt: skip
def test_levels_are_sought_about_the_extreme_points(points, floor, ceiling):
    found = levels(points)
    assert found[0] == pytest.approx(floor)
    assert found[1] == pytest.approx(ceiling)


def test_the_shape_is_bounded_by_the_form_alone():
    low, high = bounds(ADDITIVE, measured(RISING))
    np.testing.assert_array_equal(low[2:], [parameter.low for parameter in ADDITIVE.parameters])
    np.testing.assert_array_equal(high[2:], [parameter.high for parameter in ADDITIVE.parameters])
    low, high = bounds(FORMS["constant"], measured(RISING))
    assert (low[0], high[0]) == (-math.inf, math.inf)


@pytest.mark.parametrize(("count", "aside"), [(8, 0), (9, 1), (20, 1), (21, 2), (40, 2)])
def test_a_robust_fit_lets_a_twentieth_at_either_end_bound_nothing(count, aside):
    value = np.linspace(0.2, 0.8, count)
    worst, best = value[aside], value[-1 - aside]
    spread = best - worst
    found = levels(measured(value), robust=True)
    assert found[0] == pytest.approx((worst - 2 * spread, worst + 0.1 * spread))
    assert found[1] == pytest.approx((best - 0.1 * spread, best + 3 * spread))
    assert levels(measured(value))[0][1] == pytest.approx(0.26)


def test_a_form_is_admitted_that_has_fewer_unknowns_than_there_are_points():
    told = {"metric": "accuracy", "receiver": "clean"}
    chance = measured(RISING[:5], floor=0.1, **told)
    assert free_count(ADDITIVE, chance) == 4  # chance is known
    assert free_count(ADDITIVE, measured(RISING[:5], **told)) == 5
    assert "additive" in admitted(chance)
    assert "additive" not in admitted(measured(RISING[:5], **told))
    assert "additive" not in admitted(measured(RISING[:4], floor=0.1, **told))
    assert admitted(measured(RISING[:1])) == ["constant"]


@pytest.mark.parametrize("noise", ["binomial", "none"])
def test_criteria_are_those_of_the_gaussian_likelihood(noise):
    points = simulated("additive", n=700, seed=1)
    unknowns = 4  # the floor is known
    if noise == "none":
        points = replace(points, se=np.zeros(66), n=np.full(66, np.nan), noise="none")
        unknowns = 5  # and the scatter is found
    fit = fit_form(ADDITIVE, points, starts=10)
    assert (fit.scatter.dof is None) == (noise == "binomial")
    away = ADDITIVE(points.cr, points.snr_db, fit.parameters) - points.value
    if noise == "binomial":
        share = (fit.fitted() * 700 + 1) / 702
        sd = np.sqrt(share * (1 - share) / 700)
    else:
        sd = np.full(66, np.sqrt(np.sum(away**2) / (66 - 4)))
    told = np.sum((away / sd) ** 2 + np.log(2 * np.pi * sd**2))
    assert fit.rmse == pytest.approx(np.sqrt(np.mean(away**2)))
    assert fit.bic == pytest.approx(told + unknowns * np.log(66), rel=1e-3)
    assert fit.aicc == pytest.approx(told + 2 * unknowns * 66 / (66 - unknowns - 1), rel=1e-3)


def test_where_no_point_is_to_spare_the_corrected_criterion_is_infinite():
    few = simulated("additive").subset(np.array([0, 15, 30, 45, 60]))
    fit = fit_form(ADDITIVE, few, starts=10)
    assert fit.aicc == math.inf
    assert math.isfinite(fit.bic)


@pytest.mark.parametrize("name", ["snr_half_db", "slope_per_db"])
def test_a_prior_as_sure_as_the_data_halves_the_variance(name):
    form = FORMS["logistic_snr"]
    points = simulated("logistic_snr", n=700, seed=1)
    plain = fit_form(form, points, starts=10)
    i = form.names.index(name)
    shape = plain.parameters[2:].copy()
    unit = shape[1] if name == "slope_per_db" else 1.0  # a positive parameter is in logarithms
    sd = np.full(2, np.inf)
    sd[i - 2] = np.sqrt(plain.covariance()[0][i, i]) / unit
    prior = Prior(np.array([shape[0], np.log(shape[1])]), sd)
    held = fit_form(form, points, starts=10, prior=prior)
    np.testing.assert_allclose(held.parameters, plain.parameters, rtol=1e-3)
    ratio = held.covariance()[0][i, i] / plain.covariance()[0][i, i]
    assert ratio == pytest.approx(0.5, rel=0.02)


def test_what_rests_on_a_bound_is_named_and_has_no_spread():
    form = FORMS["logistic_snr"]
    steep = simulated("logistic_snr", parameters=[0.1, 0.9, -3.0, 8.0])  # the form ends at 5 / dB
    fit = fit_form(form, steep, starts=10)
    assert fit.parameters[3] == pytest.approx(5.0)
    assert fit.resting.tolist() == [False, False, False, True]  # a known floor is not free
    assert (fit.outcome()[0].value, fit.outcome()[1]) == ("bound hit", "slope_per_db")
    spread = np.diag(fit.covariance()[0])
    assert spread[[0, 3]].tolist() == [0.0, 0.0]
    assert np.all(spread[[1, 2]] > 0)


@pytest.mark.parametrize("told", ["true", "shared"])
def test_reported_errors_are_believed_where_the_points_scatter_so(told):
    exact = simulated("additive", metric="quality", receiver="none", floor=None)
    se = np.where(np.arange(66) % 2, 0.002, 0.03)
    own = se if told == "true" else 0.002  # the same images behind all cells: a common luck
    noise = own * np.random.default_rng(4).standard_normal(66)
    points = replace(exact, value=exact.value + noise, se=se, noise="reported")
    fit = fit_form(ADDITIVE, points, starts=10)
    if told == "true":
        np.testing.assert_allclose(fit.scatter.sd, se)
    else:
        assert np.ptp(fit.scatter.sd) == 0.0
        assert fit.scatter.sd[0] == pytest.approx(0.002, rel=5 / np.sqrt(2 * 61))


def test_counted_images_keep_their_noise_however_close_the_points_lie():
    points = simulated("additive", n=700)  # its noise is that of the seed
    exact = ADDITIVE(points.cr, points.snr_db, truth("additive"))
    close = replace(points, value=exact)
    fit = fit_form(ADDITIVE, close, starts=10)
    np.testing.assert_allclose(fit.scatter.sd, np.sqrt(exact * (1 - exact) / 700), rtol=0.02)


def test_one_value_that_cannot_be_bounds_nothing_in_a_robust_fit():
    points = simulated("additive", floor=None, metric="quality", receiver="none")
    noise = np.random.default_rng(5).normal(0.0, 0.004, 66)
    value = np.where(np.arange(66) == 30, -20.0, points.value + noise)
    fit = fit_form(ADDITIVE, replace(points, value=value), starts=10, robust=True)
    assert fit.parameters[:2] == pytest.approx([0.1, 0.9], abs=0.03)
    assert np.flatnonzero(fit.outliers).tolist() == [30]
