"""What a person reads of a table that cannot be read: whole lines, and what a folder tells."""

import json

import numpy as np
import pandas as pd
import pytest
from table_rows import csv, grid_rows

from semloss.errors import SemlossError
from semloss.tables import load_table, parse_columns, write_tables
from semloss.tables.naming import evident_column, listing, optional_columns
from semloss.tables.snr import doubt_about_snr

HEAD = "cr,snr_db,metric,value\n"
NO_TABLE = " is no CSV or parquet table: "
SEPARATED = "; save it with commas between columns and points in numbers"
TWO_COLUMNS = "; write 28.3 ± 0.2, or two columns, value and se (or sd with n)"
ASK_ALL = ": name the columns with --columns snr_db=COLUMN,cr=COLUMN,value=COLUMN"
MANY = [f"c{i}" for i in range(30)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD, ": the table has no rows"),
        ("", f"{NO_TABLE}it is empty"),
        ("\n1/6,4,psnr_db,30\n", ", row 1 is blank; it must name the columns"),
        (HEAD + "1/6,8,a,high\n",
         ", row 2: value = 'high' is not a number; correct or remove the row"),
        (HEAD + f"1/6,8,a,{'z' * 40}\n",
         f", row 2: value = '{'z' * 40}' is not a number; correct or remove the row"),
        (HEAD + f"1/6,8,a,{'z' * 41}\n",
         f", row 2: value = '{'z' * 39}…' is not a number; correct or remove the row"),
        (HEAD + "1/6,4,a,nan\n", ", row 2: value = nan is not finite; correct or remove the row"),
        (HEAD + "1/6,4,a,\n", ", row 2: value = '' is not a number; correct or remove the row"),
        (HEAD + "1/6,4 dB,a,3\n",
         ", row 2: snr_db = '4 dB' is not a number; write the number without its unit"),
        (HEAD + "1/6,4,a,.8 ± ?\n", f", row 2: value = '.8 ± ?' is not a number{TWO_COLUMNS}"),
        (HEAD + "1/6,4,a,.8+-?\n", f", row 2: value = '.8+-?' is not a number{TWO_COLUMNS}"),
        (HEAD + "1/6,4,a,.8+/-?\n", f", row 2: value = '.8+/-?' is not a number{TWO_COLUMNS}"),
        (HEAD + '"0,5",4,a,1\n',
         ", row 2: cr = '0,5' is not a number; write a decimal point, not a comma"),
        (HEAD + '8x%,4,a,1\n',
         ", row 2: cr = '8x%' is not a number; correct or remove the row"),
        (HEAD + "12,4,a,30\n",
         ", row 2: cr = 12, but CR is k/n (channel uses per source sample) and lies in (0, 1]; "
         "convert n/k with --columns 'cr=1/cr', channel uses with --columns 'cr=cr/SAMPLES', "
         "e.g. cr/12288 at 64×64×3, per cent with --columns 'cr=cr/100'"),
        (HEAD + "1/6,4,,30\n", ", row 2: metric is blank; name what the value is"),
        ("cr,snr_db,metric,value,sd\n1/6,4,a,1,-2\n",
         ", row 2: sd = -2 is negative; correct or clear it"),
        ("cr,snr_db,metric,value,n\n1/6,4,a,1,0.5\n",
         ", row 2: n = 0.5 is no number of test images; clear it if unknown"),
        (HEAD + "0,5,4,a,1\n",
         f"{NO_TABLE}row 2 has 5 fields where the header names 4 columns; write decimal points, "
         "not commas, and quote text that holds commas"),
        (HEAD + '.5,4,"a,1\n', f"{NO_TABLE}EOF inside string starting at row 1"),
        ("cr;snr_db\n", f": its columns are separated by semicolons{SEPARATED}"),
        ("cr\tsnr_db\n", f": its columns are separated by tabs{SEPARATED}"),
        ("cr|snr_db\n", f": its columns are separated by bars{SEPARATED}"),
        ("cr,cr,snr_db,metric,value\n.5,.5,4,a,1\n",
         ": two columns are called 'cr'; rename or remove one"),
        ('[{"cr": 0.5,', " is no whole JSON list (cut short?); write it again"),
        ("[]", ": a JSON table is a list of objects, one per measurement"),
        ("[1, 2]", ": a JSON table is a list of objects, one per measurement"),
        ("cr,snr_db,value\n1/6,4,30\n",
         ": no column 'metric'; this table has cr, snr_db, value: name what the values are, "
         "e.g. NAME = psnr_db, with --columns metric=NAME"),
        ("cr,snr_db\n1,2\n",
         ": no column 'value'; this table has cr, snr_db: name the columns with --columns "
         "value=COLUMN"),
        ("SNR,CR,PSNR\n1,1,1\n",
         ": no column 'snr_db', 'cr' or 'value'; this table has SNR, CR, PSNR: say --columns "
         "snr_db=SNR,cr=CR,value=PSNR"),
        (f"{','.join(MANY)}\n{','.join('1' * 30)}\n",
         ": no column 'snr_db', 'cr' or 'value'; this table has "
         f"{', '.join(MANY[:24])} … (30 in all){ASK_ALL} (COLUMN may be a number that holds for "
         "every row, e.g. cr=1/12)"),
        (HEAD + "1/6,1,a,1\n1/6,10,a,1\n1/6,100,a,1\n",
         ": snr_db 1, 10, 100 is linear, not in dB; convert with 10·log10: --columns "
         "'snr_db=dB(snr_db)'"),
        (HEAD + "".join(f"1/6,{x},a,1\n" for x in (1, 2.5119, 3.9811, 10, 15.849)),
         ": snr_db 1, 2.512, 3.981, 10 … 15.85 is linear, not in dB; convert with 10·log10: "
         "--columns 'snr_db=dB(snr_db)'"),
        (HEAD + "1/6,5,a,1\n1/6,20,a,1\n1/6,1000,a,1\n",
         ", row 4: snr_db = 1000 is no SNR in dB; if it is linear, convert with 10·log10: "
         "--columns 'snr_db=dB(snr_db)'"),
        (HEAD + "1/6,-5,a,1\n1/6,400,a,1\n",
         ", row 3: snr_db = 400 is no SNR in dB; correct or remove the row"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_read_is_told_in_this_line(tmp_path, text, told):
    file = csv(tmp_path, text)
    with pytest.raises(SemlossError) as caught:
        load_table(file)
    assert str(caught.value) == f"{file}{told}"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (bytes(range(256)), "byte 128 is no UTF-8 text; save it as UTF-8"),
        (b"cr,snr\0db\n", "it is binary"),
        (b"PK\x03\x04rest", "it is a workbook or an archive; save the sheet as CSV"),
        (b"\xd0\xcf\x11\xe0", "it is a workbook; save the sheet as CSV"),
        (b"\x1f\x8brest", "it is packed with gzip; unpack it first"),
        (b"\xff\xfe", "it is in UTF-16; save it as UTF-8"),
        (b"\xfe\xff", "it is in UTF-16; save it as UTF-8"),
    ],
)
def test_a_file_that_is_no_text_is_told_in_this_line(tmp_path, content, told):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(SemlossError) as caught:
        load_table(tmp_path / "t.csv")
    assert str(caught.value) == f"{tmp_path / 't.csv'}{NO_TABLE}{told}"


