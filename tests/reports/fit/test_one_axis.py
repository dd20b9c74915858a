"""Fits along one axis have their picture too."""

import warnings

import numpy as np
import pytest

from semloss.reports.fit.surface import surface_plot
from semloss.selection import Points
from semloss.surfaces.fitting.fit_surface import fit_surface


@pytest.mark.parametrize("along", ["snr_db", "cr"])
def test_a_curve_along_one_axis_is_drawn_without_a_warning(along, tmp_path):
    levels = np.linspace(0.0, 1.0, 8)
    cr = np.full(8, 1 / 24) if along == "snr_db" else np.geomspace(1 / 48, 1 / 4, 8)
    snr_db = 16 * levels - 6 if along == "snr_db" else np.full(8, 4.0)
    value = 0.1 + 0.8 / (1 + np.exp(-8 * (levels - 0.4)))
    points = Points("accuracy", "clean", "higher", cr, snr_db, value, np.zeros(8))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        surface_plot(fit_surface(points, bootstraps=0), points, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 10_000
