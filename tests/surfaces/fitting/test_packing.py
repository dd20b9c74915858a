"""From a form at its best to a surface: how it ended, and what its file says of the points."""

import hashlib
import struct
from dataclasses import replace

import numpy as np
import pytest
from surface_truth import simulated

from semloss.surfaces.fitted.outcome import Outcome
from semloss.surfaces.fitting.form_fit import fit_form
from semloss.surfaces.fitting.packing import about, data_hash, packed
from semloss.surfaces.forms import FORMS

ADDITIVE = FORMS["additive"]


@pytest.fixture(scope="module")
def fit():
    return fit_form(ADDITIVE, simulated("additive", n=700, seed=1), starts=10)


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
    twice = points.subset(np.array([0, 0, 1, 2, 3]))
    twice = replace(twice, value=twice.value + np.array([0.02, -0.02, 0, 0, 0]))
    assert about(twice)["cells"] == told["cells"] == sorted(
        [c, s, float(f"{v:.6g}")]
        for c, s, v in zip(points.cr, points.snr_db, points.value, strict=True)
    )  # fmt: skip
    at = np.linspace(-8.0, 12.0, 101)
    told_too = {"sha256", "points", "cr", "cells"}
    assert set(about(simulated("additive", crs=[0.1], snrs=at))) == told_too
    many = simulated("additive", crs=np.geomspace(0.02, 0.9, 21), snrs=at[:20])
    assert "cells" not in about(many)
    assert len(about(simulated("additive", crs=[0.1], snrs=at[:100]))["snr_db"]) == 100


def test_a_surface_keeps_what_its_points_were(fit):
    points = replace(
        fit.points, n=np.where(np.arange(66) < 10, np.nan, 700.0),
        se=np.where(np.arange(66) < 10, 0.0, 0.02), replicate_sd=0.003, ceiling=0.95,
        group={"metric": "accuracy", "receiver": "clean", "codec": "a", "channel": "awgn"},
        provenance={"source": "scenes", "codec": "told"},
    )  # fmt: skip
    fit = replace(fit, points=points, scatter=replace(fit.scatter, model_error_sd=0.03, dof=62))
    surface = packed(fit, {"seed": 0}, Outcome.POOR_FIT, "why")
    assert surface.model_error_sd == 0.03
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
