"""Tables: what is written is what is read, and every bad cell is named."""

from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from table_rows import csv, grid_rows, metric_row

import semloss
from semloss.errors import SemlossError
from semloss.selection import select
from semloss.tables import (
    CELLS_COLUMNS,
    METRICS_COLUMNS,
    load_table,
    parse_columns,
    write_tables,
)
from semloss.tables.naming import metric_name
from semloss.tables.snr import doubt_about_snr, refuse_linear_snr


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
        ("", "no CSV or parquet table: it is empty"),
        ("\n\n", "no CSV or parquet table: it is empty"),
        ("\n1/6,4,psnr_db,30\n", "row 1 is blank"),
        ("cr,snr_db,metric,value\n1/6,4,,30\n", "row 2: metric is blank"),
        ("cr,snr_db,metric,value\n1/6,4,a,.8 ± ?\n", "or two columns, value and se"),
        ("cr,snr_db,metric,value\n1/6,4,accuracy,8x%\n", "row 2: value = '8x%'"),
        ('[{"cr": 0.5,', "no whole JSON list"),
        ("[1, 2]", "a JSON table is a list of objects"),
        ("cr,snr_db,metric,value,sd\n1/6,4,a,1,-2\n", "row 2: sd = -2 is negative"),
        ("cr,snr_db,metric,value,n\n1/6,4,a,1,many\n", "row 2: n = 'many' is not a number"),
        ("cr,snr_db,metric,value,n\n1/6,4,a,1,0\n", "row 2: n = 0 is no number of test images"),
        ("cr,snr_db,metric,value,n\n1/6,4,a,1,0.5\n", "row 2: n = 0.5 is no number of test"),
        ('cr,snr_db,metric,value\n"0,5",4,a,1\n', "write a decimal point, not a comma"),
        ("cr,snr_db,metric,value\n0,5,4,a,1\n", "row 2 has 5 fields where the header names 4"),
        ("cr;snr_db;metric;value\n0,5;4;a;1\n", "columns are separated by semicolons"),
        ("cr\tsnr_db\tmetric\tvalue\n.5\t4\ta\t1\n", "columns are separated by tabs"),
        ("cr,cr,snr_db,metric,value\n.5,.5,4,a,1\n", "two columns are called 'cr'"),
        ('cr,snr_db,metric,value\n.5,4,"a,1\n', "EOF inside string"),
        ("cr,snr_db,metric,value\nnan,4,psnr_db,30\n", "row 2: cr = 'nan'"),
        ("cr,snr_db,metric,value\ninf,4,psnr_db,30\n", "row 2: cr = 'inf'"),
        ("cr,snr_db,metric,value\n,4,psnr_db,30\n", "row 2: cr = ''"),
        ('{"cr": 0.5,\n "snr_db": 4}', "a JSON table is a list of objects"),
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


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (bytes(range(256)) * 4, "byte 128 is no UTF-8 text"),
        (b"cr,snr\0db\n", "it is binary"),
        (b"PK\x03\x04rest", "a workbook or an archive; save the sheet as CSV"),
        (b"\x1f\x8brest", "packed with gzip"),
        ("cr,snr_db,metric,value\n1/6,4,a,1\n".encode("utf-16"), "in UTF-16"),
        ("cr,snr_db,métrique,value\n".encode("latin-1"), "no UTF-8 text"),
    ],
)
def test_what_is_no_text_is_said_to_be_what_it_is(tmp_path, content, says):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(SemlossError, match=says) as caught:
        load_table(tmp_path / "t.csv")
    assert "\n" not in str(caught.value)


@pytest.fixture
def parquet(tmp_path):
    path = tmp_path / "t.parquet"
    frame = pd.DataFrame({"cr": [0.1, 0.2], "snr_db": [0, 1], "metric": "m", "value": [1.0, 2.0]})
    frame.set_index(["cr", "snr_db"]).to_parquet(path)
    return path


def test_a_parquet_is_known_by_its_content_and_its_index_holds_columns_too(parquet):
    expected = load_table(parquet)
    assert expected["cr"].tolist() == [0.1, 0.2]
    parquet.rename(parquet.with_suffix(".csv"))
    pd.testing.assert_frame_equal(load_table(parquet.with_suffix(".csv")), expected)


