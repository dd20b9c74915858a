"""Passes: their geometry, element sets, and what a link delivers along them."""

import math
import sys
import time
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning_case import IMAGES_PER_S, accuracy, distance, link, rainy
from planning_truth import faded_db

from semloss.errors import SemlossError, TargetNotAttainable
from semloss.planning.passes.day import simulate_day
from semloss.planning.passes.orbit import (
    circular_day,
    circular_pass,
    sun_synchronous_inclination_deg,
)
from semloss.planning.passes.satellite import Site, read_elements, satellite_passes
from semloss.planning.passes.simulation import simulate_pass
from semloss.planning.passes.tle import Elements
from semloss.planning.propagation.fading import Rayleigh, Rician
from semloss.planning.propagation.geometry import slant_range_km

# The International Space Station in January 2014, as skyfield's documentation has it.
ISS = (
    "1 25544U 98067A   14020.93268519  .00009878  00000-0  18200-3 0  5082",
    "2 25544  51.6498 109.4756 0003572  55.9686 274.8005 15.49815350868473",
)
BLUFFTON = Site(40.8939, -83.8917)
EARTH, MU, SPIN = 6371.0, 398_600.4418, 7.292_115e-5


def elevations(satellite, station):
    """Elevation [deg] and range [km] of positions (T, 3) from stations (T, 3), by vectors."""
    towards = satellite - station
    distance_km = np.linalg.norm(towards, axis=1)
    up = station / np.linalg.norm(station, axis=1, keepdims=True)
    return np.degrees(np.arcsin(np.sum(towards * up, axis=1) / distance_km)), distance_km


def fly(height_km, inclination_deg, time_s, node=0.0):
    rate, tilt = math.sqrt(MU / (EARTH + height_km) ** 3), math.radians(inclination_deg)
    u = rate * time_s
    x, y = np.cos(u), np.sin(u) * math.cos(tilt)
    turned = x * math.cos(node) - y * math.sin(node), x * math.sin(node) + y * math.cos(node)
    return (EARTH + height_km) * np.stack([*turned, np.sin(u) * math.sin(tilt)], axis=1)


# ---------------------------------------------------------------- circular orbits


def test_an_overhead_pass_from_horizon_to_horizon_takes_its_arc_of_the_period():
    arc = 2 * math.acos(EARTH / (EARTH + 400))
    period_s = 2 * math.pi * math.sqrt((EARTH + 400) ** 3 / MU)
    assert circular_pass(400, 90, 0).duration_s == pytest.approx(arc / (2 * math.pi) * period_s)
    assert circular_pass(400, 90, 0).duration_s / 60 == pytest.approx(10.16, abs=0.02)


@pytest.mark.parametrize("culmination", [15.0, 40.0, 75.0, 90.0])
def test_a_pass_is_that_of_vectors_flown_past_a_station(culmination):
    found = circular_pass(650, culmination, 10, step_s=2.0)
    # the station stands off the orbital plane by the central angle of the culmination
    off = math.acos(EARTH / (EARTH + 650) * math.cos(math.radians(culmination)))
    off -= math.radians(culmination)
    t = found.time_s - found.duration_s / 2
    station = EARTH * np.array([[math.cos(off), 0.0, math.sin(off)]]).repeat(len(t), axis=0)
    elevation, range_km = elevations(fly(650, 0, t), station)
    np.testing.assert_allclose(found.elevation_deg, elevation, atol=1e-6)
    np.testing.assert_allclose(found.range_km, range_km, rtol=1e-9)


@given(
    height=st.floats(200, 5000), low=st.floats(0, 40), rise=st.floats(1, 40), step=st.floats(5, 60)
)
@settings(max_examples=60, deadline=None)
def test_a_pass_begins_and_ends_at_the_lowest_elevation_and_culminates_between(
    height, low, rise, step
):
    found = circular_pass(height, low + rise, low, step)
    assert found.elevation_deg[[0, -1]] == pytest.approx([low, low], abs=1e-6)
    assert found.max_elevation_deg == pytest.approx(low + rise, abs=1e-6)
    assert np.all(np.diff(found.time_s) > 0)
    assert np.diff(found.time_s).max() <= step * (1 + 1e-9)
    assert found.weight_s.sum() == pytest.approx(found.duration_s)
    np.testing.assert_allclose(
        found.range_km, slant_range_km(height, found.elevation_deg), rtol=1e-9
    )
    assert circular_pass(height, low + rise + 1, low, step).duration_s > found.duration_s


def test_the_earth_turns_with_a_prograde_satellite_and_against_a_retrograde_one():
    still = circular_pass(500, 60).duration_s
    assert circular_pass(500, 60, inclination_deg=30).duration_s > still
    assert circular_pass(500, 60, inclination_deg=150).duration_s < still
    assert circular_pass(500, 60, inclination_deg=90).duration_s == pytest.approx(still)


