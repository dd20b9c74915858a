"""A link description: what it accepts, what it refuses, and the numbers of its budget."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning_case import accuracy
from planning_truth import X_BAND, image_link, rainy_link

from semloss.errors import SemlossError
from semloss.planning.link.link import KEYS
from semloss.planning.link.quantities import read_quantity
from semloss.planning.link.template import preset_names, preset_text, template_text
from semloss.planning.planner import Link
from semloss.planning.propagation.geometry import EARTH_RADIUS_KM, fspl_db, slant_range_km

# --- Units -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("8.2 GHz", "GHz", 8.2),
        ("8200MHz", "GHz", 8.2),
        ("50 MHz", "MHz", 50.0),
        ("1.2 GHz", "MHz", 1200.0),
        ("120 cm", "m", 1.2),
        ("500 km", "km", 500.0),
        ("500000 m", "km", 500.0),
        ("2 W", "dBW", 10 * math.log10(2)),
        ("33 dBm", "dBW", 3.0),
        ("500 mW", "dBW", 10 * math.log10(0.5)),
        ("60 %", "", 0.6),
        ("50 Mbps", "Mb/s", 50.0),
        ("-3.5", "dBi", -3.5),
        (7, "dBW", 7.0),
    ],
)
def test_values_are_read_with_their_units(text, unit, value):
    assert read_quantity(text, unit, "key") == pytest.approx(value, rel=1e-12)


def test_a_noise_temperature_stands_for_a_noise_figure():
    assert read_quantity("290 K", "dB", "noise_figure_db") == pytest.approx(3.0103, abs=1e-4)
    with pytest.raises(SemlossError, match="unknown unit 'K'"):
        read_quantity("290 K", "dB", "obo_db")


@pytest.mark.parametrize(
    ("text", "unit"), [("8.2 parsec", "GHz"), ("8.2 GHZ", "GHz"), ("fast", "GHz"), ("0 W", "dBW")]
)
def test_what_is_no_quantity_is_refused_with_what_is_allowed(text, unit):
    with pytest.raises(SemlossError, match=r"^key = "):
        read_quantity(text, unit, "key")


@given(st.floats(1e-3, 1e3), st.sampled_from(["mW", "W", "kW"]))
def test_watts_become_decibels(watts, unit):
    scale = {"mW": 1e-3, "W": 1.0, "kW": 1e3}[unit]
    dbw = read_quantity(f"{watts!r} {unit}", "dBW", "power_dbw")
    assert 10 ** (dbw / 10) == pytest.approx(watts * scale, rel=1e-9)


# --- The description ---------------------------------------------------------------------------


def test_tables_and_flat_keys_describe_the_same_link():
    nested = {}
    for name, value in X_BAND.items():
        nested.setdefault(KEYS[name].section, {})[name] = value
    nested["signal"] = {"bandwidth_mhz": "150 MHz"}
    nested["image"] = {"cr": "1/12"}
    assert Link.from_dict(nested) == Link.from_dict(X_BAND | {"bandwidth_mhz": 150, "cr": "1/12"})


def test_the_template_is_a_link_and_names_every_key(tmp_path):
    path = tmp_path / "link.toml"
    path.write_text(template_text())
    assert Link.from_toml(path).budget().snr_db > 0
    lines = template_text().partition("[tolerances]")[0].splitlines()[4:]
    for name, key in KEYS.items():
        (line,) = [text for text in lines if text.removeprefix("# ").startswith(f"{name} =")]
        assert key.unit in line
        assert key.about in line


def test_presets_are_links_without_warnings_that_deliver():
    assert preset_names() == ["cubesat-s-band", "eo-leo-x-band", "ka-band-leo"]
    for name in preset_names():
        link = Link.from_toml(name)
        assert link.warnings == ()
        assert 0 < link.budget().snr_db < 20
        assert "assumed" in preset_text(name)


def test_a_missing_file_or_preset_says_so(tmp_path):
    with pytest.raises(SemlossError, match="cannot read link file"):
        Link.from_toml(tmp_path / "none.toml")
    with pytest.raises(SemlossError, match="there are cubesat-s-band"):
        preset_text("moon")
    broken = tmp_path / "broken.toml"
    broken.write_text("[path\n")
    with pytest.raises(SemlossError, match="is not TOML"):
        Link.from_toml(broken)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"eirp_dbw": 11.5}, r"eirp_dbw = 11.5 contradicts power_dbw"),
        ({"g_over_t_db_k": 23.0}, r"g_over_t_db_k = 23 contradicts rx_dish_m"),
        ({"t_sys_k": 180.0}, r"t_sys_k = 180 contradicts t_ant_k"),
        ({"rx_gain_dbi": 46.0}, r"rx_gain_dbi = 46 contradicts rx_dish_m"),
        ({"tx_dish_m": 0.5}, r"tx_gain_dbi = 6 contradicts tx_dish_m"),
        ({"range_km": 1700.0}, r"range_km = 1700 contradicts height_km"),
        ({"elevation_deg": -3.0}, r"elevation_deg = -3: allowed is 0 … 90 deg \(.*horizon\)"),
        ({"t_ant_k": -5.0}, r"t_ant_k = -5: allowed is above 0, at most 10000 K"),
        ({"t_ant_k": 0.0}, r"t_ant_k = 0: allowed is above 0"),
        (
            {"bandwidth_mhz": None, "bit_rate_mbps": 9.0, "c_over_i_db": 9.0},
            r"c_over_i_db = 9 needs bandwidth_mhz",
        ),
        ({"required_eb_n0_db": 4.0}, r"required_eb_n0_db = 4 needs bit_rate_mbps"),
        ({"station_lat_deg": 95.0}, r"station_lat_deg = 95: allowed is -90 … 90 deg"),
        ({"station_lon_deg": 200.0}, r"station_lon_deg = 200: allowed is -180 … 180 deg"),
        ({"rx_efficiency": 1.2}, r"rx_efficiency = 1.2: allowed is 0.01 … 1"),
        ({"rx_efficiency": 1e-320}, r"rx_efficiency = \S+: allowed is 0.01 … 1"),
        ({"rx_dish_m": 1e-320}, r"rx_dish_m = \S+: allowed is 0.01 … 100 m"),
        ({"freq_ghz": math.nan}, r"freq_ghz = nan: allowed is"),
        ({"t_ant_k": None}, r"t_ant_k is missing"),
        ({"power_dbw": None}, r"the transmitter is not described: give eirp_dbw, or power_dbw"),
        ({"height_km": None}, r"the path is not described"),
        ({"rain_loss_db": 1.0, "r001_mm_h": 30.0}, r"rain_loss_db = 1 contradicts r001_mm_h"),
        ({"r001_mm_h": 30.0}, r"availability_percent is missing: rain by r001_mm_h = 30"),
        ({"availability_percent": 99.0}, r"availability_percent = 99 needs rain statistics"),
        ({"atmosphere_model": "itu"}, r"availability_percent is missing"),
        ({"atmosphere_model": "rain"}, r'atmosphere_model = \'rain\': allowed is "fixed" or "itu"'),
    ],
)
def test_bad_givens_are_one_line_with_key_value_and_what_is_allowed(fields, message):
    with pytest.raises(SemlossError, match=message) as caught:
        Link(**X_BAND | {"bandwidth_mhz": 50.0} | fields)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"power_w": 5}, r"unknown key power_w: did you mean power_dbw\?"),
        ({"path": {"elevation": 5}}, r"unknown key elevation: did you mean elevation_deg\?"),
        ({"recever": {}}, r"unknown table \[recever\]: did you mean receiver"),
        ({"receiver": {"obo_db": 3}}, r"obo_db stands in \[receiver\]: it belongs .*transmitter"),
        ({"obo_db": 3, "transmitter": {"obo_db": 3}}, r"obo_db is given twice"),
        ({"freq_ghz": "8.2 GHy"}, r"freq_ghz = '8.2 GHy': unknown unit 'GHy'; .*Hz, kHz, MHz, GHz"),
        ({"rain_warms_sky": 1}, r"rain_warms_sky = 1: allowed is true or false"),
        ({"bands": 2.5}, r"bands = 2.5: give a whole number"),
        ({"bands": 10**400}, r"bands: no number is that large"),
        ({"cr": "1/0"}, r"cr = '1/0'"),
        ({}, r"freq_ghz is missing"),
    ],
)
def test_bad_files_name_the_key_and_the_nearest_known_one(tables, message):
    with pytest.raises(SemlossError, match=message):
        Link.from_dict(tables)


def test_implausible_plain_numbers_are_warned_about_but_not_those_with_units():
    link = Link.from_dict(X_BAND | {"bandwidth_mhz": 50, "power_dbw": 33})
    assert link.warnings == (
        "power_dbw = 33 is 1,995 W: implausible unless a hub; if watts or dBm are meant, write "
        '"33 W" or "33 dBm"',
    )
    assert Link.from_dict(X_BAND | {"bandwidth_mhz": 50, "power_dbw": "2 kW"}).warnings == ()
    metres = Link.from_dict(X_BAND | {"bandwidth_mhz": 50, "height_km": 500_000})
    assert 'write "500000 m"' in metres.warnings[0]


def test_replacing_a_field_drops_what_it_replaces():
    link = image_link()
    assert link.replace(eirp_dbw=20.0).power_dbw is None
    assert link.replace(range_km=900.0).height_km is None
    assert link.replace(g_over_t_db_k=20.0).noise_figure_db is None
    assert link.replace(t_sys_k=200.0).t_ant_k is None
    assert link.replace(rx_gain_dbi=40.0).replace(rx_dish_m=2.0).rx_gain_dbi is None
    with pytest.raises(SemlossError, match="did you mean obo_db"):
        link.replace(obo=1.0)


def test_settings_change_fields_as_the_command_line_gives_them():
    link = image_link().with_settings(
        ["power_dbw = 2 W", "elevation_deg=30", "cr=1/24", "rain_warms_sky=true"]
    )
    assert link.power_dbw == pytest.approx(3.0103, abs=1e-4)
    assert (link.elevation_deg, link.cr, link.rain_warms_sky) == (30.0, 1 / 24, True)
    assert "power_dbw = 33 is" in image_link().with_settings(["power_dbw=33"]).warnings[0]
    assert image_link().with_settings(["eirp_dbw=20"]).power_dbw is None
    with pytest.raises(SemlossError, match="write a setting as key=value"):
        image_link().with_settings(["obo_db"])
    with pytest.raises(SemlossError, match="did you mean obo_db"):
        image_link().with_settings(["obo=3"])


def test_images_are_padded_to_whole_tiles():
    assert image_link(height_px=100, width_px=130).samples_per_image == 3 * 100 * 130
    padded = image_link(height_px=100, width_px=130, tile_px=64)
    assert padded.samples_per_image == 3 * 6 * 64 * 64


# --- The numbers -------------------------------------------------------------------------------


def random_links(count):
    """Fields of random links, as columns (count,)."""
    rng = np.random.default_rng(4)
    return {
        "freq_ghz": 10 ** rng.uniform(-1, 1.7, count),
        "height_km": 10 ** rng.uniform(2.2, 4.6, count),
        "elevation_deg": rng.uniform(0, 90, count),
        "power_dbw": rng.uniform(-20, 25, count),
        "obo_db": rng.uniform(0, 8, count),
        "tx_line_loss_db": rng.uniform(0, 4, count),
        "tx_gain_dbi": rng.uniform(-5, 50, count),
        "tx_pointing_loss_db": rng.uniform(0, 3, count),
        "gas_loss_db": rng.uniform(0, 3, count),
        "rain_loss_db": rng.uniform(0, 10, count),
        "polarisation_loss_db": rng.uniform(0, 3, count),
        "rx_dish_m": 10 ** rng.uniform(-0.7, 1.3, count),
        "rx_efficiency": rng.uniform(0.3, 0.9, count),
        "rx_line_loss_db": rng.uniform(0, 2, count),
        "t_ant_k": rng.uniform(3, 300, count),
        "noise_figure_db": rng.uniform(0.2, 8, count),
        "bandwidth_mhz": 10 ** rng.uniform(-1, 3, count),
    }


def linear_budget(v):
    """The same link in watts, metres, kelvin and hertz, by the law of cosines."""
    light, boltzmann = 299792458.0, 1.380649e-23
    radius, orbit = 6371e3, 6371e3 + 1e3 * v["height_km"]
    at_station = math.radians(90 + v["elevation_deg"])
    at_satellite = math.asin(radius * math.sin(at_station) / orbit)
    at_centre = math.pi - at_station - at_satellite
    metres = math.sqrt(radius**2 + orbit**2 - 2 * radius * orbit * math.cos(at_centre))
    wavelength = light / (1e9 * v["freq_ghz"])

    def ratio(name):
        return 10 ** (v[name] / 10)

    radiated = ratio("power_dbw") * ratio("tx_gain_dbi")
    for loss in ("obo_db", "tx_line_loss_db", "tx_pointing_loss_db"):
        radiated /= ratio(loss)
    flux = radiated / (4 * math.pi * metres**2)
    for loss in ("gas_loss_db", "rain_loss_db", "polarisation_loss_db"):
        flux /= ratio(loss)
    aperture = v["rx_efficiency"] * math.pi * v["rx_dish_m"] ** 2 / 4
    through = 1 / ratio("rx_line_loss_db")
    received = flux * aperture * through
    kelvin = v["t_ant_k"] * through + 290 * (1 - through) + 290 * (ratio("noise_figure_db") - 1)
    gain = 4 * math.pi * aperture / wavelength**2
    return {
        "range_km": metres / 1e3,
        "fspl_db": 20 * math.log10(4 * math.pi * metres / wavelength),
        "g_over_t_db_k": 10 * math.log10(gain * through / kelvin),
        "c_n0_dbhz": 10 * math.log10(received / (boltzmann * kelvin)),
        "snr_db": 10 * math.log10(
            received / (boltzmann * kelvin * 1e6 * v["bandwidth_mhz"] / 1.2)
        ),
    }  # fmt: skip


def test_a_thousand_random_links_agree_with_linear_units():
    columns = random_links(1000)
    points = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    points = [{name: float(value) for name, value in point.items()} for point in points]
    together = Link(**points[0]).budget(**columns)
    for number, point in enumerate(points):
        alone = Link(**point).budget()
        for name, value in linear_budget(point).items():
            assert getattr(alone, name) == pytest.approx(value, abs=0.01, rel=1e-9), (name, point)
            assert getattr(together, name)[number] == pytest.approx(float(getattr(alone, name)))


def test_a_thousand_random_links_agree_with_spacelink():
    pytest.importorskip("spacelink", reason="the independent library spacelink is not installed")
    import astropy.units as u
    from spacelink.core.antenna import dish_gain
    from spacelink.core.noise import noise_factor_to_temperature, noise_power_density
    from spacelink.core.path import free_space_path_loss

    v = random_links(1000)
    budget = Link(**{name: float(column[0]) for name, column in v.items()}).budget(**v)
    freq = v["freq_ghz"] * u.GHz
    loss = free_space_path_loss(budget.range_km * u.km, freq).value
    gain = dish_gain(v["rx_dish_m"] * u.m, freq, v["rx_efficiency"] * u.dimensionless_unscaled)
    amplifier = noise_factor_to_temperature(
        10 ** (v["noise_figure_db"] / 10) * u.dimensionless_unscaled
    )
    through = 10 ** (-v["rx_line_loss_db"] / 10)
    kelvin = (v["t_ant_k"] * through + 290 * (1 - through)) * u.K + amplifier
    density = 10 * np.log10(noise_power_density(kelvin).to_value(u.W / u.Hz))
    received = (
        budget.eirp_dbw - loss - v["gas_loss_db"] - v["rain_loss_db"] - v["polarisation_loss_db"]
        + gain.value - v["rx_line_loss_db"]
    )  # fmt: skip
    np.testing.assert_allclose(budget.fspl_db, loss, atol=0.01)
    np.testing.assert_allclose(
        budget.g_over_t_db_k,
        gain.value - v["rx_line_loss_db"] - 10 * np.log10(kelvin.value), atol=0.01,
    )  # fmt: skip
    np.testing.assert_allclose(budget.c_n0_dbhz, received - density, atol=0.01)


@given(st.floats(160, 40_000), st.floats(0, 90))
def test_slant_range_lies_between_height_and_horizon(height, elevation):
    distance = float(slant_range_km(height, elevation))
    horizon = math.sqrt((EARTH_RADIUS_KM + height) ** 2 - EARTH_RADIUS_KM**2)
    assert height * (1 - 1e-9) <= distance <= horizon * (1 + 1e-9)


def test_slant_range_is_the_height_overhead_and_the_published_value_at_five_degrees():
    assert slant_range_km(500.0, 90.0) == pytest.approx(500.0, rel=1e-12)
    assert round(float(slant_range_km(450.0, 5.0)), 1) == 1943.7


@given(st.floats(0.1, 1e5), st.floats(0.1, 100))
def test_doubling_range_or_frequency_costs_six_decibels(range_km, freq_ghz):
    once = fspl_db(range_km, freq_ghz)
    assert fspl_db(2 * range_km, freq_ghz) - once == pytest.approx(20 * math.log10(2), abs=1e-9)
    assert fspl_db(range_km, 2 * freq_ghz) - once == pytest.approx(20 * math.log10(2), abs=1e-9)


@settings(max_examples=50)
@given(
    name=st.sampled_from(
        ["power_dbw", "tx_gain_dbi", "obo_db", "gas_loss_db", "t_ant_k", "noise_figure_db",
         "rx_dish_m", "bandwidth_mhz", "implementation_loss_db", "elevation_deg", "height_km"]
    ),
    low=st.floats(0.01, 0.98),
)  # fmt: skip
def test_snr_moves_the_right_way_with_every_field(name, low):
    ends = {"elevation_deg": (0, 90), "height_km": (300, 2000), "rx_dish_m": (0.5, 20),
            "bandwidth_mhz": (1, 500), "t_ant_k": (5, 300)}.get(name, (0, 10))  # fmt: skip
    values = np.array([low, low + 0.02]) * (ends[1] - ends[0]) + ends[0]
    less, more = image_link().budget(**{name: values}).snr_db
    better = name in ("power_dbw", "tx_gain_dbi", "rx_dish_m", "elevation_deg")
    assert (more > less) == better


def test_overrides_broadcast_and_equal_the_replaced_link():
    link = image_link(c_over_i_db=15.0)
    elevation, eirp = np.array([[10.0], [40.0], [90.0]]), np.array([5.0, 15.0])
    grid = link.budget(elevation_deg=elevation, eirp_dbw=eirp).snr_db
    assert grid.shape == (3, 2)
    for i, j in np.ndindex(3, 2):
        alone = link.replace(elevation_deg=float(elevation[i, 0]), eirp_dbw=float(eirp[j]))
        assert grid[i, j] == pytest.approx(float(alone.budget().snr_db), abs=1e-12)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"elevation_deg": np.array([10.0, -1.0])}, "elevation_deg = -1: allowed is 0 … 90"),
        ({"elevation_deg": np.array([10.0, np.nan])}, "elevation_deg = nan: allowed is 0 … 90"),
        ({"obo": 1.0}, "did you mean obo_db"),
        ({"cr": "often"}, "give a number or an array"),
        ({"eirp_dbw": np.array([])}, "give a number or an array"),
        ({"gas_loss_db": np.ones(2), "obo_db": np.ones(3)}, r"gas_loss_db \(2,\), obo_db \(3,\)"),
    ],
)
def test_bad_overrides_are_refused(overrides, message):
    with pytest.raises(SemlossError, match=message):
        image_link().budget(**overrides)


def test_elevation_does_not_vary_beside_a_given_range():
    link = image_link().replace(range_km=900.0)
    with pytest.raises(SemlossError, match="give height_km"):
        link.budget(elevation_deg=np.array([20.0]))


@pytest.mark.parametrize("receiver", [{}, {"g_over_t_db_k": 23.0}])
def test_pointing_the_receiver_badly_costs_signal_but_not_its_figure_of_merit(receiver):
    link = image_link().replace(**receiver)
    straight, askew = link.budget(), link.budget(rx_pointing_loss_db=1.5)
    assert askew.g_over_t_db_k == straight.g_over_t_db_k
    assert askew.c_n0_dbhz == pytest.approx(float(straight.c_n0_dbhz) - 1.5)


def test_interference_and_implementation_loss_bound_the_snr():
    strong = image_link(c_over_i_db=12.0, implementation_loss_db=2.0)
    assert strong.budget(eirp_dbw=100.0).snr_db == pytest.approx(12.0, abs=1e-3)
    quiet = image_link(c_over_i_db=100.0, implementation_loss_db=2.0).budget()
    assert quiet.snr_db == pytest.approx(quiet.es_n0_db - 2.0, abs=1e-6)


# --- The atmosphere ----------------------------------------------------------------------------


def test_rain_warms_the_sky_between_clear_and_the_rain_itself():
    link = rainy_link(rain_warms_sky=True)
    budget = link.budget(availability_percent=np.array([95.0, 99.0, 99.9, 99.999]))
    warm, rain = budget.t_ant_k, budget.rain_loss_db
    assert np.all(np.diff(rain) > 0)
    assert np.all(np.diff(warm) > 0)
    assert np.all((warm > 80.0) & (warm < 275.0))
    np.testing.assert_allclose(warm, 80 * 10 ** (-rain / 10) + 275 * (1 - 10 ** (-rain / 10)))
    assert rainy_link().budget().t_ant_k == 80.0


def test_zenith_losses_grow_with_the_path():
    link = image_link(gas_loss_db=0.1, zenith_losses=True)
    gas = link.budget(elevation_deg=np.array([90.0, 30.0, 5.0, 1.0])).gas_loss_db
    np.testing.assert_allclose(gas, [0.1, 0.2, 0.1 / math.sin(math.radians(5)), gas[2]])


def test_a_link_is_read_by_the_name_of_a_preset_and_solved_at_a_cr():
    link = Link.from_toml("eo-leo-x-band")
    assert link.name == "EO LEO X-band"
    fit = accuracy()
    found = link.solve("power_dbw", fit, 0.6, cr="1/6")
    assert found.link.cr == pytest.approx(1 / 6)
    assert found.value == link.replace(cr=1 / 6).solve("power_dbw", fit, 0.6).value
    with pytest.raises(SemlossError, match="cr is asked for"):
        link.solve("cr", fit, 0.6, cr="1/6")