def test_a_parquet_that_is_cut_short_or_damaged_or_none_is_named_in_one_line(parquet):
    whole = parquet.read_bytes()
    for content, says in ((whole[:-50], "cut short"), (b"cr,snr_db\n", "is no parquet file")):
        parquet.write_bytes(content)
        with pytest.raises(SemlossError, match=f"t.parquet.*{says}"):
            load_table(parquet)
    rng = np.random.default_rng(0)
    intact = 0
    for _ in range(100):
        damaged = bytearray(whole)
        for at in rng.integers(4, len(whole) - 8, 20):
            damaged[at] = rng.integers(256)
        parquet.write_bytes(damaged)
        with suppress(SemlossError):  # never anything else
            load_table(parquet)
            intact += 1
    assert intact < 50


def test_cells_of_a_parquet_that_hold_no_number_are_named(tmp_path):
    for cr in ([[1, 2]], pd.to_datetime(["2020-01-01"]), [b"x"]):
        frame = pd.DataFrame({"cr": cr, "snr_db": [0], "metric": "m", "value": [1.0]})
        frame.to_parquet(tmp_path / "t.parquet")
        with pytest.raises(SemlossError, match=r"row 1: cr = .* is not a number"):
            load_table(tmp_path / "t.parquet")


def test_a_diverged_cell_may_be_without_value_and_is_left_out_by_name(tmp_path):
    rows = [*grid_rows(), metric_row(0.5, 0.0, value=None, status="diverged", cell="lost")]
    write_tables(rows, [], tmp_path)
    for path in (tmp_path / "metrics.csv", tmp_path / "metrics.parquet"):
        points = select(load_table(path))
        assert len(points.value) == 9
        assert points.notes == ("left out as diverged: lost",)


def test_an_empty_optional_cell_of_a_nullable_parquet_column_is_allowed(tmp_path):
    frame = pd.DataFrame(
        {"cr": [0.1, 0.2], "snr_db": [0, 1], "metric": "m", "value": [1.0, 2.0], "sd": [0.1, None]}
    ).convert_dtypes()
    frame.to_parquet(tmp_path / "t.parquet")
    assert load_table(tmp_path / "t.parquet").sd.isna().tolist() == [False, True]
    frame.assign(value=pd.array([1.0, None])).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(SemlossError, match="row 2: value"):
        load_table(tmp_path / "t.parquet")


# ---------------------------------------------------------------- tables of other origin


def test_foreign_column_names_can_be_mapped(tmp_path):
    path = csv(tmp_path, "rate,SNR,metric,psnr\n1/6,4,psnr_db,30\n")
    table = load_table(path, {"cr": "rate", "snr_db": "SNR", "value": "psnr"})
    assert table["value"].tolist() == [30.0]


@pytest.mark.parametrize(
    ("choices", "columns"),
    [
        (["snr_db=SNR,value=psnr"], {"snr_db": "SNR", "value": "psnr"}),
        (["snr_db=SNR", " cr = M/32 "], {"snr_db": "SNR", "cr": "M/32"}),
        (["snr_db=SNR, dB,cr=k/n"], {"snr_db": "SNR, dB", "cr": "k/n"}),
        (["value=PSNR,SSIM,cr=r", "value=acc/100"], {"value": "PSNR,SSIM,acc/100", "cr": "r"}),
        ([], {}),
    ],
)
def test_the_command_line_writes_mappings_with_commas_or_one_by_one(choices, columns):
    assert parse_columns(choices) == columns


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        ("snr_db", "write OURS=THEIRS"),
        ("snr_db=", "write OURS=THEIRS"),
        ("=SNR", "write OURS=THEIRS"),
        ("snr=SNR", "no column of ours; did you mean snr_db"),
        ("zzz=SNR", "no column of ours; known are cell, source"),
        ("cr=a,cr=b", "mapped twice"),
    ],
)
def test_a_mapping_that_is_none_is_refused(choice, says):
    with pytest.raises(SemlossError, match=says):
        parse_columns([choice])


