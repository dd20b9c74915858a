"""Fits: recovery, noise, choice of the form, bands that cover, honest outcomes."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from known_surface import truth
from surface_truth import CRS, CURVED, grid, simulated

from semloss.errors import SemlossError
from semloss.selection import Points, select
from semloss.surfaces.fitted.outcome import Following, Outcome, following, verdict
from semloss.surfaces.fitting.fit_surface import fit_surface
from semloss.surfaces.fitting.form_choice import RULES, choose, equals, folds, hold_out
from semloss.surfaces.fitting.form_fit import fit_form
from semloss.surfaces.fitting.uncertainty import bootstrap, profiles
from semloss.surfaces.forms import FORMS
from semloss.tables import load_table

DATA = Path(__file__).parents[2] / "data"
REFERENCE = Path(__file__).parents[3] / "data" / "eurosat-awgn"


def quick(points, form="auto", **options):
    return fit_surface(points, form, bootstraps=0, **options)


# ---------------------------------------------------------------- recovery


@pytest.mark.parametrize("form", [name for name in CURVED if name != "pair"])
def test_a_noise_free_surface_gives_its_parameters_back(form):
    fit = quick(simulated(form, floor=None), form)
    np.testing.assert_allclose(fit.parameters, truth(form), rtol=1e-4, atol=1e-5)
    assert fit.outcome is Outcome.CONVERGED


def test_a_falling_metric_is_fitted_like_a_rising_one():
    p = [0.6, 0.05, *truth("capped")[2:]]
    points = simulated("capped", parameters=p, floor=None, metric="lpips", direction="lower")
    fit = quick(points, "capped")
    np.testing.assert_allclose(fit.parameters, p, rtol=1e-3, atol=1e-4)
    assert fit.min_snr(target=0.3, cr=1 / 8).snr_db < fit.min_snr(target=0.3, cr=1 / 16).snr_db


def test_chance_and_the_clean_ceiling_are_known_and_kept():
    points = simulated("capped", n=50, ceiling=0.85)
    fit = quick(points, "capped")
    assert fit.parameters[0] == 0.1
    assert fit.parameters[1] <= max(0.85, points.value.max())


def test_the_floor_of_an_image_metric_is_only_a_limit():
    p = [0.3, 0.95, *truth("capped")[2:]]  # a decoder that hears nothing paints the mean image
    points = simulated("capped", parameters=p, metric="ssim", receiver="none", floor=0.0)
    assert quick(points, "capped").parameters[0] == pytest.approx(0.3, abs=1e-4)


def test_the_same_seed_gives_the_same_fit_in_any_row_order():
    points = simulated("capped", n=700)
    shuffled = points.subset(np.random.default_rng(1).permutation(66))
    one, other = (quick(p, "capped") for p in (points, shuffled))
    np.testing.assert_allclose(one.parameters, other.parameters, rtol=1e-5)
    assert one.data["sha256"] == other.data["sha256"]
    np.testing.assert_array_equal(one.parameters, quick(points, "capped").parameters)


@pytest.mark.parametrize("form", ["additive", "capped"])
@pytest.mark.parametrize("seed", range(3))
def test_one_spoilt_cell_neither_moves_a_robust_fit_nor_widens_its_band(form, seed):
    whole = simulated(form, crs=[1 / 40, 1 / 20, 1 / 12, 1 / 6], snrs=np.arange(-6.0, 9.0, 2.0),
                      floor=None, metric="quality", receiver="none")  # fmt: skip
    noise = np.random.default_rng(seed).normal(0.0, 0.005, 32)
    whole = replace(whole, value=whole.value + noise)
    value = whole.value.copy()
    value[17] -= 0.3
    spoilt = replace(whole, value=value)
    asked = {"cr": whole.cr, "snr_db": whole.snr_db}
    clean, plain, robust = (
        fit.predict(**asked)
        for fit in (quick(whole, form), quick(spoilt, form), quick(spoilt, form, robust=True))
    )
    moved = np.abs(robust.value - clean.value)
    assert np.median(moved) < 0.002
    assert np.all(moved < clean.high - clean.low)
    assert np.abs(plain.value - clean.value).max() > 0.02
    widths = [np.median(band.high - band.low) for band in (clean, plain, robust)]
    assert widths[2] < 1.5 * widths[0] < widths[1] / 3
    told = quick(spoilt, form, robust=True)
    assert told.outcome is Outcome.CONVERGED
    assert "outliers: CR 1/12 at -4 dB (-0." in told.message
    assert not quick(whole, form, robust=True).message


# ---------------------------------------------------------------- real tables


@pytest.mark.parametrize(
    ("metric", "receiver", "rmse", "left_out"),
    [
        ("psnr_db", None, 0.6, 1.2),
        ("ssim", None, 0.6, 1.2),
        ("ms_ssim_3", None, 0.6, 1.2),
        # 673 test images leave binomial noise of 2 to 3 % of the range of an accuracy.
        ("accuracy", "clean", 2.4, 4.2),
        ("accuracy", "matched", 2.4, 3.1),
    ],
)
def test_measured_surfaces_are_met_to_their_noise_a_left_out_cr_included(
    metric, receiver, rmse, left_out
):
    points = select(load_table(REFERENCE), metric, receiver)
    fit = quick(points)
    percent = 100 / fit.quality["range"]
    assert percent * fit.quality["rmse"] < rmse
    assert percent * fit.quality["leave_cr_out"] < left_out
    assert verdict(fit.outcome, fit.quality) == "follows the data, converged"


def test_ten_points_of_two_rates_are_met_and_the_open_ceiling_curve_is_said():
    points = select(load_table(DATA / "cifar10_psnr.csv"))
    fit = quick(points)
    assert 100 * fit.quality["rmse"] / fit.quality["range"] < 1.5
    assert fit.quality["leave_cr_out"] is None  # one CR tells no slope
    assert quick(points, "capped").outcome is Outcome.NOT_IDENTIFIABLE


@pytest.mark.parametrize("seed", range(1, 4))
def test_a_fit_of_any_scatter_is_monotone(seed):
    rng = np.random.default_rng(seed)
    cr, snr_db = grid()
    points = Points("value", "none", "higher", cr, snr_db, rng.random(66), np.zeros(66))
    fit = quick(points)
    value = fit.predict(cr=np.geomspace(0.01, 1, 30)[:, None], snr_db=np.linspace(-20, 30, 40))
    assert np.all(np.diff(value.value, axis=0) >= -1e-9)
    assert np.all(np.diff(value.value, axis=1) >= -1e-9)


# ---------------------------------------------------------------- noise


def test_binomial_noise_is_known_and_needs_no_model_error():
    fits = [quick(simulated("capped", n=700, seed=s), "capped") for s in range(12)]
    assert sum(fit.dof is None for fit in fits) >= 10
    assert all(fit.model_error_sd == 0 for fit in fits if fit.dof is None)


def test_a_form_that_misses_a_bend_does_not_look_certain_for_many_images():
    exact = simulated("unified")
    many = replace(exact, se=np.full_like(exact.value, 1e-5), noise="reported")
    fit = quick(many, "additive")
    assert fit.model_error_sd == pytest.approx(fit.quality["candidates"]["additive"]["rmse"],
                                               rel=0.1)  # fmt: skip
    band = fit.predict(cr=exact.cr, snr_db=exact.snr_db)
    assert np.mean((band.low <= exact.value) & (exact.value <= band.high)) > 0.85
    assert following(fit.outcome, fit.quality) is Following.FOLLOWS  # its correction does
    assert "the formula by itself misses by" in fit.message


def test_errors_that_all_cells_share_do_not_blur_a_smooth_surface():
    # The same test images stand behind every cell: a large reported error, no scatter.
    value = simulated("capped", metric="psnr_db", floor=None)
    error = np.where(value.value > 0.5, 0.002, 0.05)
    points = replace(value, se=error, noise="reported")
    fit = quick(points, "capped")
    np.testing.assert_allclose(fit.parameters, truth("capped"), rtol=1e-3)
    assert fit.noise_sd == pytest.approx(np.median(error))


def test_measurements_that_fall_beyond_their_noise_are_named():
    points = simulated("capped", n=700)
    value = points.value.copy()
    value[points.snr_db == 12] -= 0.3  # trained badly
    fit = quick(replace(points, value=value))
    assert following(fit.outcome, fit.quality) is Following.UNEVEN
    assert "12 dB reads worse than 10 dB at 6 of 6 CRs" in fit.message
    assert "trained badly" in fit.message


# ---------------------------------------------------------------- choice


def test_auto_takes_the_true_form_or_one_that_predicts_as_well():
    for form in ("additive", "hill", "capped"):
        points = simulated(form, n=700, seed=3)
        fit = quick(points)
        exact = FORMS[form](points.cr, points.snr_db, truth(form))
        chosen = FORMS[fit.form](points.cr, points.snr_db, fit.parameters)
        assert np.sqrt(np.mean((chosen - exact) ** 2)) < 0.6 * np.median(points.se)
        assert fit.quality["candidates"][fit.form]["parameters"] <= len(truth("unified"))


def test_every_rule_picks_by_its_own_yardstick():
    points = simulated("capped", n=700)
    held = folds(points)
    fits = {name: fit_form(form, points) for name, form in FORMS.items()}
    errors = {name: hold_out(fit, held) for name, fit in fits.items()}
    good = equals(fits, errors)
    assert choose(fits, errors, "aicc", good) == min(fits, key=lambda n: fits[n].aicc)
    assert choose(fits, errors, "bic", good) == min(fits, key=lambda n: fits[n].bic)
    assert choose(fits, errors, "held-out", good) in good
    simplest = choose(fits, errors, "one-se", good)
    assert simplest in good
    assert all(fits[simplest].free.sum() <= fits[name].free.sum() for name in good)


def test_held_out_points_are_predicted_by_fits_without_them():
    points = simulated("capped", n=700)
    fit = fit_form(FORMS["capped"], points)
    held = hold_out(fit, folds(points))
    out = points.cr == np.unique(points.cr)[2]
    kept = points.subset(~out)
    alone = fit_form(FORMS["capped"], kept, starts=30)
    error = alone.form(points.cr[out], points.snr_db[out], alone.parameters) - points.value[out]
    np.testing.assert_allclose(np.sqrt(held.leave_cr_out[out]), np.abs(error), atol=2e-3)
    assert held.rms("leave_cr_out") > fit.rmse


def test_each_scheme_holds_out_what_it_says():
    points = simulated("capped")
    held = folds(points)
    for scheme, axis in (("leave_cr_out", points.cr), ("leave_snr_out", points.snr_db)):
        own = [fold for fold in held if fold.scheme == scheme]
        assert len(own) == len(np.unique(axis))
        assert all(len(np.unique(axis[fold.out])) == 1 for fold in own)
        assert [fold.inner for fold in own] == [False, *[True] * (len(own) - 2), False]
    tenths = [fold.out for fold in held if fold.scheme == "k_fold"]
    assert np.all(np.sum(tenths, axis=0) == 1)


def test_the_comparison_names_every_form_and_the_reference():
    fit = quick(simulated("capped", n=700), reference=True)
    rows = fit.quality["candidates"]
    assert set(rows) == {*FORMS, "corrected", "reference"}
    for row in rows.values():
        assert row["held_out"] > 0
        assert row["rmse"] > 0
    # A smooth surface without a formula cannot be far better than the true form.
    assert rows["reference"]["held_out"] > 0.8 * rows["capped"]["held_out"]
    assert fit.quality["chosen_by"] == RULES["one-se"]


def chosen_robustly(points):
    names = ("logistic_snr", "additive", "capacity_additive", "hill")
    fits = {name: fit_form(FORMS[name], points, starts=10, robust=True) for name in names}
    held = {name: hold_out(fit, folds(points)) for name, fit in fits.items()}
    name = choose(fits, held, "one-se", equals(fits, held))
    return name, fits[name]


@pytest.mark.parametrize("slip", [0.25, -20.0])
@pytest.mark.parametrize("form", ["additive", "hill"])
def test_one_spoilt_cell_does_not_change_the_form_that_a_robust_fit_chooses(form, slip):
    # Of twelve tables of four true forms, all forms rivals, eleven kept theirs.
    points = simulated(form, floor=None, metric="quality", receiver="none", crs=CRS[::2])
    rng = np.random.default_rng(3)
    whole = replace(points, value=points.value + rng.normal(0.0, 0.004, len(points.value)))
    at = int(rng.integers(len(whole.value)))
    spoilt = replace(whole, value=whole.value + slip * (np.arange(len(whole.value)) == at))
    (clean, _), (name, fit) = chosen_robustly(whole), chosen_robustly(spoilt)
    assert name == clean == form
    assert np.flatnonzero(fit.outliers).tolist() == [at]


# ---------------------------------------------------------------- doubt


def test_bands_and_inverse_intervals_cover_as_often_as_they_say():
    cr, snr_db = grid()
    exact = FORMS["capped"](cr, snr_db, truth("capped"))
    covered, solved = [], []
    for seed in range(40):
        fit = quick(simulated("capped", n=700, seed=seed), "capped", starts=20)
        fit = fit.about("these-images")
        band = fit.predict(cr=cr, snr_db=snr_db)
        covered.append(np.mean((band.low <= exact) & (exact <= band.high)))
        for i in (17, 26, 38, 48):
            needed = fit.min_snr(target=exact[i], cr=cr[i])
            high = np.inf if needed.high is None else needed.high
            solved.append(needed.low <= snr_db[i] <= high)
    # 40 grids tell the coverage to about 3 %; 500 grids are simulated by benchmarks/coverage.py.
    assert 0.91 < np.mean(covered) < 0.985
    assert 0.90 < np.mean(solved) < 0.99


def test_bootstrap_profile_and_covariance_agree_where_the_surface_is_nearly_linear():
    fit = fit_form(FORMS["additive"], simulated("additive", n=700))
    sd = np.sqrt(np.diag(fit.covariance()[0]))
    draws = bootstrap(fit, 600, seed=0)
    np.testing.assert_allclose(draws.std(axis=0)[1:], sd[1:], rtol=0.2)
    for name, (low, high) in profiles(fit).items():
        i = FORMS["additive"].names.index(name)
        assert low < fit.parameters[i] < high
        assert (high - low) / (2 * 1.96) == pytest.approx(sd[i], rel=0.1)


def test_profiles_are_lopsided_where_the_data_are():
    fit = fit_form(FORMS["capped"], simulated("capped", n=700))
    low, high = profiles(fit)["sharpness"]
    best = fit.parameters[FORMS["capped"].names.index("sharpness")]
    assert low < best < high
    assert (high - best) / (best - low) > 1.1  # more sharpness is harder to tell than less


@pytest.mark.parametrize("luck", [0.3, 1.0])
def test_draws_and_covariance_tell_one_doubt(luck):
    # `luck` below 1: cells that share their images scatter less than their binomial noise.
    points = simulated("additive", n=700, seed=2)
    exact = FORMS["additive"](points.cr, points.snr_db, truth("additive"))
    points = replace(points, value=exact + luck * (points.value - exact))
    fit = fit_surface(points, "additive", bootstraps=2000)
    asked = {"cr": np.array([[1 / 30], [1 / 10]]), "snr_db": np.array([-6.0, 0.0, 8.0])}
    delta, drawn = (fit.predict(**asked, method=method) for method in ("delta", "bootstrap"))
    ratio = (drawn.high - drawn.low) / (delta.high - delta.low)
    # 2000 draws tell a 95 % width to 2.5 %: five standard errors, and a little bend.
    np.testing.assert_allclose(ratio, 1.0, atol=0.15)
    one, other = (
        fit.min_snr(target=0.6, cr="1/10", confidence=0.95, method=method).snr_db
        for method in ("delta", "bootstrap")
    )
    spread = fit.min_snr(target=0.6, cr="1/10")
    assert one == pytest.approx(other, abs=0.15 * (spread.high - spread.low))


@pytest.mark.parametrize("metric", ["accuracy", "quality"])
def test_the_intervals_of_every_answer_are_nested_in_those_of_a_higher_level(metric):
    noise = {"n": 700} if metric == "accuracy" else {"floor": None}
    points = simulated("capped", metric=metric, **noise)
    fit = fit_surface(points, "capped", bootstraps=500, starts=20)
    asked = {"cr": np.array([[1 / 30], [1 / 10]]), "snr_db": np.array([-6.0, 0.0, 8.0])}
    levels = (0.5, 0.68, 0.9, 0.95, 0.99)
    for method in ("delta", "bootstrap"):
        bands = [fit.predict(**asked, interval=level, method=method) for level in levels]
        needs = [fit.min_snr(target=0.6, cr="1/10", interval=level, method=method)
                 for level in levels]  # fmt: skip
        rates = [fit.min_cr(target=0.6, snr_db=3.0, interval=level, method=method)
                 for level in levels]  # fmt: skip
        for answers in (bands, needs, rates):
            for inner, outer in pairwise(answers):
                assert np.all(outer.low <= inner.low)
                assert np.all(inner.high <= outer.high)
        sure = [fit.min_snr(target=0.6, cr="1/10", confidence=c, method=method).snr_db
                for c in levels[1:]]  # fmt: skip
        assert sure == sorted(sure)
        # Met with one-sided confidence c: the pessimistic end of the interval of level 2c - 1.
        for level, need in zip(levels, needs, strict=True):
            one_sided = fit.min_snr(target=0.6, cr="1/10", confidence=0.5 + level / 2,
                                    method=method)  # fmt: skip
            assert one_sided.snr_db == pytest.approx(need.high, abs=1e-6)


def test_draws_do_not_hang_on_the_order_of_the_rows():
    points = simulated("additive", n=700)
    shuffled = points.subset(np.random.default_rng(1).permutation(66))
    one, other = (bootstrap(fit_form(FORMS["additive"], p), 50, seed=0) for p in (points, shuffled))
    np.testing.assert_allclose(one, other, rtol=1e-3)


def test_draws_are_reproducible_and_as_many_as_asked():
    points = simulated("additive", n=700)
    fits = [fit_surface(points, "additive", bootstraps=50) for _ in range(2)]
    assert len(fits[0].correction.draws) == 50
    np.testing.assert_array_equal(fits[0].correction.draws, fits[1].correction.draws)


def test_scatter_of_unknown_size_is_no_fall():
    points = simulated("hill", metric="psnr_db", floor=None)
    noisy = points.value + np.random.default_rng(4).normal(0, 0.03 * np.ptp(points.value), 66)
    fit = quick(replace(points, value=noisy))
    assert verdict(fit.outcome, fit.quality) == "follows the data, converged"


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("keep", "form", "says"),
    [
        (lambda p: np.isin(np.arange(66), [0, 1, 12]), "auto", "too few points: 3 points"),
        (lambda p: np.arange(66) % 13 == 0, "unified", "too few points: 6 points for the 9"),
        (lambda p: p.cr > 0, "spline", "no such form; there are auto, constant"),
    ],
)
def test_points_that_are_no_surface_are_refused(keep, form, says):
    points = simulated("capped")
    with pytest.raises(SemlossError, match=says):
        quick(points.subset(keep(points)), form)


def test_points_of_one_rate_give_the_curve_over_the_snr():
    cr, snr_db = np.full(10, 1 / 24), np.arange(-6.0, 13.0, 2.0)
    exact = 0.1 + 0.8 / (1 + np.exp(-0.4 * (snr_db - 1.0)))
    noisy = exact + np.random.default_rng(0).normal(0, 0.004, 10)
    fit = quick(Points("accuracy", "clean", "higher", cr, snr_db, noisy, np.zeros(10)))
    assert fit.outcome is Outcome.ONE_CR
    assert fit.predict(cr="1/24", snr_db=1.0).value == pytest.approx(0.5, abs=0.01)
    assert fit.predict(cr="1/24", snr_db=1.0).in_domain
    assert not fit.predict(cr="1/12", snr_db=1.0).in_domain
    assert fit.min_snr(target=0.5, cr="1/24").snr_db == pytest.approx(1.0, abs=0.15)


def test_points_of_one_snr_give_the_curve_over_the_rate():
    cr = 1 / np.array([4.0, 6, 8, 12, 16, 24, 32, 48])
    exact = 0.1 + 0.8 / (1 + np.exp(-1.6 * (np.log(cr) + 2.5)))
    noisy = exact + np.random.default_rng(0).normal(0, 0.004, 8)
    fit = quick(Points("accuracy", "clean", "higher", cr, np.full(8, 4.0), noisy, np.zeros(8)))
    assert fit.outcome is Outcome.ONE_SNR
    assert fit.predict(cr=np.exp(-2.5), snr_db=4.0).value == pytest.approx(0.5, abs=0.02)
    assert fit.min_cr(target=0.5, snr_db=4.0).cr == pytest.approx(np.exp(-2.5), rel=0.06)
    assert not fit.predict(cr="1/12", snr_db=8.0).in_domain


def test_equal_values_give_the_constant_and_refuse_a_curve():
    points = simulated("constant")
    fit = quick(points)
    assert fit.predict(cr=0.1, snr_db=0.0).value == pytest.approx(0.5)
    assert fit.outcome is Outcome.CONSTANT_VALUES
    with pytest.raises(SemlossError, match="use --form constant"):
        quick(points, "additive")


def test_an_unknown_rule_is_refused():
    with pytest.raises(SemlossError, match="no such rule; there are one-se, held-out"):
        quick(simulated("capped"), rule="best")
