"""What a person reads of a choice that cannot be made, and of one that is odd: whole lines."""

import pytest
from table_rows import csv, grid_rows, metric_row

from semloss.errors import SemlossError
from semloss.selection import select, select_groups
from semloss.tables import load_table, write_tables

HEAD = "cr,snr_db,metric,value"


def table_of(tmp_path, rows):
    write_tables(rows, [], tmp_path)
    return load_table(tmp_path)


def told_of(act, *args, **kwargs):
    with pytest.raises(SemlossError) as caught:
        act(*args, **kwargs)
    return str(caught.value)


PERCENT = "write fractions, not percentages: --columns"


@pytest.mark.parametrize(
    ("metric", "more", "told"),
    [
        ("accuracy", {"value": 87.0},
         f"accuracy = 87 lies outside [0, 1]; {PERCENT} value=COLUMN/100"),
        ("accuracy", {"value": 101.0},
         "accuracy = 101 lies outside [0, 1]; correct or remove the row"),
        ("accuracy", {"value": -0.1},
         "accuracy = -0.1 lies outside [0, 1]; correct or remove the row"),
        ("accuracy", {"floor": 10.0},
         f"floor of accuracy = 10 lies outside [0, 1]; {PERCENT} floor=COLUMN/100"),
        ("accuracy", {"ceiling": 93.0},
         f"ceiling of accuracy = 93 lies outside [0, 1]; {PERCENT} ceiling=COLUMN/100"),
        ("accuracy", {"sd": 40.0},
         f"sd = 40 is beyond what accuracy can spread; {PERCENT} sd=COLUMN/100"),
        ("accuracy", {"se": 1.5},
         f"se = 1.5 is beyond what accuracy can spread; {PERCENT} se=COLUMN/100"),
        ("lpips", {"value": -0.2},
         "lpips = -0.2 lies outside [0, inf]; correct or remove the row"),
    ],
)  # fmt: skip
def test_what_a_metric_cannot_be_is_told_in_this_line(tmp_path, metric, more, told):
    rows = [metric_row(metric=metric, **({"sd": 0.1} | more))]
    assert told_of(select, table_of(tmp_path, rows)) == f"row 1: {told}"


def test_the_ends_of_a_metric_are_taken(tmp_path):
    for value in (0.0, 1.0):
        rows = [metric_row(value=value, sd=1.0, se=1.0, floor=None, ceiling=None)]
        assert select(table_of(tmp_path, rows)).value.tolist() == [value]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"floor": 0.9, "ceiling": 0.1},
         "floor 0.9 and ceiling 0.1 contradict direction higher: the floor is the value when "
         "nothing gets through"),
        ({"floor": 0.5, "ceiling": 0.5},
         "floor 0.5 and ceiling 0.5 contradict direction higher: the floor is the value when "
         "nothing gets through"),
        ({"floor": 0.85, "value": 0.6, "n": None, "sd": 0, "se": 0},
         "floor 0.85: most values are worse (median 0.6), but the floor is the value when nothing "
         "gets through, e.g. 1/classes; correct it or leave the column out"),
    ],
)  # fmt: skip
def test_levels_that_contradict_are_told_in_this_line(tmp_path, more, told):
    assert told_of(select, table_of(tmp_path, [metric_row(**more)])) == told


@pytest.mark.parametrize(
    ("metric", "choice", "told"),
    [
        ("ssim", {}, "the table has no metric 'ssim'; choose --metric from accuracy, psnr_db"),
        (None, {"receiver": "sorting"},
         "the table has no receiver 'sorting'; choose --receiver from clean"),
        (None, {"task": "u-net"}, "the table has no task 'u-net'; choose --task from resnet8"),
        (None, {"where": {"channel": "rayleigh"}},
         "the table has no channel 'rayleigh'; choose --where channel from awgn"),
        (None, {"where": {"snr_db": "6"}},
         "the table has no snr_db '6'; choose --where snr_db from 0, 5, 10"),
    ],
)  # fmt: skip
def test_a_choice_that_matches_nothing_is_told_in_this_line(tmp_path, metric, choice, told):
    rows = grid_rows() + grid_rows(metric="psnr_db", receiver="none")
    assert told_of(select, table_of(tmp_path, rows), metric, **choice) == told


def test_a_choice_that_is_open_is_told_in_this_line(tmp_path):
    for rows, told in (
        (grid_rows(metric="ssim") + grid_rows(metric="psnr_db"),
         "the table holds several metrics: choose --metric from psnr_db, ssim, or fit each with "
         "--group-by metric"),
        (grid_rows(task="resnet8") + grid_rows(task="segment"),
         "the table holds several values of task (resnet8, segment); choose one with --task, or "
         "fit each with --group-by task"),
        (grid_rows() + grid_rows(channel="rayleigh"),
         "the table holds several values of channel (awgn, rayleigh); choose one with --where "
         "channel=…, or fit each with --group-by channel"),
        (grid_rows(status="diverged"),
         "no usable row of accuracy is left (diverged or mismatched SNR only)"),
    ):  # fmt: skip
        assert told_of(select, table_of(tmp_path, rows)) == told


def test_a_receiver_that_nobody_asked_for_is_named_with_the_others(tmp_path):
    rows = grid_rows() + grid_rows(receiver="matched")
    table = table_of(tmp_path, rows)
    assert select(table).notes == ("fitting receiver=clean; also there: matched",)
    assert select(table, receiver="clean").notes == ()