FOREIGN = "k/n,M,SNR (dB),lin,acc,ratio,n\n0.25,768,3,2,80,4,100\n0.125,384,6,4,90,8,100\n"


@pytest.mark.parametrize(
    ("ours", "theirs", "numbers"),
    [
        ("cr", "k/n", [0.25, 0.125]),  # the full name, not one column over another
        ("cr", "M/3072", [0.25, 0.125]),
        ("cr", "1/ratio", [0.25, 0.125]),
        ("cr", "M / 3072", [0.25, 0.125]),
        ("cr", "ratio/lin", None),  # 2: no CR
        ("value", "acc/100", [0.8, 0.9]),
        ("value", "acc*1e-2", [0.8, 0.9]),
        ("value", "100-acc", [20.0, 10.0]),
        ("value", "acc/n", [0.8, 0.9]),
        ("snr_db", "SNR (dB)+3.01", [6.01, 9.01]),
        ("snr_db", "dB(lin)", [3.0103, 6.0206]),
    ],
)
def test_a_mapping_may_convert_units(tmp_path, ours, theirs, numbers):
    columns = {"cr": "k/n", "snr_db": "SNR (dB)", "value": "acc"} | {ours: theirs}
    path = csv(tmp_path, FOREIGN)
    if numbers is None:
        with pytest.raises(SemlossError, match="row 2: cr = 2"):
            load_table(path, columns)
    else:
        np.testing.assert_allclose(load_table(path, columns)[ours], numbers, rtol=1e-5)


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"snr_db": "SNR"}, "no column 'SNR'; did you mean snr_db"),
        ({"value": "psnr/ten"}, "no column 'psnr/ten'; this table has rate, snr_db, words, zero"),
        ({"value": "words*2"}, "row 2: words = 'five' is not a number"),
        ({"value": "rate/zero"}, "row 2: value = inf is not finite"),
        ({"snr_db": "dB(zero)"}, "row 2: zero = 0 is no linear SNR"),
        ({"value": "rate,zero", "metric": "words"}, "holds for one metric"),
    ],
)
def test_a_mapping_that_leads_nowhere_is_refused(tmp_path, columns, says):
    path = csv(tmp_path, "rate,snr_db,words,zero\n0.5,3,five,0\n")
    with pytest.raises(SemlossError, match=says):
        load_table(path, {"cr": "rate", "value": "rate"} | columns)


def test_without_a_metric_column_the_mapped_one_names_it(tmp_path):
    path = csv(tmp_path, "cr,snr_db,MS-SSIM,n\n1/6,4,0.9,50\n")
    assert load_table(path, {"value": "MS-SSIM"})["metric"].tolist() == ["ms_ssim"]


@pytest.mark.parametrize(
    ("spelt", "name"),
    [
        ("PSNR", "psnr_db"), ("psnr", "psnr_db"), ("psnr_db", "psnr_db"), ("PSNR [dB]", "psnr_db"),
        ("acc", "accuracy"), ("accuracy", "accuracy"), ("Acc (%)", "accuracy"),
        ("Top-1", "accuracy"), ("MS-SSIM", "ms_ssim"), ("msssim", "ms_ssim"), ("SSIM", "ssim"),
        ("ms_ssim_3", "ms_ssim_3"), ("LPIPS", "lpips"), ("Macro F1", "macro_f1"),
        ("word-error rate", "word_error_rate"), ("%", "value"),
    ],
)  # fmt: skip
def test_a_metric_has_one_name_however_it_is_spelt(spelt, name):
    assert metric_name(spelt) == name


def test_known_metrics_of_a_metric_column_get_their_name_and_others_keep_theirs(tmp_path):
    text = "cr,snr_db,metric,value\n1/6,4,Acc,0.9\n1/6,4,Odd Score,7\n"
    table = load_table(csv(tmp_path, text))
    assert table["metric"].tolist() == ["accuracy", "Odd Score"]


