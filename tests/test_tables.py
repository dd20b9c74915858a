"""Tables: what is written is what is read, and every bad cell is named."""

import numpy as np
import pandas as pd
import pytest

import semloss
from semloss.errors import SemlossError
from semloss.selection import select
from semloss.tables import CELLS_COLUMNS, METRICS_COLUMNS, load_table, write_tables


def metric_row(cr=1 / 12, snr_db=4.0, metric="accuracy", task="clean", value=0.8, **more):
    row = {
        "cell": f"cr{cr:.4f}-{snr_db:g}dB", "source": "scenes", "codec": "deepjscc",
        "channel": "awgn", "cr": cr, "cr_nominal": cr, "train_snr_db": snr_db, "snr_db": snr_db,
        "seed": 0, "task": task, "metric": metric, "value": value, "sd": 0.4, "n": 400,
        "se": 0.02, "direction": "higher", "floor": 0.1, "ceiling": 0.9, "status": "ok",
    }  # fmt: skip
    return row | more


def grid_rows(**more):
    return [
        metric_row(cr, snr, value=0.3 + 0.02 * snr + cr, **more)
        for cr in (1 / 24, 1 / 12, 1 / 6)
        for snr in (0.0, 5.0, 10.0)
    ]


def csv(tmp_path, text, name="table.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_rows_in_any_order_give_the_same_csv_bytes(tmp_path):
    rows = grid_rows()
    cells = [{"cell": r["cell"], "cr": r["cr"], "seed": 0, "status": "ok"} for r in rows]
    write_tables(rows, cells, tmp_path / "a")
    write_tables(rows[::-1], cells[::-1], tmp_path / "b")
    for name in ("metrics.csv", "cells.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_columns_follow_the_schema_and_further_ones_come_last(tmp_path):
    write_tables(grid_rows(zulu=1, alpha=2), [{"cell": "a", "cr": 0.5}], tmp_path)
    assert list(pd.read_csv(tmp_path / "metrics.csv")) == [*METRICS_COLUMNS, "alpha", "zulu"]
    assert list(pd.read_parquet(tmp_path / "cells.parquet")) == list(CELLS_COLUMNS)


def test_csv_and_parquet_read_back_the_same_numbers_to_the_last_bit(tmp_path):
    rows = grid_rows(floor=None)
    write_tables(rows, [], tmp_path)
    from_parquet = semloss.load_table(tmp_path)
    from_csv = load_table(tmp_path / "metrics.csv")
    for column in ("cr", "snr_db", "value", "se", "floor"):
        np.testing.assert_array_equal(from_parquet[column], from_csv[column])
    assert sorted(from_parquet["value"]) == sorted(r["value"] for r in rows)


def test_a_foreign_table_needs_four_columns_and_may_write_ratios_as_fractions(tmp_path):
    text = "cr,snr_db,metric,value\n1/12,4,ssim,0.8\n\n0.25,8,ssim,0.9\n"
    table = load_table(csv(tmp_path, text))
    np.testing.assert_allclose(table["cr"], [1 / 12, 0.25])
    assert list(table.index) == [2, 4], "rows keep their number in the file, blank lines counted"


def test_foreign_column_names_can_be_mapped(tmp_path):
    path = csv(tmp_path, "rate,SNR,metric,psnr\n1/6,4,psnr_db,30\n")
    table = load_table(path, {"cr": "rate", "snr_db": "SNR", "value": "psnr"})
    assert table["value"].tolist() == [30.0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cr,snr_db,value\n1/6,4,30\n", "no column 'metric'"),
        ("cr,snr_db,metric,value\n1/6,4,psnr_db,30\n1/6,8,psnr_db,high\n", "row 3: value = 'high'"),
        ("cr,snr_db,metric,value\n1/6,4,psnr_db,nan\n", "row 2: value = nan is not finite"),
        ("cr,snr_db,metric,value\n1/6,4,psnr_db,\n", "row 2: value = '' is not a number"),
        ("cr,snr_db,metric,value\n1/6,4,psnr_db,inf\n", "row 2: value = inf is not finite"),
        ("cr,snr_db,metric,value\n1/6,4 dB,psnr_db,3\n", "row 2: snr_db = '4 dB'"),
        ("cr,snr_db,metric,value\n0,4,psnr_db,30\n", "row 2: cr = 0"),
        ("cr,snr_db,metric,value\n-1/6,4,psnr_db,30\n", "row 2: cr = -1/6"),
        ("cr,snr_db,metric,value\n12,4,psnr_db,30\n", "row 2: cr = 12"),
        ("cr,snr_db,metric,value\nsixth,4,psnr_db,30\n", "row 2: cr = 'sixth'"),
        ("cr,snr_db,metric,value\n", "no rows"),
        ("", "no CSV or parquet table"),
    ],
)
def test_a_bad_table_is_refused_in_one_line_that_names_row_and_content(tmp_path, text, says):
    with pytest.raises(SemlossError) as caught:
        load_table(csv(tmp_path, text))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unreadable_places_are_named(tmp_path):
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and then nothing")
    for path in (tmp_path / "none.csv", tmp_path, tmp_path / "cut.parquet"):
        with pytest.raises(SemlossError, match=path.name):
            load_table(path)


def test_a_diverged_cell_may_be_without_value_and_is_left_out_by_name(tmp_path):
    rows = [*grid_rows(), metric_row(0.5, 0.0, value=None, status="diverged", cell="lost")]
    write_tables(rows, [], tmp_path)
    for path in (tmp_path / "metrics.csv", tmp_path / "metrics.parquet"):
        points = select(load_table(path))
        assert len(points.value) == 9
        assert points.notes == ("left out as diverged: lost",)


def select_from(tmp_path, rows, *args, **kwargs):
    write_tables(rows, [], tmp_path)
    return select(load_table(tmp_path), *args, **kwargs)


def test_accuracy_of_the_clean_task_is_the_default_choice(tmp_path):
    rows = grid_rows() + grid_rows(task="matched") + grid_rows(metric="psnr_db", task="none")
    points = select_from(tmp_path, rows)
    assert (points.metric, points.task, points.direction) == ("accuracy", "clean", "higher")
    assert (points.floor, points.ceiling) == (0.1, 0.9)
    assert len(points.value) == 9


def test_an_image_metric_needs_no_task(tmp_path):
    rows = grid_rows() + grid_rows(metric="psnr_db", task="none")
    assert select_from(tmp_path, rows, "psnr_db").task == "none"
    assert select_from(tmp_path, rows, "psnr_db", "clean").task == "none"


@pytest.mark.parametrize(
    ("metric", "more", "says"),
    [
        ("ssim", {}, "no metric 'ssim'.*accuracy, psnr_db"),
        (None, {"task": "sorting"}, "no task 'sorting'.*clean"),
        (None, {"where": {"channel": "rayleigh"}}, "no channel 'rayleigh'.*awgn"),
        (None, {"where": {"colour": "red"}}, "the table has cell, source"),
    ],
)
def test_a_choice_that_matches_nothing_lists_what_there_is(tmp_path, metric, more, says):
    rows = grid_rows() + grid_rows(metric="psnr_db", task="none")
    with pytest.raises(SemlossError, match=says):
        select_from(tmp_path, rows, metric, **more)


def test_several_metrics_without_accuracy_must_be_chosen_from(tmp_path):
    rows = grid_rows(metric="ssim") + grid_rows(metric="psnr_db")
    with pytest.raises(SemlossError, match="choose --metric from psnr_db, ssim"):
        select_from(tmp_path, rows)


@pytest.mark.parametrize("column", ["source", "codec", "channel"])
def test_surfaces_of_different_links_are_never_mixed(tmp_path, column):
    rows = grid_rows() + grid_rows(**{column: "other"})
    with pytest.raises(SemlossError, match=f"several values of {column}"):
        select_from(tmp_path, rows)
    assert len(select_from(tmp_path, rows, where={column: "other"}).value) == 9


def test_mismatched_snr_rows_enter_only_when_asked(tmp_path):
    rows = [*grid_rows(), metric_row(snr_db=7.0, train_snr_db=0.0)]
    assert len(select_from(tmp_path, rows).value) == 9
    assert len(select_from(tmp_path, rows, mismatch=True).value) == 10


def test_percentages_are_not_taken_for_fractions(tmp_path):
    with pytest.raises(SemlossError, match=r"accuracy = 87 .*not percentages"):
        select_from(tmp_path, [metric_row(value=87.0)])


def test_accuracy_noise_is_binomial_and_never_zero(tmp_path):
    path = csv(tmp_path, "cr,snr_db,metric,value,n\n1/6,4,accuracy,0.5,400\n1/6,8,accuracy,1,400\n")
    noise = select(load_table(path)).se
    assert noise[0] == pytest.approx(0.025, rel=1e-3)
    assert 0 < noise[1] < 0.01


def test_other_noise_is_sd_over_root_n(tmp_path):
    path = csv(
        tmp_path, "cr,snr_db,metric,value,sd,n\n1/6,4,psnr_db,30,2,400\n1/6,8,psnr_db,32,2,\n"
    )
    np.testing.assert_allclose(select(load_table(path)).se, [0.1, 2.0])


def test_direction_comes_from_the_name_or_from_the_trend(tmp_path):
    for metric, values, direction in (
        ("lpips", (0.1, 0.3), "lower"),
        ("psnr_db", (30, 20), "higher"),
        ("word_error_rate", (0.9, 0.2), "lower"),
        ("bleu", (0.2, 0.9), "higher"),
    ):
        text = f"cr,snr_db,metric,value\n1/6,0,{metric},{values[0]}\n1/6,9,{metric},{values[1]}\n"
        assert select(load_table(csv(tmp_path, text))).direction == direction


def test_an_empty_optional_cell_of_a_nullable_parquet_column_is_allowed(tmp_path):
    frame = pd.DataFrame(
        {"cr": [0.1, 0.2], "snr_db": [0, 1], "metric": "m", "value": [1.0, 2.0], "sd": [0.1, None]}
    ).convert_dtypes()
    frame.to_parquet(tmp_path / "t.parquet")
    assert load_table(tmp_path / "t.parquet").sd.isna().tolist() == [False, True]
    frame.assign(value=pd.array([1.0, None])).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(SemlossError, match="row 2: value"):
        load_table(tmp_path / "t.parquet")
