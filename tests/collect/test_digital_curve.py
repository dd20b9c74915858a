"""Measuring a source codec's rate curve: real files, real sizes."""

import io

import numpy as np
import pytest
from PIL import Image

from semloss.collect.digital_curve import CODECS, measure_curve, psnr_db, write_curve
from semloss.errors import SemlossError
from semloss.planning.digital.modcods import RateCurve
from semloss.sources.scenes import draw_tile


@pytest.fixture(scope="module")
def tiles():
    covers = ("Forest", "Highway", "Industrial", "River")
    return np.stack([draw_tile(cover, 0, i) for cover in covers for i in range(2)])


@pytest.mark.parametrize("codec", list(CODECS))
def test_more_bits_give_more_psnr(tiles, codec):
    table = measure_curve(tiles, codec)
    assert np.all(np.diff(table["bits_per_pixel"]) > 0)
    assert np.all(np.diff(table["value"]) > -0.05)
    assert table["value"].iloc[-1] > 38
    assert list(table["codec_minimum"])[:2] == [1, 0]
    assert set(table["n"]) == {8}


def test_sizes_are_those_of_the_files(tiles):
    table = measure_curve(tiles[:1], "webp", [40])
    file = io.BytesIO()
    Image.fromarray(tiles[0]).save(file, "WEBP", quality=40)
    assert table["bits_per_image"][0] == 8 * len(file.getvalue())
    assert table["bits_per_pixel"][0] == table["bits_per_image"][0] / 64**2
    received = np.asarray(Image.open(file).convert("RGB"))
    mse = np.mean((received / 255 - tiles[0] / 255) ** 2)
    assert table["value"][0] == pytest.approx(-10 * np.log10(mse))


def test_jpeg_2000_meets_its_rate(tiles):
    table = measure_curve(tiles, "jpeg2000", [1.0, 2.0, 4.0])
    assert list(table["bits_per_pixel"]) == pytest.approx([1.0, 2.0, 4.0], rel=0.04)
    assert not table["codec_minimum"].any()


def test_other_numbers_of_bands_are_coded_band_by_band(tiles):
    grey = measure_curve(tiles[..., :1], "jpeg2000", [1.0])
    assert grey["bits_per_pixel"][0] == pytest.approx(1.0, rel=0.05)
    five = np.concatenate([tiles, tiles[..., :2]], axis=3)
    table = measure_curve(five, "jpeg2000", [5.0])
    assert table["bits_per_pixel"][0] == pytest.approx(5.0, rel=0.05)
    assert (table["bands"][0], table["value"][0] > 30) == (5, True)


def test_psnr_is_the_mean_over_images_and_stops_at_100_db():
    black = np.zeros((2, 4, 4, 3), dtype=np.uint8)
    grey = black.copy()
    grey[1] = 51
    assert psnr_db(black, grey) == pytest.approx([100.0, -10 * np.log10(0.04)])


def test_another_score_measures_another_metric(tiles):
    def brightness(original, received):
        return np.abs(received.mean((1, 2, 3)) - original.mean((1, 2, 3)))

    table = measure_curve(
        tiles, "jpeg", [20, 90], metric="brightness_error", score=brightness, direction="lower"
    )
    assert set(table["metric"]) == {"brightness_error"}
    assert set(table["direction"]) == {"lower"}


def test_the_spread_of_a_curve_is_that_of_a_sample():
    images = np.zeros((4, 8, 8, 3), np.uint8)
    table = measure_curve(
        images, "jpeg", [50], score=lambda original, received: np.array([1.0, 2.0, 4.0, 9.0])
    )
    # Mean 4; squares 9 + 4 + 0 + 25 = 38, over n - 1 = 3.
    assert (table["value"][0], table["sd"][0]) == pytest.approx((4.0, (38 / 3) ** 0.5))


def test_what_is_measured_is_what_the_planner_reads(tiles, tmp_path):
    table = measure_curve(tiles, "webp")
    write_curve(table, tmp_path / "webp.csv")
    curve = RateCurve.from_csv(tmp_path / "webp.csv")
    assert curve.at(table["bits_per_pixel"].to_numpy()) == pytest.approx(
        np.maximum.accumulate(table["value"])
    )
    assert (curve.codec, curve.metric, curve.lowest_is_minimum) == ("webp", "psnr_db", True)


@pytest.mark.parametrize(
    ("images", "codec", "rates", "says"),
    [
        (np.zeros((1, 8, 8, 3), np.uint8), "avif", None, "no such codec; there are jpeg2000"),
        (np.zeros((1, 8, 8, 3), np.float32), "jpeg", None, "uint8"),
        (np.zeros((8, 8, 3), np.uint8), "jpeg", None, "uint8"),
        (np.zeros((1, 8, 8, 3), np.uint8), "jpeg", [0], "give a quality, 1 … 95"),
        (np.zeros((1, 8, 8, 3), np.uint8), "jpeg2000", [-1.0], "bits per pixel"),
        (np.zeros((1, 8, 8, 3), np.uint8), "webp", [], "a quality"),
    ],
)
def test_bad_input_is_refused(images, codec, rates, says):
    with pytest.raises(SemlossError, match=says):
        measure_curve(images, codec, rates)
