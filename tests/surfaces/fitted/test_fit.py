"""Answers of a fitted surface: values, bands that hold, and what a target needs."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_surface import CR, CRS, SNR_DB, drawn, known, truth
from scipy import stats

from semloss.errors import SemlossError, TargetNotAttainable
from semloss.surfaces.fitted.bands import student_quantile
from semloss.surfaces.fitted.data import root_of
from semloss.surfaces.fitted.domain import Domain, convex_hull
from semloss.surfaces.forms import FORMS

SURFACE = known()
LEAKY = replace(
    SURFACE, metric="lpips", receiver="none", direction="lower", floor=None, noise="none",
    parameters=np.concatenate([[0.6, 0.05], SURFACE.parameters[2:]]),
)  # fmt: skip


# ---------------------------------------------------------------- values and bands


def test_scalars_text_and_arrays_are_answered_in_kind():
    scalar = SURFACE.predict(cr="1/12", snr_db=4.0)
    assert isinstance(scalar.value, float)
    assert isinstance(scalar.in_domain, bool)
    table = SURFACE.predict(cr=np.array([[0.05], [1 / 12]]), snr_db=[0.0, 4.0, 8.0])
    assert table.value.shape == table.low.shape == table.in_domain.shape == (2, 3)
    assert table.value[1, 1] == pytest.approx(scalar.value, rel=1e-14)
    texts = SURFACE.predict(cr=["1/20", "1/12"], snr_db=4.0)
    assert texts.value[1] == pytest.approx(scalar.value, rel=1e-14)


def test_a_frame_comes_back_with_the_answer_in_new_columns():
    frame = pd.DataFrame({"cr": CR, "snr_db": SNR_DB, "site": "Kiruna"}, index=np.arange(66) + 5)
    answered = SURFACE.predict(frame)
    assert list(answered) == ["cr", "snr_db", "site", "value", "low", "high", "in_domain"]
    assert list(frame) == ["cr", "snr_db", "site"]
    band = SURFACE.predict(cr=CR, snr_db=SNR_DB)
    np.testing.assert_array_equal(answered["low"], band.low)
    assert answered["in_domain"].all()
    texts = SURFACE.predict(pd.DataFrame({"cr": ["1/12"], "snr_db": [4]}))
    assert texts["value"].item() == SURFACE.predict(cr="1/12", snr_db=4.0).value


@pytest.mark.parametrize("form", FORMS)
def test_many_points_are_predicted_exactly_as_the_form_and_its_jacobian_say(form):
    surface = known(form, model_error_sd=0.004, dof=60, floor=None)
    rng = np.random.default_rng(0)
    cr, snr_db = rng.uniform(0.02, 0.3, 20_000), rng.uniform(-10, 15, 20_000)
    band = surface.predict(cr=cr, snr_db=snr_db)
    value = FORMS[form](cr, snr_db, surface.parameters)
    jacobian = FORMS[form].jacobian(cr, snr_db, surface.parameters)
    variance = np.einsum("np,pq,nq->n", jacobian, surface.covariance, jacobian) + 0.004**2
    np.testing.assert_allclose(band.value, value, rtol=1e-12)
    half = stats.t.ppf(0.975, 60) * np.sqrt(variance)
    np.testing.assert_allclose(band.high - band.low, 2 * half, rtol=1e-6)
    alone = surface.predict(cr=cr, snr_db=snr_db, interval=None)
    np.testing.assert_allclose(alone.value, value, rtol=1e-12)
    assert np.isnan(alone.low).all()
    assert np.isnan(alone.high).all()
    np.testing.assert_array_equal(alone.in_domain, band.in_domain)


def test_a_wider_level_gives_a_wider_band():
    narrow = SURFACE.predict(cr=0.1, snr_db=0.0, interval=0.5)
    wide = SURFACE.predict(cr=0.1, snr_db=0.0, interval=0.99)
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high


def test_known_noise_takes_the_normal_quantile_and_few_points_students():
    known_noise = SURFACE.predict(cr=0.1, snr_db=0.0)
    few = replace(SURFACE, dof=3).predict(cr=0.1, snr_db=0.0)
    ratio = (few.high - few.low) / (known_noise.high - known_noise.low)
    assert ratio == pytest.approx(stats.t.ppf(0.975, 3) / stats.norm.ppf(0.975), rel=1e-6)


@pytest.mark.parametrize("dof", [1, 2, 3, 4, 12, 60, 99, 101, 10_000])
@pytest.mark.parametrize("interval", [0.5, 0.9, 0.95, 0.999])
def test_student_quantiles_are_exact(dof, interval):
    assert student_quantile(interval, dof) == pytest.approx(
        stats.t.ppf(0.5 + interval / 2, dof), rel=1e-6
    )


def test_the_band_stays_between_chance_and_the_clean_ceiling():
    band = known(model_error_sd=0.2, ceiling=0.9).predict(cr=CR, snr_db=SNR_DB)
    assert band.low.min() == 0.1
    assert band.high.max() == 0.9
    falling = replace(LEAKY, model_error_sd=0.2, floor=0.6, ceiling=0.05)
    band = falling.predict(cr=CR, snr_db=SNR_DB)
    assert (band.low.min(), band.high.max()) == (0.05, 0.6)


def test_the_band_holds_a_value_that_beats_the_clean_ceiling():
    band = replace(SURFACE, ceiling=0.7).predict(cr=0.25, snr_db=12.0)
    assert band.value > 0.7
    assert band.low <= band.value <= band.high


def test_a_new_measurement_scatters_more_with_fewer_images():
    ask = {"cr": 0.1, "snr_db": 0.0}
    mean = SURFACE.predict(**ask)
    fitted = SURFACE.predict(**ask, band="measurement")
    few = SURFACE.predict(**ask, band="measurement", images=50)
    many = SURFACE.predict(**ask, band="measurement", images=10**9)
    assert few.low < fitted.low < many.low
    new = SURFACE.predict(**ask, band="new-images")
    assert many.high - many.low == pytest.approx(new.high - new.low, rel=1e-3)
    assert fitted == SURFACE.predict(**ask, band="measurement", images=700)
    binomial = mean.value * (1 - mean.value) / 50
    mean = SURFACE.predict(**ask, band="new-images")
    own = ((mean.high - mean.low) / 2 / stats.norm.ppf(0.975)) ** 2
    half = stats.norm.ppf(0.975) * np.sqrt(own + binomial)
    assert (few.high - few.low) / 2 == pytest.approx(half, rel=0.01)
    retrained = replace(SURFACE, replicate_sd=0.05).predict(**ask, band="measurement")
    assert retrained.high - retrained.low > 2 * 1.96 * 0.05


def test_reported_noise_is_scaled_to_the_images_asked():
    exact = replace(SURFACE, covariance=np.zeros((8, 8)), noise="reported", noise_sd=0.02)
    as_fitted = exact.predict(cr=0.1, snr_db=0.0, band="measurement")
    fourfold = exact.predict(cr=0.1, snr_db=0.0, band="measurement", images=2800)
    # Beside the noise of the new images, what those of the table have in common: .95 of theirs.
    shared = 0.95 * 0.02**2
    for new, sd in ((as_fitted, 0.02), (fourfold, 0.01)):
        assert new.high - new.value == pytest.approx(1.96 * np.sqrt(sd**2 + shared), rel=1e-3)


def test_measurement_bands_hold_new_measurements_as_often_as_they_say():
    rng = np.random.default_rng(0)
    held = []
    for true in drawn(SURFACE, 300).draws:
        value = rng.binomial(200, FORMS["capped"](CR, SNR_DB, true)) / 200
        band = SURFACE.predict(cr=CR, snr_db=SNR_DB, band="measurement", images=200)
        held.append((band.low <= value) & (value <= band.high))
    # The allowance for images that all cells share is for luck that these draws do not have.
    assert 0.95 < np.mean(held) < 0.98


def test_bootstrap_quantiles_agree_with_the_covariance_they_were_drawn_from():
    surface = drawn(known(images=20_000), 2000)
    delta = surface.predict(cr=CR, snr_db=SNR_DB)
    boot = surface.predict(cr=CR, snr_db=SNR_DB, method="bootstrap")
    np.testing.assert_array_equal(boot.value, delta.value)
    np.testing.assert_allclose(boot.high - boot.low, delta.high - delta.low, rtol=0.12)
    misfit = replace(surface, model_error_sd=0.01)
    wider = misfit.predict(cr=CR, snr_db=SNR_DB, method="bootstrap")
    assert np.all(wider.high - wider.low > 2 * 1.96 * 0.01)


def test_a_covariance_of_any_rank_has_its_factor():
    rng = np.random.default_rng(0)
    scale = np.array([1e-4, 1.0, 1e4, 0.0, 1.0])
    half = rng.normal(size=(2, 5)) * scale
    covariance = half.T @ half
    root = root_of(covariance)
    assert root.shape == (2, 5)
    np.testing.assert_allclose(root.T @ root, covariance, rtol=1e-9, atol=1e-20)
    assert root_of(np.zeros((3, 3))).shape == (0, 3)


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({"cr": 0.0, "snr_db": 1.0}, "lies in"),
        ({"cr": 2.0, "snr_db": 1.0}, "lies in"),
        ({"cr": [0.1, -1], "snr_db": 1.0}, "every CR is k/n"),
        ({"cr": [0.1, np.nan], "snr_db": 1.0}, "every CR is k/n"),
        ({"cr": [True, False], "snr_db": 4.0}, "give numbers"),
        ({"cr": ["1/12", "much"], "snr_db": 4.0}, "fraction such as"),
        ({"cr": 0.1, "snr_db": float("nan")}, "finite SNRs"),
        ({"cr": 0.1, "snr_db": [1.0, np.inf]}, "finite SNRs"),
        ({"cr": 0.1, "snr_db": "loud"}, "give numbers"),
        ({"cr": [0.1, 0.2], "snr_db": [1.0, 2.0, 3.0]}, "do not match"),
        ({"cr": 0.1}, "give cr and snr_db"),
        ({"cr": 0.1, "snr_db": 1.0, "interval": 95}, "interval = 95"),
        (
            {"cr": 0.1, "snr_db": 1.0, "band": "wide"},
            "one of these-images, new-images, trained-again, measurement",
        ),
        ({"cr": 0.1, "snr_db": 1.0, "method": "magic"}, "one of delta, bootstrap"),
        ({"cr": 0.1, "snr_db": 1.0, "method": "bootstrap"}, "no draws"),
        ({"cr": 0.1, "snr_db": 1.0, "images": 50}, "only a band='measurement'"),
        ({"cr": 0.1, "snr_db": 1.0, "images": 0, "band": "measurement"}, "1 or more"),
        ({"frame": pd.DataFrame({"CR": [0.1], "snr_db": [1.0]})}, "no column 'cr'"),
        ({"frame": {"cr": 0.1, "snr_db": 1.0}}, "give a pandas DataFrame"),
        ({"frame": pd.DataFrame(), "cr": 0.1}, "not both"),
    ],
)
def test_impossible_questions_are_refused_in_one_line(question, says):
    with pytest.raises(SemlossError, match=says) as caught:
        SURFACE.predict(**question)
    assert "\n" not in str(caught.value)


def test_noise_that_the_fit_does_not_know_is_not_made_up():
    ask = {"cr": 0.1, "snr_db": 1.0, "band": "measurement"}
    with pytest.raises(SemlossError, match="give images="):
        replace(SURFACE, images=None).predict(**ask)
    with pytest.raises(SemlossError, match="not for how many images"):
        replace(SURFACE, noise="reported", images=None).predict(**ask, images=50)
    with pytest.raises(SemlossError, match="no noise that depends on test images"):
        replace(SURFACE, noise="none").predict(**ask, images=50)


def test_no_points_are_no_trouble():
    empty = SURFACE.predict(cr=np.array([]), snr_db=3.0)
    assert empty.value.shape == empty.low.shape == empty.in_domain.shape == (0,)


# ---------------------------------------------------------------- the domain


def test_the_domain_is_the_hull_of_the_cells_not_their_box():
    triangle = np.array([[-3.0, 0.0], [-1.0, 0.0], [-1.0, 10.0], [-1.5, 2.0]])
    hull = convex_hull(triangle)
    assert len(hull) == 3
    inside = Domain.of(hull).holds(
        np.array([-1.2, -2.8, -1.0, -0.5]), np.array([5.0, 9.0, 10.0, 5.0])
    )
    assert inside.tolist() == [True, False, True, False]


@given(seed=st.integers(0, 10_000), count=st.integers(3, 40))
@settings(max_examples=50, deadline=None)
def test_the_hull_holds_its_cells_their_means_and_nothing_far_outside(seed, count):
    rng = np.random.default_rng(seed)
    cells = np.stack([rng.uniform(-4, -1, count), rng.uniform(-8, 20, count)], axis=1)
    hull = convex_hull(cells)
    assert Domain.of(hull).holds(*cells.T).all()
    means = rng.dirichlet(np.ones(count), 50) @ cells
    assert Domain.of(hull).holds(*means.T).all()
    centre = cells.mean(axis=0)
    assert not Domain.of(hull).holds(*(centre + 1.01 * len(hull) * (hull - centre)).T).any()


def test_cells_on_a_line_or_a_point_have_a_domain_too():
    line = convex_hull(np.array([[-3.0, 0.0], [-3.0, 5.0], [-3.0, 10.0]]))
    inside = Domain.of(line).holds(np.array([-3.0, -2.9, -3.0]), np.array([7.0, 7.0, 11.0]))
    assert inside.tolist() == [True, False, False]
    point = convex_hull(np.array([[-3.0, 5.0], [-3.0, 5.0]]))
    inside = Domain.of(point).holds(np.array([-3.0, -2.9]), np.array([5.0, 5.0]))
    assert inside.tolist() == [True, False]


def test_a_rounded_ratio_still_counts_as_the_measured_one():
    assert SURFACE.predict(cr=0.0250, snr_db=-8.0).in_domain
    assert not SURFACE.predict(cr=1 / 48, snr_db=0.0).in_domain


# ---------------------------------------------------------------- what a target needs


@given(snr_db=st.floats(-8.0, 12.0), cr=st.floats(1 / 40, 1 / 4))
@settings(max_examples=30, deadline=None)
def test_solving_for_what_a_prediction_needs_gives_the_point_back(snr_db, cr):
    target = SURFACE.predict(cr=cr, snr_db=snr_db).value
    solved = SURFACE.min_snr(target=target, cr=cr)
    assert solved.snr_db == pytest.approx(snr_db, abs=1e-6)
    assert solved.low <= solved.snr_db
    assert solved.high is None or solved.high >= solved.snr_db
    assert SURFACE.min_cr(target=target, snr_db=snr_db).cr == pytest.approx(cr, rel=1e-6)


@pytest.mark.parametrize("surface", [SURFACE, LEAKY], ids=["higher", "lower"])
def test_the_ends_of_an_interval_are_where_the_bands_edges_meet_the_target(surface):
    target = 0.6 if surface is SURFACE else 0.25
    needed = surface.min_snr(target=target, cr=0.1, interval=0.9)
    ends = [surface.predict(cr=0.1, snr_db=s, interval=0.9) for s in (needed.low, needed.high)]
    hopeful, doubtful = (
        (ends[0].high, ends[1].low) if surface is SURFACE else (ends[0].low, ends[1].high)
    )
    assert hopeful == pytest.approx(target, abs=1e-9)
    assert doubtful == pytest.approx(target, abs=1e-9)
    assert surface.predict(cr=0.1, snr_db=needed.snr_db).value == pytest.approx(target, abs=1e-9)


def test_a_confident_answer_meets_the_target_with_that_one_sided_confidence():
    plain = SURFACE.min_snr(target=0.6, cr=0.1)
    sure = SURFACE.min_snr(target=0.6, cr=0.1, confidence=0.95)
    surer = SURFACE.min_snr(target=0.6, cr=0.1, confidence=0.99)
    assert plain.snr_db < sure.snr_db < surer.snr_db
    # One-sided 95 % is the lower edge of the two-sided 90 % band.
    bound = SURFACE.predict(cr=0.1, snr_db=sure.snr_db, interval=0.9).low
    assert bound == pytest.approx(0.6, abs=1e-9)
    assert sure.confidence == 0.95
    assert (sure.low, sure.high) == (plain.low, plain.high)
    cr = SURFACE.min_cr(target=0.6, snr_db=2.0, confidence=0.95).cr
    assert SURFACE.predict(cr=cr, snr_db=2.0, interval=0.9).low == pytest.approx(0.6, abs=1e-9)


def test_intervals_and_confident_answers_cover_what_is_truly_needed():
    # Fits scattered as their own covariance says, around one truth that they do not know.
    fits = [replace(SURFACE, parameters=p) for p in drawn(SURFACE, 400).draws]
    true = SURFACE.min_snr(target=0.6, cr=0.1, interval=None).snr_db
    answers = [fit.min_snr(target=0.6, cr=0.1, confidence=0.9) for fit in fits]
    covered = np.mean([a.low <= true and (a.high is None or true <= a.high) for a in answers])
    assert covered == pytest.approx(0.95, abs=0.03)
    assert np.mean([a.snr_db >= true for a in answers]) == pytest.approx(0.9, abs=0.04)


def test_bootstrap_answers_agree_with_the_delta_method_where_doubt_is_small():
    surface = drawn(known(images=20_000), 2000)
    delta = surface.min_snr(target=0.6, cr=0.1, confidence=0.9)
    boot = surface.min_snr(target=0.6, cr=0.1, confidence=0.9, method="bootstrap")
    assert boot.snr_db == pytest.approx(delta.snr_db, abs=0.02)
    assert boot.low == pytest.approx(delta.low, abs=0.03)


def test_without_an_interval_only_the_answer_is_solved():
    bare = SURFACE.min_snr(target=0.6, cr=0.1, interval=None)
    assert bare.snr_db == SURFACE.min_snr(target=0.6, cr=0.1).snr_db
    assert np.isnan([bare.low, bare.high]).all()


def test_the_fraction_offered_for_a_solved_rate_meets_the_target():
    needed = SURFACE.min_cr(target=0.6, snr_db=4.0)
    assert SURFACE.predict(cr=needed.cr_fraction, snr_db=4.0).value >= 0.6
    assert needed.low < needed.cr < needed.high


def test_a_target_out_of_reach_names_the_nearest_value():
    best = SURFACE.predict(cr=1 / 20, snr_db=12.0).value
    with pytest.raises(TargetNotAttainable, match=f"at most {best:.4g}") as caught:
        SURFACE.min_snr(target=best + 0.01, cr=1 / 20)
    assert caught.value.exit_code == 3
    with pytest.raises(TargetNotAttainable, match="no less than"):
        LEAKY.min_cr(target=0.01, snr_db=3.0)


def test_a_target_that_only_the_confidence_misses_says_so():
    target = SURFACE.predict(cr=1 / 20, snr_db=12.0).value
    bound = SURFACE.predict(cr=1 / 20, snr_db=12.0, interval=0.9).low
    with pytest.raises(TargetNotAttainable) as caught:
        SURFACE.min_snr(target=target, cr=1 / 20, confidence=0.95)
    said = str(caught.value)
    assert "with 95 % confidence" in said
    assert f"the surface reaches {target:.4g}" in said
    assert f"lower bound at most {bound:.4g}" in said
    assert SURFACE.min_snr(target=target, cr=1 / 20).snr_db == pytest.approx(12.0)
    assert SURFACE.min_snr(target=target, cr=1 / 20).high is None


def test_a_target_met_everywhere_is_said_to_lie_at_the_edge():
    needed = SURFACE.min_snr(target=0.11, cr=1 / 4)
    assert needed.at_edge
    assert needed.snr_db == needed.low == needed.high == -8.0


@pytest.mark.parametrize("levels", [{"confidence": 95}, {"confidence": 0.3}, {"interval": 1.0}])
def test_impossible_levels_are_refused(levels):
    with pytest.raises(SemlossError):
        SURFACE.min_snr(target=0.6, cr=0.1, **levels)
    with pytest.raises(SemlossError, match="finite number"):
        SURFACE.min_snr(target=float("nan"), cr=0.1)


def test_a_contour_is_the_smallest_snr_at_every_rate():
    line = SURFACE.contour(target=0.6, cr=CRS, confidence=0.9)
    for i, cr in enumerate(CRS):
        try:
            needed = SURFACE.min_snr(target=0.6, cr=cr, confidence=0.9)
        except TargetNotAttainable:
            assert np.isnan([line.snr_db[i], line.low[i], line.high[i]]).all()
            assert not line.in_domain[i]
            continue
        assert line.snr_db[i] == pytest.approx(needed.snr_db, abs=1e-9)
        assert line.low[i] == pytest.approx(needed.low, abs=1e-9)
        assert line.in_domain[i]
        assert np.isnan(line.high[i]) if needed.high is None else line.high[i] > line.snr_db[i]


def test_a_contour_spans_the_fitted_rates_and_falls_as_the_rate_grows():
    line = SURFACE.contour(target=0.8)
    assert len(line.cr) == 65
    assert (line.cr[0], line.cr[-1]) == pytest.approx((1 / 40, 1 / 4))
    met = ~np.isnan(line.snr_db)
    assert 0 < met.sum() < 65
    assert np.all(np.diff(line.snr_db[met]) < 0)
    frame = line.frame()
    assert list(frame) == ["cr", "snr_db", "low", "high", "in_domain", "at_edge"]
    assert len(frame) == 65


# ---------------------------------------------------------------- how it shows itself


def test_a_surface_introduces_itself_in_one_line():
    assert repr(SURFACE) == (
        "<Fit accuracy, clean: form capped, converged, CR 1/40 … 1/4, SNR -8 … 12 dB>"
    )


def test_a_notebook_shows_parameters_with_units_curves_and_conventions():
    import xml.dom.minidom

    surface = replace(SURFACE, intervals={"sharpness": (0.7, float("inf"))})
    page = surface._repr_html_()
    xml.dom.minidom.parseString(page[page.index("<svg") : page.index("</svg>") + 6])
    assert page.count("<polyline") == 5
    for parameter in FORMS["capped"].all_parameters:
        assert parameter.name in page
    assert "0.7 … inf" in page
    assert "1/dB" in page
    assert "complex channel uses per real source sample" in page
    assert "0.0123 over 66 points" in page


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_its_notebook_view(form):
    assert form in known(form)._repr_html_()


def test_a_surface_over_a_single_cell_can_be_shown():
    cell = replace(SURFACE, hull=np.array([[np.log(0.1), 3.0]]))
    assert cell._repr_html_().count("<polyline") == 1
    assert "CR 1/10 … 1/10, SNR 3 … 3 dB" in repr(cell)


def test_a_notebook_runs_nothing_that_a_fit_file_says():
    evil = "<script>alert(1)</script>"
    page = replace(
        SURFACE, metric=evil, receiver=evil, message=evil,
        quality={"rmse": evil, "held_out": [], "chosen_by": evil}, data={"points": evil},
    )._repr_html_()  # fmt: skip
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_known_surfaces_of_these_tests_lie_within_the_bounds_of_their_forms():
    for form in FORMS:
        for parameter, value in zip(FORMS[form].all_parameters, truth(form), strict=True):
            assert parameter.low <= value <= parameter.high


@pytest.mark.parametrize(
    "question",
    [
        {"target": [0.5, 0.6], "cr": 0.1}, {"target": "0.5", "cr": 0.1},
        {"target": None, "cr": 0.1}, {"target": 0.5, "cr": [0.05, 0.1]},
        {"target": 0.5, "cr": None},
    ],
)  # fmt: skip
def test_one_answer_is_given_for_one_number(question):
    with pytest.raises(SemlossError, match="give one number"):
        known().min_snr(**question)


@pytest.mark.parametrize("kind", ["these-images", "measurement"])
@pytest.mark.parametrize("method", ["delta", "bootstrap"])
@pytest.mark.parametrize(
    ("metric", "low", "high"),
    [("accuracy", 0.0, 1.0), ("ssim", -1.0, 1.0), ("psnr_db", None, None)],
)
def test_a_band_ends_where_the_metric_does(kind, method, metric, low, high):
    vague = drawn(known(model_error_sd=1.5, dof=8, floor=None, noise="none", metric=metric))
    band = vague.predict(cr=CR, snr_db=SNR_DB, band=kind, method=method)
    if low is None:
        assert band.low.min() < -1.0
        assert band.high.max() > 2.0
    else:
        assert (band.low.min(), band.high.max()) == (low, high)


def test_a_confident_answer_says_whose_interval_it_tells():
    sure = SURFACE.min_snr(target=0.6, cr="1/12", confidence=0.9)
    plain = SURFACE.min_snr(target=0.6, cr="1/12")
    assert (sure.low, sure.high) == (plain.low, plain.high)
    assert f"[truly needed, 95 %, these images: {sure.low:.2f} … {sure.high:.2f} dB]" in sure.text()
    assert f"[95 %, these images: {plain.low:.2f} …" in plain.text()


# ---------------------------------------------------------------- one protocol


def test_every_answer_of_a_fit_is_told_as_rows_text_and_json():
    one = SURFACE.predict(cr="1/12", snr_db=4.0)
    assert one.rows() == [one.to_dict()]
    assert one.to_dict()["value"] == one.value
    assert (
        f"= {one.value:.4g} at CR 1/12, SNR 4 dB   [95 %, these images: {one.low:.4g} …"
        in one.text()
    )
    many = SURFACE.predict(cr=["1/24", "1/12"], snr_db=[[0.0], [4.0]], interval=None)
    assert [row["value"] for row in many.rows()] == many.value.ravel().tolist()
    assert many.to_dict()["points"][3]["cr_text"] == "1/12"
    assert len(many.text().splitlines()) == 4
    assert "%" not in many.text()
    needed = SURFACE.min_cr(target=0.7, snr_db=4.0)
    assert needed.met
    assert needed.rows() == [needed.to_dict()]
    assert (needed.to_dict()["cr_low"], needed.to_dict()["cr_high"]) == (needed.low, needed.high)
    assert f"needs CR {needed.cr:.4f} at SNR 4 dB, met by {needed.cr_fraction}" in needed.text()
    contour = SURFACE.contour(target=0.7, cr=["1/24", "1/12"])
    assert [row["snr_db"] for row in contour.rows()] == contour.snr_db.tolist()
    assert contour.to_dict()["points"] == contour.rows()
    assert f"{contour.snr_db[1]:.2f}" in contour.text().splitlines()[-1]
