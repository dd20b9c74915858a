"""`semloss predict` as a user meets it."""

import json

import pytest
from cold_start import HEAVY, complaint
from plan_case import refused

from semloss.cli import main


def test_predict_answers_with_one_json_object(fits, capsys):
    command = ["predict", str(fits / "psnr_db.json"), "--cr", "1/24", "--snr-db", "5", "--json"]
    assert main(command) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["metric"] == "psnr_db"
    assert answer["value"] == pytest.approx(30.3, abs=0.1)  # the measured cell reads 30.3 dB
    assert answer["low"] < answer["value"] < answer["high"]
    assert answer["in_domain"] is True
    assert (answer["cr"], answer["snr_db"]) == (pytest.approx(1 / 24), 5.0)


def test_predict_solves_for_the_snr_and_for_the_cr(fits, capsys):
    fit = str(fits / "psnr_db.json")
    assert main(["predict", fit, "--target", "30", "--cr", "1/12", "--json"]) == 0
    needed = json.loads(capsys.readouterr().out)
    assert needed["snr_db_low"] < needed["snr_db"] < needed["snr_db_high"]
    command = ["predict", fit, "--target", "30", "--snr-db", str(needed["snr_db"]), "--json"]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["cr"] == pytest.approx(1 / 12)


def test_predict_speaks_in_sentences_too(fits, capsys):
    fit = str(fits / "accuracy.json")
    assert main(["predict", fit, "--cr", "1/12", "--snr-db", "-4"]) == 0
    assert "accuracy (clean) = 0." in capsys.readouterr().out
    assert main(["predict", fit, "--target", "0.45", "--snr-db", "4"]) == 0
    assert "met by 1/" in capsys.readouterr().out


def test_a_target_out_of_reach_ends_with_3(fits, capsys):
    command = ["predict", str(fits / "accuracy.json"), "--target", "0.9", "--cr", "1/12"]
    assert main(command) == 3
    error = capsys.readouterr().err
    assert error.startswith("semloss: accuracy = 0.9 is not attainable at CR 1/12")
    assert error.count("\n") == 1


def test_outside_the_domain_is_said_and_strict_ends_with_4(fits, capsys):
    command = ["predict", str(fits / "psnr_db.json"), "--cr", "1/100", "--snr-db", "5"]
    assert main(command) == 0
    assert "OUTSIDE the fitted domain" in capsys.readouterr().out
    assert main([*command, "--strict"]) == 4
    assert "outside the fitted domain, CR 1/48 … 1/6" in capsys.readouterr().err


def test_predict_loads_nothing_heavier_than_numpy(fits):
    assert complaint("predict", fits / "psnr_db.json", "--cr", "1/6", "--snr-db", "4") == ""


def test_help_loads_no_numpy():
    assert complaint("predict", "--help", of=("numpy", *HEAVY)) == ""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["predict", "FIT", "--cr", "1/12"], "takes two of --cr, --snr-db and --target"),
        (["predict", "FIT", "--cr", "0", "--snr-db", "4"], "--cr = 0"),
        (["predict", "FIT", "--cr", "1/x", "--snr-db", "4"], "--cr = '1/x'"),
        (["predict", "FIT", "--cr", "1/6", "--snr-db", "four"], "argument --snr-db"),
        (["predict", "FIT", "--cr", "1/6", "--snr-db", "nan"], "give a finite"),
        (["predict", "FIT", "--cr", "1/6", "--snr-db", "4", "--interval", "95"], "interval = 95"),
        (["predict", "FIT", "--cr", "1/6", "--snr-db", "4", "--plot", "a.bmp"], "a.bmp"),
        (["predict", "FIT", "--cr", "1e-320", "--snr-db", "4"], "--cr = 1e-320"),
        (["predict", "FIT", "--cr", "1/6", "--snr-db", "1e20"], "in -1000 … 1000 dB"),
        (["predict", "FIT", "--cr", "1/6", "--snr-db=--"], "--snr-db=--: -- is no value"),
        (["predict", "FIT", "--cr", "1/6", "--snr-db", "4", "--set", "a=b"], "--set needs --link"),
        (["predict", "FIT", "--cr", "1/6", "--solve", "cr"], "--solve needs --link"),
        (["predict", "FIT", "--snr-db", "1", "--link", "ka-band-leo"], "contradicts --link"),
        (["predict", "--link", "ka-band-leo", "--interval", "0.9"], "--interval needs FIT or"),
        (["predict", "FIT", "--snr-db", "4", "--confidence", "0.9"], "needs --target"),
        (["predict", "none.json", "--cr", "1/6", "--snr-db", "4"], "cannot read none.json"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(fits, ask, words, says):
    words = [str(fits / "psnr_db.json") if word == "FIT" else word for word in words]
    refused(ask(*words), says)


@pytest.mark.parametrize("band", ["these-images", "trained-again", "measurement"])
def test_a_band_says_what_it_is_about(fits, capsys, band):
    words = ["predict", str(fits / "psnr_db.json"), "--cr", "1/6", "--snr-db", "4"]
    assert main(words) == 0
    assert "95 %, new images: " in capsys.readouterr().out
    assert main([*words, "--band", band, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["band"] == band
    assert main([*words, "--band", "all"]) == 2
    assert "one of these-images, new-images" in capsys.readouterr().err
