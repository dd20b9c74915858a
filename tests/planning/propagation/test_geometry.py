"""Path geometry and losses by hand arithmetic on a sphere of 6371 km."""

import numpy as np
import pytest

from semloss.planning.propagation.atmosphere import losses, sky_temperature_k
from semloss.planning.propagation.geometry import dish_gain_dbi, fspl_db, slant_range_km
from semloss.planning.propagation.rain import rain_height_km


def test_the_slant_range_at_the_zenith_at_thirty_degrees_and_on_the_horizon():
    # −r sin e + √((r sin e)² + 6871² − r²): √6621000 on the horizon, √16768410.25 − 3185.5 at 30°.
    assert slant_range_km(500, [90, 30, 0]) == pytest.approx([500, 909.425, 2573.130], abs=1e-3)
    assert slant_range_km(500, 90, 1.5) == pytest.approx(498.5)


def test_the_free_space_loss_of_a_thousand_kilometres_at_ten_gigahertz():
    assert fspl_db(1000.0, 10.0) == pytest.approx(92.44778 + 60 + 20, abs=1e-5)
    assert fspl_db(2000.0, 10.0) - fspl_db(1000.0, 10.0) == pytest.approx(6.0206, abs=1e-4)


def test_the_gain_of_a_dish_by_the_rule_of_thumb():
    # 20.4067 + 20 log10(D/m) + 20 log10(f/GHz) + 10 log10(η)
    assert dish_gain_dbi(3.0, 0.6, 8.2) == pytest.approx(
        20.4067 + 9.5424 + 18.2763 - 2.2185, abs=1e-3
    )


def test_rain_of_three_decibels_warms_the_sky_half_way():
    assert sky_temperature_k(100.0, 3.0103, 275.0) == pytest.approx(187.5, abs=1e-3)


def test_zenith_losses_grow_with_the_path_down_to_five_degrees():
    given = dict.fromkeys(("r001_mm_h", "rain_loss_db"), np.nan) | {
        "atmosphere_model": "fixed", "gas_loss_db": 0.1, "cloud_loss_db": 0.2,
        "scintillation_loss_db": 0.4, "elevation_deg": np.array([90.0, 30.0, 5.0, 1.0]),
    }  # fmt: skip
    slant = np.array([1.0, 2.0, 11.47371, 11.47371])
    found = losses(given | {"zenith_losses": True})
    assert found["gas_loss_db"] == pytest.approx(0.1 * slant)
    assert found["cloud_loss_db"] == pytest.approx(0.2 * slant)
    assert (found["rain_loss_db"], found["scintillation_loss_db"]) == (0.0, 0.4)
    assert found["combining_credit_db"] == 0.0
    assert losses(given | {"zenith_losses": False})["gas_loss_db"] == 0.1


def test_the_rain_height_by_latitude():
    # 5 km to 23° N and 21° S; from there 0.075 km a degree north, 0.1 km a degree south.
    lat = [0, 23, 43, 83, -21, -41, -71, -80]
    assert rain_height_km(lat) == pytest.approx([5, 5, 3.5, 0.5, 5, 3, 0, 0])
