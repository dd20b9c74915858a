"""Many points as few: what a mean of neighbours tells of them."""

import numpy as np
import pytest

from semloss.selection import Points
from semloss.selection.lattice import on_lattice


def scattered(count, **more):
    rng = np.random.default_rng(0)
    cr, snr_db = np.exp(rng.uniform(-3.5, -1.5, count)), rng.uniform(-8.0, 12.0, count)
    value = 0.5 + 0.1 * np.log(cr) + 0.02 * snr_db
    given = {"se": np.full(count, 0.02)} | more
    return Points("quality", "none", "higher", cr, snr_db, value, **given)


def test_few_points_stay_as_they_are():
    points = scattered(700)
    assert on_lattice(points) is points


def test_means_lie_on_a_plane_that_the_points_lie_on():
    points = scattered(5000)
    few = on_lattice(points)
    assert 390 <= len(few.value) <= 400
    assert few.value == pytest.approx(0.5 + 0.1 * np.log(few.cr) + 0.02 * few.snr_db)
    assert few.cr.min() < 1.1 * points.cr.min()
    assert few.snr_db.max() > points.snr_db.max() - 1.0


def test_the_error_of_a_mean_falls_with_its_points():
    few = on_lattice(scattered(8000))
    # 20 points a cell on average; 0.02 / √20 = 0.0045
    assert np.median(few.se) == pytest.approx(0.0045, rel=0.1)
    # what all points together tell of a common level is kept
    assert np.sum(few.se**-2.0) == pytest.approx(8000 / 0.02**2)


def test_replicates_of_a_grid_become_its_cells():
    grid = np.meshgrid([0.05, 0.1, 0.2], [0.0, 2.0, 4.0, 6.0], indexing="ij")
    cr, snr_db = (np.tile(axis.ravel(), 100) for axis in grid)
    value = np.random.default_rng(1).binomial(50, 0.6, 1200) / 50
    points = Points("accuracy", "clean", "higher", cr, snr_db, value, np.full(1200, 0.07),
                    n=np.full(1200, 50.0), noise="binomial", replicate_sd=0.03)  # fmt: skip
    few = on_lattice(points)
    assert few.cr == pytest.approx(np.repeat([0.05, 0.1, 0.2], 4))
    assert few.snr_db.tolist() == [0.0, 2.0, 4.0, 6.0] * 3
    assert few.value == pytest.approx([value[i::12].mean() for i in range(12)])
    assert few.n.tolist() == [5000.0] * 12
    assert few.se == pytest.approx([0.007] * 12)
    assert few.replicate_sd == pytest.approx(0.003)


def test_luck_that_points_share_stays_in_their_mean():
    count = 900
    shared = np.full((count, count), 0.5) + 0.5 * np.eye(count)
    cr = np.repeat([0.05, 0.1, 0.2], 300)
    points = Points("quality", "none", "higher", cr, np.tile([0.0, 5.0, 10.0], 300),
                    np.ones(count), np.full(count, 0.1), image_correlation=shared)  # fmt: skip
    few = on_lattice(points)
    variance = 0.01 * (0.5 + 0.5 / 100)
    assert few.se == pytest.approx([np.sqrt(variance)] * 9)
    assert few.image_correlation[0, 1] == pytest.approx(0.005 / variance)
    assert np.diag(few.image_correlation) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("shared", "images"), [(0.0, 60 * 360), (1.0, 360), (0.5, 60 * 360 / 30.5)]
)
def test_seeds_on_the_same_images_count_the_images_once(shared, images):
    """60 seeds of 12 cells on 360 images: m n / (1 + (m - 1) correlation) of them tell a mean."""
    cell = np.tile(np.arange(12), 60)
    correlation = np.where(cell[:, None] == cell, shared, 0.0)
    np.fill_diagonal(correlation, 1.0)
    points = Points("accuracy", "clean", "higher", np.array([0.05, 0.1, 0.2])[cell % 3],
                    2.0 * (cell // 3), np.full(720, 0.6), np.full(720, 0.0258),
                    n=np.full(720, 360.0), noise="binomial", seed=np.repeat(np.arange(60), 12),
                    image_correlation=correlation)  # fmt: skip
    few = on_lattice(points)
    assert few.n == pytest.approx([images] * 12)
    assert few.se == pytest.approx(0.0258 * np.sqrt(360 / few.n))


def test_points_of_untold_images_share_what_they_are_taken_to_share():
    count, shared = 900, 0.65
    cr, snr_db = np.repeat([0.05, 0.1, 0.2], 300), np.tile([0.0, 5.0, 10.0], 300)
    about = ("quality", "none", "higher", cr, snr_db, np.ones(count), np.full(count, 0.1))
    matrix = np.full((count, count), shared) + (1 - shared) * np.eye(count)
    told = on_lattice(Points(*about, image_correlation=matrix))
    taken = on_lattice(Points(*about), shared)
    assert taken.se == pytest.approx(told.se)
    assert taken.image_correlation == pytest.approx(told.image_correlation)
    assert on_lattice(Points(*about)).se == pytest.approx(np.full(9, 0.01))
