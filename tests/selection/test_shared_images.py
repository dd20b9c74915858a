"""The luck that cells share by their test images: against truths that are simulated or known."""

import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm
from table_rows import grid_rows, metric_row

from semloss.errors import SemlossError
from semloss.outcomes import Outcomes, beside, key_of, write_outcomes
from semloss.selection import select, select_groups
from semloss.selection.measurement_noise import spread_between_seeds
from semloss.selection.shared_images import image_correlation
from semloss.tables import load_table, write_tables

KEPT = 0.98  # of a correlation, after shrinkage


def answers(rng, difficulty, levels, n):
    """Right or wrong (cells, n) by a latent normal, of which `difficulty` is the image's own."""
    own, shared = rng.normal(size=(len(levels), n)), rng.normal(size=n)
    latent = math.sqrt(difficulty) * shared + math.sqrt(1 - difficulty) * own
    return latent < np.asarray(levels)[:, None]


@pytest.mark.parametrize("difficulty", [0.0, 0.5, 0.9])
def test_the_correlation_of_answers_is_the_true_one(difficulty):
    """Tetrachoric truth: P(both right) is the bivariate normal's; error 1 / sqrt(n) at most."""
    levels, n = [-0.5, 0.3, 1.2], 20_000
    values = answers(np.random.default_rng(1), difficulty, levels, n).astype(float)
    found = image_correlation(values)
    p = norm.cdf(levels)
    for a in range(3):
        for b in range(a):
            both = multivariate_normal.cdf(
                [levels[a], levels[b]], cov=[[1, difficulty], [difficulty, 1]]
            )
            truth = (both - p[a] * p[b]) / math.sqrt(p[a] * (1 - p[a]) * p[b] * (1 - p[b]))
            assert found[a, b] == pytest.approx(KEPT * truth, abs=5 / math.sqrt(n))


def test_it_is_the_correlation_of_what_test_sets_do_to_two_values():
    """2,000 test sets drawn anew: their means correlate as the images of one set say."""
    rng, levels = np.random.default_rng(2), [-0.3, 0.8]
    sets = [answers(rng, 0.7, levels, 200).mean(axis=1) for _ in range(2_000)]
    seen = np.corrcoef(np.array(sets).T)[0, 1]
    told = image_correlation(answers(rng, 0.7, levels, 50_000).astype(float))[0, 1] / KEPT
    assert told == pytest.approx(seen, abs=5 * (1 / math.sqrt(2_000) + 1 / math.sqrt(50_000)))


def test_numbers_correlate_as_pearson_has_it():
    values = np.random.default_rng(3).normal(30, 3, (4, 50)).cumsum(axis=0)
    found = image_correlation(values)
    assert np.allclose(found - np.diag(np.diag(found)), KEPT * (np.corrcoef(values) - np.eye(4)))
    assert np.array_equal(np.diag(found), np.ones(4))


def test_units_and_directions_of_a_metric_do_not_matter():
    values = np.random.default_rng(4).normal(size=(3, 40))
    assert np.allclose(image_correlation(values), image_correlation(7 - 100 * values))


def test_cells_that_get_all_or_nothing_right_share_nothing():
    values = np.array([[1, 1, 1, 1], [0, 0, 0, 0], [1, 0, 1, 0], [1, 0, 1, 0]], dtype=float)
    found = image_correlation(values)
    assert np.array_equal(found[:2], np.eye(4)[:2])
    assert found[2, 3] == pytest.approx(KEPT)


@pytest.mark.parametrize("value", [0.1, 30.3, -1 / 3])
def test_what_rounding_leaves_of_equal_outcomes_is_no_correlation(value):
    for n in range(2, 60):
        values = np.repeat([[value], [value + 1e-3]], n, axis=1)
        assert np.array_equal(image_correlation(values), np.eye(2))


