"""What holds for every question of `semloss plan`."""

import json

import pandas as pd
import pytest
from plan_case import HIGH, WEAK_LINK, WEAKER, T, X, refused, rows

from semloss.cli import main
from semloss.cli.plan import QUESTIONS
from semloss.tables.files import read_file


@pytest.mark.parametrize("words", [("ledger", *X, *T), ("ledger", *X, "--strict"), ("day", *X)])
def test_what_asks_for_the_metric_needs_a_fit(plan, words):
    code, out, err = plan(*words, "--set", "fit=", fit=None)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "give FIT" in err
    code, out, err = plan(*words, "--set", "fit=moon", fit=None)
    assert (code, out) == (2, "")
    assert "cannot read moon" in err


@pytest.mark.parametrize(
    "words",
    [
        ("ledger", *X, *T),
        ("solve", "power_dbw", *X, *T),
        ("sweep", "obo_db=1:5:3", "rain_loss_db=0:1:2", *X),
    ],
)
def test_a_links_own_fit_answers_where_none_is_given(plan, words):
    question, *rest = words
    code, out, err = plan(question, *rest, fit=None)
    assert code == 0
    assert "the fit is eurosat-accuracy, as the link names it" in err
    assert plan(*words, fit="eurosat-accuracy")[1] == out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("ledger", *WEAK_LINK, "--target", "0.3"), 0),
        (("ledger", *WEAK_LINK, "--target", "0.7"), 3),
        (("solve", "power_dbw", *WEAK_LINK, "--target", "0.7"), 0),
        (("solve", "power_dbw", *WEAK_LINK, "--target", "0.999"), 3),
        (("pass", "--link", "weak.toml", *HIGH, "--target", "0.3"), 0),
        (("pass", "--link", "weak.toml", *HIGH, "--set", "power_dbw=-25", "--target", "0.7"), 3),
        (("day", "--link", "weak.toml", "--set", "power_dbw=-25", "--target", "0.7"), 3),
        (("outage", *WEAK_LINK, "--set", "power_dbw=-40", "--target", "0.7"), 3),
        (("adaptive", "--link", "weak.toml", *HIGH, "--target", "0.6"), 0),
        (("adaptive", *WEAKER, *HIGH, "--target", "0.6"), 3),
        (("sweep", "obo_db=0:3:4", *WEAK_LINK, "--target", "0.3"), 0),
        (("sweep", "obo_db=20:30:4", *WEAK_LINK, "--target", "0.7"), 3),
        (("monte-carlo", *WEAK_LINK, "--draws", "200", "--target", "0.6"), 0),
        (("monte-carlo", *WEAKER, "--set", "elevation_deg=20", "--draws", "9", *T), 3),
        (("against", "curve.csv", *WEAK_LINK, "--codec", "jp2", "--target", "0.6"), 0),
        (("against", "curve.csv", *WEAK_LINK, "--codec", "jp2", "--target", "0.95"), 3),
        (("against", *WEAK_LINK, "--target", "0.9999"), 3),
        (("pass", *X, "--max-elevation", "80", "--strict"), 4),
        (("sweep", "elevation_deg=10:90:3", *X, "--cr", "1/8", "--strict"), 4),
    ],
)  # fmt: skip
def test_one_rule_for_exit_codes(plan, words, code):
    found, out, err = plan(*words)
    assert found == code, err
    if code == 4:
        assert out == ""
        assert "outside the fitted domain" in err


@pytest.mark.parametrize(
    "words",
    [
        ("ledger", *WEAK_LINK),
        ("solve", "power_dbw", *WEAK_LINK, *T),
        ("pass", "--link", "weak.toml", *HIGH, "--step", "10"),
        ("day", "--link", "weak.toml", "--step", "20"),
        ("adaptive", "--link", "weak.toml", *T, "--day", "--step", "20"),
        ("outage", *WEAK_LINK),
        ("against", *WEAK_LINK),
        ("sweep", "obo_db=0:3:4", *WEAK_LINK),
        ("tornado", *WEAK_LINK),
        ("monte-carlo", *WEAK_LINK, "--draws", "100"),
    ],
    ids=lambda words: words[0],
)
def test_every_answer_is_text_json_csv_and_a_picture(plan, folder, tmp_path, words):
    csv_file, picture = tmp_path / "a.csv", tmp_path / "a.png"
    code, text, _ = plan(*words, "--csv", str(csv_file), "--plot", str(picture))
    assert code == 0
    assert len(text.splitlines()) > 1
    table = rows(csv_file)
    assert table
    written = csv_file.read_text()
    assert written.startswith("# fit: accuracy (clean) of ")
    assert "\n# rain: " in written
    for again in (pd.read_csv(csv_file, comment="#", dtype=str), read_file(csv_file)):
        assert [*again] == [*table[0]]
        assert len(again) == len(table)
    assert picture.read_bytes().startswith(b"\x89PNG")
    code, out, _ = plan(*words, "--json")
    assert code == 0
    assert json.loads(out)


HIGH_UP = (*X, "--set", "elevation_deg=90")


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (("ledger", *HIGH_UP, "--ledger", "no.md"), "CR 1/12 at SNR 15.44 dB lies outside"),
        (
            ("solve", "power_dbw", *HIGH_UP, *T, "--set", "margin_db=40", "--ledger", "no.md"),
            "CR 1/12",
        ),
        (("sweep", "elevation_deg=10:90:3", *X), "the answer lies, in part or whole, outside"),
    ],
    ids=lambda words: words[0],
)
def test_strict_names_the_point_and_writes_nothing(plan, folder, words, place):
    code, out, err = plan(*words, "--strict", "--csv", "no.csv", "--plot", "no.png")
    assert (code, out) == (4, "")
    assert place in err
    assert not list(folder.glob("no.*"))


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_help_of_a_question_fits_a_screen(question, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["plan", question, "--help"]) == 0
    text = capsys.readouterr().out
    assert len(text.splitlines()) <= 50
    assert f"example: semloss plan {question}" in text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["ask", *X], "invalid choice: 'ask'"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(plan, words, says):
    refused(plan(*words), says)


BANDS = ("--link", "eo-leo-x-band", "--set", "bands=13")


@pytest.mark.parametrize(
    "words",
    [
        ("ledger", *BANDS), ("solve", "power_dbw", *BANDS, "--target", "0.85"),
        ("pass", *BANDS, *HIGH), ("day", *BANDS, "--step", "30"),
        ("adaptive", *BANDS, "--target", "0.85"), ("outage", *BANDS, "--rain-loss-db", "0"),
        ("against", *BANDS),
        ("sweep", "obo_db=8:9:2", *BANDS), ("tornado", *BANDS),
        ("monte-carlo", *BANDS, "--draws", "9"),
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_strict_refuses_images_that_the_fit_was_not_measured_on(plan, folder, words):
    usual = [word.replace("bands=13", "bands=3") for word in words]
    fit = "eurosat-accuracy"
    assert plan(*usual, "--strict", fit=fit)[0] == 0
    code, out, err = plan(*words, fit=fit)
    assert code == 0
    assert "bands = 13: the fit was measured on images of 3 bands" in err
    code, out, err = plan(*words, "--strict", "--csv", "none.csv", fit=fit)
    assert (code, out) == (4, "")
    assert "the images are not those of the fit: bands = 13" in err
    assert not (folder / "none.csv").exists()
