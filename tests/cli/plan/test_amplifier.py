"""`semloss plan amplifier` as a link engineer meets it."""

import pandas as pd
import pytest
from amplified_table import write_amplified
from plan_case import X, refused

FIT = ("--receiver", "matched", "--form", "capped")


@pytest.fixture
def asked(plan, answer, folder):
    if not (folder / "amplified.csv").exists():
        write_amplified(folder / "amplified.csv")
    return "amplifier", "amplified.csv", *FIT, *X


def test_the_best_back_off_and_what_it_saves(plan, folder, asked):
    words = (*asked, "--target", "70%", "--acpr-limit-dbc", "-25")
    code, out, err = plan(*words, "--csv", "best.csv", fit=None)
    assert code == 0, err
    first, second, *_ = out.splitlines()
    assert first.startswith("input back-off -0.50 dB, between measured ones: deepjscc, rapp")
    assert "-25.0 dBc beside the channel of at most -25" in first
    assert "1 dB of margin kept, met" in second
    assert "backed off by its peaks: 8.25 dB" in out
    assert "trained over awgn rapp, at its own best: 2.00 dB" in out
    for name in ("QPSK 1/4", "8PSK 9/10", "16APSK 2/3", "32APSK 9/10"):
        assert name in out
    rows = pd.read_csv(folder / "best.csv", comment="#")
    assert rows.modcod.notna().sum() == 28
    assert (rows.acpr_dbc[rows.modcod.notna()] <= -25).all()
    assert rows.best.sum() == 1


def test_json_tells_all_of_it(answer, asked):
    found = answer(*asked, fit=None)
    assert found["target"] is None
    assert found["best"]["back_off_db"] == -2
    assert found["value"] == max(r["value"] for r in found["rows"] if "value" in r)
    over = [gain["over"] for gain in found["gains"]]
    assert over == ["deepjscc by rule", "deepjscc trained over awgn rapp"]


def test_what_is_not_met_ends_with_3(plan, asked):
    few = (*asked, "--where", "channel=rapp-ibo0dB", "--set", "power_dbw=-12")
    code, out, _ = plan(*few, "--target", "0.7", fit=None)
    assert (code, "NOT MET" in out) == (3, True)
    assert "no linear codec is in the table" in out
    code, _, err = plan(*few, "--target", "0.7", "--acpr-limit-dbc", "-50", fit=None)
    assert code == 3
    assert err.splitlines()[-1].startswith("semloss: no point keeps -50 dBc")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--acpr-limit-dbc", "5"), "give a finite number in -60 … -0.01 dBc"),
        (("--set", "obo_db=3"), "the back-off is what is asked for"),
        (("--where", "channel=awgn"), "no channel through an amplifier, but awgn"),
        (("--cr", "1/12", "--where", "channel=x"), "the table has no channel 'x'"),
        (("--receiver", "clean"), "no receiver 'clean'"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(plan, asked, words, says):
    refused(plan(*asked, *words, fit=None), says)


def test_a_fit_in_place_of_its_table_is_named(plan):
    refused(plan("amplifier", "fit.json", *X, fit=None), "fit.json is a fit file: give the run")
