"""`semloss plan ledger` as a link engineer meets it."""

import json
import math

import pytest
from plan_case import PUBLISHED, WEAK_LINK, T, X, refused, rows


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_ledgers_close_without_a_fit(answer, name):
    values = answer("ledger", "--link", name, fit=None)["values"]
    for key, printed in PUBLISHED[name].items():
        digits = len(printed.partition(".")[2])
        assert f"{values[key]:.{digits}f}" == printed


def test_a_preset_gives_a_ledger_from_amplifier_to_metric(plan, answer):
    code, out, err = plan("ledger", "--link", "eo-leo-x-band", "--target", ">= 0.5")
    assert (code, err) == (0, "")
    order = ["accuracy (clean) = 0.", "dB of margin", "inside the fitted domain",
             "assumed    accuracy", "amplifier power", "= EIRP", "free-space loss", "C/N0",
             "SNR, Es/N0", "images per second", "predicted accuracy (clean)",
             "margin in SNR to the target", "margin beyond it"]  # fmt: skip
    places = [out.index(text) for text in order]
    assert places == sorted(places)
    values = answer("ledger", "--link", "eo-leo-x-band", "--target", "0.5")["values"]
    assert values["snr_margin_db"] == values["snr_db"] - values["required_snr_db"]


def test_settings_change_the_link_and_an_empty_one_unsets(answer):
    base = answer("ledger", "--link", "eo-leo-x-band")["values"]
    more = answer(
        "ledger", "--link", "eo-leo-x-band", "--set", "power_dbw=10 W", "--set", "obo_db="
    )
    assert more["values"]["eirp_dbw"] == pytest.approx(base["eirp_dbw"] + 10 * math.log10(2) + 8.25)
    dry = answer("ledger", "--link", "eo-leo-x-band", "--rain-loss-db", "0")["values"]
    assert dry["snr_db"] == pytest.approx(base["snr_db"] + base["rain_loss_db"])
    assert answer("ledger", "--link", "eo-leo-x-band", "--cr", "1/24")["values"]["cr"] == 1 / 24


def test_the_ledger_goes_into_every_kind_of_file(plan, folder):
    kinds = ("txt", "md", "csv", "json", "xlsx", "png")
    files = [word for kind in kinds for word in ("--ledger", f"ledger.{kind}")]
    code, out, _ = plan("ledger", *WEAK_LINK, *files, "--plot", "chart.png")
    assert code == 0
    assert (folder / "ledger.txt").read_text() == out
    value = {row["key"]: float(row["value"]) for row in rows(folder / "ledger.csv")}
    told = json.loads((folder / "ledger.json").read_text())["rows"]
    assert {row["key"]: row["value"] for row in told} == value
    assert (folder / "ledger.png").read_bytes() == (folder / "chart.png").read_bytes()
    assert (folder / "ledger.xlsx").stat().st_size > 5000


def test_warnings_go_to_stderr_and_into_the_json(plan):
    words = ("ledger", "--link", "eo-leo-x-band", "--papr-db", "9")
    code, out, err = plan(*words, "--json")
    assert code == 0
    assert err.startswith("semloss: obo_db = 8.25: symbols with a PAPR of 9 dB need 9.00 dB")
    assert err.count("\n") == 1
    assert json.loads(out)["warnings"] == [err.removeprefix("semloss: ").strip()]


def test_a_metric_that_falls_is_asked_at_most(answer, plan):
    asked = ("ledger", *WEAK_LINK, "--target", "at most 0.4")
    values = answer(*asked, "--set", "margin_db=0", fit="lpips.json")["values"]
    assert values["metric"] <= 0.4
    assert values["snr_margin_db"] >= 0
    # the margin that the link keeps counts
    kept = answer(*asked, fit="lpips.json", code=3)["values"]
    assert kept["snr_margin_db"] < kept["margin_db"]
    assert plan("ledger", *WEAK_LINK, "--target", "at least 0.4", fit="lpips.json")[0] == 2


def test_outside_the_domain_strict_ends_with_4(plan):
    words = ("ledger", "--link", "eo-leo-x-band", "--set", "elevation_deg=90")
    assert "NO" in plan(*words)[1]
    code, out, err = plan(*words, "--strict")
    assert (code, out) == (4, "")
    assert "outside the fitted domain" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["ledger", "--cr", "1/12"], "required: --link"),
        (["ledger", "--link", "none.toml"], "cannot read link file none.toml"),
        (["ledger", *X, "--set", "obo=3"], "unknown key obo: did you mean obo_db?"),
        (["ledger", *X, "--set", "obo_db"], "write a setting as key=value"),
        (["ledger", *X, "--set", "obo_db=1", "--set", "obo_db=2"], "obo_db is set twice"),
        (["ledger", *X, "--set", "freq_ghz="], "freq_ghz cannot be unset"),
        (["ledger", *X, "--set", "freq_ghz=8 furlong"], "unknown unit 'furlong'"),
        (["ledger", *X, "--set", "elevation_deg=-1"], "elevation_deg = -1: allowed is 0 … 90"),
        (["ledger", *X, "--snr-db", "3"], "unrecognized arguments: --snr-db"),
        (["ledger", *X, "--cr", "2"], "--cr = 2"),
        (["ledger", *X, "--target", "much"], "target = 'much'"),
        (["ledger", *X, "--target", "at most 0.3"], 'is met by "at least"'),
        (["ledger", *X, "--confidence", "0.9"], "--confidence needs --target"),
        (["ledger", *X, *T, "--confidence", "90"], "it lies in (0.5, 1)"),
        (["ledger", *X, "--interval", "95"], "interval = 95"),
        (["ledger", *X, "--ledger", "x.doc"], "name a ledger"),
        (["ledger", *X, "--plot", "x.doc"], "name a picture"),
        (["ledger", *X, "--set", "eirp_dbw=9", "--papr-db", "9"], "the link gives eirp_dbw"),
        (["ledger", *X, "--rain-loss-db", "-1"], "rain_loss_db = -1"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(plan, words, says):
    refused(plan(*words), says)
