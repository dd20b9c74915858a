"""One measurement gives one model: whatever its unit, its direction, its rows' order, its name."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from surface_truth import CRS, simulated

from semloss.selection import Points, select
from semloss.surfaces.files.fit_file import load, save
from semloss.surfaces.fitted.outcome import Following, Outcome, following
from semloss.surfaces.fitting.fit_surface import fit_surface
from semloss.surfaces.fitting.pooling import fit_joint
from semloss.surfaces.forms import FORMS
from semloss.tables import load_table

REFERENCE = Path(__file__).parents[3] / "data" / "eurosat-awgn"


def six(shift=0.0, seed=None):
    """Six cells of two CRs: a PSNR in dB that nothing told apart from its noise."""
    value = np.array([21.0, 22.2, 23.2, 24.1, 25.5, 26.7]) + shift
    if seed is not None:
        value = value + np.random.default_rng(seed).normal(0.0, 0.05, 6)
    return Points(
        "psnr_db", "none", "higher", np.repeat([1 / 48, 1 / 24], 3), np.tile([-2.0, 0.0, 2.0], 2),
        value, np.zeros(6), group={"codec": f"codec {shift:g}"},
    )  # fmt: skip


# ---------------------------------------------------------------- few points


def test_six_points_of_two_rates_get_a_form_that_follows_them():
    fit = fit_surface(six(), bootstraps=0)
    assert fit.quality["rmse"] < 0.02 * fit.quality["range"]
    assert fit.predict(cr="1/48", snr_db=0.0).value == pytest.approx(22.2, abs=0.15)
    assert fit.predict(cr="1/24", snr_db=2.0).value == pytest.approx(26.7, abs=0.15)


def test_groups_of_six_points_are_followed_together():
    groups = [six(0.3 * i, seed=i) for i in range(5)]
    fits, shared = fit_joint(groups, bootstraps=0)
    assert FORMS[shared.form].parameters
    for fit in fits:
        assert fit.quality["rmse"] < 0.03 * fit.quality["range"]


def test_what_a_form_leaves_unexplained_is_said_whatever_the_form():
    fit = fit_surface(six(), "constant", bootstraps=0)
    assert following(fit.outcome, fit.quality) is Following.MISSES
    few = fit_surface(six().subset(np.array([0, 2, 3, 5])), bootstraps=0)
    assert few.outcome is Outcome.TOO_FEW_POINTS
    assert "more cells" in few.message


def test_a_metric_that_only_its_known_noise_moves_is_a_constant_that_converged():
    hits = np.random.default_rng(1).binomial(700, 0.6, 6) / 700
    flat = replace(
        six(), metric="accuracy", receiver="clean", value=hits, se=np.full(6, 0.018),
        n=np.full(6, 700.0), noise="binomial",
    )  # fmt: skip
    fit = fit_surface(flat, bootstraps=0)
    assert (fit.form, fit.outcome) == ("constant", Outcome.CONVERGED)


# ---------------------------------------------------------------- functions of a metric


@pytest.mark.parametrize("receiver", ["clean", "matched"])
def test_the_semantic_loss_is_answered_as_the_accuracy_that_it_follows_from(receiver, tmp_path):
    table = load_table(REFERENCE)
    accuracy, loss = (
        fit_surface(select(table, metric, receiver), bootstraps=50)
        for metric in ("accuracy", "semantic_loss")
    )
    clean = accuracy.ceiling
    save(loss, tmp_path / "loss.json")
    loss = load(tmp_path / "loss.json")
    assert (loss.form, loss.outcome) == (accuracy.form, accuracy.outcome)
    assert loss.provenance["follows"] == "accuracy"
    ratios, levels = np.array([[1 / 40], [1 / 12], [1 / 6]]), np.array([-6.0, 2.0, 10.0])
    for method in ("delta", "bootstrap"):
        here = loss.predict(cr=ratios, snr_db=levels, method=method)
        there = accuracy.predict(cr=ratios, snr_db=levels, method=method)
        np.testing.assert_allclose(here.value, 1 - there.value / clean, atol=1e-9)
        np.testing.assert_allclose(here.low, 1 - there.high / clean, atol=1e-6)
        np.testing.assert_allclose(here.high, 1 - there.low / clean, atol=1e-6)
    needed, same = (
        fit.min_snr(target=target, cr="1/12", confidence=0.9)
        for fit, target in ((loss, 0.1), (accuracy, 0.9 * clean))
    )
    assert [needed.snr_db, needed.low, needed.high] == pytest.approx(
        [same.snr_db, same.low, same.high], abs=1e-6
    )


def test_the_figures_of_a_fit_that_follows_are_in_its_own_unit():
    points = select(load_table(REFERENCE), "semantic_loss", "matched")
    fit = fit_surface(points, "capped", bootstraps=50)
    value = fit.predict(cr=points.cr, snr_db=points.snr_db, interval=None).value
    rmse = np.sqrt(np.mean((value - points.value) ** 2))
    assert fit.quality["rmse"] == pytest.approx(rmse, rel=1e-6)
    assert fit.quality["candidates"]["corrected"]["rmse"] == pytest.approx(rmse, rel=1e-6)
    assert fit.quality["range"] == pytest.approx(np.ptp(points.value))
    low, high = fit.intervals["ceiling"]
    assert low < fit.parameters[1] < high
    deviance = np.sum((value - points.value) ** 2 / points.se**2 + np.log(2 * np.pi * points.se**2))
    size = fit.quality["candidates"]["capped"]["parameters"]
    assert fit.quality["bic"] == pytest.approx(deviance + size * np.log(66), rel=0.05)


# ---------------------------------------------------------------- units, directions, orders


@pytest.fixture(scope="module")
def quality():
    """A noisy surface of no known unit, and its fit."""
    points = simulated("additive", floor=None, metric="quality", receiver="none", crs=CRS[::2])
    noise = np.random.default_rng(5).normal(0.0, 0.01, len(points.value))
    points = replace(points, value=points.value + noise)
    return points, fit_surface(points, bootstraps=0)


@pytest.mark.parametrize(("scale", "offset"), [(-40.0, 5.0), (0.01, -30.0), (100.0, 0.0)])
def test_the_choice_is_that_of_any_other_unit_direction_and_order(quality, scale, offset):
    points, one = quality
    other = replace(
        points, value=offset + scale * points.value,
        direction="higher" if scale > 0 else "lower",
    ).subset(np.random.default_rng(6).permutation(len(points.value)))  # fmt: skip
    two = fit_surface(other, bootstraps=0)
    assert (one.form, one.outcome) == (two.form, two.outcome)
    cr, snr_db = np.array([[1 / 30], [1 / 10]]), np.array([-4.0, 3.0, 9.0])
    here, there = one.predict(cr=cr, snr_db=snr_db), two.predict(cr=cr, snr_db=snr_db)
    ends = (there.low, there.high) if scale > 0 else (there.high, there.low)
    for mine, its in zip((here.value, here.low, here.high), (there.value, *ends), strict=True):
        np.testing.assert_allclose(offset + scale * mine, its, atol=1e-3 * abs(scale))
    need = one.min_snr(target=0.6, cr="1/10").snr_db
    assert two.min_snr(target=offset + scale * 0.6, cr="1/10").snr_db == pytest.approx(
        need, abs=0.05
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_hits_and_misses_of_the_same_images_give_mirrored_answers(seed):
    hits = simulated("additive", n=700, seed=seed, floor=0.1, ceiling=0.95, crs=CRS[::2])
    misses = replace(
        hits, metric="error_rate", direction="lower", value=1 - hits.value, floor=0.9, ceiling=0.05
    )
    one, two = (fit_surface(points, bootstraps=0) for points in (hits, misses))
    assert (one.form, one.outcome) == (two.form, two.outcome)
    cr, snr_db = np.array([[1 / 30], [1 / 10]]), np.array([-4.0, 3.0, 9.0])
    here, there = (fit.predict(cr=cr, snr_db=snr_db) for fit in (one, two))
    for mine, its in ((here.value, there.value), (here.low, there.high), (here.high, there.low)):
        np.testing.assert_allclose(1 - mine, its, atol=1e-3)
    asked = {"cr": "1/10", "confidence": 0.9}
    need, same = one.min_snr(target=0.7, **asked), two.min_snr(target=0.3, **asked)
    for mine, its in ((need.snr_db, same.snr_db), (need.low, same.low), (need.high, same.high)):
        assert mine == pytest.approx(its, abs=0.05)


def test_a_share_of_errors_has_the_noise_of_the_share_of_hits(tmp_path):
    kinds = []
    for name, value in (("accuracy", 0.8), ("top-1 error", 0.2)):
        file = tmp_path / "t.csv"
        file.write_text(f"cr,snr_db,metric,value,n\n1/6,4,{name},{value},400\n")
        points = select(load_table(file))
        kinds.append((points.noise, round(float(points.se[0]), 12), points.sign))
    assert kinds[0][:2] == kinds[1][:2]
    assert (kinds[0][2], kinds[1][2]) == (1.0, -1.0)


def test_a_rate_may_be_a_text_or_a_number(tmp_path):
    rows = [
        (m, s, 30 / (1 + float(np.exp(-0.3 * (s + 12 - m / 4)))) + 0.01 * ((7 * m + s) % 3))
        for m in (8, 12, 24, 48) for s in (-6, -2, 2, 6, 10)
    ]  # fmt: skip
    fits = []
    for name, spelt in (("text", "1/{m}"), ("number", "{cr!r}")):
        lines = [f"{spelt.format(m=m, cr=1 / m)},{s},psnr_db,{v!r}" for m, s, v in rows]
        file = tmp_path / f"{name}.csv"
        file.write_text("\n".join(["cr,snr_db,metric,value", *lines]))
        fits.append(fit_surface(select(load_table(file)), bootstraps=0))
    assert fits[0].form == fits[1].form
    np.testing.assert_array_equal(fits[0].parameters, fits[1].parameters)
