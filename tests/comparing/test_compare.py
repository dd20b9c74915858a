"""Links side by side: what is paired with what, and what is said of it."""

import math

import numpy as np
import pytest
from table_rows import csv, grid_rows, metric_row

import semloss
from semloss.comparing import compare
from semloss.comparing.paired import paired, unpaired
from semloss.errors import SemlossError
from semloss.outcomes import Outcomes, beside, key_of, write_outcomes
from semloss.tables import load_table, write_tables

HITS = (0.0, 1.0)
N = 400


def run_in(folder, rows, values, images=range(N)):
    """A run's table with outcomes, of which the value and the error of each row are made."""
    folder.mkdir(exist_ok=True)
    told = []
    for row, one in zip(rows, values, strict=True):
        exact = one.astype(float)
        sd = float(exact.std(ddof=0 if one.dtype == bool else 1))
        told.append(row | {"value": float(exact.mean()), "sd": sd, "n": len(one),
                           "se": sd / math.sqrt(len(one))})  # fmt: skip
    write_tables(told, [], folder)
    names = np.array([f"tile {at}" for at in images])
    of = {key_of(row): one for row, one in zip(told, values, strict=True)}
    write_outcomes(Outcomes(names, names, of), beside(folder / "metrics.csv"))
    return folder


def hits(seed, levels, difficulty=0.8, n=N):
    """Answers (cells, n) to the same images, whose difficulty comes from a seed of their own."""
    shared = np.random.default_rng(0).normal(size=n)
    own = np.random.default_rng(seed).normal(size=(len(levels), n))
    return (
        math.sqrt(difficulty) * shared + math.sqrt(1 - difficulty) * own < np.array(levels)[:, None]
    )


LEVELS = np.linspace(-0.5, 1.0, 9)


@pytest.fixture
def two_runs(tmp_path):
    first = run_in(tmp_path / "first", grid_rows(), hits(1, LEVELS))
    second = run_in(tmp_path / "second", grid_rows(), hits(2, LEVELS + 0.3))
    return first, second


def test_two_runs_are_compared_cell_by_cell_on_the_same_images(two_runs):
    answer = compare(load_table([*two_runs]))
    (pair,) = answer.pairs
    assert answer.by == "table"
    assert (pair.base, pair.other, dict(pair.what)) == (
        "first", "second", {"metric": "accuracy", "receiver": "clean"}
    )  # fmt: skip
    first, second = hits(1, LEVELS).astype(float), hits(2, LEVELS + 0.3).astype(float)
    assert len(pair.cells) == 9
    for at, cell in enumerate(pair.cells):
        row = grid_rows()[at]
        assert (cell.cr, cell.snr_db, cell.images) == (row["cr"], row["snr_db"], N)
        assert cell.difference == pytest.approx(second[at].mean() - first[at].mean())
        assert cell.paired == paired(first[at], second[at], 0.95, HITS)
        assert cell.unpaired == unpaired(first[at], second[at], 0.95, HITS)
        assert cell.discordant.only_base == np.sum(first[at] > second[at])
        assert cell.discordant.only_other == np.sum(second[at] > first[at])
    # an image counts once in a mean over cells, however many cells it was sent in
    assert pair.mean.paired == paired(first.mean(0), second.mean(0), 0.95, HITS)
    assert (pair.mean.cells, pair.mean.cr, pair.mean.discordant) == (9, None, None)
    assert answer.warnings == ()


def test_the_pairing_makes_the_interval_of_a_difference_several_times_narrower(two_runs):
    """Images of lasting difficulty (correlation .8 of the latent), nine cells."""
    (pair,) = compare(load_table([*two_runs])).pairs
    assert pair.mean.unpaired.width / pair.mean.paired.width > 3
    assert pair.mean.side == 1
    assert pair.count(1) >= 7
    assert pair.count(-1) == 0


