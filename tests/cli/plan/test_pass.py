"""`semloss plan pass` as a link engineer meets it."""

import pytest
from plan_case import HIGH, X, refused, rows


def test_a_pass_supplies_the_elevation_that_the_link_leaves_open(plan, answer, folder):
    assert (
        "give range_km, or fspl_db, or height_km and elevation_deg"
        in plan("ledger", "--link", "weak.toml")[2]
    )
    words = ("pass", "--link", "weak.toml", "--max-elevation", "60", "--target", "0.6")
    words = (*words, "--csv", "pass.csv")
    found = answer(*words, "--plot", "pass.png", "--step", "2", "--min-elevation", "15")
    series = rows(folder / "pass.csv")
    assert float(series[0]["elevation_deg"]) == pytest.approx(15)
    assert max(float(row["elevation_deg"]) for row in series) == pytest.approx(60)
    assert float(series[2]["time_s"]) - float(series[1]["time_s"]) == pytest.approx(2)
    assert float(series[-1]["images"]) == pytest.approx(found["images_delivered"])
    assert 0 < found["met_s"] < found["contact_s"]
    assert (folder / "pass.png").is_file()
    code, out, _ = plan(*words)
    assert code == 0
    assert "accuracy (clean) at least 0.6 from " in out


def test_the_rotation_of_the_earth_and_fading_change_a_pass(answer):
    words = ("pass", "--link", "weak.toml", "--max-elevation", "60", "--target", "0.6")
    still = answer(*words)
    assert answer(*words, "--inclination", "97.4")["contact_s"] < still["contact_s"]
    faded = answer(*words, "--fading", "rician:6")
    assert faded["fading"] == "rician:6"
    assert faded["images_delivered"] != still["images_delivered"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["pass", *X], "required: --max-elevation"),
        (["pass", *X, *HIGH, "--ledger", "x.md"], "unrecognized arguments: --ledger"),
        (["pass", *X, *HIGH, "--tle", "iss.tle"], "unrecognized arguments: --tle"),
        (["pass", *X, "--max-elevation", "5"], "does not rise above"),
        (["pass", *X, *HIGH, "--step", "0"], "--step: '0': give a finite number in 0.01 … 3600 s"),
        (["pass", *X, *HIGH, "--set", "elevation_deg=9"], "the pass gives it"),
        (["pass", *X, *HIGH, "--fading", "fog"], "fading = 'fog'"),
        (["pass", "--link", "dice.toml", *HIGH], "km, instead of range_km; cr is missing"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(plan, words, says):
    refused(plan(*words), says)