ONE_CELL = "rows {} and {} are one cell (CR 1/6, {} dB, m, seed 0): "


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{HEAD}\n1/6,0,m,1\n1/6,4,m,2\n\n1/6,4,m,3\n",
         ONE_CELL.format(3, 5, 4) + "remove one, or name replicates by a column seed (images, by a "
         "column image)"),
        (f"{HEAD},run\n1/6,0,m,1,1\n1/6,0,m,2,2\n1/6,4,m,3,1\n1/6,4,m,4,2\n",
         ONE_CELL.format(2, 3, 0) + "if run counts replicates, say --columns seed=run"),
        # of two columns that tell, the first in the table
        (f"{HEAD},sea,area\n1/6,0,m,1,a,x\n1/6,0,m,2,b,y\n1/6,4,m,3,a,x\n1/6,4,m,4,b,y\n",
         ONE_CELL.format(2, 3, 0) + "sea tells them apart: choose one with --where sea=…, or fit "
         "each with --group-by sea (replicates are named by a column seed)"),
    ],
)  # fmt: skip
def test_one_cell_twice_is_told_in_this_line(tmp_path, text, told):
    assert told_of(select, load_table(csv(tmp_path, text))) == told


def test_what_is_odd_is_told_in_these_lines(tmp_path):
    rows = [r | {"dataset": "sea" if r["cr"] < 0.1 else "land", "epoch": 1 + (r["cr"] < 0.1)}
            for r in grid_rows()]  # fmt: skip
    assert select(table_of(tmp_path, rows)).notes == (
        "dataset has several values (land, sea), fitted as one surface; --group-by dataset "
        "separates them",
    )
    rows = [r | {"value": 0.9 - 0.03 * r["snr_db"]} for r in grid_rows()]
    assert select(table_of(tmp_path, rows)).notes == (
        "values get worse as snr_db rises (higher is better): is it an SNR, and not a noise level?",
    )
    # power beside the own channel may rise with the SNR that a codec is trained at
    rows = [r | {"metric": "acpr_dbc", "direction": "lower", "floor": "", "ceiling": "",
                 "value": -30 + 0.1 * r["snr_db"]}
            for r in grid_rows()]  # fmt: skip
    assert select(table_of(tmp_path, rows)).notes == ()
    rows = [r | {"ceiling": 0.2} for r in grid_rows()]
    assert select(table_of(tmp_path, rows)).notes == (
        "most values are better than the ceiling 0.2: is it the value on clean data?",
    )


@pytest.mark.parametrize(
    ("by", "more", "told"),
    [
        (("metric", "snr_db"), {},
         "--group-by snr_db: a surface spans it; choose another column"),
        ((), {}, "--group-by: name a column of the table, e.g. metric"),
        (("metric", "receiver"), {"receiver": "sorting", "metric": "accuracy"},
         "the table has no receiver 'sorting'; choose --receiver from clean"),
        (("metric", "receiver"), {"task": "u-net", "metric": "accuracy"},
         "the table has no task 'u-net'; choose --task from resnet8"),
    ],
)  # fmt: skip
def test_groups_that_do_not_exist_are_told_in_this_line(tmp_path, by, more, told):
    assert told_of(select_groups, table_of(tmp_path, grid_rows()), by, **more) == told


def test_a_group_left_out_is_told_with_the_reason(tmp_path):
    lost = grid_rows(codec="thin", status="diverged")
    _, skipped = select_groups(table_of(tmp_path, [*grid_rows(), *lost]), ("codec",))
    assert skipped == ("left out codec thin: no usable row (diverged or mismatched SNR only)",)
    few = [r for r in grid_rows(codec="thin") if r["snr_db"] == 5]
    _, skipped = select_groups(table_of(tmp_path, [*grid_rows(), *few]), ("codec", "receiver"))
    assert skipped == ("left out codec thin, receiver clean: 3 points only, and a curve needs 4",)


def test_what_follows_from_an_accuracy_has_its_slope_and_its_group(tmp_path):
    loss = [r | {"metric": "semantic_loss", "value": 1 - r["value"] / 0.9, "direction": "lower",
                 "floor": None, "ceiling": None} for r in grid_rows()]  # fmt: skip
    table = table_of(tmp_path, [*grid_rows(), *loss])
    points = select(table, "semantic_loss")
    assert points.notes == ("semantic_loss is a function of accuracy: its fit follows from it",)
    follows = points.follows
    assert (follows.slope, follows.offset) == pytest.approx((-1 / 0.9, 1.0))
    assert follows.points.metric == "accuracy"
    assert follows.points.group == {"metric": "accuracy", "receiver": "clean"}
    assert follows.points.value == pytest.approx(0.9 * (1 - points.value))
    (alone,), _ = select_groups(table, ("codec",), "semantic_loss")
    assert alone.follows.points.group == {"codec": "deepjscc"}
    # what is no function of it, or one that turns better into worse, does not follow
    bent = [r | {"value": r["value"] ** 2} for r in loss]
    assert select(table_of(tmp_path, [*grid_rows(), *bent]), "semantic_loss").follows is None
    turned = [r | {"value": 1 - r["value"]} for r in loss]
    assert select(table_of(tmp_path, [*grid_rows(), *turned]), "semantic_loss").follows is None
