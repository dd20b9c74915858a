"""Some hundred odd command lines: each ends in an answer or in one line, never in a traceback."""

import os
import random
import re
import shutil
from pathlib import Path

import pytest
from plan_case import CURVE, TLE

from semloss.cli import main
from semloss.cli.plan import QUESTIONS
from semloss.planning.link.template import template_text
from semloss.planning.sharing.users import users_template

EUROSAT = Path(__file__).parents[1] / "data" / "eurosat_surface.csv"
SEED, COUNT = 20260201, 400
NUMBERS = ["0", "-0", "-1", "1e-320", "1e308", "1e20", "-1e20", "nan", "inf", "-inf", "--", "", " ",
           "1/0", "1/12", "0x10", "１２", "9" * 20, "1_000", "4", "\x1b[2J", "é", "1,2", ":", "=",
           "٣", "NaN dB", "4 dB", "1e400", "\udc80"]  # fmt: skip
TEXTS = ["", " ", "\x1b[31mred\x1b[0m", "a" * 5000, "../..", "/", "/dev/null", "-", "--", "\n",
         "\u202eevil", "list", "auto", "none", "link.toml", "fit.json", "a=b", "=", "%s", "{}",
         "\udcff", "\x00"]  # fmt: skip
KEYS = ["power_dbw", "cr", "name", "fit", "freq_ghz", "height_px", "elevation_deg", "zenith_losses",
        "atmosphere_model", "margin_db", "bandwidth_mhz", "range_km", "nosuch", ""]  # fmt: skip
NUMERIC = ["--snr-db", "--cr", "--target", "--interval", "--confidence", "--rain-loss-db", "--step",
           "--papr-db", "--max-elevation", "--min-elevation", "--inclination", "--days", "--draws",
           "--seed", "--hysteresis-db", "--hold-percent", "--percents", "--crs", "--power-w",
           "--modcod-margin-db", "--digital-obo-db", "--bootstraps", "--metric"]  # fmt: skip
WORDY = ["--link", "--fading", "--site", "--satellite", "--start", "--tle", "--codec", "--modcod",
         "--tolerances", "--preset", "--solve", "--ledger", "--csv", "--plot", "--form", "--rule",
         "--columns", "--where", "--group-by", "--receiver", "--prior"]  # fmt: skip
FLAGS = ["--json", "--strict", "--day", "--template", "--least-power", "--help"]
USUAL = {
    "ledger": [], "solve": ["power_dbw", "--target", "0.6"], "pass": ["--max-elevation", "40"],
    "day": ["--step", "60"], "adaptive": ["--target", "0.6"], "outage": [], "against": [],
    "sweep": ["obo_db=0:3:3"], "tornado": [], "monte-carlo": ["--draws", "20"],
    "cases": ["cases.csv"], "allocate": [], "template": [], "amplifier": [],
}  # fmt: skip


def odd_lines():
    """Command lines, most of them one or two oddities away from a good one."""
    rng = random.Random(SEED)
    for _ in range(COUNT):
        drawn = rng.random()
        if drawn < 0.1:
            words = ["fit", "table.csv", "--form", "additive", "--bootstraps", "0"]
        elif drawn < 0.35:
            words = ["predict", "eurosat-accuracy", "--cr", "1/12", "--snr-db", "4"]
        else:
            question = rng.choice(list(QUESTIONS))
            words = ["plan", question]
            if question not in ("allocate", "template"):
                words += ["eurosat-accuracy", *USUAL[question], "--link", "link.toml"]
        for _ in range(rng.randint(1, 2)):
            option = rng.choice([rng.choice(NUMERIC), rng.choice(WORDY), "--set", "flag", "bare"])
            if option == "flag":
                words.append(rng.choice(FLAGS))
            elif option == "bare":
                words.insert(rng.randint(1, len(words)), rng.choice(TEXTS + NUMBERS))
            else:
                value = rng.choice(NUMBERS if option in NUMERIC else TEXTS)
                if option == "--set":
                    value = f"{rng.choice(KEYS)}={rng.choice(NUMBERS + TEXTS)}"
                words += [f"{option}={value}"] if rng.random() < 0.5 else [option, value]
        yield words


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd")
    here = os.getcwd()
    os.chdir(folder)
    assert main(["plan", "template", "link.toml"]) == 0
    os.chdir(here)
    shutil.copy(EUROSAT, folder / "table.csv")
    (folder / "cases.csv").write_text("id,elevation_deg\na,30\n")
    (folder / "curve.csv").write_text(CURVE)
    (folder / "sat.tle").write_text(TLE)
    return folder


CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")


@pytest.mark.parametrize("words", list(odd_lines()), ids=lambda words: ascii(" ".join(words))[:60])
def test_an_odd_line_ends_in_an_answer_or_in_one_line(place, monkeypatch, capsys, words):
    monkeypatch.chdir(place)
    code = main(words)
    streams = capsys.readouterr()
    assert code in (0, 2, 3, 4), words
    assert "Traceback" not in streams.err
    assert not CONTROL.search(streams.err + streams.out)
    if code == 2:
        assert streams.err.startswith("semloss: ")
        notes = ("semloss: the fit is", "semloss: this is now spelled", "semloss: fitting receiver")
        lines = [line for line in streams.err.splitlines() if not line.startswith(notes)]
        assert len(lines) == 1, lines


@pytest.mark.parametrize(
    "words",
    [
        ["predict", "eurosat-accuracy", "--cr", "1e-320", "--snr-db", "4"],
        ["predict", "eurosat-accuracy", "--cr", "1/6", "--snr-db=--"],
        ["predict", "eurosat-accuracy", "--cr", "1/6", "--snr-db", "1e20"],
        ["collect", "--dry-run", "--set", "source.per_class=99999999999999999999"],
        ["plan", "sweep", "eurosat-accuracy", "snr_db=0:1e20:3", "--cr", "1/12"],
        ["plan", "sweep", "eurosat-accuracy", "cr=1e-320:1:3", "--snr-db", "4"],
    ],
)
def test_numbers_that_are_no_links_are_refused(place, monkeypatch, capsys, words):
    monkeypatch.chdir(place)
    assert main(words) == 2
    streams = capsys.readouterr()
    assert (streams.out, streams.err.count("\n")) == ("", 1)


def test_a_links_name_is_printed_without_what_a_terminal_obeys(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    words = ["plan", "ledger", "--link", "link.toml", "--set", "name=\x1b[31mred\u202e"]
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("\\x1b[31mred\\u202e\n")


ODD_VALUES = ["0", "-1", "1e-320", "1e308", "-1e20", "nan", "inf", "1" + "0" * 400, "true", '"x"',
              '"\\u001b[2J"', "[]", "{}", "1979-05-27"]  # fmt: skip


def spoilt(text):
    """The text with one value after the other replaced by odd ones; seeded."""
    rng = random.Random(SEED)
    lines = text.splitlines()
    for i, line in enumerate(lines):
        key, equals, _ = line.partition(" = ")
        if equals and not key.startswith("#"):
            for value in rng.sample(ODD_VALUES, 5):
                yield "\n".join([*lines[:i], f"{key} = {value}", *lines[i + 1 :]]) + "\n"


@pytest.mark.parametrize(
    ("template", "words"),
    [
        (users_template(), ["plan", "allocate", "odd.toml"]),
        (users_template(), ["plan", "allocate", "odd.toml", "--least-power"]),
        (template_text(), ["plan", "ledger", "--link", "odd.toml", "--target", "0.8"]),
        (template_text(), ["plan", "monte-carlo", "--draws", "5", "--link", "odd.toml"]),
    ],
)
def test_an_odd_value_in_a_file_ends_in_an_answer_or_in_one_line(
    place, monkeypatch, capsys, template, words
):
    monkeypatch.chdir(place)
    for text in spoilt(template):
        Path("odd.toml").write_text(text)
        code = main(words)
        streams = capsys.readouterr()
        assert code in (0, 2, 3, 4)
        assert not CONTROL.search(streams.err + streams.out)
        if code == 2:
            lines = [line for line in streams.err.splitlines() if "the fit is" not in line]
            assert len(lines) == 1, lines