@pytest.mark.parametrize(("shared", "first", "second"), [(30, 30, 60), (20, 40, 50), (0, 9, 9)])
def test_of_images_that_only_some_were_measured_on_the_shared_ones_count(shared, first, second):
    """Equal outcomes on the shared images: cov = shared var / (first second) of the two means."""
    n, rng = first + second - shared, np.random.default_rng(5)
    outcome = rng.choice([-1.0, 1.0], n)
    found = np.zeros(2_000)
    for at in range(2_000):
        outcome = rng.choice([-1.0, 1.0], n)
        values = np.stack([outcome, outcome])
        values[0, first:] = np.nan
        values[1, : first - shared] = np.nan
        found[at] = image_correlation(values)[0, 1]
    truth = shared / math.sqrt(first * second)
    # deviations are from each set's own mean, which takes a share of 1 / n of them
    assert found.mean() / KEPT == pytest.approx(truth, abs=5 * found.std() / 44 + 1.2 / first)


def test_it_can_be_factored_however_few_images_there_are():
    values = np.random.default_rng(6).normal(size=(60, 5))
    values[10] = values[11]
    assert np.linalg.eigvalsh(image_correlation(values)).min() > 0.01


# ---------------------------------------------------------------- from a table and its outcomes


def measured(tmp_path, rows, values, name="metrics"):
    """A run's table with outcomes beside it, one row of `values` for each row of the table."""
    write_tables(rows, [], tmp_path)
    names = np.array([f"i{at}" for at in range(values.shape[1])])
    of = {key_of(row): one for row, one in zip(rows, values, strict=True)}
    write_outcomes(Outcomes(names, names, of), beside(tmp_path / f"{name}.csv"))
    return tmp_path


def nine(seed=0, n=300):
    levels = np.linspace(-0.5, 1.0, 9)
    return answers(np.random.default_rng(seed), 0.6, levels, n)


def test_points_know_what_their_images_share(tmp_path):
    values, rows = nine(), grid_rows()  # in the order in which a table has them
    measured(tmp_path, rows[::-1], values[::-1])
    for where in (tmp_path, tmp_path / "metrics.csv"):
        points = select(load_table(where))
        assert np.allclose(points.image_correlation, image_correlation(values.astype(float)))


def test_each_group_has_its_own(tmp_path):
    numbers = np.random.default_rng(7).normal(30, 1, (9, 300)).astype(np.float32)
    both = grid_rows() + grid_rows(metric="psnr_db", receiver="none")
    write_tables(both, [], tmp_path)
    names = np.array([f"i{at}" for at in range(300)])
    of = dict(zip(map(key_of, both), [*nine(), *numbers], strict=True))
    write_outcomes(Outcomes(names, names, of), beside(tmp_path / "metrics.csv"))
    groups, _ = select_groups(load_table(tmp_path))
    found = {points.metric: points.image_correlation for points in groups}
    assert np.abs(found["psnr_db"] - np.eye(9)).max() < 5 / math.sqrt(300)
    assert found["accuracy"][0, 1] > 0.2


def test_a_table_without_outcomes_says_nothing(tmp_path):
    write_tables(grid_rows(), [], tmp_path)
    points = select(load_table(tmp_path))
    assert points.image_correlation is None
    assert points.notes == ()


def test_outcomes_of_some_cells_only_are_named_and_not_used(tmp_path):
    measured(tmp_path, grid_rows()[:4], nine()[:4])
    write_tables(grid_rows(), [], tmp_path)
    points = select(load_table(tmp_path))
    assert points.image_correlation is None
    assert points.notes == (
        "outcomes of single images are there for 4 of 9 measurements, and so not used; "
        "semloss collect says how to have all",
    )


def test_outcomes_of_other_cells_are_none_of_these(tmp_path):
    others = [row | {"cell": f"other {row['cell']}"} for row in grid_rows()]
    measured(tmp_path, others, nine())
    write_tables(grid_rows(), [], tmp_path)
    points = select(load_table(tmp_path))
    assert (points.image_correlation, points.notes) == (None, ())


