"""Ledgers as planners write them: what can be entered, the rows they look for, published rows."""

import math

import pytest
from planning_case import accuracy, link

from semloss.errors import SemlossError
from semloss.facts.target import read_target
from semloss.planning.budget.ledger import ledger
from semloss.planning.budget.solving import solve
from semloss.planning.planner import Link

#: 10 log10 of Boltzmann's constant, exact since 2019.
K_DB = 10 * math.log10(1.380649e-23)


def test_a_cubesat_ledger_by_total_path_loss_depointing_and_noise_temperature():
    # C/N0 = 8.3 - 10 - 162.2 + 38.2 - 10 log10(130) + 228.6 = 81.76; 3.4 Mb/s is 65.31 dBHz
    found = ledger(
        Link.from_dict({
            "freq_ghz": "2200 MHz", "eirp_dbw": "38.3 dBm", "tx_pointing_loss_db": 10,
            "fspl_db": 162.2, "rx_gain_dbi": 38.2, "t_sys_k": 130, "bit_rate_mbps": 3.4,
            "required_eb_n0_db": 13.0,
        })
    )  # fmt: skip
    assert found["eirp_dbw"] == pytest.approx(-1.7)
    assert found["c_n0_dbhz"] == pytest.approx(81.8, abs=0.05)
    assert found["eb_n0_db"] == pytest.approx(16.5, abs=0.07)
    assert found["digital_margin_db"] == pytest.approx(3.5, abs=0.07)
    assert "range_km" not in found


def test_a_given_eirp_is_that_on_boresight():
    keys = {"power_dbw": None, "tx_gain_dbi": None, "tx_line_loss_db": 0.0, "eirp_dbw": 8.0}
    plain, off = (ledger(link(**keys, tx_pointing_loss_db=loss)) for loss in (0.0, 2.5))
    assert off["snr_db"] == pytest.approx(plain["snr_db"] - 2.5)
    assert (off["eirp_boresight_dbw"], off["eirp_dbw"]) == (8.0, 5.5)
    assert "eirp_boresight_dbw" not in plain


@pytest.mark.parametrize(
    ("key", "text", "field", "value"),
    [
        ("symbol_rate_mbd", "50 MBaud", "bandwidth_mhz", 60.0),
        ("symbol_rate_mbd", "50000 kBd", "bandwidth_mhz", 60.0),
        ("symbol_rate_mbd", 50, "bandwidth_mhz", 60.0),
        ("t_sys_k", "22.5 dBK", "t_sys_k", 177.827941),
        ("tx_gain_dbi", "6.5 dBic", "tx_gain_dbi", 6.5),
        ("range_km", "1.5e6 km", "range_km", 1.5e6),
    ],
)
def test_values_are_read_in_the_units_that_ledgers_have(key, text, field, value):
    base = {
        "freq_ghz": 8.2, "power_dbw": 7.0, "tx_gain_dbi": 6.0, "range_km": 1000.0,
        "rx_dish_m": 3.0, "t_sys_k": 150.0, "bandwidth_mhz": 60.0, "roll_off": 0.2,
    }  # fmt: skip
    if key == "symbol_rate_mbd":
        del base["bandwidth_mhz"]
    read = Link.from_dict(base | {key: text})
    assert getattr(read, field) == pytest.approx(value)


def test_a_symbol_rate_is_one_way_to_say_the_bandwidth():
    by_rate = link(bandwidth_mhz=None, symbol_rate_mbd=50.0)
    assert by_rate == link()
    assert link(roll_off=0.35).replace(symbol_rate_mbd=10.0).bandwidth_mhz == pytest.approx(13.5)
    assert link().with_settings(["symbol_rate_mbd=25"]).bandwidth_mhz == pytest.approx(30.0)
    with pytest.raises(SemlossError, match="symbol_rate_mbd = 50 contradicts bandwidth_mhz = 60"):
        link(symbol_rate_mbd=50.0)


def test_a_loss_that_is_given_stands_for_the_distance():
    near = ledger(link())
    given = link(height_km=None, elevation_deg=None, fspl_db=near["fspl_db"])
    assert ledger(given)["snr_db"] == pytest.approx(near["snr_db"])
    assert link(height_km=None, fspl_db=170.0).replace(range_km=2000.0).fspl_db is None
    with pytest.raises(SemlossError, match="fspl_db = 170 contradicts height_km"):
        link(fspl_db=170.0)


def test_rows_that_planners_look_for_are_arithmetic_of_the_others():
    found = ledger(link(rx_line_loss_db=0.5, rx_pointing_loss_db=0.3, gas_loss_db=0.4))
    lost = found["fspl_db"] + 0.4 + 3.0
    received = found["eirp_dbw"] - lost + found["rx_gain_dbi"] - 0.5 - 0.3
    assert found["received_dbw"] == pytest.approx(received)
    noise = K_DB + 10 * math.log10(found["t_sys_k"] * 50e6)
    assert found["noise_dbw"] == pytest.approx(noise, abs=1e-3)
    assert found["received_dbw"] - found["noise_dbw"] == pytest.approx(found["es_n0_db"], abs=1e-9)
    assert found["c_n_db"] == pytest.approx(found["c_n0_dbhz"] - 10 * math.log10(60e6))
    metres = 1e3 * found["range_km"]
    density = found["eirp_dbw"] - 10 * math.log10(4 * math.pi * metres**2)
    assert found["pfd_dbw_m2"] == pytest.approx(density)


