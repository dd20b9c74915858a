"""The choice of a form: what is held out, what counts as an equal, what the choice leaves open."""

from dataclasses import replace

import numpy as np
import pytest
from surface_truth import simulated

from semloss.surfaces.fitting.form_choice import (
    HeldOut,
    choose,
    comparison,
    equals,
    folds,
    hold_out,
)
from semloss.surfaces.fitting.form_fit import fit_form
from semloss.surfaces.forms import FORMS

NAMES = ("logistic_snr", "additive", "capped")  # 3, 4 and 7 unknowns beside the known floor


@pytest.fixture(scope="module")
def points():
    return simulated("additive", n=700, seed=1)


@pytest.fixture(scope="module")
def fits(points):
    """Three forms, of equal BIC."""
    return {name: replace(fit_form(FORMS[name], points, starts=10), bic=0.0) for name in NAMES}


def held(inner, edge=1.0):
    """Squared errors: `inner` of each of 66 points, and of the edges."""
    square = np.broadcast_to(np.asarray(inner, dtype=float), 66).copy()
    return HeldOut(square, square, np.full((4, 66), edge), square, square)


def test_a_form_within_one_standard_error_of_the_best_is_its_equal(fits):
    best = np.full(66, 0.5)
    worse = np.where(np.arange(66) < 33, 0.02, -0.01)  # mean 0.005, sd 0.01512, error 0.00186
    errors = {"logistic_snr": held(best + worse), "additive": held(best), "capped": held(best)}
    assert equals(fits, errors) == ["additive", "capped"]
    uneven = np.where(np.arange(66) < 33, 0.05, -0.04)  # the same mean, sd 0.0453: error 0.00558
    errors["logistic_snr"] = held(best + uneven)
    assert equals(fits, errors) == ["logistic_snr", "additive", "capped"]


def test_a_form_that_goes_astray_at_the_edges_is_left_aside(fits):
    near, far = held(0.5, edge=8.9), held(0.5, edge=9.1)  # 2.98 and 3.02 times as far away
    assert equals(fits, {"additive": held(0.5), "capped": near}) == ["additive", "capped"]
    assert equals(fits, {"additive": held(0.5), "capped": far}) == ["additive"]
    unknown = held(0.5, edge=np.nan)
    assert equals(fits, {"additive": held(0.5), "capped": unknown}) == ["additive", "capped"]


def test_a_form_must_earn_its_further_parameters_and_not_be_rejected(fits):
    errors = {name: held(0.5) for name in NAMES}
    dear = {**fits, "capped": replace(fits["capped"], bic=0.1)}
    assert equals(dear, errors) == ["logistic_snr", "additive"]
    likelihoods = zip(fits.items(), (30.1, 29.9, 0.0), strict=True)
    rejected = {name: replace(fit, bic=bic) for (name, fit), bic in likelihoods}
    wide = 0.1 * (-1.0) ** np.arange(66)  # of mean 0: by held-out points alone they are equals
    errors = {"logistic_snr": held(0.5 + wide), "additive": held(0.5 + wide)}
    errors["capped"] = held(0.499 - wide)  # the best
    assert equals(rejected, errors) == ["additive", "capped"]


def test_what_cannot_be_held_out_has_no_say(fits):
    unknown = held(0.1)
    unknown.inner[3] = np.nan
    errors = {"logistic_snr": unknown, "additive": held(0.5), "capped": held(0.5)}
    assert equals(fits, errors) == ["additive", "capped"]
    assert equals(fits, dict.fromkeys(NAMES, unknown)) == []


def test_each_rule_takes_its_least(fits):
    errors = {"logistic_snr": held(0.5), "additive": held(0.3), "capped": held(0.4)}
    ranked = {name: replace(fit, aicc=aicc, bic=bic) for (name, fit), aicc, bic in
              zip(fits.items(), (3.0, 2.0, 1.0), (1.0, 2.0, 3.0), strict=True)}  # fmt: skip
    good = ["additive", "capped"]
    assert choose(ranked, errors, "aicc", good) == "capped"
    assert choose(ranked, errors, "bic", good) == "logistic_snr"
    assert choose(ranked, errors, "held-out", good) == "additive"
    assert choose(ranked, errors, "held-out", ["capped"]) == "capped"
    assert choose(ranked, errors, "one-se", good) == "additive"
    assert choose(ranked, errors, "one-se", []) == "logistic_snr"


