"""Forms and fits: limits, monotony, recovery of known surfaces, bands that cover."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from surface_truth import TRUTH, grid, simulated

from semloss.errors import SemlossError, TargetNotAttainable
from semloss.selection import Points, select
from semloss.surfaces.domain import convex_hull, in_hull
from semloss.surfaces.fitting import fit_surface
from semloss.surfaces.forms import FORMS
from semloss.surfaces.prediction import Outcome, student_quantile
from semloss.tables import load_table

DATA = Path(__file__).parent / "data"
CURVED = ("logistic", "capped", "unified")


def any_parameters(form):
    def draw(parameter):
        if not np.isfinite(parameter.high):
            return st.floats(-1.0, 1.0)
        return st.floats(parameter.low, parameter.high)

    return st.tuples(*(draw(parameter) for parameter in FORMS[form].parameters)).map(np.array)


@pytest.fixture(scope="module")
def accuracy_fit():
    return fit_surface(simulated("capped", n=700), "capped")


# ---------------------------------------------------------------- forms


@pytest.mark.parametrize("form", CURVED)
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_a_form_never_falls_when_cr_or_snr_rises_whatever_its_parameters(form, data):
    p = data.draw(any_parameters(form))
    sign = np.sign(p[1] - p[0])
    cr, snr_db = np.geomspace(1e-3, 1.0, 25), np.linspace(-30.0, 40.0, 30)
    value = sign * FORMS[form](cr[:, None], snr_db[None, :], p)
    assert np.all(np.isfinite(value))
    assert np.all(np.diff(value, axis=0) >= -1e-9)
    assert np.all(np.diff(value, axis=1) >= -1e-9)
    low, high = sorted(sign * p[:2])
    assert np.all((value >= low - 1e-9) & (value <= high + 1e-9))


@pytest.mark.parametrize("form", CURVED)
def test_nothing_gets_through_without_rate_or_signal(form):
    p = np.array(TRUTH[form])
    floor = FORMS[form](np.array([1e-12, 1 / 12]), np.array([10.0, -300.0]), p)
    np.testing.assert_allclose(floor, p[0], atol=1e-3)


@pytest.mark.parametrize("form", ["capped", "unified"])
def test_a_perfect_channel_leaves_the_ceiling_that_the_rate_sets(form):
    floor, ceiling, ln_cr_half, exponent = TRUTH[form][:4]
    cr = np.array([1 / 40, 1 / 12, 1 / 4])
    rate_limited = 1 / (1 + (np.exp(ln_cr_half) / cr) ** exponent)
    np.testing.assert_allclose(
        FORMS[form](cr, np.full(3, 300.0), np.array(TRUTH[form])),
        floor + (ceiling - floor) * rate_limited,
    )


@pytest.mark.parametrize("form", ["capped", "unified"])
def test_at_the_midpoint_snr_the_reference_rate_has_half_its_ceiling(form):
    p = np.array(TRUTH[form])
    cr = np.array([1 / 12])
    half = FORMS[form](cr, p[4:5], p) - p[0]
    full = FORMS[form](cr, np.array([300.0]), p) - p[0]
    assert half[0] == pytest.approx(full[0] / 2)


def test_each_form_holds_the_simpler_one():
    cr, snr_db = grid()
    capped = FORMS["capped"](cr, snr_db, np.array(TRUTH["capped"]))
    unified = FORMS["unified"](cr, snr_db, np.array([*TRUTH["capped"], 0.0]))
    np.testing.assert_array_equal(capped, unified)


@pytest.mark.parametrize("form", FORMS)
def test_the_jacobian_is_the_slope_of_the_form(form):
    cr, snr_db = grid()
    p, step = np.array(TRUTH[form]), 1e-4
    jacobian = FORMS[form].jacobian(cr, snr_db, p)
    for i in range(len(p)):
        move = np.zeros_like(p)
        move[i] = step
        slope = (FORMS[form](cr, snr_db, p + move) - FORMS[form](cr, snr_db, p - move)) / (2 * step)
        np.testing.assert_allclose(jacobian[:, i], slope, atol=1e-6)


# ---------------------------------------------------------------- fits


@pytest.mark.parametrize("form", FORMS)
def test_a_noise_free_surface_gives_its_parameters_back(form):
    fit = fit_surface(simulated(form, floor=None), form)
    np.testing.assert_allclose(fit.parameters, TRUTH[form], rtol=1e-3, atol=1e-4)
    assert fit.quality["rmse"] < 1e-6
    assert fit.outcome is Outcome.CONVERGED


def test_a_falling_metric_is_fitted_like_a_rising_one():
    p = [0.6, 0.05, *TRUTH["capped"][2:]]
    points = simulated("capped", parameters=p, floor=None, metric="lpips", direction="lower")
    fit = fit_surface(points, "capped")
    np.testing.assert_allclose(fit.parameters, p, rtol=1e-3, atol=1e-4)
    assert fit.min_snr(target=0.3, cr=1 / 8).snr_db < fit.min_snr(target=0.3, cr=1 / 16).snr_db


def test_auto_takes_the_simplest_form_that_does_as_well_as_the_best():
    assert fit_surface(simulated("logistic", n=700, seed=3)).form == "logistic"


@pytest.mark.parametrize(
    ("table", "metric", "task", "form", "percent"),
    [
        ("eurosat_surface.csv", "psnr_db", None, "auto", 0.5),
        ("eurosat_surface.csv", "accuracy", "clean", "capped", 3.5),
        ("eurosat_surface.csv", "accuracy", "matched", "unified", 2.0),
        ("cifar10_psnr.csv", None, None, "auto", 1.0),
    ],
)
def test_real_surfaces_are_met_within_a_few_percent_of_their_range(
    table, metric, task, form, percent
):
    # 700 test images leave binomial noise of 4 to 6 % of the range of the accuracies.
    fit = fit_surface(select(load_table(DATA / table), metric, task), form)
    assert 100 * fit.quality["rmse"] / fit.quality["range"] < percent
    assert fit.form in ("capped", "unified")


def test_two_rates_cannot_tell_the_ceiling_curve_and_the_fit_says_so():
    fit = fit_surface(select(load_table(DATA / "cifar10_psnr.csv")), "capped")
    assert fit.outcome is Outcome.NOT_IDENTIFIABLE
    assert "add CRs" in fit.message


def test_the_same_seed_gives_the_same_fit_in_any_row_order():
    points = simulated("capped", n=700)
    order = np.random.default_rng(1).permutation(len(points.value))
    shuffled = Points(
        "accuracy", "clean", "higher", points.cr[order], points.snr_db[order],
        points.value[order], points.se[order], floor=0.1,
    )  # fmt: skip
    one, other = fit_surface(points, "logistic"), fit_surface(shuffled, "logistic")
    np.testing.assert_allclose(one.parameters, other.parameters, rtol=1e-6)
    assert one.data["sha256"] == other.data["sha256"]
    np.testing.assert_array_equal(one.parameters, fit_surface(points, "logistic").parameters)


def test_a_form_that_misses_a_bend_does_not_look_certain_for_many_images():
    exact = simulated("unified")
    many = Points(**{**exact.__dict__, "se": np.full_like(exact.value, 1e-5)})
    fit = fit_surface(many, "logistic")
    assert fit.model_error_sd == pytest.approx(fit.quality["rmse"], rel=0.1)
    band = fit.predict(cr=exact.cr, snr_db=exact.snr_db)
    assert np.mean((band.low <= exact.value) & (exact.value <= band.high)) > 0.85


def test_bands_cover_the_truth_about_as_often_as_they_say():
    cr, snr_db = grid()
    truth = FORMS["logistic"](cr, snr_db, np.array(TRUTH["logistic"]))
    covered = []
    for seed in range(8):
        fit = fit_surface(simulated("logistic", n=700, seed=seed), "logistic")
        band = fit.predict(cr=cr, snr_db=snr_db)
        covered.append(np.mean((band.low <= truth) & (truth <= band.high)))
    assert 0.88 < np.mean(covered) <= 1.0


@pytest.mark.parametrize(
    ("keep", "form", "says"),
    [
        (lambda p: p.cr == p.cr[0], "auto", "all points have CR 0.025"),
        (lambda p: p.snr_db == 0, "auto", "all points have SNR 0 dB"),
        (lambda p: np.arange(66) < 3, "auto", "surface needs several CRs|too few points"),
        (lambda p: np.arange(66) % 13 == 0, "unified", "too few points: 6 points for the 8"),
        (lambda p: p.cr > 0, "spline", "no such form; there are auto, constant"),
    ],
)
def test_points_that_are_no_surface_are_refused(keep, form, says):
    points = simulated("capped")
    mask = keep(points)
    few = {key: getattr(points, key)[mask] for key in ("cr", "snr_db", "value", "se")}
    with pytest.raises(SemlossError, match=says):
        fit_surface(Points(**{**points.__dict__, **few}), form)


def test_equal_values_give_the_constant_and_refuse_a_curve():
    points = simulated("constant")
    assert fit_surface(points).predict(cr=0.1, snr_db=0.0).value == pytest.approx(0.5)
    with pytest.raises(SemlossError, match="use --form constant"):
        fit_surface(points, "logistic")


# ---------------------------------------------------------------- answers


@given(snr_db=st.floats(-8.0, 12.0), cr=st.floats(1 / 40, 1 / 4))
@settings(max_examples=30, deadline=None)
def test_solving_for_what_a_prediction_needs_gives_the_point_back(accuracy_fit, snr_db, cr):
    target = accuracy_fit.predict(cr=cr, snr_db=snr_db).value
    solved = accuracy_fit.min_snr(target=target, cr=cr)
    assert solved.snr_db == pytest.approx(snr_db, abs=1e-6)
    assert solved.low <= solved.snr_db
    assert solved.high is None or solved.high >= solved.snr_db
    assert accuracy_fit.min_cr(target=target, snr_db=snr_db).cr == pytest.approx(cr, rel=1e-6)


def test_the_fraction_offered_for_a_solved_rate_meets_the_target(accuracy_fit):
    needed = accuracy_fit.min_cr(target=0.6, snr_db=4.0)
    offered = accuracy_fit.predict(cr=needed.cr_fraction, snr_db=4.0)
    assert offered.value >= 0.6
    assert needed.low < needed.cr < needed.high


def test_a_target_out_of_reach_names_the_nearest_value(accuracy_fit):
    best = accuracy_fit.predict(cr=1 / 20, snr_db=12.0).value
    with pytest.raises(TargetNotAttainable, match=f"at most {best:.4g}") as caught:
        accuracy_fit.min_snr(target=0.9, cr=1 / 20)
    assert caught.value.exit_code == 3


def test_a_target_met_everywhere_is_said_to_lie_at_the_edge(accuracy_fit):
    needed = accuracy_fit.min_snr(target=0.11, cr=1 / 4)
    assert needed.at_edge
    assert needed.snr_db == -8.0


def test_the_band_stays_between_chance_and_the_clean_ceiling():
    points = simulated("capped", n=50, ceiling=0.9)
    band = fit_surface(points, "capped").predict(cr=points.cr, snr_db=points.snr_db)
    assert band.low.min() >= 0.1
    assert band.high.max() <= 0.9


def test_the_band_holds_a_value_that_beats_the_clean_ceiling():
    points = simulated("logistic", n=700, ceiling=0.8)
    band = fit_surface(points, "logistic").predict(cr=0.25, snr_db=12.0)
    assert band.value > 0.8
    assert band.low <= band.value <= band.high


def test_scalars_text_and_arrays_are_answered_in_kind(accuracy_fit):
    scalar = accuracy_fit.predict(cr="1/12", snr_db=4.0)
    assert isinstance(scalar.value, float)
    assert isinstance(scalar.in_domain, bool)
    table = accuracy_fit.predict(cr=np.array([[0.05], [1 / 12]]), snr_db=[0.0, 4.0, 8.0])
    assert table.value.shape == table.in_domain.shape == (2, 3)
    assert table.value[1, 1] == scalar.value


def test_a_wider_level_gives_a_wider_band(accuracy_fit):
    narrow = accuracy_fit.predict(cr=0.1, snr_db=0.0, interval=0.5)
    wide = accuracy_fit.predict(cr=0.1, snr_db=0.0, interval=0.99)
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high


@pytest.mark.parametrize(
    "question",
    [
        {"cr": 0.0, "snr_db": 1.0}, {"cr": 2.0, "snr_db": 1.0}, {"cr": [0.1, -1], "snr_db": 1.0},
        {"cr": 0.1, "snr_db": float("nan")}, {"cr": 0.1, "snr_db": 1.0, "interval": 95},
    ],
)  # fmt: skip
def test_impossible_questions_are_refused(accuracy_fit, question):
    with pytest.raises(SemlossError):
        accuracy_fit.predict(**question)


def test_the_domain_is_the_hull_of_the_cells_not_their_box():
    triangle = np.array([[-3.0, 0.0], [-1.0, 0.0], [-1.0, 10.0], [-1.5, 2.0]])
    hull = convex_hull(triangle)
    assert len(hull) == 3
    inside = in_hull(hull, np.array([-1.2, -2.8, -1.0, -0.5]), np.array([5.0, 9.0, 10.0, 5.0]))
    assert inside.tolist() == [True, False, True, False]


def test_a_rounded_ratio_still_counts_as_the_measured_one(accuracy_fit):
    assert accuracy_fit.predict(cr=0.0250, snr_db=-8.0).in_domain
    assert not accuracy_fit.predict(cr=1 / 48, snr_db=0.0).in_domain


@pytest.mark.parametrize(
    ("dof", "quantile"), [(1, 12.706), (2, 4.303), (3, 3.182), (5, 2.571), (12, 2.179), (60, 2.0)]
)
def test_student_quantiles_match_the_printed_table(dof, quantile):
    assert student_quantile(0.95, dof) == pytest.approx(quantile, rel=0.01)
