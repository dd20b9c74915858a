"""Noise, scatter, bounds and falls of a few points, by hand arithmetic."""

import math

import numpy as np
import pytest

from semloss.selection import Points
from semloss.surfaces.fitting.form_fit import admitted, bounds, floor_is_known, free_count
from semloss.surfaces.fitting.scatter import Scatter, falls, scatter, variance
from semloss.surfaces.forms import FORMS


def points(value, *, metric="accuracy", direction="higher", se=0.1, **more):
    value = np.asarray(value, float)
    count = len(value)
    given = {"cr": np.linspace(0.05, 0.25, count), "snr_db": np.linspace(0.0, 10.0, count)}
    axes = {name: np.asarray(more.pop(name, given[name]), float) for name in given}
    return Points(metric, "clean", direction, **axes, value=value, se=np.full(count, se), **more)


def test_binomial_noise_follows_the_fitted_value_and_other_noise_is_as_told():
    # Laplace: (0.5 · 98 + 1) / 100 = 0.5, of 98 images; a hit rate beyond 1 counts as 1.
    some = points([0.4, 0.4, 0.4], n=np.array([98.0, np.nan, 98.0]), noise="binomial",
                  replicate_sd=0.2)  # fmt: skip
    assert variance(some, np.array([0.5, 0.5, 1.5])) == pytest.approx(
        [0.25 / 98 + 0.04, 0.01 + 0.04, 0.99 * 0.01 / 98 + 0.04]
    )
    told = points([0.4, 0.4], n=np.array([98.0, 98.0]), noise="reported")
    assert variance(told, np.array([0.5, 0.5])) == pytest.approx([0.01, 0.01])


def test_noise_that_explains_the_residuals_is_all_there_is():
    # Σ r²/v = 4 over 3 degrees of freedom, below the 7.81 of chance; at 0.14, 7.84 is beyond.
    four = points([0.0] * 4)
    found = scatter(four, np.full(4, 0.1), 1)
    assert (found.model_error_sd, found.dof) == (0.0, None)
    assert found.sd == pytest.approx([0.1] * 4)
    assert scatter(four, np.full(4, 0.139), 1).dof is None
    assert scatter(four, np.full(4, 0.14), 1).dof == 3


def test_a_model_error_makes_up_what_noise_leaves_unexplained():
    # Σ r² / (v + t²) = dof: 4 · 0.25 / (0.01 + t²) = 3.
    four = points([0.0] * 4)
    found = scatter(four, np.full(4, 0.5), 1)
    assert found.dof == 3
    assert found.model_error_sd == pytest.approx(math.sqrt(1 / 3 - 0.01))
    assert found.sd == pytest.approx([math.sqrt(1 / 3)] * 4)
    even = scatter(four, np.full(4, 0.5), 1, even=True)
    assert (even.model_error_sd, even.dof) == (pytest.approx(math.sqrt(1 / 3)), 3)
    assert even.sd == pytest.approx([math.sqrt(1 / 3)] * 4)
    assert scatter(four, np.full(4, 0.5), 9, even=True).dof == 1


def test_no_residual_of_a_robust_fit_counts_for_more_than_the_median_tells():
    # 1.4826² · 0.25 · 4/3 = 0.73269; squares end at 2.5² times that.
    found = scatter(points([0.0] * 4), np.array([0.5, 0.5, 0.5, 100.0]), 1, even=True, robust=True)
    most = 2.5**2 * 1.4826**2 * 0.25 * 4 / 3
    assert found.model_error_sd == pytest.approx(math.sqrt((0.75 + most) / 3))


def test_the_deviance_is_minus_twice_the_log_likelihood():
    told = Scatter(np.array([0.1, 0.2]), 0.0, None)
    logs = math.log(2 * math.pi * 0.01) + math.log(2 * math.pi * 0.04)
    assert told.deviance(np.array([0.1, 0.4])) == pytest.approx(1 + 4 + logs)
    weight = np.array([1.0, 0.5])
    assert told.deviance(np.array([0.1, 0.4]), weight) == pytest.approx(1 + 2 + logs)