def test_a_place_without_a_table_is_told_in_this_line(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"cr")
    (tmp_path / "t.PQ").write_bytes(b"PAR1x")
    for path, told in (
        (tmp_path / "none.csv", "none.csv: no such table or run folder"),
        (tmp_path / "t.parquet", "t.parquet is no parquet file; give a CSV another ending"),
        (tmp_path / "t.PQ", "t.PQ is no whole parquet file (cut short?); copy or write it again"),
    ):
        with pytest.raises(SemlossError) as caught:
            load_table(path)
        assert str(caught.value) == f"{tmp_path}/{told}"
    with pytest.raises(SemlossError) as caught:
        load_table(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: no metrics table in this folder; run semloss collect there first, or name "
        "the CSV or parquet file"
    )


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"snr_db": "SNR"}, "@: no column 'SNR'; did you mean snr_db?"),
        ({"value": "psnr/ten"},
         "@: no column 'psnr/ten'; this table has rate, snr_db, words, zero"),
        ({"value": "words*2"},
         "@, row 2: words = 'five' is not a number; correct or remove the row"),
        ({"snr_db": "dB(zero)"},
         "@, row 2: zero = 0 is no linear SNR, which is positive; if it is in dB, map it as it is"),
        ({"value": "rate,zero"},
         "--columns metric=words: holds for one metric; map one value column"),
        ({"snr": "a"}, "--columns snr=a: no column of ours; did you mean snr_db?"),
        ({"zzz": "a"},
         "--columns zzz=a: no column of ours; known are cell, source, codec, codec_label, "
         "objective, channel, cr, cr_nominal, train_snr_db, snr_db, seed, task, receiver, metric, "
         "value, sd, n, se, direction, floor, ceiling, status"),
    ],
)  # fmt: skip
def test_a_mapping_that_leads_nowhere_is_told_in_this_line(tmp_path, columns, told):
    file = csv(tmp_path, "rate,snr_db,words,zero\n0.5,3,five,0\n")
    with pytest.raises(SemlossError) as caught:
        load_table(file, {"cr": "rate", "value": "rate", "metric": "words"} | columns)
    assert str(caught.value) == told.replace("@", str(file))


