"""Rain by P.838 and P.618, and the ITU-R family by site."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planning_truth import image_link, rainy_link

from semloss.errors import SemlossError
from semloss.planning.planner import Link
from semloss.planning.propagation.rain import rain_attenuation_db, rain_coefficients, rain_height_km


@pytest.mark.parametrize(
    ("freq", "k_h", "alpha_h", "k_v", "alpha_v"),
    [  # P.838-3 table 5
        (1, 0.0000259, 0.9691, 0.0000308, 0.8592),
        (10, 0.01217, 1.2571, 0.01129, 1.2156),
        (20, 0.09164, 1.0568, 0.09611, 0.9847),
        (30, 0.2403, 0.9485, 0.2291, 0.9129),
        (100, 1.3671, 0.6815, 1.3680, 0.6765),
    ],
)
def test_specific_attenuation_coefficients_equal_the_table(freq, k_h, alpha_h, k_v, alpha_v):
    for tilt, k, alpha in ((0, k_h, alpha_h), (90, k_v, alpha_v)):
        found = rain_coefficients(freq, 0.0, tilt)
        assert found[0] == pytest.approx(k, rel=2e-3)
        assert found[1] == pytest.approx(alpha, abs=1e-4)


def attenuation(**changes):
    known = {
        "r001_mm_h": 30.0, "exceeded_percent": 0.1, "freq_ghz": 20.0, "elevation_deg": 30.0,
        "lat_deg": 45.0, "rain_height": 3.35,
    }  # fmt: skip
    return rain_attenuation_db(**known | changes)


@given(st.floats(1, 55), st.floats(0, 90), st.floats(-90, 90))
def test_more_rain_and_rarer_events_attenuate_more(freq, elevation, lat):
    where = {"freq_ghz": freq, "elevation_deg": elevation, "lat_deg": lat}
    rates = attenuation(r001_mm_h=np.array([1.0, 10.0, 50.0, 120.0]), **where)
    assert np.all(np.diff(rates) > 0)
    shares = attenuation(exceeded_percent=np.array([0.01, 0.1, 1.0]), **where)
    assert np.all(np.diff(shares) < 0)
    assert np.all(np.isfinite(rates))


@pytest.mark.parametrize(
    ("lat", "altitude", "freq", "elevation", "tilt", "exceeded", "rate", "slant_km", "rain_db"),
    [  # rows of the ITU-R validation examples for P.618-13, rain; the slant path gives the height
        (51.5, 0.031382984, 14.25, 31.07699124, 0, 1, 26.48052, 4.690817392, 0.495317069),
        (41.9, 0.046122988, 14.25, 40.232036, 0, 0.1, 33.936232, 4.646913874, 2.696765133),
        (33.94, 0, 29, 46.35969261, 0, 0.001, 27.13586832, 3.542006965, 40.68133016),
        (22.9, 0, 14.25, 22.27833468, 0, 0.1, 50.639304, 10.96995451, 8.271647438),
        (25.78, 0.00861728, 14.25, 52.67898486, 0, 0.01, 78.2994993, 5.735098894, 16.42980703),
        (28.717, 0.209383699, 29, 48.24117054, 90, 0.01, 63.61888808, 6.768266217, 52.83372062),
        (9.05, 2.539861878, 29, 20.14335809, 90, 0.1, 42.91007183, 6.516372436, 19.23910378),
    ],
)
def test_rain_attenuation_equals_the_validation_examples(
    lat, altitude, freq, elevation, tilt, exceeded, rate, slant_km, rain_db
):
    found = rain_attenuation_db(
        r001_mm_h=rate, exceeded_percent=exceeded, freq_ghz=freq, elevation_deg=elevation,
        lat_deg=lat, rain_height=altitude + slant_km * np.sin(np.radians(elevation)),
        altitude_km=altitude, tilt_deg=tilt,
    )  # fmt: skip
    assert found == pytest.approx(rain_db, abs=1e-6)


def test_a_station_above_the_rain_stays_dry():
    assert attenuation(rain_height=1.0, altitude_km=1.5) == 0.0


def test_rain_height_falls_towards_the_poles():
    north, south = rain_height_km(np.arange(0, 91.0)), rain_height_km(-np.arange(0.0, 91))
    assert north[0] == south[0] == 5.0
    assert np.all(np.diff(north) <= 0)
    assert np.all(np.diff(south) <= 0)
    assert south[-1] == 0.0


def test_rain_statistics_are_for_frequencies_that_have_them():
    with pytest.raises(SemlossError, match="freq_ghz = 80: rain statistics hold for 1 … 55 GHz"):
        rainy_link(freq_ghz=80.0)


def test_a_known_rain_height_replaces_that_by_latitude():
    assert rainy_link(rain_height_km=1.0).budget().rain_loss_db < rainy_link().budget().rain_loss_db


# --- With itur -----------------------------------------------------------------------------------

LONDON = {  # a row of the ITU-R validation set of P.618, before it is rounded for print
    "station_lat_deg": 51.5, "station_lon_deg": -0.14, "station_altitude_km": 0.031383,
    "freq_ghz": 14.25, "elevation_deg": 31.0769, "availability_percent": 99.0,
    "rx_dish_m": 1.0, "rx_efficiency": 0.65, "polarisation_tilt_deg": 0.0, "height_km": 35786.0,
    "t_ant_k": 50.0, "noise_figure_db": 1.0, "eirp_dbw": 50.0, "bandwidth_mhz": 10.0,
    "atmosphere_model": "itu",
}  # fmt: skip


@pytest.fixture
def itur():
    return pytest.importorskip("itur", reason="the extra semloss[itu] is not installed")


def test_the_row_of_the_itu_validation_set_is_reproduced(itur):
    budget = Link(**LONDON).budget()
    rows = [
        budget.gas_loss_db, budget.cloud_loss_db, budget.rain_loss_db,
        budget.scintillation_loss_db, budget.loss_db,
    ]  # fmt: skip
    assert [f"{row:.4f}" for row in rows] == ["0.2269", "0.4552", "0.4953", "0.2619", "1.2128"]


def test_the_losses_are_combined_as_joint_statistics(itur):
    b = Link(**LONDON).budget(elevation_deg=np.array([10.0, 30.0, 90.0]))
    joint = b.gas_loss_db + np.hypot(b.rain_loss_db + b.cloud_loss_db, b.scintillation_loss_db)
    np.testing.assert_allclose(b.loss_db, joint, rtol=1e-9)
    assert np.all(b.combining_credit_db > 0)


def test_the_light_rain_path_agrees_with_itur(itur):
    from itur.models.itu618 import rain_attenuation
    from itur.models.itu839 import rain_height

    rng = np.random.default_rng(0)
    for _ in range(60):
        lat, lon, tilt = rng.uniform(-75, 75), rng.uniform(-180, 180), rng.uniform(0, 90)
        freq, elevation, rate = rng.uniform(1, 55), rng.uniform(5, 90), rng.uniform(1, 120)
        exceeded, altitude = 10 ** rng.uniform(-3, 0.69), rng.uniform(0, 1)
        theirs = rain_attenuation(
            lat, lon, freq, elevation, hs=altitude, p=exceeded, R001=rate, tau=tilt
        ).value
        ours = rain_attenuation_db(
            r001_mm_h=rate, exceeded_percent=exceeded, freq_ghz=freq, elevation_deg=elevation,
            lat_deg=lat, rain_height=rain_height(lat, lon).value, altitude_km=altitude,
            tilt_deg=tilt,
        )  # fmt: skip
        assert ours == pytest.approx(float(theirs), abs=1e-4)


def test_low_elevations_and_given_losses_are_refused_with_itu(itur):
    with pytest.raises(SemlossError, match="holds for 5 … 90 deg"):
        Link(**LONDON).budget(elevation_deg=3.0)
    with pytest.raises(
        SemlossError, match=r'gas_loss_db = 0\.2 contradicts atmosphere_model = "itu"'
    ):
        Link(**LONDON | {"gas_loss_db": 0.2})


@pytest.mark.parametrize(
    "given", [{"r001_mm_h": 30.0}, {"rain_height_km": 3.0}, {"zenith_losses": True}]
)
def test_what_the_maps_would_override_is_refused_with_itu(given):
    (name,) = given
    with pytest.raises(SemlossError, match=f"{name} = .* contradicts atmosphere_model"):
        Link(**LONDON | given)


def test_without_itur_one_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "itur", None)
    with pytest.raises(SemlossError, match=r'pip install "semloss\[itu\]"'):
        Link(**LONDON).budget()


def test_a_link_without_it_never_imports_itur_or_other_heavy_packages():
    code = (
        "import sys; from semloss.planning.planner import Link; "
        "Link.from_toml('ka-band-leo').ledger(); "
        "print([m for m in ('itur', 'scipy', 'pandas', 'pydantic', 'matplotlib', 'torch') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_fixed_losses_are_taken_as_given():
    budget = image_link(gas_loss_db=0.4, cloud_loss_db=0.3, rain_loss_db=2.0).budget()
    assert budget.loss_db == pytest.approx(3.0 + 2.7)
