"""Orbital elements as catalogues hand them out: several formats, names, epochs, orbits."""

import csv
import io
import json
from datetime import UTC, datetime

import numpy as np
import pytest

from semloss.errors import SemlossError
from semloss.planning.passes.satellite import Site, read_elements, satellite_passes
from semloss.planning.passes.tle import Elements

ISS = (
    "1 25544U 98067A   14020.93268519  .00009878  00000-0  18200-3 0  5082",
    "2 25544  51.6498 109.4756 0003572  55.9686 274.8005 15.49815350868473",
)
#: The same elements, keyword by keyword (CCSDS 502.0-B-3, section 4).
OMM = {
    "OBJECT_NAME": "ISS (ZARYA)", "OBJECT_ID": "1998-067A", "EPOCH": "2014-01-20T22:23:04.000416",
    "MEAN_MOTION": 15.49815350, "ECCENTRICITY": 0.0003572, "INCLINATION": 51.6498,
    "RA_OF_ASC_NODE": 109.4756, "ARG_OF_PERICENTER": 55.9686, "MEAN_ANOMALY": 274.8005,
    "EPHEMERIS_TYPE": 0, "CLASSIFICATION_TYPE": "U", "NORAD_CAT_ID": 25544,
    "ELEMENT_SET_NO": 508, "REV_AT_EPOCH": 86847, "BSTAR": 0.000182, "MEAN_MOTION_DOT": 9.878e-5,
    "MEAN_MOTION_DDOT": 0,
}  # fmt: skip
BLUFFTON = Site(40.8939, -83.8917)
START = datetime(2014, 1, 23, tzinfo=UTC)


def checked(line):
    """A line with the checksum of its columns."""
    total = sum(int(c) if c.isdigit() else c == "-" for c in line[:-1]) % 10
    return line[:-1] + str(total)


def as_csv(*messages):
    text = io.StringIO()
    writer = csv.DictWriter(text, list(messages[0]))
    writer.writeheader()
    writer.writerows(messages)
    return text.getvalue()


@pytest.mark.parametrize("kind", ["csv", "json", "json of one", "with a byte order mark"])
def test_an_omm_is_the_orbit_of_the_two_lines(tmp_path, kind):
    pytest.importorskip("skyfield")
    text = {"csv": as_csv(OMM), "json": json.dumps([OMM]), "json of one": json.dumps(OMM),
            "with a byte order mark": "\ufeff" + as_csv(OMM)}[kind]  # fmt: skip
    path = tmp_path / "iss.omm"
    path.write_text(text, encoding="utf-8")
    elements, notes = read_elements(path)
    assert (elements.title, elements.number, notes) == ("ISS (ZARYA)", "25544", ())
    ours = satellite_passes(elements, BLUFFTON, START, 1)
    theirs = satellite_passes(Elements(*ISS), BLUFFTON, START, 1)
    assert len(ours) == len(theirs) > 3
    for a, b in zip(ours, theirs, strict=True):
        assert abs((a.start - b.start).total_seconds()) < 0.1
        assert a.max_elevation_deg == pytest.approx(b.max_elevation_deg, abs=0.01)


def test_an_omm_has_room_for_catalogue_numbers_of_six_digits(tmp_path):
    pytest.importorskip("skyfield")
    path = tmp_path / "new.json"
    path.write_text(json.dumps([OMM | {"NORAD_CAT_ID": n} for n in (100_123, 999_999)]))
    elements, _ = read_elements(path, "999999")
    assert elements.number == "999999"
    assert len(satellite_passes(elements, BLUFFTON, START, 1)) > 3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"EPOCH": ""}, "OMM of ISS (ZARYA): EPOCH is missing"),
        ({"EPOCH": "yesterday"}, "EPOCH = 'yesterday' is no time"),
        ({"MEAN_MOTION": "fast"}, "MEAN_MOTION = 'fast' is no number in 0.01 … 20"),
        ({"INCLINATION": 181}, "INCLINATION = '181' is no number in 0 … 180"),
    ],
)
def test_an_unsound_omm_is_refused(tmp_path, change, says):
    path = tmp_path / "bad.csv"
    path.write_text(as_csv(OMM | change))
    with pytest.raises(SemlossError) as error:
        read_elements(path)
    assert f"{path}: " in str(error.value)
    assert says in str(error.value)


def test_satellites_of_one_name_are_told_by_their_numbers(tmp_path):
    twin = (checked("1 25545" + ISS[0][7:]), checked("2 25545" + ISS[1][7:]))
    path = tmp_path / "twins.tle"
    path.write_text("\n".join(["FLOCK 1", *ISS, "FLOCK 1", *twin]))
    with pytest.raises(SemlossError, match=r"25544 \(FLOCK 1\), 25545 \(FLOCK 1\)"):
        read_elements(path)
    with pytest.raises(SemlossError, match="name one by its number"):
        read_elements(path, "FLOCK 1")
    assert read_elements(path, "25545")[0].number == "25545"


def test_of_several_epochs_the_nearest_is_taken_and_told(tmp_path):
    later = checked(ISS[0].replace("14020.9", "14030.9"))
    path = tmp_path / "history.tle"
    path.write_text("\n".join([*ISS, later, ISS[1]]))
    first, notes = read_elements(path, when=datetime(2014, 1, 22))
    assert first.epoch.day == 20
    assert "2 element sets of satellite 25544" in notes[0]
    assert "2014-01-20 22:23 UTC is the nearest" in notes[0]
    assert read_elements(path, when=datetime(2014, 2, 2))[0].epoch.day == 30
    assert read_elements(path)[0].epoch.day == 30  # nearest to now


def test_a_satellite_that_never_sets_is_one_long_pass(tmp_path):
    pytest.importorskip("skyfield")
    geo = OMM | {"OBJECT_NAME": "GEO", "MEAN_MOTION": 1.0027379, "ECCENTRICITY": 0.0001,
                 "INCLINATION": 0.05, "MEAN_MOTION_DOT": 0, "BSTAR": 0}  # fmt: skip
    path = tmp_path / "geo.json"
    path.write_text(json.dumps(geo))
    elements, _ = read_elements(path)
    under = [
        lon for lon in range(-180, 180, 30)
        if satellite_passes(elements, Site(10.0, lon), START, 1, min_elevation_deg=30)
    ]  # fmt: skip
    assert 2 <= len(under) <= 5  # in view of one side of the Earth
    (flown,) = satellite_passes(elements, Site(10.0, under[1]), START, 1, min_elevation_deg=30)
    assert flown.duration_s == 86_400
    assert np.ptp(flown.elevation_deg) < 2
    assert 35_000 < flown.range_km.min() < 42_000
    assert "does not set in these days" in flown.notes[-1]