def test_one_column_per_metric_becomes_rows_of_each(tmp_path):
    text = "CR,SNR,PSNR,acc,n,sd\n1/6,4,30,80,50,1\n1/6,8,32,90,50,1\n"
    columns = parse_columns(["cr=CR,snr_db=SNR,value=PSNR,acc/100"])
    table = load_table(csv(tmp_path, text), columns)
    assert table["metric"].tolist() == ["psnr_db", "psnr_db", "accuracy", "accuracy"]
    np.testing.assert_allclose(table["value"], [30, 32, 0.8, 0.9])
    assert list(table.index) == [2, 3, 2, 3]
    assert "sd" not in table, "a spread is that of one metric"


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (
            "SNR,CR,PSNR",
            "no column 'snr_db', 'cr' or 'value'; this table has SNR, CR, PSNR: "
            "say --columns snr_db=SNR,cr=CR,value=PSNR",
        ),
        ("snr,k/n,psnr,acc (%)", "say --columns 'snr_db=snr,cr=k/n,value=psnr,acc (%)/100'"),
        ("EsN0_dB,ratio,metric,score", "say --columns snr_db=EsN0_dB,cr=ratio,value=score"),
        ("Es/N0 (dB),x,psnr", "say --columns 'snr_db=Es/N0 (dB),cr=COLUMN,value=psnr'"),
        ("a,b", "name the columns with --columns snr_db=COLUMN,cr=COLUMN,value=COLUMN"),
        ("cr,snr_db,value", "e.g. NAME = psnr_db, with --columns metric=NAME"),
        (
            "CR,0 dB,4 dB",
            "this table has CR, 0 dB, 4 dB: name what the values are, e.g. NAME = "
            "psnr_db, with --columns cr=CR,metric=NAME",
        ),
    ],
)
def test_the_message_for_a_missing_column_suggests_the_mapping(tmp_path, header, says):
    row = ",".join("1" for _ in header.split(","))
    with pytest.raises(SemlossError) as caught:
        load_table(csv(tmp_path, f"{header}\n{row}\n"))
    assert says in str(caught.value)


def test_the_suggested_mapping_works(tmp_path):
    path = csv(tmp_path, "snr,k/n,PSNR,acc (%)\n4,1/6,30,80\n")
    with pytest.raises(SemlossError) as caught:
        load_table(path)
    mapping = str(caught.value).partition("--columns ")[2].strip("'")
    assert load_table(path, parse_columns([mapping]))["value"].tolist() == [30.0, 0.8]


NAMES = st.text("abXY /-+*(%).01", min_size=1, max_size=6).map(lambda text: f"c{text}d")


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_table_written_with_other_names_and_units_gives_the_same_points(tmp_path_factory, data):
    counts = st.lists(st.integers(1, 1000), min_size=1, max_size=4, unique=True)
    crs = 1 / np.array(data.draw(counts))
    snrs = np.array(data.draw(counts)) / 30 - 7.7
    cr, snr_db = (a.ravel() for a in np.meshgrid(crs, [*snrs, -30.0]))
    value = np.random.default_rng(len(crs)).uniform(0, 1, cr.size)
    ours = pd.DataFrame({"cr": cr, "snr_db": snr_db, "metric": "accuracy", "value": value})
    ours["n"] = 200
    names = data.draw(st.lists(NAMES, min_size=5, max_size=5, unique=True))
    name = dict(zip(ours, names, strict=True))
    samples = data.draw(st.sampled_from([1.0, 3072.0, 12288.0]))
    units = {
        "cr": data.draw(st.sampled_from([("/", samples, cr * samples), ("inverse", 1, 1 / cr)])),
        "snr_db": data.draw(st.sampled_from([("", 0, snr_db), ("dB", 0, 10 ** (snr_db / 10)),
                                             ("+", 3.0, snr_db - 3.0)])),
        "value": data.draw(st.sampled_from([("", 0, value), ("/", 100.0, 100 * value)])),
    }  # fmt: skip
    theirs, columns = ours.copy(), {"metric": name["metric"], "n": name["n"]}
    for column, (kind, number, written) in units.items():
        theirs[column], it = written, name[column]
        columns[column] = {"": it, "dB": f"dB({it})", "inverse": f"1/{it}"}.get(
            kind, f"{it}{kind}{number}"
        )
    folder = tmp_path_factory.mktemp("mapped")
    ours.to_csv(folder / "ours.csv", index=False)
    theirs.rename(columns=name).to_csv(folder / "theirs.csv", index=False)
    choices = [f"{a}={b}" for a, b in columns.items()]
    expected = select(load_table(folder / "ours.csv"))
    mapped = select(load_table(folder / "theirs.csv", parse_columns(choices)))
    for array in ("cr", "snr_db", "value", "se", "n", "seed", "rows"):
        np.testing.assert_allclose(getattr(mapped, array), getattr(expected, array), atol=1e-9)
    assert (mapped.metric, mapped.noise) == ("accuracy", "binomial")


