"""`semloss plan day` as a link engineer meets it."""

import pytest
from plan_case import EPOCH, X, refused, rows


def test_a_day_adds_its_passes(plan, answer, folder):
    found = answer("day", "--link", "weak.toml", "--target", "0.6", "--csv", "day.csv")
    passes = rows(folder / "day.csv")
    total = sum(float(p["passes_per_day"]) * float(p["images_delivered"]) for p in passes)
    assert found["images_delivered_per_day"] == pytest.approx(total)
    assert 2 < found["passes_per_day"] < 8
    assert "a day: " in plan("day", "--link", "weak.toml")[1]


def test_a_two_line_set_gives_its_passes_over_a_site(plan, answer, folder):
    words = ("day", "--link", "weak.toml", "--tle", "iss.tle")
    found = answer(*words, "--start", "2014-01-21T00:00", "--days", "2", "--satellite", "25544")
    rises = [p["start_utc"] for p in found["passes"]]
    assert rises[0].startswith("2014-01-21T01:49")
    assert found["passes_per_day"] == len(rises) / 2
    here = plan(*words, *EPOCH, "--plot", "iss.png", "--csv", "iss.csv")
    assert here[0] == 0
    assert len(rows(folder / "iss.csv")) == here[1].count("2014-01-")
    south = plan(*words, *EPOCH, "--site", "-33.9,18.4,0.1")
    assert south[0] == 0
    assert "not of --site" in south[2]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["day", *X, "--site", "1,2"], "--site needs --tle"),
        (["day", "--link", "cubesat-s-band"], "station_lat_deg is missing: give"),
        (["day", "--link", "cubesat-s-band", "--tle", "iss.tle"], "--tle needs --site"),
        (["day", *X, "--tle", "iss.tle", "--days", "0"], "--days: '0': give a finite number"),
        (["day", *X, "--days", "3"], "--days needs --tle"),
        (["day", *X, "--tle", "curve.csv"], "holds no elements"),
        (["day", *X, "--tle", "bad.tle"], "checksum"),
        (["day", *X, "--tle", "iss.tle", "--start", "soon"], "--start soon"),
        (["day", *X, "--tle", "iss.tle", "--start", "2026-01-01"], "years apart"),
        (["day", *X, "--tle", "iss.tle"], "years apart"),  # asked for from now on
        (["day", *X, "--tle", "iss.tle", "--satellite", "NOAA"], "holds no satellite 'NOAA'"),
        (["day", *X, "--tle", "iss.tle", "--site", "north"], "site = 'north'"),
        (["day", *X, "--tle", "iss.tle", "--inclination", "98"], "the elements give the orbit"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(plan, words, says):
    refused(plan(*words), says)
