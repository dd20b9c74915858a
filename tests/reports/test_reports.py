"""Pictures are drawn for every kind of fit and answer, and are really pictures of it."""

import io
import re
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from known_surface import truth
from PIL import Image
from surface_truth import simulated

from semloss import load
from semloss.errors import SemlossError
from semloss.reports.fit.candidates import forms_plot
from semloss.reports.fit.comparison import LEVEL, surface_names, surfaces_plot
from semloss.reports.fit.contours import contours_plot, round_targets
from semloss.reports.fit.diagnostics import predicted_plot, residuals_plot
from semloss.reports.fit.parameters import correlation_plot, determined, intervals_plot
from semloss.reports.fit.prediction import prediction_plot
from semloss.reports.fit.surface import curves_plot, plane_plot, surface_plot
from semloss.reports.look import metric_label, series_colors, shown_ratios
from semloss.reports.page import about_cr, cell_name, signed
from semloss.surfaces.fitting.fit_surface import fit_surface
from semloss.surfaces.forms import FORMS

CANDIDATES = {
    "additive": {"parameters": 4, "rmse": 0.05, "held_out": 0.06, "k_fold": 0.06,
                 "outcome": "converged", "aicc": -90.0, "bic": -85.0},
    "capped": {"parameters": 7, "rmse": 0.016, "held_out": 0.018, "leave_cr_out": 0.03,
               "leave_snr_out": 0.02, "edge_out": 0.05, "k_fold": 0.019, "outcome": "bound hit",
               "aicc": -300.0, "bic": -290.0},
    "reference": {"parameters": None, "rmse": 0.012, "held_out": 0.02, "k_fold": 0.018,
                  "aicc": None, "bic": None, "outcome": None},
}  # fmt: skip


@pytest.fixture(scope="module")
def cases():
    falling = simulated(
        "capped", parameters=[0.6, 0.05, *truth("capped")[2:]], floor=None, metric="lpips",
        receiver="none", direction="lower",
    )  # fmt: skip
    counted = simulated("capped", n=700)
    counted = replace(counted, n=np.full(len(counted.value), 700.0), noise="binomial")
    measured = {
        "rising": (counted, "capped"),
        "falling": (falling, "additive"),
        "flat": (simulated("constant", floor=None), "constant"),
    }
    return {
        kind: (fit_surface(points, form, starts=20, bootstraps=20), points)
        for kind, (points, form) in measured.items()
    }


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def pixels(path):
    image = np.asarray(Image.open(io.BytesIO(path.read_bytes())).convert("RGB"), dtype=float)
    assert min(image.shape[:2]) > 200
    return image


def table(path):
    return pd.read_csv(path.with_suffix(".csv"))


def numbers(text):
    return [float(n.replace("−", "-")) for n in re.findall(r"−?\d+\.?\d*", text)]


# Surfaces


@pytest.mark.parametrize("draw", [surface_plot, curves_plot, plane_plot])
@pytest.mark.parametrize("kind", ["rising", "falling", "flat"])
def test_a_surface_is_drawn_with_its_points(cases, tmp_path, kind, draw):
    fit, points = cases[kind]
    draw(fit, points, tmp_path / "surface.png")
    assert pixels(tmp_path / "surface.png").std() > 20


@pytest.mark.parametrize("kind", ["rising", "falling"])
def test_the_table_of_the_curves_holds_the_fit_its_band_and_the_measurements(cases, tmp_path, kind):
    fit, points = cases[kind]
    curves_plot(fit, points, tmp_path / "curves.png")
    rows = table(tmp_path / "curves.png")
    curve = rows[rows["drawn"] == "fit"]
    asked = fit.predict(cr=curve["cr"].to_numpy(), snr_db=curve["snr_db"].to_numpy())
    for name in ("value", "low", "high"):
        np.testing.assert_allclose(curve[name], getattr(asked, name), rtol=1e-10, atol=1e-11)
    measured = rows[rows["drawn"] == "measured"]
    for name in ("cr", "snr_db", "value"):
        np.testing.assert_allclose(measured[name], getattr(points, name), rtol=1e-10)
    np.testing.assert_allclose(measured["high"] - measured["value"], 1.96 * points.se, atol=1e-11)


