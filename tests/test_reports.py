"""Pictures are drawn for every kind of fit and answer, and are really pictures."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image
from surface_truth import TRUTH, simulated

from semloss.errors import SemlossError
from semloss.reports.prediction import prediction_plot
from semloss.reports.style import metric_label, series_colors
from semloss.reports.surface import surface_plot
from semloss.surfaces.fitting import fit_surface


@pytest.fixture(scope="module")
def cases():
    falling = simulated(
        "capped", parameters=[0.6, 0.05, *TRUTH["capped"][2:]], floor=None, metric="lpips",
        task="none", direction="lower",
    )  # fmt: skip
    measured = {
        "rising": (simulated("capped", n=700), "logistic"),
        "falling": (falling, "logistic"),
        "flat": (simulated("constant"), "constant"),
    }
    return {kind: (fit_surface(points, form), points) for kind, (points, form) in measured.items()}


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def pixels(path):
    image = np.asarray(Image.open(io.BytesIO(path.read_bytes())).convert("RGB"), dtype=float)
    assert min(image.shape[:2]) > 500
    return image


@pytest.mark.parametrize("kind", ["rising", "falling", "flat"])
def test_a_surface_is_drawn_with_its_points(cases, tmp_path, kind):
    fit, points = cases[kind]
    surface_plot(fit, points, tmp_path / "surface.png")
    assert pixels(tmp_path / "surface.png").std() > 20


@pytest.mark.parametrize("kind", ["rising", "falling"])
def test_each_answer_is_drawn(cases, tmp_path, kind):
    fit, _ = cases[kind]
    target = float(fit.predict(cr=1 / 12, snr_db=1.0).value)
    drawn = []
    for needed in (
        None,
        fit.min_snr(target=target, cr=1 / 60),
        fit.min_cr(target=target, snr_db=1.0),
    ):
        cr, snr_db = (1 / 12, 30.0) if needed is None else (needed.cr, needed.snr_db)
        path = tmp_path / f"{len(drawn)}.png"
        prediction_plot(fit, path, fit.predict(cr=cr, snr_db=snr_db), needed)
        drawn.append(pixels(path))
    assert len({image.tobytes() for image in drawn}) == 3


def test_the_same_fit_gives_the_same_picture(cases, tmp_path):
    fit, points = cases["rising"]
    for name in ("a.png", "b.png"):
        surface_plot(fit, points, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_picture_of_no_known_kind_is_refused(cases, tmp_path):
    fit, points = cases["flat"]
    with pytest.raises(SemlossError, match=r"\*\.png"):
        surface_plot(fit, points, tmp_path / "surface.bmp")


def test_series_are_told_apart_by_lightness_alone():
    lightness = [np.dot(color, (0.2126, 0.7152, 0.0722)) for color in series_colors(8)]
    assert np.all(np.diff(lightness) > 0.03)


def test_axes_carry_names_with_units():
    assert metric_label("psnr_db", "none") == "PSNR [dB]"
    assert metric_label("accuracy", "matched") == "accuracy, matched task model"