@pytest.mark.parametrize(("direction", "sign"), [("higher", 1), ("lower", -1)])
def test_a_fall_is_beyond_four_and_a_half_standard_deviations_of_a_difference(direction, sign):
    # sd 0.01 each: 4.5 · √2 · 0.01 = 0.0636.
    grid = {"cr": [0.1, 0.1, 0.2, 0.2], "snr_db": [0, 5, 0, 5]}
    noise = np.full(4, 1e-4)
    for values, count in (
        ([0.5, 0.6, 0.6, 0.7], 0),
        ([0.5, 0.437, 0.6, 0.7], 0),  # by 0.063 along the SNR
        ([0.5, 0.436, 0.6, 0.7], 1),  # by 0.064
        ([0.5, 0.6, 0.4, 0.7], 1),  # along the CR
        ([0.5, 0.4, 0.4, 0.3], 4),
    ):
        value = 0.5 + sign * (np.array(values) - 0.5)
        assert falls(points(value, direction=direction, **grid), noise) == count
    twice = points([0.5, 0.1], cr=[0.1, 0.1], snr_db=[0, 0])  # replicates are no neighbours
    assert falls(twice, noise[:2]) == 0


@pytest.mark.parametrize(
    ("about", "floor", "ceiling"),
    [
        # range 0.6; the extremes may be lucky by 0.06 + 3 · 0.01; levels of a share lie in 0 … 1
        ({}, (0.0, 0.29), (0.71, 1.0)),
        ({"floor": 0.1}, (0.1, 0.1), (0.71, 1.0)),
        ({"ceiling": 0.9}, (0.0, 0.29), (0.71, 0.9)),
        ({"ceiling": 0.7}, (0.0, 0.29), (0.71, 0.8)),
        ({"metric": "psnr_db"}, (-1.0, 0.29), (0.71, 2.6)),
        ({"metric": "psnr_db", "floor": -0.5}, (-0.5, 0.29), (0.71, 2.6)),
        ({"se": 1.0}, (0.0, 0.5), (0.5, 1.0)),
    ],
)
def test_levels_are_searched_about_the_extreme_points(about, floor, ceiling):
    low, high = bounds(FORMS["additive"], points([0.2, 0.5, 0.8], **{"se": 0.01} | about))
    assert (low[0], high[0]) == pytest.approx(floor)
    assert (low[1], high[1]) == pytest.approx(ceiling)
    shape = FORMS["additive"].parameters
    assert low[2:].tolist() == [p.low for p in shape]
    assert high[2:].tolist() == [p.high for p in shape]


def test_levels_of_a_metric_that_falls_are_searched_the_other_way():
    falling = {"metric": "lpips", "direction": "lower", "se": 0.01}
    for about, floor, ceiling in (
        ({}, (0.61, 1.0), (0.0, 0.19)),
        ({"ceiling": 0.05}, (0.61, 1.0), (0.05, 0.19)),
        ({"ceiling": 0.15}, (0.61, 1.0), (0.1, 0.19)),
    ):
        low, high = bounds(FORMS["additive"], points([0.7, 0.4, 0.1], **falling, **about))
        assert (low[0], high[0]) == pytest.approx(floor)
        assert (low[1], high[1]) == pytest.approx(ceiling)


def test_a_known_floor_is_no_parameter_and_forms_need_more_points_than_parameters():
    known, open_ = points([0.2] * 6, floor=0.1), points([0.2] * 6)
    image = points([0.2] * 6, metric="ssim", floor=0.0)
    assert (floor_is_known(known), floor_is_known(open_), floor_is_known(image)) == (True, 0, 0)
    count = len(FORMS["additive"].names)
    assert free_count(FORMS["additive"], known) == count - 1
    assert free_count(FORMS["additive"], open_) == free_count(FORMS["additive"], image) == count
    assert free_count(FORMS["constant"], known) == 1
    for some in (known, open_):
        assert admitted(some) == [
            name for name in admitted(points([0.2] * 99))
            if name == "constant" or free_count(FORMS[name], some) < 6
        ]  # fmt: skip
    assert admitted(points([0.2])) == ["constant"]