@pytest.mark.parametrize(("height", "degrees"), [(500, 97.4), (800, 98.6)])
def test_sun_synchronous_inclinations_are_the_known_ones(height, degrees):
    assert sun_synchronous_inclination_deg(height) == pytest.approx(degrees, abs=0.05)


@pytest.mark.parametrize(
    ("inclination", "latitude"), [(97.4, 48.0), (97.4, 78.2), (51.6, 20.0), (51.6, 48.0)]
)
def test_an_average_day_is_that_of_forty_days_flown_over_a_turning_earth(inclination, latitude):
    step_s, days, lowest = 10.0, 40, 5.0
    t = np.arange(0, days * 86_400, step_s)
    lat, angle = math.radians(latitude), SPIN * t
    flat = EARTH * math.cos(lat) * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    station = np.column_stack([flat, np.full(len(t), EARTH * math.sin(lat))])
    elevation, _ = elevations(fly(520, inclination, t), station)
    up = elevation >= lowest
    passes = circular_day(520, latitude, lowest, 10.0, inclination_deg=inclination)
    count = sum(p.per_day for p in passes)
    contact = sum(p.per_day * p.duration_s for p in passes)
    assert count == pytest.approx(np.count_nonzero(np.diff(up.astype(int)) == 1) / days, rel=0.03)
    assert contact == pytest.approx(up.sum() * step_s / days, rel=0.02)


def test_a_station_under_an_equatorial_orbit_sees_it_once_every_synodic_turn():
    passes = circular_day(600, 0.0, inclination_deg=0.0)
    rate = math.sqrt(MU / (EARTH + 600) ** 3) - SPIN
    assert sum(p.per_day for p in passes) == pytest.approx(86_400 * rate / (2 * math.pi))
    assert all(p.max_elevation_deg == pytest.approx(90) for p in passes)
    assert circular_day(600, 60.0, inclination_deg=0.0) == []


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: circular_pass(50, 60), "height_km = 50"),
        (lambda: circular_pass(500, 10, 10), "does not rise above"),
        (lambda: circular_pass(500, 95), "max <= 90"),
        (lambda: circular_pass(500, 60, -5), "lowest elevation = -5"),
        (lambda: circular_pass(500, 60, step_s=0), "step_s = 0"),
        (lambda: circular_pass(500, 60, step_s=1e-6), "take longer ones"),
        (lambda: circular_pass(500, 60, inclination_deg=200), "inclination = 200"),
        (lambda: circular_day(500, 99), "latitude = 99"),
        (lambda: circular_day(8000, 48), "sun-synchronous"),
    ],
)
def test_impossible_orbits_are_told_in_one_line(call, told):
    with pytest.raises(SemlossError, match=told) as caught:
        call()
    assert "\n" not in str(caught.value)


# ---------------------------------------------------------------- element sets


def test_passes_of_the_space_station_are_those_of_the_documentation():
    pytest.importorskip("skyfield")
    start = datetime(2014, 1, 23, tzinfo=UTC)
    first, second = satellite_passes(Elements(*ISS), BLUFFTON, start, 1, min_elevation_deg=30)
    for found, rise, seconds in ((first, "06:25:37", 162), (second, "12:54:56", 182)):
        when = datetime.fromisoformat(f"2014-01-23T{rise}+00:00")
        assert abs((found.start - when).total_seconds()) < 1
        assert found.duration_s == pytest.approx(seconds, abs=1)
        assert found.elevation_deg[[0, -1]] == pytest.approx([30, 30], abs=0.05)
        assert found.notes == ()


def test_along_a_tle_pass_elevation_azimuth_and_range_are_skyfields():
    api = pytest.importorskip("skyfield.api")
    found = satellite_passes(Elements(*ISS), BLUFFTON, None, 1, step_s=7.0)[0]
    scale = api.load.timescale(builtin=True)
    here = api.EarthSatellite(*ISS, None, scale) - api.wgs84.latlon(40.8939, -83.8917)
    moment = 20
    second = found.start.second + found.start.microsecond / 1e6 + found.time_s[moment]
    when = scale.utc(*found.start.timetuple()[:5], second)
    elevation, azimuth, range_km = here.at(when).altaz()
    assert found.elevation_deg[moment] == pytest.approx(elevation.degrees, abs=1e-3)
    assert found.azimuth_deg[moment] == pytest.approx(azimuth.degrees, abs=1e-3)
    assert found.range_km[moment] == pytest.approx(range_km.km, abs=0.01)


def test_a_nearly_circular_tle_and_the_circular_orbit_give_like_days():
    pytest.importorskip("skyfield")
    found = satellite_passes(Elements(*ISS), Site(48, 11), None, 20, step_s=20)
    height = (MU / (15.498 * 2 * math.pi / 86_400) ** 2) ** (1 / 3) - EARTH
    circular = circular_day(height, 48, step_s=20, inclination_deg=51.65)
    contact = sum(p.per_day * p.duration_s for p in found)
    assert contact == pytest.approx(sum(p.per_day * p.duration_s for p in circular), rel=0.05)


