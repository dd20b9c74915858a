"""What is said of a fit: does it follow the data, and what stands out in them."""

import re
from dataclasses import replace

import numpy as np
import pytest
from surface_truth import simulated

from semloss.selection import Points
from semloss.surfaces.fitted.outcome import Following, Outcome, flagged, following, verdict
from semloss.surfaces.fitting.fit_surface import fit_surface
from semloss.surfaces.fitting.form_fit import fit_form
from semloss.surfaces.fitting.judging import judged
from semloss.surfaces.forms import FORMS

ADDITIVE = FORMS["additive"]
RATIOS = 1 / np.array([48.0, 24.0, 16.0, 12.0, 8.0, 6.0])
CR, SNR_DB = (a.ravel() for a in np.meshgrid(RATIOS, np.arange(-8.0, 13.0, 2.0), indexing="ij"))
RISING = 0.2 + 0.6 / (1 + np.exp(-0.3 * (SNR_DB + 1 + 3 * (np.log(CR) + 2.5))))
NOISE = np.random.default_rng(0).normal(0.0, 0.01, 66)


def fitted(value, **options):
    points = Points("quality", "none", "higher", CR, SNR_DB, value, np.zeros(66))
    return fit_surface(points, bootstraps=0, starts=30, **options)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        pytest.param(RISING, Following.FOLLOWS, id="rising"),
        pytest.param(0.5 + 0.003 * (SNR_DB - 2) ** 2, Following.UNEVEN, id="U-shaped"),
        pytest.param(1 - RISING, Following.REVERSED, id="reversed"),
        pytest.param(np.full(66, 0.5), Following.NO_TREND, id="noise"),
        pytest.param(
            0.2 + 0.6 / (1 + np.exp(-0.3 * (SNR_DB + 1 - 3 * (np.log(CR) + 2.5)))),
            Following.REVERSED, id="CR reversed",
        ),
    ],
)  # fmt: skip
def test_a_word_tells_whether_the_surface_follows_the_data(value, word):
    fit = fitted(value + NOISE)
    assert following(fit.outcome, fit.quality) is word
    assert flagged(fit.outcome, fit.quality) == (word is not Following.FOLLOWS)
    assert verdict(fit.outcome, fit.quality) == f"{word}, {fit.outcome}"
    assert bool(fit.message) == (word is not Following.FOLLOWS)


@pytest.mark.parametrize("seed", range(8))
def test_noise_has_no_trend(seed):
    # Of 60 such tables none was told a trend.
    fit = fitted(0.5 + np.random.default_rng(seed).normal(0.0, 0.02, 66))
    assert following(fit.outcome, fit.quality) is Following.NO_TREND


def test_a_form_that_misses_says_by_how_much():
    steps = 0.2 + 0.3 * (SNR_DB > -3) + 0.3 * (SNR_DB > 7)
    points = Points("quality", "none", "higher", CR, SNR_DB, steps + NOISE, np.zeros(66))
    alone = fit_form(FORMS["logistic_snr"], points)
    missed = np.std(alone.fitted() - steps)
    outcome, _, figures = judged(alone, {"range": np.ptp(points.value), "chosen_by": "named"})
    told = figures["misses_by_percent"]
    assert told == pytest.approx(100 * missed / np.ptp(points.value), rel=0.1)
    assert f"misses the data by {told:.2g} % of its range, converged" == verdict(outcome, figures)
    assert verdict(outcome, figures | {"misses_by_percent": 0.0}) == "misses the data, converged"
    fit = fit_surface(points, "logistic_snr", bootstraps=0)  # its answers follow the steps
    assert following(fit.outcome, fit.quality) is Following.FOLLOWS
    assert f"the formula by itself misses by {told:.2g} % of the range" in fit.message


