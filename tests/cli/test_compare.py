"""`semloss compare` as a user types it."""

import csv
import json

import pytest

from semloss.cli import main

HEAD = "cr,snr_db,metric,receiver,task,value,n,cell,codec_label\n"


@pytest.fixture
def table(tmp_path):
    lines = [f"{cr},{snr},accuracy,{receiver},t,{value + cr},500,c{cr}-{snr},deepjscc"
             for cr in (0.1, 0.2) for snr in (0, 4)
             for receiver, value in (("clean", 0.5), ("matched", 0.7))]  # fmt: skip
    (tmp_path / "t.csv").write_text(HEAD + "\n".join(lines))
    return tmp_path / "t.csv"


def test_text_names_both_and_says_that_there_is_no_pairing(table, capsys):
    assert main(["compare", str(table)]) == 0
    told = capsys.readouterr()
    first, second, *_ = told.out.splitlines()
    assert first == "accuracy: matched less clean is +0.200 on average over 4 cells"
    assert second.startswith("95 % interval: unpaired +0.1")
    assert "matched is better beyond its interval in 4 of 4 cells, worse in 0" in told.out
    assert "assumed    intervals 95 % for each difference by itself" in told.out
    assert told.err.strip() == (
        "semloss: no paired intervals: no outcomes of single images are told for both"
    )


def test_json_and_csv_hold_the_same(table, tmp_path, capsys):
    out = tmp_path / "difference.csv"
    assert main(["compare", str(table), "--by", "receiver", "--interval", "0.9", "--json",
                 "--csv", str(out)]) == 0  # fmt: skip
    told = json.loads(capsys.readouterr().out)
    lines = [line for line in out.read_text().splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    assert (told["by"], told["level"]) == ("receiver", 0.9)
    cells = told["pairs"][0]["cells"]
    assert [float(row["difference"]) for row in rows[:-1]] == [one["difference"] for one in cells]
    assert {row["paired_low"] for row in rows} == {""}
    assert told["warnings"][0].startswith("no paired intervals")


def test_several_metrics_are_a_line_each(table, capsys):
    more = table.read_text() + "\n" + "\n".join(
        line.replace("accuracy", "f1") for line in table.read_text().splitlines()[1:]
    )  # fmt: skip
    table.write_text(more)
    assert main(["compare", str(table)]) == 0
    head, *lines, assumed, foot = capsys.readouterr().out.splitlines()
    assert assumed.startswith("assumed ")
    assert head.split()[:4] == ["metric", "other", "base", "cells"]
    assert [line.split()[0] for line in lines] == ["accuracy", "f1"]
    assert foot.startswith("means over the cells")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--interval", "95"], "--interval 95: give a level in (0, 1), e.g. 0.95"),
        (["--by", "codec"], "--by codec_label: all rows that are asked for have deepjscc"),
        (["--where", "receiver"], "--where receiver: write COLUMN=VALUE"),
        (["--cr", "1/5", "--snr-db", "5"], "--snr-db 5 is not measured; there are 0, 4"),
    ],
)
def test_bad_input_is_one_line(table, capsys, words, says):
    assert main(["compare", str(table), *words]) == 2
    told = capsys.readouterr()
    assert told.err.strip().splitlines() == [told.err.strip()]
    assert told.err.startswith(f"semloss: {says}")
    assert told.out == ""


def test_a_picture_of_many_comparisons_is_refused_in_a_short_line(table, tmp_path, capsys):
    lines = table.read_text().splitlines()
    more = [line.replace("accuracy", f"f{i}") for i in range(9) for line in lines[1:]]
    table.write_text("\n".join([*lines, *more]))
    assert main(["compare", str(table), "--plot", str(tmp_path / "many.png")]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()[-1:]
    assert "here are 10 comparisons; choose by --metric" in line
    assert len(line) < 150


@pytest.mark.parametrize("beside", ["--metric", "--task", "--base"])
def test_tiles_have_no_choice_that_only_a_table_has(beside, capsys):
    command = ["compare", "run", "--receptions", "2", "--cr", "1/6", "--snr-db", "0"]
    assert main([*command, beside, "nothing"]) == 2
    assert f"--receptions contradicts {beside}" in capsys.readouterr().err