@pytest.mark.parametrize(
    ("line1", "line2", "told"),
    [
        (ISS[0][:-1] + "3", ISS[1], "line 1 ends in checksum 3 but its columns give 2"),
        (ISS[0], ISS[1].replace("51.6498", "51.6489") + "", None),
        (ISS[0], ISS[1].replace("51.6498", "51.6499"), "line 2 ends in checksum 3"),
        (ISS[0].replace("  ", " ", 1), ISS[1], "has 68 characters instead of 69"),
        (ISS[1], ISS[0], 'it must begin "1 "'),
        (ISS[0].replace("14020.9", "14x20.9")[:-1] + "2", ISS[1], "no year and day of year"),
        (ISS[0], ISS[1].replace(" 51.6498", "351.6498")[:-1] + "6", "inclination '351.6498'"),
        (ISS[0], ISS[1].replace("15.4981", "1b.4981")[:-1] + "8", "mean motion '1b.49815350'"),
        (ISS[0], "2 25545" + ISS[1][7:-1] + "4", "two lines of one satellite"),
    ],
)
def test_broken_lines_are_told(line1, line2, told):
    if told is None:  # digits swapped: the checksum cannot see it
        assert Elements(line1, line2).epoch.year == 2014
        return
    with pytest.raises(SemlossError, match=told):
        Elements(line1, line2)


def test_old_elements_carry_a_note_and_very_old_ones_are_refused():
    pytest.importorskip("skyfield")
    later = satellite_passes(Elements(*ISS), BLUFFTON, datetime(2014, 3, 1), 1, step_s=30)
    assert "40 days apart" in later[0].notes[0] or "41 days apart" in later[0].notes[0]
    assert later[0].notes[0] in simulate_pass(link(), accuracy(), later[0]).notes
    with pytest.raises(SemlossError, match=r"12\.9 years apart"):
        satellite_passes(Elements(*ISS), BLUFFTON, datetime(2026, 12, 1))


def test_without_skyfield_the_message_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "skyfield", None)
    with pytest.raises(SemlossError, match=r"semloss\[orbit\]"):
        satellite_passes(Elements(*ISS), BLUFFTON)


def test_a_tle_file_may_hold_names_and_several_satellites(tmp_path):
    path = tmp_path / "stations.tle"
    path.write_text("ISS (ZARYA)\r\n" + "\r\n".join(ISS) + "\r\n")
    assert read_elements(path) == (Elements(*ISS, "ISS (ZARYA)"), ())
    other = ["1 25545" + ISS[0][7:-1] + "3", "2 25545" + ISS[1][7:-1] + "4"]
    path.write_text("\n".join(["ISS (ZARYA)", *ISS, *other]))
    assert read_elements(path, "25545")[0].title == "satellite 25545"
    assert read_elements(path, "ISS (ZARYA)")[0].title == "ISS (ZARYA)"
    with pytest.raises(SemlossError, match="holds 2 satellites"):
        read_elements(path)
    with pytest.raises(SemlossError, match="no satellite 'HUBBLE'"):
        read_elements(path, "HUBBLE")
    path.write_text("nothing here")
    with pytest.raises(SemlossError, match="holds no elements"):
        read_elements(path)


@pytest.mark.parametrize("text", ["48", "48,11,0,1", "north,11", "91,0", "0,400", "0,0,50"])
def test_impossible_sites_are_refused(text):
    with pytest.raises(SemlossError, match="site"):
        Site.parse(text)


def test_a_site_is_read_from_text():
    assert Site.parse("48.1, 11.6") == Site(48.1, 11.6)
    assert Site.parse("48.1,11.6,0.5").altitude_km == 0.5


# ---------------------------------------------------------------- the link along a pass


def test_along_a_pass_the_link_is_the_budget_at_each_elevation():
    found = simulate_pass(link(), accuracy(), circular_pass(500, 50, 10, 30))
    for i in (0, 3, -1):
        alone = link(elevation_deg=float(min(found.pass_.elevation_deg[i], 90)))
        assert found.snr_db[i] == pytest.approx(float(alone.budget().snr_db), abs=1e-6)
        point = accuracy().predict(cr=1 / 12, snr_db=float(found.snr_db[i]))
        assert (found.value[i], found.low[i], found.high[i]) == pytest.approx(
            (point.value, point.low, point.high)
        )
    assert found.images_sent == pytest.approx(12 / 3 * IMAGES_PER_S * found.contact_s)
    assert found.images_delivered == pytest.approx(found.images_sent)


