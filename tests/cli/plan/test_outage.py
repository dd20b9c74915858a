"""`semloss plan outage` as a link engineer meets it."""

import pytest
from plan_case import WEAK_LINK, X, refused, rows


def test_outage_tells_what_is_exceeded_how_often(plan, answer, folder):
    words = ("outage", *WEAK_LINK, "--target", "0.6", "--fading", "shadowing:2")
    found = answer(*words, "--percents", "99,50,90", "--plot", "outage.png", "--csv", "out.csv")
    values = [row["value"] for row in found["exceeded"]]
    assert [row["percent"] for row in found["exceeded"]] == [50, 90, 99]
    assert values == sorted(values, reverse=True)
    assert [float(row["value"]) for row in rows(folder / "out.csv")] == values
    assert 0 < found["met_percent"] < 100
    code, out, _ = plan("outage", "--link", "weak.toml", "--max-elevation", "60")
    assert code == 0
    assert "culmination 60 deg" in out
    assert "99.9 %" in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["outage", *X, "--step", "5"], "--step needs --max-elevation: it is about a pass"),
        (["outage", *X, "--day"], "unrecognized arguments: --day"),
        (["outage", *X, "--percents", "some"], "--percents some"),
        (["outage", *X, "--percents", "100"], "up to 99.99"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(plan, words, says):
    refused(plan(*words), says)