def test_data_and_areas_are_those_of_whole_images():
    found = ledger(link(height_px=1000, width_px=2000, tile_px=64, bit_depth=12, gsd_m=10.0))
    assert found["image_mb"] == pytest.approx(3 * 1000 * 2000 * 12 / 8 / 1e6)
    assert found["image_km2"] == pytest.approx(10.0 * 20.0)
    assert found["data_mb_per_s"] == pytest.approx(9.0 * found["images_per_second"])
    assert found["area_km2_per_s"] == pytest.approx(200.0 * found["images_per_second"])
    assert "image_km2" not in ledger(link())


def test_a_ledger_of_bits_beside_a_fit_says_why_it_ends_there():
    bits = link(bandwidth_mhz=None, bit_rate_mbps=5.0)
    found = ledger(bits, accuracy())
    assert "metric" not in found
    assert found["eb_n0_db"] == pytest.approx(found["c_n0_dbhz"] - 10 * math.log10(5e6))
    assert "bandwidth_mhz is missing, so the fit is not asked" in found.warnings[-1]
    with pytest.raises(SemlossError, match="bandwidth_mhz is missing"):
        ledger(bits, accuracy(), target=0.5)


def test_clouds_of_the_itu_model_warm_the_sky_as_rain_does():
    pytest.importorskip("itur")
    place = {"atmosphere_model": "itu", "station_lat_deg": 48.0, "station_lon_deg": 11.0,
             "availability_percent": 99.0, "freq_ghz": 26.0, "rain_warms_sky": True}  # fmt: skip
    found = ledger(link(other_loss_db=0.0, **place))
    through = 10 ** (-(found["rain_loss_db"] + found["cloud_loss_db"]) / 10)
    assert found["t_sky_k"] == pytest.approx(60.0 * through + 275.0 * (1 - through))
    assert found["cloud_loss_db"] > 0.1


def test_the_largest_back_off_and_the_smallest_transmit_dish_just_meet_the_target():
    found = solve(link(power_dbw=6.0), "obo_db", accuracy(), 0.6)
    needed = accuracy().min_snr(target=0.6, cr=1 / 12).snr_db
    spare = float(link(power_dbw=6.0, obo_db=0.0).budget().snr_db) - needed
    assert found.sense == "largest"
    assert found.value == pytest.approx(spare, abs=1e-6)
    dish = solve(link(tx_gain_dbi=None, tx_dish_m=1.0), "tx_dish_m", accuracy(), 0.6)
    assert dish.sense == "smallest"
    assert float(dish.link.budget().snr_db) == pytest.approx(needed, abs=1e-6)


@pytest.mark.parametrize(("text", "value"), [("85%", 0.85), (">= 62.5%", 0.625), ("0.85", 0.85)])
def test_a_target_of_a_share_may_be_written_in_percent(text, value):
    assert read_target(text, accuracy()) == pytest.approx(value)


def test_a_target_that_no_share_can_be_says_what_is_meant():
    with pytest.raises(SemlossError, match=r"accuracy lies in 0 … 1; write 0\.85 or 85%"):
        read_target("85", accuracy())
    with pytest.raises(SemlossError, match=r"accuracy lies in 0 … 1$"):
        read_target(-0.1, accuracy())


def test_a_link_file_may_begin_with_a_byte_order_mark(tmp_path):
    text = 'name = "marked"\nfreq_ghz = 8.2\neirp_dbw = 10\nrange_km = 900\ng_over_t_db_k = 20\n'
    (tmp_path / "link.toml").write_text("\ufeff" + text + "bandwidth_mhz = 60\n", encoding="utf-8")
    assert Link.from_toml(tmp_path / "link.toml").name == "marked"


@pytest.mark.parametrize(
    ("keys", "cnr_db"),
    [
        # study case 6: 20 GHz, very small aperture; study case 9: 2 GHz, handheld; both 600 km, 30°
        ({"freq_ghz": 20.0, "eirp_dbw": 4 + 10 * math.log10(400), "g_over_t_db_k": 15.9,
          "gas_loss_db": 0.5, "scintillation_loss_db": 0.3, "symbol_rate_mbd": 400.0}, 8.5),
        ({"freq_ghz": 2.0, "eirp_dbw": 34 + 10 * math.log10(30), "g_over_t_db_k": -31.6,
          "gas_loss_db": 0.1, "scintillation_loss_db": 2.2, "other_loss_db": 3.0,
          "symbol_rate_mbd": 30.0}, 6.6),
    ],
    ids=["SC6", "SC9"],
)  # fmt: skip
def test_downlinks_of_a_3gpp_study_have_their_published_ratio(keys, cnr_db):
    """3GPP TR 38.821, table 6.1.3.3-1, which rounds each row to a tenth of a decibel."""
    found = ledger(Link(height_km=600.0, elevation_deg=30.0, **keys))
    assert found["snr_db"] == pytest.approx(cnr_db, abs=0.12)