@pytest.mark.parametrize("model", [accuracy, distance])
def test_margin_is_zero_where_the_target_is_just_met(model):
    model = model()
    target = 0.6 if model.direction == "higher" else 0.4
    found = simulate_pass(link(), model, circular_pass(500, 80, 5, 5), target=target)
    better = found.value >= target if model.direction == "higher" else found.value <= target
    np.testing.assert_array_equal(found.met_share == 1, better)
    np.testing.assert_array_equal(found.margin_db >= 0, better)
    assert 0 < found.met_s < found.contact_s
    assert found.images_delivered == pytest.approx(found.images_per_s * found.met_s)
    np.testing.assert_allclose(found.snr_db - found.margin_db, found.required_snr_db)


def test_the_links_margin_is_kept():
    flown = circular_pass(500, 80, 5, 5)
    plain = simulate_pass(link(), accuracy(), flown, target=0.6)
    careful = simulate_pass(link(margin_db=3.0), accuracy(), flown, target=0.6)
    np.testing.assert_array_equal(careful.met_share == 1, plain.margin_db >= 3)


def test_rain_of_the_link_follows_the_elevation_and_given_rain_does_not():
    flown = circular_pass(500, 80, 10, 10)
    own = simulate_pass(rainy(), accuracy(), flown)
    assert own.rain_loss_db[0] > 2 * own.rain_loss_db.min()
    given_, dry = (simulate_pass(rainy(), accuracy(), flown, rain_loss_db=a) for a in (3.0, 0.0))
    np.testing.assert_allclose(given_.rain_loss_db, 3.0)
    assert np.all(dry.snr_db - given_.snr_db > 3.0)  # rain also warms the sky


def test_fading_gives_the_mean_over_the_fades():
    flown = circular_pass(500, 80, 10, 60)
    found = simulate_pass(link(), accuracy(), flown, target=0.6, fading=Rician(5.0))
    gains = faded_db(Rician(5.0), 100_000, np.random.default_rng(1))
    for i in (0, 4):
        drawn = accuracy().predict(cr=1 / 12, snr_db=found.snr_db[i] + gains).value
        # Five standard errors of the mean; of a share, at most 0.0016, 5.1 of them.
        assert found.value[i] == pytest.approx(drawn.mean(), abs=5 * drawn.std() / 316)
        assert found.met_share[i] == pytest.approx(np.mean(drawn >= 0.6), abs=0.0081)
    assert np.all((found.low <= found.value) & (found.value <= found.high))
    clear = simulate_pass(link(), accuracy(), flown, target=0.6, fading=Rician(40.0))
    plain = simulate_pass(link(), accuracy(), flown, target=0.6)
    np.testing.assert_allclose(clear.value, plain.value, atol=1e-3)


def test_fading_that_the_fit_holds_already_is_told():
    from dataclasses import replace

    model = replace(accuracy(), provenance={"channel": "rician-k20dB-slow-mmse"})
    found = simulate_pass(link(), model, circular_pass(500, 80), fading=Rayleigh())
    assert "holds that fading already" in found.notes[-1]


def test_ten_minutes_at_one_second_with_rain_and_fading_take_less_than_half_a_second():
    flown = circular_pass(600, 80, 5)
    assert flown.duration_s > 600
    accuracy()
    started = time.process_time()
    simulate_pass(rainy(), accuracy(), flown, target=0.6, fading=Rician(10.0))
    assert time.process_time() - started < 0.5


def test_a_day_is_the_sum_of_its_passes():
    passes = circular_day(500, 48, step_s=20)
    day = simulate_day(link(), accuracy(), passes, target=0.6)
    totals = day.to_dict()
    assert totals["contact_s_per_day"] == pytest.approx(
        sum(p.per_day * p.duration_s for p in passes)
    )
    assert 0 < totals["images_delivered_per_day"] < totals["images_sent_per_day"]
    assert len(day.frame()) == len(passes)
    with pytest.raises(SemlossError, match="no pass"):
        simulate_day(link(), accuracy(), [])
    with pytest.raises(SemlossError, match="does not tell images per day"):
        simulate_day(link(), accuracy(), [circular_pass(500, 60)])


def test_the_frame_has_a_row_per_moment_and_the_summary_is_json():
    import json

    found = simulate_pass(link(), accuracy(), circular_pass(500, 60, 10, 10), target=0.6)
    table = found.frame()
    assert len(table) == len(found.pass_.time_s)
    assert table.images.iloc[-1] == found.images_delivered
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["cr_text"] == "1/12"


def test_what_a_pass_lacks_is_told():
    flown = circular_pass(500, 60, step_s=60)
    with pytest.raises(SemlossError, match="cr is missing"):
        simulate_pass(link(cr=None), accuracy(), flown)
    with pytest.raises(TargetNotAttainable):
        simulate_pass(link(), accuracy(), flown, target=0.999)