def test_swapped_the_difference_turns_its_sign(two_runs):
    table = load_table([*two_runs])
    there, back = compare(table), compare(table, "run", base="second")
    one, other = there.pairs[0], back.pairs[0]
    assert (other.base, other.other) == ("second", "first")
    for a, b in zip((*one.cells, one.mean), (*other.cells, other.mean), strict=True):
        assert (b.paired.low, b.paired.high) == pytest.approx((-a.paired.high, -a.paired.low))
    assert (other.count(1), other.count(-1)) == (one.count(-1), one.count(1))


def test_where_lower_is_better_a_fall_is(tmp_path):
    rows = grid_rows(metric="mse", receiver="none", direction="lower", floor=None, ceiling=None)
    rng = np.random.default_rng(5)
    first = rng.gamma(4, 1e-3, (9, N)).astype(np.float32)
    runs = [run_in(tmp_path / "a", rows, first), run_in(tmp_path / "b", rows, 0.8 * first)]
    (pair,) = compare(load_table(runs)).pairs
    assert pair.mean.difference < 0
    assert (pair.count(1), pair.count(-1)) == (9, 0)


def test_receivers_and_objectives_of_one_run(tmp_path):
    rows = [row | {"cell": f"{row['cell']} {objective}"}
            for objective in ("features", "mse") for receiver in ("clean", "matched")
            for row in grid_rows(objective=objective, receiver=receiver)]  # fmt: skip
    values = np.concatenate([hits(seed, LEVELS) for seed in range(4)])
    table = load_table(run_in(tmp_path / "run", rows, values))
    usual = compare(table)
    assert [(p.base, p.other, p.what["receiver"]) for p in usual.pairs] == [
        ("mse", "features", "clean"), ("mse", "features", "matched")
    ]  # fmt: skip
    asked = compare(table, "receiver")
    assert [(p.base, p.other, p.what["objective"]) for p in asked.pairs] == [
        ("clean", "matched", "features"), ("clean", "matched", "mse")
    ]  # fmt: skip
    assert len(compare(table, "receiver", where={"objective": "mse"}).pairs) == 1
    assert len(compare(table, receiver="matched", cr=1 / 12, snr_db=5.0).pairs[0].cells) == 1


def test_several_others_are_held_against_one(tmp_path):
    rows = [row | {"cell": f"{row['cell']} {label}"}
            for label in ("small", "large", "huge")
            for row in grid_rows(codec_label=label)]  # fmt: skip
    values = np.concatenate([hits(seed, LEVELS) for seed in range(3)])
    table = load_table(run_in(tmp_path / "run", rows, values))
    pairs = compare(table, "codec", base="small").pairs
    assert {(p.base, p.other) for p in pairs} == {("small", "large"), ("small", "huge")}


def test_seeds_are_averaged_image_by_image(tmp_path):
    """Five seeds on 400 images are 400 images: no interval shrinks by counting them again."""

    def seeded(name, level):
        rows = [metric_row(cell=f"{name} {seed}", seed=seed) for seed in range(5)]
        values = [hits(100 * level + seed, [0.4 + 0.2 * level])[0] for seed in range(5)]
        return run_in(tmp_path / name, rows, values), np.mean(values, axis=0)

    (one, first), (two, second) = seeded("a", 0), seeded("b", 1)
    five = compare(load_table([one, two])).pairs[0].cells[0]
    assert five.images == N
    assert five.difference == pytest.approx(second.mean() - first.mean())
    assert five.paired == paired(first, second, 0.95, HITS)
    assert five.unpaired == unpaired(first, second, 0.95, HITS)
    assert five.discordant is None  # no single answers any more


def test_better_is_said_by_the_paired_interval(tmp_path):
    """A small gain on every image, far below what images differ by."""
    rows = grid_rows(metric="psnr_db", receiver="none")
    first = np.random.default_rng(6).normal(30, 3, (9, N)).astype(np.float32)
    gain = np.random.default_rng(7).normal(0.05, 0.1, (9, N)).astype(np.float32)
    runs = [run_in(tmp_path / "a", rows, first), run_in(tmp_path / "b", rows, first + gain)]
    (pair,) = compare(load_table(runs)).pairs
    assert all(cell.unpaired.low < 0 < cell.unpaired.high for cell in pair.cells)
    assert pair.count(1) == 9


