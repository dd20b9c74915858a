"""From a form at its best to a surface: how it ended, and what its file says of the points."""

import hashlib
import re
import struct
from dataclasses import replace

import numpy as np
import pytest
from surface_truth import simulated

from semloss.surfaces.fitted.outcome import Outcome
from semloss.surfaces.fitting.form_fit import fit_form
from semloss.surfaces.fitting.packing import about, data_hash, judged, packed
from semloss.surfaces.forms import FORMS

ADDITIVE = FORMS["additive"]


@pytest.fixture(scope="module")
def fit():
    return fit_form(ADDITIVE, simulated("additive", n=700, seed=1), starts=10)


def quality(fit, chosen_by="named"):
    return {"range": float(np.ptp(fit.points.value)), "chosen_by": chosen_by}


def test_the_hash_is_that_of_the_numbers_row_by_row_in_order():
    points = simulated("additive", crs=[0.1, 0.05], snrs=np.array([4.0, -2.0]), n=700)
    columns = (points.cr, points.snr_db, points.value, points.se)
    rows = sorted(tuple(float(x) for x in row) for row in zip(*columns, strict=True))
    told = b"".join(struct.pack("<4d", *row) for row in rows)
    assert data_hash(points) == hashlib.sha256(told).hexdigest()


def test_a_grid_is_listed_and_scattered_points_are_counted_only():
    points = simulated("additive", crs=[0.1, 0.05], snrs=np.array([4.0, -2.0]))
    told = about(points)
    assert (told["points"], told["cr"], told["snr_db"]) == (4, [0.05, 0.1], [-2.0, 4.0])
    at = np.linspace(-8.0, 12.0, 101)
    assert set(about(simulated("additive", crs=[0.1], snrs=at))) == {"sha256", "points", "cr"}
    assert len(about(simulated("additive", crs=[0.1], snrs=at[:100]))["snr_db"]) == 100


def test_a_surface_keeps_what_its_points_were(fit):
    points = replace(
        fit.points, n=np.where(np.arange(66) < 10, np.nan, 700.0),
        se=np.where(np.arange(66) < 10, 0.0, 0.02), replicate_sd=0.003, ceiling=0.95,
        group={"metric": "accuracy", "receiver": "clean", "codec": "a", "channel": "awgn"},
        provenance={"source": "scenes", "codec": "told"},
    )  # fmt: skip
    fit = replace(fit, points=points, scatter=replace(fit.scatter, model_error_sd=0.03, dof=62))
    surface = packed(fit, {"seed": 0}, Outcome.POOR_FIT, "why", between=0.04)
    assert surface.model_error_sd == pytest.approx(0.05)
    assert (surface.dof, surface.images, surface.noise_sd) == (62, 700.0, 0.02)
    assert (surface.floor, surface.ceiling, surface.replicate_sd) == (0.1, 0.95, 0.003)
    assert (surface.outcome, surface.message) == (Outcome.POOR_FIT, "why")
    assert (surface.draws, surface.intervals) == (None, {})
    assert surface.provenance["source"] == "scenes"
    assert surface.provenance["codec"] == "a"
    assert surface.provenance["grouped_by"] == "codec, channel"
    assert surface.bounds.shape == (5, 2)
    np.testing.assert_array_equal(surface.bounds[0], [0.1, 0.1])
    assert np.all(surface.bounds[:, 0] <= surface.bounds[:, 1])
    corners = surface.hull
    assert corners.min(axis=0) == pytest.approx([np.log(1 / 40), -8.0])
    assert corners.max(axis=0) == pytest.approx([np.log(1 / 4), 12.0])


def test_a_surface_of_points_without_images_or_errors_says_so(fit):
    points = replace(fit.points, n=np.full(66, np.nan), se=np.zeros(66), noise="none")
    surface = packed(replace(fit, points=points), {}, Outcome.CONVERGED, "")
    assert (surface.images, surface.noise_sd) == (None, 0.0)
    assert "grouped_by" not in surface.provenance


def test_a_good_fit_is_judged_converged_without_a_word(fit):
    assert judged(fit, quality(fit)) == (Outcome.CONVERGED, "")


@pytest.mark.parametrize(
    ("model_error", "chosen_by", "outcome", "says"),
    [
        (0.049, "named", Outcome.CONVERGED, ""),
        (0.051, "named", Outcome.POOR_FIT, Outcome.POOR_FIT.remedy),
        (0.051, "one-se", Outcome.POOR_FIT, "no form of the ladder follows these measurements"),
    ],
)
def test_a_twentieth_of_the_range_is_left_unexplained_or_more(
    fit, model_error, chosen_by, outcome, says
):
    told = quality(fit, chosen_by)
    wide = replace(fit.scatter, model_error_sd=model_error * told["range"])
    found, message = judged(replace(fit, scatter=wide), told)
    assert found is outcome
    assert message.startswith(says) if says else not message


def test_four_outliers_are_three_by_name_and_one_more():
    points = simulated("additive", floor=None, metric="quality", receiver="none")
    value = points.value + np.random.default_rng(1).normal(0.0, 0.004, 66)
    value[[5, 17, 30, 50]] -= [0.2, 0.3, 0.4, 0.5]
    fit = fit_form(ADDITIVE, replace(points, value=value), starts=10, robust=True)
    found, message = judged(fit, quality(fit))
    assert found is Outcome.CONVERGED  # what falls there is no verdict on the rest
    assert message.startswith("weighed down as outliers: CR 1/8 at 4 dB (")
    away = [float(one) for one in re.findall(r"\(([-+.\d]+) from the surface\)", message)]
    assert away == pytest.approx([-0.5, -0.4, -0.3], abs=0.03)  # the farthest first
    assert message.endswith(" and 1 more")