def test_damaged_outcomes_are_one_line_and_the_mend_works(tmp_path):
    measured(tmp_path, grid_rows(), nine())
    victim = tmp_path / "metrics.outcomes.npz"
    victim.write_bytes(victim.read_bytes()[:500])
    table = load_table(tmp_path)
    with pytest.raises(SemlossError, match="delete it: the table is read without"):
        select(table)
    victim.unlink()
    assert select(load_table(tmp_path)).image_correlation is None


def test_tables_of_several_runs_join_by_their_images(tmp_path):
    """The same images behind both files: a cell of one shares its luck with one of the other."""
    values = nine()
    for name, part in (("one", slice(0, 5)), ("two", slice(5, 9))):
        (tmp_path / name).mkdir()
        measured(tmp_path / name, grid_rows()[part], values[part])
    points = select(load_table([tmp_path / "one", tmp_path / "two"]))
    assert np.allclose(points.image_correlation, image_correlation(values.astype(float)))


def test_a_table_with_a_row_per_image_tells_it_by_itself(tmp_path):
    values = nine(n=80)
    lines = [
        f"{row['cr']},{row['snr_db']},accuracy,{int(right)},tile {at}"
        for row, one in zip(grid_rows(), values, strict=True)
        for at, right in enumerate(one)
    ]
    (tmp_path / "t.csv").write_text("\n".join(["cr,snr_db,metric,value,image", *lines]))
    points = select(load_table(tmp_path / "t.csv"))
    assert np.allclose(points.value, values.mean(axis=1))
    assert np.allclose(points.image_correlation, image_correlation(values.astype(float)))


# ---------------------------------------------------------------- seeds on the same images


def test_images_of_five_seeds_are_counted_once(tmp_path):
    """Five trainings that answer alike on 360 images know a cell as well as one does."""
    one = answers(np.random.default_rng(8), 0.5, [0.5], 360)[0]
    rows = [metric_row(cell=f"s{s}", seed=s, value=float(one.mean()), n=360) for s in range(5)]
    points = select(load_table(measured(tmp_path, rows, np.stack([one] * 5))))
    se, shared = points.se, points.image_correlation
    error_of_mean = math.sqrt(se @ shared @ se) / 5
    assert error_of_mean == pytest.approx(se[0], rel=0.01)  # and not se / sqrt(5)
    assert (points.n == 360).all()


def test_the_spread_between_seeds_is_what_the_images_do_not_make():
    """400 cells of three seeds with a spread of .03; images of .05 that they share by .8.

    Taken as independent, the images would hide most of the spread between seeds.
    """
    rng, cells, se, rho, sd = np.random.default_rng(9), 400, 0.05, 0.8, 0.03
    shared, own = rng.normal(size=cells), rng.normal(size=(cells, 3))
    images = se * (math.sqrt(rho) * shared[:, None] + math.sqrt(1 - rho) * own)
    value = (0.6 + images + sd * rng.normal(size=(cells, 3))).ravel()
    cell = np.repeat(np.arange(cells), 3)
    correlation = np.where(cell[:, None] == cell, rho, 0.0)
    np.fill_diagonal(correlation, 1.0)
    errors = np.full(3 * cells, se)
    found, dof = spread_between_seeds(value, errors, cell, correlation)
    between = sd**2 + se**2 * (1 - rho)
    error = math.sqrt(2 / dof) * between / (2 * sd)
    assert found == pytest.approx(sd, abs=5 * error)
    assert dof == 2 * cells
    assert spread_between_seeds(value, errors, cell, rho)[0] == pytest.approx(found)
    assert spread_between_seeds(value, errors, cell)[0] < sd - 5 * error
    independent = spread_between_seeds(value, errors, cell, np.eye(3 * cells))
    assert independent == pytest.approx(spread_between_seeds(value, errors, cell))