def test_on_images_that_only_some_share_the_shared_ones_are_compared(tmp_path):
    first = run_in(tmp_path / "a", grid_rows(), hits(1, LEVELS))
    second = run_in(tmp_path / "b", grid_rows(), hits(2, LEVELS), images=range(300, 300 + N))
    answer = compare(load_table([first, second]))
    cell = answer.pairs[0].cells[0]
    base, other = hits(1, LEVELS)[0][300:], hits(2, LEVELS)[0][:100]
    assert cell.images == 100
    assert cell.paired == paired(base.astype(float), other.astype(float), 0.95, HITS)
    assert answer.warnings == (
        "compared on the 100 images that both were measured on, as if those were all",
    )


@pytest.mark.parametrize("shared", [0, 1])
def test_on_different_images_there_is_no_pairing_and_it_is_said(tmp_path, shared):
    first = run_in(tmp_path / "a", grid_rows(), hits(1, LEVELS))
    others = range(N - shared, 2 * N - shared)
    second = run_in(tmp_path / "b", grid_rows(), hits(2, LEVELS), images=others)
    answer = compare(load_table([first, second]))
    cell = answer.pairs[0].cells[0]
    assert math.isnan(cell.paired.low)
    assert cell.images == 0
    middle = hits(2, LEVELS)[0].mean() - hits(1, LEVELS)[0].mean()
    assert (cell.unpaired.low + cell.unpaired.high) / 2 == pytest.approx(middle)
    assert answer.warnings == ("no paired intervals: the two were measured on different images",)
    assert answer.rows()[0]["paired_low"] is None


def test_a_table_without_outcomes_has_the_intervals_of_its_errors(tmp_path):
    text = "cr,snr_db,metric,method,value,n\n" + "".join(
        f"{cr},{snr},accuracy,{method},{value},400\n"
        for method, value in (("old", 0.7), ("new", 0.8))
        for cr in (0.1, 0.2) for snr in (0, 5)
    )  # fmt: skip
    answer = compare(load_table(csv(tmp_path, text)), "method")
    (pair,) = answer.pairs
    assert (pair.base, pair.other) == ("old", "new")
    smooth = [(400 * p + 1) / 402 for p in (0.7, 0.8)]
    reach = 1.959964 * math.sqrt(sum(p * (1 - p) / 400 for p in smooth))
    # the mean over cells too: cells on the same images do not average the images' luck out
    for one in (*pair.cells, pair.mean):
        assert (one.unpaired.low, one.unpaired.high) == pytest.approx((0.1 - reach, 0.1 + reach))
    assert answer.warnings == (
        "no paired intervals: no outcomes of single images are told for both",
    )


def test_a_table_with_a_row_per_image_is_paired_by_itself(tmp_path):
    values = {"old": hits(1, LEVELS, n=60), "new": hits(2, LEVELS, n=60)}
    lines = [f"{row['cr']},{row['snr_db']},accuracy,{method},{int(right)},tile {at}"
             for method, cells in values.items()
             for row, one in zip(grid_rows(), cells, strict=True)
             for at, right in enumerate(one)]  # fmt: skip
    text = "\n".join(["cr,snr_db,metric,method,value,image", *lines])
    (pair,) = compare(load_table(csv(tmp_path, text)), "method").pairs
    for at, cell in enumerate(pair.cells):
        base, other = (values[name][at].astype(float) for name in ("old", "new"))
        assert cell.paired == paired(base, other, 0.95, HITS)