def test_the_table_of_the_plane_holds_the_surface_and_every_cell(cases, tmp_path):
    fit, points = cases["rising"]
    reading = plane_plot(fit, points, tmp_path / "plane.png")
    rows = table(tmp_path / "plane.png")
    surface = rows[rows["drawn"] == "fit"]
    asked = fit.predict(
        cr=surface["cr"].to_numpy(), snr_db=surface["snr_db"].to_numpy(), interval=None
    )
    np.testing.assert_allclose(surface["value"], asked.value, rtol=1e-10)
    assert sum(rows["drawn"] == "measured") == len(points.value)
    assert f"{points.value.min():.3g}" in reading
    assert f"{points.value.max():.3g}" in reading


def test_a_doubling_of_cr_is_worth_the_shift_of_an_additive_form(tmp_path):
    # Far from every limit the additive form trades d dB for an e-fold of CR: d ln 2 a doubling.
    points = simulated("additive", parameters=[0.0, 1.0, 2.0, 0.2, 4.0], floor=None)
    fit = fit_surface(points, "additive", starts=10, bootstraps=0)
    reading = plane_plot(fit, points, tmp_path / "plane.png")
    assert f"{4.0 * np.log(2):.2g} dB of SNR" in reading


def test_a_dense_grid_is_drawn_by_a_few_of_its_crs():
    ratios = np.geomspace(1 / 60, 1 / 3, 20)
    shown = shown_ratios(np.repeat(ratios, 5))
    assert len(shown) == 8
    assert shown[[0, -1]] == pytest.approx(ratios[[0, -1]])


