"""Pictures of comparisons and studies are drawn for every kind of answer, with their CSV."""

import csv
import warnings
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from planning_case import accuracy, distance, link

from semloss.errors import SemlossError
from semloss.planning.budget.points import Defaults
from semloss.planning.digital.rate_curve import RateCurve
from semloss.planning.digital.separation import compare
from semloss.planning.studies.studies import monte_carlo, sweep, tornado
from semloss.planning.studies.tolerances import read_tolerances
from semloss.reports.what_if.separation import separation_plot
from semloss.reports.what_if.studies import monte_carlo_plot, sweep_plot, tornado_plot

SNRS = np.linspace(-8, 12, 41)
CURVE = RateCurve(
    np.array([0.03, 0.1, 0.3, 0.6, 3.2]), np.array([0.35, 0.55, 0.75, 0.83, 0.89]), "accuracy",
    "clean", lowest_is_minimum=True,
)  # fmt: skip
ASKED = Defaults(accuracy(), link(), target=0.6)


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def drawn(path):
    """Pixels of a picture that really shows something, and the rows beside it."""
    pixels = np.asarray(Image.open(path).convert("RGB"), dtype=float)
    assert min(pixels.shape[:2]) > 400
    assert pixels.std() > 15
    with path.with_suffix(".csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows
    return pixels, rows


@pytest.mark.parametrize("kind", ["measured", "unmeasured", "no floor", "one cr", "none"])
def test_a_comparison_is_drawn(tmp_path, kind):
    model, curve, crs = accuracy(), CURVE, np.geomspace(1 / 40, 1 / 4, 15)
    if kind == "unmeasured":
        curve = replace(CURVE, lowest_is_minimum=False)
    if kind == "no floor":
        model = replace(model, floor=None)
    if kind == "one cr":
        crs = [1 / 12]
    if kind == "none":
        curve = None
    result = compare(model, curve, snr_db=SNRS, cr=crs, bands=3)
    separation_plot(result, tmp_path / "map.png")
    _, rows = drawn(tmp_path / "map.png")
    assert len(rows) == len(SNRS) * len(crs)
    assert float(rows[5]["deepjscc"]) == pytest.approx(result.deepjscc[0, 5], rel=1e-9)


def test_a_comparison_of_a_falling_metric_is_drawn(tmp_path):
    curve = RateCurve(CURVE.bits_per_pixel, 1 - CURVE.value, "lpips", "none", "lower")
    result = compare(distance(), curve, snr_db=SNRS, cr=[1 / 40, 1 / 12, 1 / 4], bands=3)
    separation_plot(result, tmp_path / "map.png")
    drawn(tmp_path / "map.png")


@pytest.mark.parametrize("target", [0.6, None])
def test_a_tornado_is_drawn(tmp_path, target):
    tolerances = read_tolerances({"power_dbw": {"normal": 0.5}, "other_loss_db": 2.0, "cr": 0.01})
    table = tornado(replace(ASKED, target=target), tolerances).table
    tornado_plot(table, replace(ASKED, target=target), tmp_path / "tornado.png")
    _, rows = drawn(tmp_path / "tornado.png")
    assert [row["field"] for row in rows] == list(table["field"])


@pytest.mark.parametrize(
    "fields",
    [
        {"elevation_deg": np.arange(5, 90, 5)},
        {"elevation_deg": np.arange(5, 90, 5), "cr": [1 / 40, 1 / 12, 1 / 4]},
        {"elevation_deg": np.arange(5, 90, 5), "power_dbw": np.linspace(-10, 0, 12)},
    ],
)
def test_a_sweep_is_drawn(tmp_path, fields):
    table = sweep(ASKED, fields).table
    sweep_plot(table, list(fields), ASKED, tmp_path / "sweep.png")
    _, rows = drawn(tmp_path / "sweep.png")
    assert len(rows) == len(table)


def test_a_monte_carlo_is_drawn(tmp_path):
    result = monte_carlo(ASKED, read_tolerances({"power_dbw": {"normal": 1.0}}), draws=2000)
    monte_carlo_plot(result, ASKED, tmp_path / "draws.png")
    _, rows = drawn(tmp_path / "draws.png")
    assert {"snr_db", "value"} <= {row["quantity"] for row in rows}


def test_the_same_numbers_give_the_same_picture(tmp_path):
    result = compare(accuracy(), CURVE, snr_db=SNRS, cr=[1 / 40, 1 / 12, 1 / 4], bands=3)
    for name in ("a.png", "b.png"):
        separation_plot(result, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_picture_of_no_known_kind_is_refused(tmp_path):
    result = compare(accuracy(), None, snr_db=SNRS, cr=[1 / 12], bands=3)
    with pytest.raises(SemlossError, match=r"\*\.png"):
        separation_plot(result, tmp_path / "map.bmp")
