"""`semloss plan sweep` as a link engineer meets it."""

import pytest
from plan_case import WEAK_LINK, X, refused, rows


def test_sweeps_over_one_field_and_two(plan, answer, folder):
    one = answer("sweep", "elevation_deg=10:90:5", "--link", "weak.toml", "--plot", "one.png")
    assert [row["elevation_deg"] for row in one["rows"]] == [10, 30, 50, 70, 90]
    snr = [row["snr_db"] for row in one["rows"]]
    assert snr == sorted(snr)
    words = ("sweep", "cr=1/32:1/8:3", "obo_db=0:4:2", *WEAK_LINK, "--target", "0.6")
    assert plan(*words, "--csv", "two.csv")[0] == 0
    table = rows(folder / "two.csv")
    assert [float(row["cr"]) for row in table[::2]] == pytest.approx([1 / 32, 1 / 16, 1 / 8])
    assert float(table[0]["snr_db"]) - float(table[1]["snr_db"]) == pytest.approx(4)
    alone = answer("sweep", "snr_db=-8:12:3", "--target", "0.6")
    assert alone["rows"][0]["cr"] is None  # not attainable there
    assert alone["rows"][1]["value"] == pytest.approx(0.6, abs=1e-6)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["sweep", *X, "--set", "fit="], "give FIT"),
        (["sweep", "obo_db=0:3", *X], "write FIELD=FIRST:LAST:NUMBER"),
        (["sweep", "obo=0:3:4", *X], "unknown key obo"),
        (["sweep", "name=0:3:4", *X], "name is no number"),
        (["sweep", *["obo_db=0:3:4"] * 2, *X], "swept twice"),
        (["sweep", "obo_db=0:3:4", "--cr", "1/6"], "is a key of the link; give --link"),
        (["sweep", "snr_db=0:1:2", "--cr", "1/6", "--set", "obo_db=1"], "--set needs --link"),
        (["sweep", "cr=1/6:1/8:3", *X, "--snr-db", "3"], "--snr-db contradicts --link"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(plan, words, says):
    refused(plan(*words), says)