@pytest.mark.parametrize("kind", ["rising", "falling"])
def test_contours_lie_where_the_surface_meets_the_target(cases, tmp_path, kind):
    fit, points = cases[kind]
    contours_plot(fit, points, tmp_path / "contours.png")
    rows = table(tmp_path / "contours.png")
    assert sorted(set(rows["target"])) == pytest.approx(sorted(round_targets(fit)))
    inner = rows[rows["snr_db"] > fit.snr_db_range[0] + 1e-9]
    value = fit.predict(cr=inner["cr"].to_numpy(), snr_db=inner["snr_db"].to_numpy()).value
    np.testing.assert_allclose(value, inner["target"], atol=1e-7)
    some = inner.iloc[len(inner) // 2]
    need = fit.min_snr(target=some["target"], cr=some["cr"])
    assert need.low == pytest.approx(some["low"], abs=1e-6)


def test_contours_can_be_asked_for_and_an_unattainable_one_says_so(cases, tmp_path):
    fit, points = cases["rising"]
    reading = contours_plot(fit, points, tmp_path / "one.png", targets=[0.99])
    assert "nowhere attained" in reading
    assert table(tmp_path / "one.png")["snr_db"].isna().all()


def test_a_flat_surface_has_no_contours(cases, tmp_path):
    with pytest.raises(SemlossError, match="flat"):
        contours_plot(*cases["flat"], tmp_path / "contours.png")


# Residuals


@pytest.mark.parametrize("draw", [residuals_plot, predicted_plot])
@pytest.mark.parametrize("kind", ["rising", "falling", "flat"])
def test_residuals_are_those_of_the_fit(cases, tmp_path, kind, draw):
    fit, points = cases[kind]
    draw(fit, points, tmp_path / "picture.png")
    assert pixels(tmp_path / "picture.png").std() > 10
    rows = table(tmp_path / "picture.png")
    fitted = fit.predict(cr=points.cr, snr_db=points.snr_db, interval=None).value
    np.testing.assert_allclose(rows["residual"], points.value - fitted, atol=1e-11)
    assert np.sqrt(np.mean(rows["residual"] ** 2)) == pytest.approx(
        fit.quality["rmse"], rel=1e-6, abs=1e-9
    )


def test_residuals_are_standardised_by_the_noise_of_each_point(cases, tmp_path):
    fit, points = cases["rising"]
    residuals_plot(fit, points, tmp_path / "residuals.png")
    rows = table(tmp_path / "residuals.png")
    p = (rows["fitted"] * 700 + 1) / 702
    sd = np.sqrt(p * (1 - p) / 700 + fit.replicate_sd**2)
    np.testing.assert_allclose(rows["standardised"], rows["residual"] / sd, rtol=1e-8)
    assert 0.7 < rows["standardised"].std() < 1.3


def test_the_largest_residual_is_named_with_its_cell(cases, tmp_path):
    fit, points = cases["rising"]
    value = points.value.copy()
    value[17] -= 0.2
    reading = residuals_plot(fit, replace(points, value=value), tmp_path / "residuals.png")
    assert cell_name(points.cr[17], points.snr_db[17]) in reading
    assert reading.startswith("The largest residual, −0.")
    reading = predicted_plot(fit, replace(points, value=value), tmp_path / "predicted.png")
    assert f"at {cell_name(points.cr[17], points.snr_db[17])}" in reading


def test_residuals_that_lean_are_called_a_missed_bend(cases, tmp_path):
    fit, points = cases["rising"]
    assert "lean" not in residuals_plot(fit, points, tmp_path / "residuals.png")
    bent = replace(points, value=points.value + 0.08 * (points.snr_db == 12.0))
    reading = residuals_plot(fit, bent, tmp_path / "residuals.png")
    assert "lean with SNR" in reading
    assert "at 12 dB" in reading


# Parameters


def test_correlations_are_those_of_the_covariance(cases, tmp_path):
    fit, _ = cases["rising"]
    correlation_plot(fit, tmp_path / "correlation.png")
    assert pixels(tmp_path / "correlation.png").std() > 10
    rows = table(tmp_path / "correlation.png")
    names = FORMS[fit.form].names
    kept = determined(fit)
    assert "floor" not in kept  # it is known
    assert len(rows) == len(kept) * (len(kept) - 1) / 2
    for row in rows.itertuples():
        i, j = names.index(row.first), names.index(row.second)
        expected = fit.covariance[i, j] / np.sqrt(fit.covariance[i, i] * fit.covariance[j, j])
        assert row.correlation == pytest.approx(expected)


def test_one_parameter_correlates_with_none(cases, tmp_path):
    with pytest.raises(SemlossError, match="nothing correlates"):
        correlation_plot(cases["flat"][0], tmp_path / "correlation.png")


@pytest.mark.parametrize("kind", ["rising", "falling", "flat"])
def test_intervals_are_those_of_the_fit(cases, tmp_path, kind):
    fit, _ = cases[kind]
    intervals_plot(fit, tmp_path / "intervals.png")
    rows = table(tmp_path / "intervals.png").set_index("parameter")
    assert set(rows.index) == set(fit.intervals)
    for name, ends in fit.intervals.items():
        assert tuple(rows.loc[name, ["low", "high"]]) == pytest.approx(ends)


def test_an_interval_that_runs_into_the_bound_of_the_search_is_open(cases, tmp_path):
    fit, _ = cases["rising"]
    low, _ = fit.bounds[list(FORMS["capped"].names).index("ln_cr_half")]
    open_ = replace(fit, intervals={**fit.intervals, "ln_cr_half": (low, -3.9)})
    reading = intervals_plot(open_, tmp_path / "intervals.png")
    row = table(tmp_path / "intervals.png").set_index("parameter").loc["ln_cr_half"]
    assert row["low_open"]
    assert not row["high_open"]
    assert "do not limit ln_cr_half" in reading


# Comparisons


def test_forms_are_compared_with_the_chosen_one_marked(cases, tmp_path):
    fit, _ = cases["rising"]
    fit = replace(fit, quality={**fit.quality, "candidates": CANDIDATES, "range": 0.5})
    reading = forms_plot(fit, tmp_path / "forms.png")
    assert pixels(tmp_path / "forms.png").std() > 10
    rows = table(tmp_path / "forms.png").set_index("form")
    assert list(rows.index) == list(CANDIDATES)
    assert list(rows.index[rows["chosen"]]) == ["capped"]
    assert rows.loc["capped", "held_out"] == 0.018
    assert np.isnan(rows.loc["reference", "parameters"])
    assert "capped misses by 0.018 (3.6 % of the range) held out" in reading
    assert "additive, by 0.06" in reading
    assert "reference by 0.02 (4.0 %" in reading
    assert "capped: bound hit" in reading


def test_one_form_has_nothing_to_be_compared_with(cases, tmp_path):
    with pytest.raises(SemlossError, match="--form auto"):
        forms_plot(cases["flat"][0], tmp_path / "forms.png")


def test_surfaces_are_compared_at_a_common_level(cases, tmp_path):
    fits = [cases[kind][0] for kind in ("rising", "falling", "flat")]
    reading = surfaces_plot(fits, tmp_path / "surfaces.png")
    assert pixels(tmp_path / "surfaces.png").std() > 10
    rows = table(tmp_path / "surfaces.png")
    assert len(set(rows["cr"].round(9))) == 1
    for row, fit in zip(rows.head(2).itertuples(), fits, strict=False):
        ends = fit.predict(cr=row.cr, snr_db=np.array(fit.snr_db_range)).value
        assert row.target == pytest.approx(ends[0] + LEVEL * (ends[1] - ends[0]))
        at = fit.predict(cr=row.cr, snr_db=row.min_snr_db).value
        assert at == pytest.approx(row.target, abs=1e-6)
        assert row.low <= row.min_snr_db
        assert row.rmse_percent == pytest.approx(100 * row.rmse / fit.quality["range"])
    assert rows["min_snr_db"].isna().tolist() == [False, False, True]  # flat: it needs nothing
    curves = pd.read_csv(tmp_path / "surfaces-curves.csv")
    assert set(curves["surface"]) == set(rows["surface"])
    ends = curves.groupby("surface", sort=False)["value"].agg(["first", "last"])
    np.testing.assert_allclose(ends, rows[["worst", "best"]], atol=1e-9)
    assert "is met from" in reading


def test_the_better_of_two_codecs_is_told_as_the_better_one(cases, tmp_path):
    """The worse one comes close to its own ceiling sooner; asked for one value, it needs more."""
    fit = cases["rising"][0]
    scale = np.where(np.arange(len(fit.parameters)) == 1, 0.9, 1.0)
    worse = replace(fit, parameters=fit.parameters * scale)
    fits = [replace(one, provenance={"codec": name}) for one, name in ((fit, "a"), (worse, "b"))]
    reading = surfaces_plot(fits, tmp_path / "surfaces.png")
    rows = table(tmp_path / "surfaces.png")
    assert rows["target"].nunique() == 1
    assert rows["min_snr_db"][0] < rows["min_snr_db"][1]
    assert rows["behind"].tolist() == pytest.approx([0.0, rows["best"][0] - rows["best"][1]])
    assert "by accuracy, a and from" in reading


def test_surfaces_are_named_by_what_tells_them_apart(cases):
    fit, _ = cases["rising"]
    assert surface_names([fit, cases["falling"][0]]) == ["accuracy, clean", "LPIPS"]
    codecs = [replace(fit, provenance={"codec": name, "channel": "awgn"}) for name in ("a", "b")]
    assert surface_names(codecs) == ["accuracy, a", "accuracy, b"]
    assert len(set(surface_names([fit, fit]))) == 2


def test_surfaces_are_named_by_what_was_asked_and_not_by_what_was_measured(cases):
    fit, _ = cases["rising"]
    facts = [{"papr_db": p, "measured": p, "images": p, "tile": p} for p in ("8.56", "9.1")]
    same = [replace(fit, provenance=told) for told in facts]
    assert surface_names(same) == ["accuracy, clean #1", "accuracy, clean #2"]
    grouped = [
        replace(one, provenance={**one.provenance, "grouped_by": "method", "method": name,
                                 "channel": f"awgn, as {name} has it"})
        for one, name in zip(same, "xy", strict=True)
    ]  # fmt: skip
    assert surface_names(grouped) == ["accuracy, x", "accuracy, y"]
    measured = [replace(one, provenance={**one.provenance, "grouped_by": "papr_db"})
                for one in same]  # fmt: skip
    assert surface_names(measured) == ["accuracy, 8.56", "accuracy, 9.1"], "unless it was asked"


# One answer


@pytest.mark.parametrize("kind", ["rising", "falling"])
def test_each_answer_is_drawn(cases, tmp_path, kind):
    fit, _ = cases[kind]
    target = float(fit.predict(cr=1 / 12, snr_db=1.0).value)
    drawn = []
    for needed in (
        None,
        fit.min_snr(target=target, cr=1 / 20),
        fit.min_cr(target=target, snr_db=1.0),
    ):
        cr, snr_db = (1 / 12, 30.0) if needed is None else (needed.cr, needed.snr_db)
        path = tmp_path / f"{len(drawn)}.png"
        prediction_plot(fit, path, fit.predict(cr=cr, snr_db=snr_db), needed)
        drawn.append(pixels(path))
    assert len({image.tobytes() for image in drawn}) == 3


# Files and style


@pytest.mark.parametrize("draw", [surface_plot, contours_plot, residuals_plot])
def test_the_same_fit_gives_the_same_picture(cases, tmp_path, draw):
    fit, points = cases["rising"]
    for name in ("a.png", "b.png"):
        draw(fit, points, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


@pytest.mark.parametrize("kind", ["pdf", "svg"])
def test_pictures_for_print_are_vectors(cases, tmp_path, kind):
    fit, points = cases["rising"]
    curves_plot(fit, points, tmp_path / f"curves.{kind}")
    start = (tmp_path / f"curves.{kind}").read_bytes()[:200]
    assert start.startswith(b"%PDF") if kind == "pdf" else b"<?xml" in start


def test_a_picture_of_no_known_kind_is_refused(cases, tmp_path):
    fit, points = cases["flat"]
    with pytest.raises(SemlossError, match=r"\*\.png"):
        surface_plot(fit, points, tmp_path / "surface.bmp")
    assert not list(tmp_path.iterdir())


def test_a_table_of_the_users_is_not_written_over(cases, tmp_path):
    fit, points = cases["flat"]
    own = tmp_path / "grid.csv"
    own.write_text("cr,snr_db,metric,value\n1/6,0,accuracy,0.5\n")
    with pytest.raises(SemlossError, match=r"grid\.csv holds something else"):
        surface_plot(fit, points, tmp_path / "grid.png")
    assert own.read_text().startswith("cr,snr_db,metric")
    assert not (tmp_path / "grid.png").exists()


def test_series_are_told_apart_by_lightness_alone():
    lightness = [np.dot(color, (0.2126, 0.7152, 0.0722)) for color in series_colors(8)]
    assert np.all(np.diff(lightness) > 0.03)


def test_axes_carry_names_with_units():
    assert metric_label("psnr_db", "none") == "PSNR [dB]"
    assert metric_label("accuracy", "matched") == "accuracy, matched task model"


def test_numbers_carry_minus_signs_and_words_keep_their_hyphens():
    text = "in-sample -0.5 dB, 2e-07, [-4 … -1], 1/12-fold"
    assert signed(text) == "in-sample −0.5 dB, 2e−07, [−4 … −1], 1/12-fold"
    assert about_cr(1 / 12) == "1/12"
    assert about_cr(0.0589256) == "1/17"
    assert cell_name(1 / 48, -8.0) == "CR 1/48, −8 dB"


def test_the_corrected_form_is_no_other_form_and_is_not_flagged(tmp_path):
    fit = load("eurosat-psnr")
    held = fit.quality["candidates"]["corrected"]["held_out"]
    assert held < min(
        row["held_out"] for name, row in fit.quality["candidates"].items() if name in FORMS
    )
    reading = forms_plot(fit, tmp_path / "forms.png")
    assert f"with its correction by {held:.3g} (" in reading
    assert "other form, corrected" not in reading
    assert "corrected: form" not in reading
