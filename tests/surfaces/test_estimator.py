"""The scikit-learn estimator: its own tests, and the surface behind it."""

import numpy as np
import pandas as pd
import pytest
from known_surface import CR, SNR_DB, truth
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

import semloss
from semloss import SemanticLossRegressor
from semloss.surfaces.fitted.outcome import Outcome
from semloss.surfaces.forms import FORMS

X = np.stack([CR, SNR_DB], axis=1)
Y = FORMS["capped"](CR, SNR_DB, truth("capped"))


@parametrize_with_checks([SemanticLossRegressor(form="additive")])
def test_the_estimator_keeps_the_rules_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(slice(0, 2), id="two points"),
        pytest.param(slice(0, 11), id="one CR"),
        pytest.param(slice(0, 66, 11), id="one SNR"),
        pytest.param([5, 4, 5], id="three points"),
    ],
)
def test_data_too_poor_for_a_surface_get_the_form_that_they_support(rows):
    model = SemanticLossRegressor().fit(X[rows], Y[rows])
    assert np.abs(model.predict(X[rows]) - Y[rows]).max() < 0.25
    assert model.surface_.outcome in (Outcome.TOO_FEW_POINTS, Outcome.ONE_CR, Outcome.ONE_SNR)
    assert model.surface_.message


def test_equal_values_are_a_constant():
    model = SemanticLossRegressor().fit(X, np.full(66, 0.5))
    assert model.form_ == "constant"
    assert model.surface_.outcome is Outcome.CONSTANT_VALUES
    np.testing.assert_allclose(model.predict([[0.5, 40.0]]), 0.5)


def test_it_fits_the_surface_that_semloss_fits():
    model = SemanticLossRegressor(form="capped", floor=0.1, metric="accuracy").fit(X, Y)
    np.testing.assert_allclose(model.surface_.parameters, truth("capped"), rtol=0.01)
    value, sd = model.predict(X, return_std=True)
    np.testing.assert_allclose(value, Y, atol=1e-4)
    np.testing.assert_array_equal(value, model.predict(X))
    assert value.shape == sd.shape == (66,)
    assert model.surface_.min_snr(target=0.6, cr=0.1).metric == "accuracy"


def test_the_deviation_is_the_half_width_of_the_band():
    rng = np.random.default_rng(0)
    model = SemanticLossRegressor(form="capped").fit(X, Y + rng.normal(0, 0.01, 66))
    _, sd = model.predict(X, return_std=True)
    one_sd = model.surface_.predict(cr=CR, snr_db=SNR_DB, interval=0.95)
    ratio = (one_sd.high - one_sd.value) / sd
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-9)
    assert 1.95 < ratio[0] < 2.1


def test_columns_are_found_by_name_in_any_order_among_others():
    frame = pd.DataFrame({"site": -1.0, "snr_db": SNR_DB, "cr": CR})
    by_name = SemanticLossRegressor(form="additive").fit(frame, Y)
    by_place = SemanticLossRegressor(form="additive").fit(X, Y)
    np.testing.assert_array_equal(by_name.predict(frame), by_place.predict(X))
    further = np.column_stack([X, np.ones(66)])
    ignored = SemanticLossRegressor(form="additive").fit(further, Y)
    np.testing.assert_array_equal(ignored.predict(further), by_place.predict(X))


def test_a_falling_metric_is_recognised():
    model = SemanticLossRegressor(form="capped").fit(X, 1 - Y)
    assert model.surface_.direction == "lower"
    np.testing.assert_allclose(model.predict(X), 1 - Y, atol=1e-3)


def test_no_rate_gets_nothing_through_and_expansion_is_allowed():
    model = SemanticLossRegressor(form="additive", floor=0.1).fit(X, Y)
    nothing, most, expanded = model.predict([[0.0, 10.0], [1.0, 10.0], [2.0, 10.0]])
    assert nothing == pytest.approx(0.1, abs=0.01)
    assert expanded >= most > nothing


@pytest.mark.parametrize(
    ("changes", "rows", "says"),
    [
        ({}, X[:, :1], r"1 feature\(s\).*cr and snr_db"),
        ({}, X * [-1, 1], "Negative values in data"),
        ({}, np.column_stack([CR, np.ones(66), SNR_DB]), "in the order cr, snr_db"),
        ({"direction": "up"}, X, "one of auto, higher, lower"),
        ({"form": "magic"}, X, "no such form"),
    ],
)
def test_bad_input_is_a_value_error_as_scikit_learn_expects(changes, rows, says):
    with pytest.raises(ValueError, match=says):
        SemanticLossRegressor(**changes).fit(rows, Y)


def test_standard_errors_weigh_the_points():
    unsure = (np.arange(66) % 4 == 0) & (Y > 0.3) & (Y < 0.7)
    bad = np.where(unsure, Y + 0.15, Y)
    se = np.where(unsure, 0.5, 0.001)
    weighted = SemanticLossRegressor(form="capped").fit(X, bad, se=se)
    assert np.abs(weighted.predict(X) - Y).max() < 0.01
    with pytest.raises(ValueError, match="66 standard errors"):
        SemanticLossRegressor(form="capped").fit(X, Y, se=[0.1])


def test_it_takes_part_in_cross_validation():
    scores = cross_val_score(SemanticLossRegressor(form="capped"), X, Y, cv=3)
    assert scores.min() > 0.9


def test_the_public_names_load_on_first_use():
    assert set(semloss.__all__) >= {"SemanticLossRegressor", "fit_surface", "load", "load_table"}
    for name in semloss.__all__:
        assert getattr(semloss, name) is not None