def test_replicates_of_a_cell_are_held_out_together():
    points = simulated("additive", n=700)
    twice = points.subset(np.concatenate([np.arange(66), np.arange(66)]))
    tenths = [fold.out for fold in folds(twice) if fold.scheme == "k_fold"]
    assert len(tenths) == 10
    for out in tenths:
        np.testing.assert_array_equal(out[:66], out[66:])
        assert 6 <= out[:66].sum() <= 7


def test_an_axis_of_two_values_and_fewer_than_ten_cells():
    few = simulated("additive", crs=[0.05, 0.1], snrs=np.array([0.0, 4.0, 8.0]))
    found = [(fold.scheme, fold.inner) for fold in folds(few)]
    ends = [("leave_snr_out", False), ("leave_snr_out", True), ("leave_snr_out", False)]
    assert found == [*ends, *[("k_fold", True)] * 6]


def test_a_form_is_held_out_where_the_rest_still_determines_it():
    # Three CRs of four cells: without one, eight points are as many as the unknowns of `capped`.
    points = simulated("capped", crs=[0.05, 0.1, 0.2], snrs=np.array([-4.0, 0.0, 4.0, 8.0]))
    points = replace(points, floor=None)
    fit = fit_form(FORMS["capped"], points, starts=10)
    assert fit.free.sum() == 8
    assert not np.isnan(hold_out(fit, folds(points)).leave_cr_out[4:8]).any()
    short = points.subset(np.arange(12) != 11)
    fit = fit_form(FORMS["capped"], short, starts=10)
    found = hold_out(fit, folds(short))
    assert np.isnan(found.leave_cr_out[:8]).all()  # seven are left
    assert not np.isnan(found.leave_cr_out[8:]).any()


def test_the_error_inside_is_that_of_the_cr_left_out_or_the_mean_of_what_interpolates(points, fits):
    found = hold_out(fits["additive"], folds(points))
    corner, side, inside = 0, 1, 13  # the lowest CR and SNR; the lowest CR; inside by both
    assert found.inner[corner] == found.k_fold[corner]
    both = [found.leave_snr_out[side], found.k_fold[side]]
    assert found.inner[side] == pytest.approx(np.mean(both))
    assert found.inner[inside] == found.leave_cr_out[inside]
    edges = found.edge_out[:, corner]
    assert np.sort(edges[~np.isnan(edges)]) == pytest.approx(
        np.sort([found.leave_cr_out[corner], found.leave_snr_out[corner]])
    )
    assert np.isnan(found.edge_out[:, inside]).all()


def test_neighbours_on_an_axis_of_many_values_are_held_out_together():
    fine = simulated("additive", crs=[0.05, 0.1], snrs=np.linspace(-8.0, 15.0, 24))
    twelve = [fold for fold in folds(fine) if fold.scheme == "leave_snr_out"]
    assert [fold.inner for fold in twelve] == [False, *[True] * 10, False]
    assert np.unique(fine.snr_db[twelve[1].out]).tolist() == [-6.0, -5.0]


def test_root_mean_squares_are_over_the_points_that_are_known():
    square = np.array([1.0, np.nan, 9.0, 25.0])
    edge = np.array([[4.0, np.nan, np.nan, 16.0], [np.nan, np.nan, 1.0, 3.0]])
    found = HeldOut(square, np.full(4, np.nan), edge, square, square)
    assert found.rms("inner") == pytest.approx(np.sqrt(35 / 3))
    assert found.rms("inner", np.array([True, True, True, False])) == pytest.approx(np.sqrt(5))
    assert found.rms("edge_out") == pytest.approx(np.sqrt(6))
    assert found.rms("edge_out", np.array([False, True, True, True])) == pytest.approx(
        np.sqrt(20 / 3)
    )
    assert found.rms("leave_snr_out") is None


def test_the_comparison_has_the_figures_of_each_form(fits):
    few = {**fits, "capped": replace(fits["capped"], aicc=np.inf)}
    errors = {name: held(0.25, edge=np.nan) for name in NAMES}
    rows = comparison(few, errors)
    assert list(rows) == list(NAMES)
    assert [row["parameters"] for row in rows.values()] == [3, 4, 7]
    assert rows["capped"] == {
        "parameters": 7, "rmse": fits["capped"].rmse, "aicc": None, "bic": 0.0,
        "leave_cr_out": 0.5, "leave_snr_out": 0.5, "edge_out": None, "k_fold": 0.5,
        "held_out": 0.5, "outcome": fits["capped"].outcome()[0].value,
    }  # fmt: skip
    assert rows["additive"]["aicc"] == fits["additive"].aicc
