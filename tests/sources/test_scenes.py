"""Procedural scenes: deterministic, extendable, and statistically like land seen from above."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy.fft import dctn

from semloss.errors import SemlossError
from semloss.sources import SOURCES, Scenes
from semloss.sources.landforms import Tile, band, curve, fractal, patches
from semloss.sources.parcels import parcels
from semloss.sources.scenes import draw_tile


@pytest.fixture(scope="module")
def scenes():
    return Scenes(per_class=16).load()


def tile(seed: int = 0, size: int = 64) -> Tile:
    return Tile(np.random.default_rng(seed), size, (0.0, -1.0))


def spectrum(images: np.ndarray, radius: int) -> np.ndarray:
    """Power of each image's luminance on a ring of `radius` cycles per tile."""
    grey = images.mean(axis=3)
    window = np.hanning(64)[:, None] * np.hanning(64)
    power = np.abs(np.fft.fft2((grey - grey.mean((1, 2), keepdims=True)) * window)) ** 2
    cycles = np.fft.fftfreq(64) * 64
    ring = np.rint(np.hypot(cycles[:, None], cycles)) == radius
    return power[:, ring].mean(axis=1)


def test_the_default_is_64_pixel_rgb_of_ten_classes(scenes):
    assert scenes.images.shape == (160, 64, 64, 3)
    assert scenes.images.dtype == np.uint8
    assert scenes.bands == ("red", "green", "blue")
    assert len(scenes.classes) == 10
    assert set(scenes.counts().values()) == {16}


def test_equal_seeds_give_equal_tiles_and_other_seeds_give_others():
    one = Scenes(per_class=2, size=32)
    assert one.load().content_hash == one.load().content_hash
    assert Scenes(per_class=2, size=32, seed=1).load().content_hash != one.load().content_hash


#: Mean level of red, green and blue in each quarter of one tile of each class, 32 x 32, by seed.
SIGNATURES = {
    0: "85776d80796f867863516057233d41223c40233c40243d416b5f59635a56655b5462585340504c2f"
    "444435484640504c98918d8782858d82848f8d922e4c452c4a412d4a402a433aae987db0937fb299"
    "7ca98b6e71656c746a6f6c5d6874676f6254534e555a505053565355455a72455a73455972465b73",
    1: "4f695549634c4b6043405d4a283846333e49333e4a2637457669688371707568678f7876445b5d46"
    "5e5e58555e5a56617a79867b7c85777783818592495e58485d584e645d475b56877f8d6f6f7f8d86"
    "8e7b77804f575e5259604b535b4250562c49552e4d592b495036484e6e5f63785f5e535d73565c6f",
    2: "796e67796a5e6f6e6d736b5d2b3d4a2b3d4b2a3c492b3d4b5965594a665a485e54455a4f314f452d"
    "4f41314f452d4e42807f8484868e7f7f828c8c914565764c7180496d7a496b7a4f554e4b564b5a5c"
    "557a6f635d6276666d83696d82525f6f58706b647d7941615765817d515f7b515f7a515f7b515f7a",
}


@pytest.mark.parametrize("seed", SIGNATURES)
def test_a_seed_gives_the_tiles_it_always_gave(seed):
    """Tables are told apart by their images: other pixels ask for another `GENERATOR`.

    Means and not pixels, for processors round differently: a sum of 256 pixels does not show
    that, a change of a recipe does.
    """
    images = Scenes(per_class=1, size=32, seed=seed).load().images
    found = images.reshape(10, 2, 16, 2, 16, 3).mean(axis=(2, 4)).ravel()
    expected = np.frombuffer(bytes.fromhex(SIGNATURES[seed]), dtype=np.uint8)
    assert np.abs(found - expected).max() < 1.0


def test_asking_for_more_tiles_extends_the_set(scenes):
    few = Scenes(per_class=3).load()
    for label in range(10):
        np.testing.assert_array_equal(
            few.images[few.labels == label], scenes.images[scenes.labels == label][:3]
        )


def test_no_two_tiles_are_alike(scenes):
    assert len({image.tobytes() for image in scenes.images}) == len(scenes)


@pytest.mark.parametrize("size", [32, 96])
def test_other_sizes_are_drawn_too(size):
    assert Scenes(per_class=1, size=size).load().images.shape == (10, size, size, 3)


def test_a_size_that_is_no_multiple_of_8_is_refused():
    with pytest.raises(SemlossError, match=r"source\.size = 60.*multiple of 8"):
        SOURCES.parse({"kind": "scenes", "size": 60}, where="source")


def test_the_fingerprint_follows_the_options():
    prints = {Scenes().fingerprint(), Scenes(seed=1).fingerprint(), Scenes(size=72).fingerprint()}
    assert len(prints) == 3
    assert Scenes().fingerprint() == Scenes().fingerprint()


def test_spectra_fall_as_those_of_natural_images(scenes):
    # Natural scenes have power f**-2 or somewhat steeper (Field 1987; van der Schaaf and van
    # Hateren 1996 give -1.9 on average from the ground; optics steepen it near the pixel).
    power = [np.median(spectrum(scenes.images, radius)) for radius in (2, 4, 8, 16, 30)]
    assert (np.diff(power) < 0).all()
    slope = np.polyfit(np.log([2, 4, 8, 16]), np.log(power[:4]), 1)[0]
    assert -3.2 < slope < -1.8