def test_a_bad_row_is_named_and_listed():
    fit = fitted(np.where(np.isclose(CR, 1 / 12), RISING - 0.1, RISING) + 3 * NOISE)
    assert following(fit.outcome, fit.quality) is Following.UNEVEN
    assert "CR 1/12 reads worse than CR 1/16 at 11 of 11 SNRs, by 0.0" in fit.message
    diagnosis = fit.quality["diagnosis"]
    worst = min(diagnosis["by_cr"], key=lambda row: row["mean"])
    assert worst["cr"] == pytest.approx(1 / 12)
    assert worst["points"] == 11
    (row,) = diagnosis["reversed"]
    assert (row["axis"], row["count"], row["of"]) == ("cr", 11, 11)
    assert (row["low"], row["high"]) == pytest.approx((1 / 16, 1 / 12))
    at = np.isclose(CR, 1 / 12)
    away = FORMS[fit.form](CR[at], SNR_DB[at], fit.parameters)
    measured = np.where(np.isclose(CR, 1 / 12), RISING - 0.1, RISING) + 3 * NOISE
    assert worst["mean"] == pytest.approx(np.mean(measured[at] - away))


def test_a_wild_cell_is_named_and_spoils_no_word_of_a_robust_fit():
    value = RISING + NOISE
    value[30] -= 0.4  # CR 1/16 at 8 dB
    plain, robust = fitted(value), fitted(value, robust=True)
    assert following(plain.outcome, plain.quality) is Following.UNEVEN
    assert "far from the surface, --robust weighs it down: CR 1/16 at 8 dB (-0." in plain.message
    assert following(robust.outcome, robust.quality) is Following.FOLLOWS
    assert "weighed down as outliers: CR 1/16 at 8 dB (-0.4" in robust.message
    (cell,) = robust.quality["diagnosis"]["cells"]
    assert (cell["cr"], cell["snr_db"]) == (pytest.approx(1 / 16), 8.0)


def test_words_of_older_files_are_told_as_they_were():
    assert following(Outcome.POOR_FIT, {}) is Following.MISSES
    assert following(Outcome.NOT_MONOTONE, {}) is Following.UNEVEN
    assert following(Outcome.CONVERGED, {}) is None
    assert verdict(Outcome.CONVERGED, {}) == "converged"
    assert verdict(Outcome.POOR_FIT, {}) == "misses the data"
    assert not flagged(Outcome.CONVERGED, {})
    assert flagged(Outcome.NOT_MONOTONE, {})


@pytest.fixture(scope="module")
def fit():
    return fit_form(ADDITIVE, simulated("additive", n=700, seed=1), starts=10)


def quality(fit, chosen_by="named"):
    return {"range": float(np.ptp(fit.points.value)), "chosen_by": chosen_by}


def test_a_good_fit_is_judged_converged_without_a_word(fit):
    outcome, message, figures = judged(fit, quality(fit))
    assert (outcome, message, figures["follows"]) == (Outcome.CONVERGED, "", "follows the data")


@pytest.mark.parametrize(
    ("model_error", "chosen_by", "word", "says"),
    [
        (0.049, "named", Following.FOLLOWS, ""),
        (0.06, "named", Following.MISSES, Following.MISSES.remedy),
        (0.06, "one-se", Following.MISSES, "no form of the ladder follows these measurements"),
    ],
)
def test_a_twentieth_of_the_range_is_left_unexplained_or_more(
    fit, model_error, chosen_by, word, says
):
    told = quality(fit, chosen_by)
    wide = replace(fit.scatter, model_error_sd=model_error * told["range"])
    outcome, message, figures = judged(replace(fit, scatter=wide), told)
    assert (outcome, figures["follows"]) == (Outcome.CONVERGED, word)
    assert message.startswith(says) if says else not message


def test_four_outliers_are_three_by_name_and_one_more():
    points = simulated("additive", floor=None, metric="quality", receiver="none")
    value = points.value + np.random.default_rng(1).normal(0.0, 0.004, 66)
    value[[5, 17, 30, 50]] -= [0.2, 0.3, 0.4, 0.5]
    fit = fit_form(ADDITIVE, replace(points, value=value), starts=10, robust=True)
    found, message, figures = judged(fit, quality(fit))
    assert found is Outcome.CONVERGED
    assert figures["follows"] == Following.FOLLOWS  # what falls there is no verdict on the rest
    assert message.startswith("weighed down as outliers: CR 1/8 at 4 dB (")
    away = [float(one) for one in re.findall(r"\(([-+.\d]+) from the surface\)", message)]
    assert away == pytest.approx([-0.5, -0.4, -0.3], abs=0.03)  # the farthest first
    assert message.endswith(" and 1 more")