# ---------------------------------------------------------------- SNR and CR of other kinds


def snr_table(tmp_path, levels):
    rows = "".join(f"1/6,{level},psnr_db,{20 + i}\n" for i, level in enumerate(levels))
    return load_table(csv(tmp_path, "cr,snr_db,metric,value\n" + rows))


@pytest.mark.parametrize(
    "levels",
    [
        [1, 10, 100],
        [0.1, 1, 10],
        [1, 3.16, 10, 31.6],
        [0.63, 1.58, 3.98],
        [1.2589254, 3.1622777, 7.9432823],
        10 ** (np.arange(-8, 13, 2) / 10),
        [1.7, 3.4, 6.8, 13.6],
        [5, 20, 1000],
    ],
)
def test_a_linear_snr_is_refused_with_the_mend(tmp_path, levels):
    with pytest.raises(SemlossError, match=r"10·log10: --columns 'snr_db=dB\(snr_db\)'"):
        snr_table(tmp_path, levels)


@pytest.mark.parametrize(
    "levels",
    [
        [0, 5, 10, 15, 20], [1, 4, 7, 10, 13], [1, 4, 7, 13, 19], [5, 20], [3], [1, 10],
        [-8, -4, 0, 4, 8], [-1, 1, 10, 100], [0, 1, 10], [3.01, 6.02, 9.03], [7.01, 10.01, 16.01],
        [1.76, 4.77, 7, 10], [0.5, 7.3, 9.8, 14.1, 22.6],
    ],
)  # fmt: skip
def test_an_snr_in_db_is_taken_without_a_word(tmp_path, levels):
    assert doubt_about_snr(snr_table(tmp_path, levels)["snr_db"].to_numpy()) is None


@pytest.mark.parametrize("levels", [[1, 2, 4, 8, 16], [5, 10, 20], [1, 30, 80]])
def test_an_snr_that_may_be_linear_is_taken_with_a_note(tmp_path, levels):
    notes = select(snr_table(tmp_path, levels)).notes
    assert "if it is linear, convert it" in notes[0]


@given(st.lists(st.integers(-40, 40), min_size=3, max_size=8, unique=True))
@settings(max_examples=100, deadline=None)
def test_round_decibels_are_known_when_somebody_made_them_linear(half_decibels):
    assume(any(step % 20 for step in half_decibels))  # whole tens become whole numbers
    levels = np.array(half_decibels) / 2
    linear = [float(f"{x:.6g}") for x in 10 ** (levels / 10)]
    with pytest.raises(SemlossError, match="convert with"):
        refuse_linear_snr(pd.Series(linear), "table", "snr")
    refuse_linear_snr(pd.Series([*levels, -0.5]), "table", "snr")


def test_an_impossible_snr_in_db_is_named(tmp_path):
    with pytest.raises(SemlossError, match="row 3: snr_db = 400 is no SNR in dB; correct"):
        snr_table(tmp_path, [-5, 400])


def test_a_ratio_above_one_is_told_both_ways_out(tmp_path):
    text = "r,snr_db,metric,value\n12,4,psnr_db,30\n"
    with pytest.raises(SemlossError, match=r"row 2: cr = 12, .*'cr=1/r'.*'cr=r/SAMPLES'"):
        load_table(csv(tmp_path, text), {"cr": "r"})
    assert load_table(csv(tmp_path, text), {"cr": "1/r"})["cr"].tolist() == [1 / 12]