def test_a_mapping_that_is_none_is_told_in_this_line():
    for choice, told in (
        ("snr_db", "snr_db: write OURS=THEIRS, e.g. snr_db=SNR,value=acc/100"),
        ("cr=a,cr=b", "cr: mapped twice, drop one"),
    ):
        with pytest.raises(SemlossError) as caught:
            parse_columns([choice])
        assert str(caught.value) == f"--columns {told}"


def test_a_doubt_about_the_snr_is_told_in_this_line():
    mend = "is taken as dB; if it is linear, convert it with --columns 'snr_db=dB(COLUMN)'"
    for levels, shown in (
        ([1, 2, 4, 8, 16], "1, 2, 4, 8 … 16"),
        ([1, 30, 50.1], "1, 30, 50.1"),
        ([1, 2, np.nan, 4, 8], "1, 2, 4, 8"),
    ):
        assert doubt_about_snr(np.array(levels, float)) == f"snr_db {shown} {mend}"
    for levels in ([1, 30, 50], [1, 60], [0, 30, 60], [-1, 30, 60]):
        assert doubt_about_snr(np.array(levels, float)) is None


def test_a_hundred_decibels_stand_for_no_noise(tmp_path):
    table = load_table(csv(tmp_path, HEAD + "1/6,-100,a,1\n1/6,0,a,1\n1/6,100,a,1\n"))
    assert table["snr_db"].tolist() == [-100, 0, 100]
    with pytest.raises(SemlossError, match="row 2: snr_db = -101 is no SNR in dB; correct"):
        load_table(csv(tmp_path, HEAD + "1/6,-101,a,1\n"))


def test_names_in_one_line_are_cut_at_forty_letters_and_twenty_four_names():
    assert listing(["a b", "c\n d", 3]) == "a b, c d, 3"
    assert listing(["x" * 40]) == "x" * 40
    assert listing(["x" * 41]) == "x" * 39 + "…"
    assert listing(range(24)) == ", ".join(map(str, range(24)))
    assert listing(range(25)) == ", ".join(map(str, range(24))) + " … (25 in all)"


def test_columns_that_evidently_are_ours():
    there = ["Channel SNR [dB]", "bandwidth compression ratio", "Acc %", "PSNR", "Std. dev"]
    assert evident_column("snr_db", there) == "Channel SNR [dB]"
    assert evident_column("cr", there) == "bandwidth compression ratio"
    assert evident_column("value", there) == "Acc %/100,PSNR"
    assert evident_column("value", ["test score", "y"]) == "test score"
    assert evident_column("metric", ["Metric"]) == "Metric"
    assert evident_column("metric", there) is None
    assert optional_columns(there) == {"Std. dev": "sd"}
    assert optional_columns(["std", "SEM", "images"]) == {"std": "sd", "SEM": "se", "images": "n"}
    assert optional_columns(["std", "sd"]) == {}