def test_a_function_of_hits_has_the_interval_of_hits(tmp_path):
    """The semantic loss of equal answers is no surer than their accuracy."""
    rows = [metric_row(metric="semantic_loss", direction="lower", floor=None, ceiling=None)]
    lost = [((0.9 - one) / 0.9).astype(np.float32) for one in hits(1, [0.5])]
    runs = [run_in(tmp_path / name, rows, lost) for name in ("a", "b")]
    cell = compare(load_table(runs)).pairs[0].cells[0]
    right = hits(1, [0.5])[0].astype(float)
    assert cell.paired.high == pytest.approx(paired(right, right, 0.95, HITS).high / 0.9, rel=1e-5)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "nothing to compare: one run, objective, codec, channel and receiver; give a second "
             "RUN, or name a column with several values by --by"),
        ({"by": "objective"}, "--by objective: all rows that are asked for have mse; nothing to "
                              "compare"),
        ({"by": "colour"}, "--by colour: the table has cell, source"),
        ({"by": "codek"}, "--by codek: did you mean codec?"),
        ({"by": "chanel"}, "--by chanel: did you mean channel?"),
        ({"by": "run"}, "--by run: give two runs"),
        ({"by": "cr"}, "--by cr: it tells no links apart; choose another column"),
        ({"metric": "lpips"}, "the table has no metric 'lpips'; choose --metric from accuracy"),
        ({"receiver": "deaf"}, "the table has no receiver 'deaf'; choose --receiver from clean"),
        ({"cr": 0.2}, "--cr 1/5 is not measured; there are 1/24, 1/12, 1/6"),
        ({"snr_db": 3.0}, "--snr-db 3 is not measured; there are 0, 5, 10"),
        ({"level": 1.0}, "level = 1: give the level of the intervals in (0, 1)"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_one_line_with_the_mend(tmp_path, asked, told):
    write_tables(grid_rows(), [], tmp_path)
    with pytest.raises(SemlossError) as caught:
        compare(load_table(tmp_path), **asked)
    assert str(caught.value).startswith(told)


def test_a_base_that_is_not_there_and_cells_that_do_not_meet(two_runs, tmp_path):
    table = load_table([*two_runs])
    with pytest.raises(SemlossError, match="no table 'third'; choose --base from first, second"):
        compare(table, base="third")
    low = run_in(tmp_path / "low", grid_rows()[:3], hits(1, LEVELS[:3]))
    high = run_in(tmp_path / "high", grid_rows()[3:], hits(1, LEVELS[3:]))
    with pytest.raises(SemlossError, match="no metric is measured at one CR and SNR for low, high"):
        compare(load_table([low, high]))


def test_cells_of_one_side_only_are_counted_and_left_out(two_runs, tmp_path):
    few = run_in(tmp_path / "few", grid_rows()[:4], hits(3, LEVELS[:4]))
    for runs, names in (
        ([two_runs[0], few], "first and few"),
        ([few, two_runs[0]], "few and first"),
    ):
        answer = compare(load_table(runs))
        assert len(answer.pairs[0].cells) == 4
        said = f"accuracy: 5 cells are measured for one of {names} only"
        assert answer.warnings == (said,)


def test_it_is_there_in_python_and_tells_rows_json_and_text(two_runs):
    answer = semloss.compare(semloss.load_table([*two_runs]))
    rows = answer.rows()
    assert len(rows) == 10
    assert rows[-1]["cr"] is None
    told = answer.to_dict()["pairs"][0]
    assert told["cells"] == [{k: row[k] for k in told["cells"][0]} for row in rows[:-1]]
    assert told["mean"]["difference"] == rows[-1]["difference"]
    text = answer.text().splitlines()
    gain = answer.pairs[0].mean.difference
    start = f"accuracy (clean): second less first is {gain:+.3f} on average over 9 cells, the same"
    assert text[0] == f"{start} {N} images"
    assert text[1].startswith("95 % interval: paired +0.0")
    assert text[1].endswith(" times as wide")
    assert text[2].startswith("second is better beyond its interval in ")
    assert text[3].startswith("assumed    intervals 95 % for each difference by itself")
    assert text[4].split()[:6] == ["CR", "SNR", "dB", "first", "second", "difference"]
    assert text[4].endswith("95 %, unpaired  only first  only second")
    assert len(text) == 5 + 9