def test_energy_compacts_into_few_dct_coefficients(scenes):
    grey = scenes.images.mean(axis=3)
    grey -= grey.mean((1, 2), keepdims=True)
    blocks = grey.reshape(-1, 8, 8, 8, 8).swapaxes(2, 3).reshape(-1, 8, 8)
    energy = np.sort((dctn(blocks, axes=(1, 2), norm="ortho") ** 2).mean(0).ravel())[::-1]
    assert energy[:10].sum() > 0.8 * energy.sum()


def test_jpeg_compresses_water_far_better_than_houses(scenes):
    def bytes_of(name: str) -> float:
        sizes = []
        for image in scenes.images[scenes.labels == scenes.classes.index(name)]:
            file = io.BytesIO()
            Image.fromarray(image).save(file, "JPEG", quality=75)
            sizes.append(file.tell())
        return float(np.median(sizes))

    assert bytes_of("SeaLake") < 0.6 * bytes_of("Residential")


def test_channels_go_together_but_are_not_one(scenes):
    pixels = scenes.images.reshape(-1, 3).astype(float)
    correlation = np.corrcoef(pixels.T)[np.triu_indices(3, 1)]
    assert (correlation > 0.7).all()
    assert (correlation < 0.99).all()


def test_few_pixels_are_black_or_blown_out(scenes):
    assert (scenes.images <= 2).mean() < 0.01
    assert (scenes.images >= 253).mean() < 0.02


def test_classes_differ_in_detail_as_on_real_land(scenes):
    fine = {
        name: np.median(spectrum(scenes.images[scenes.labels == label], 16))
        for label, name in enumerate(scenes.classes)
    }
    assert fine["SeaLake"] < fine["Forest"] < fine["Pasture"] < fine["PermanentCrop"]
    assert fine["PermanentCrop"] < fine["Residential"]


def test_statistics_resemble_real_tiles(scenes, real_data):
    from semloss.sources import EuroSat

    real = EuroSat(path=real_data / "eurosat-rgb", per_class=60).load()
    for radius in (2, 4, 8, 16):
        ours = np.log10(np.median(spectrum(scenes.images, radius)))
        theirs = np.log10(np.median(spectrum(real.images, radius)))
        assert abs(ours - theirs) < 0.35
    mean, expected = (s.images.reshape(-1, 3).mean(axis=0) for s in (scenes, real))
    assert np.abs(mean - expected).max() < 15
    sd, expected_sd = (s.images.reshape(-1, 3).std(axis=0) for s in (scenes, real))
    np.testing.assert_allclose(sd, expected_sd, rtol=0.3)


@pytest.mark.parametrize("beta", [1.0, 2.0, 3.0])
def test_fractal_textures_have_the_spectrum_and_scale_they_state(beta):
    fields = fractal(tile(size=512), beta, 6)
    assert fields.shape == (6, 512, 512)
    power = np.abs(np.fft.fft2(fields * np.hanning(512)[:, None] * np.hanning(512))) ** 2
    radius = np.hypot(*np.meshgrid(np.fft.fftfreq(512), np.fft.fftfreq(512)))
    bands = [(0.02, 0.03), (0.3, 0.4)]
    low, high = (power[:, (radius > a) & (radius < b)].mean() for a, b in bands)
    frequency = [radius[(radius > a) & (radius < b)].mean() for a, b in bands]
    slope = np.log(high / low) / np.log(frequency[1] / frequency[0])
    assert slope == pytest.approx(-beta, abs=0.2)


def test_fractal_textures_have_unit_variance_over_the_ensemble():
    assert np.mean(fractal(tile(), 2.0, 400) ** 2) == pytest.approx(1, abs=0.1)


def test_patches_cover_about_the_share_asked():
    assert [patches(tile(i), 0.3).mean() for i in range(20)] == pytest.approx([0.3] * 20, abs=0.1)


def test_a_band_around_a_straight_line_covers_its_width():
    distance, _ = curve(tile(4), bend=0.0, wiggle=0.0)
    inner = np.abs(distance) < 20
    length = inner.sum() / 40
    assert (band(distance, 3.0) * inner).sum() == pytest.approx(3.0 * length, rel=0.05)


def test_parcels_partition_the_tile_into_pieces_of_the_size_asked():
    counts = [parcels(tile(seed), 12.0).count for seed in range(20)]
    for seed in range(5):
        land = parcels(tile(seed), 12.0)
        assert land.labels.shape == (128, 128)
        assert 0 <= land.labels.min() <= land.labels.max() < land.count
    visible = np.mean([len(np.unique(parcels(tile(seed), 12.0).labels)) for seed in range(20)])
    assert 0.4 < visible / (64 * 64 / 144) < 2.5
    assert min(counts) > 5


def test_one_tile_can_be_drawn_alone():
    np.testing.assert_array_equal(
        draw_tile("River", seed=0, index=1, size=32)[0],
        Scenes(per_class=2, size=32).load().images[8 * 2 + 1],
    )