def test_the_table_of_a_folder_is_the_first_of_four(tmp_path):
    names = ["metrics.parquet", "tables/metrics.parquet", "metrics.csv", "tables/metrics.csv"]
    (tmp_path / "tables").mkdir()
    for number, name in reversed(list(enumerate(names))):
        frame = pd.DataFrame({"cr": [0.5], "snr_db": [4], "metric": "m", "value": [float(number)]})
        if name.endswith("csv"):
            frame.to_csv(tmp_path / name, index=False)
        else:
            frame.to_parquet(tmp_path / name)
        assert load_table(tmp_path)["value"].tolist() == [number]


def test_a_folder_tells_about_its_table(tmp_path):
    write_tables(grid_rows(), [], tmp_path)
    assert load_table(tmp_path).attrs["about"] == {}
    (tmp_path / "source.json").write_text(
        json.dumps({"images": 2700, "shape": [64, 48, 3], "classes": ["a", "b"]})
    )
    (tmp_path / "environment.json").write_text('{"written": "2026-11-28T16:49:00Z"}')
    (tmp_path / "experiment.toml").write_text('[task]\nkind = "resnet8"\n')
    assert load_table(tmp_path).attrs["about"] == {
        "images": "2700", "tile": "64x48 px, 3 bands", "classes": "2", "task_model": "resnet8",
        "measured": "2026-11-28",
    }  # fmt: skip
    assert load_table(tmp_path / "metrics.csv").attrs["about"] == {}
    (tmp_path / "source.json").write_text('{"images": 2700, "shape": [64, 48], "classes": []}')
    (tmp_path / "environment.json").write_text("[]")
    (tmp_path / "experiment.toml").write_text('task = "none"\n')
    assert load_table(tmp_path).attrs["about"] == {"images": "2700"}
    (tmp_path / "source.json").write_text('{"images"')
    assert load_table(tmp_path).attrs["about"] == {}


OLD = "cr,snr_db,metric,value,codec,task\n.5,4,psnr_db,30,deepjscc,none\n.5,4,acc,.8,deepjscc,{}\n"


def test_a_table_of_the_first_schema_reads_as_one_of_today(tmp_path):
    table = load_table(csv(tmp_path, OLD.format("matched")))
    assert table["receiver"].tolist() == ["none", "matched"]
    assert table["task"].tolist() == ["none", "unknown"]
    assert table["codec_label"].tolist() == ["deepjscc", "deepjscc"]
    assert table["objective"].tolist() == ["mse", "mse"]
    other = load_table(csv(tmp_path, OLD.format("resnet8")))
    assert "receiver" not in other
    assert other["task"].tolist() == ["none", "resnet8"]


def test_rows_are_written_in_the_order_of_what_was_asked(tmp_path):
    rows = grid_rows(source="b") + grid_rows(source="a", metric="psnr_db") + grid_rows(source="a")
    write_tables(rows, [], tmp_path)
    table = pd.read_csv(tmp_path / "metrics.csv")
    keys = table[["source", "cr", "train_snr_db", "snr_db", "metric"]]
    assert keys.equals(keys.sort_values(list(keys), ignore_index=True))
    assert keys.iloc[0].tolist() == ["a", 1 / 24, 0.0, 0.0, "accuracy"]
    assert (tmp_path / "metrics.csv").read_bytes().count(b"\r") == 0


def test_a_whole_number_is_as_meant_and_a_rounded_one_is_not():
    # In dB 3, 6, 11 lie 0.19 dB off a ladder, 1.3, 2.5, 5.0 within the rounding of 2.5.
    assert doubt_about_snr(np.array([3.0, 6.0, 11.0])) is None
    assert doubt_about_snr(np.array([1.3, 2.5, 5.0])) is not None


def test_a_record_may_lack_what_is_optional(tmp_path):
    records = [{"cr": 0.5, "snr_db": 4, "metric": "a", "value": 1, "sd": 2.5},
               {"cr": 0.5, "snr_db": 8, "metric": "a", "value": 2}]  # fmt: skip
    table = load_table(csv(tmp_path, json.dumps(records), "table.json"))
    assert table["value"].tolist() == [1, 2]
    assert table["sd"].isna().tolist() == [False, True]
    assert list(table.index) == [1, 2]
