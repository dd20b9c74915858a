"""A link and surfaces whose answers are known, for the tests of planning."""

import functools

from surface_truth import simulated

from semloss.planning.planner import Link
from semloss.surfaces.fitting.fit_surface import fit_surface

#: X-band Earth observation: 500 km, 8.2 GHz, weak enough that the target is not always met.
LINK = {
    "freq_ghz": 8.2, "power_dbw": -6.0, "tx_gain_dbi": 6.0, "tx_line_loss_db": 1.5,
    "other_loss_db": 3.0, "height_km": 500.0, "elevation_deg": 10.0, "rx_dish_m": 3.0,
    "t_ant_k": 60.0, "noise_figure_db": 1.5, "bandwidth_mhz": 60.0, "roll_off": 0.2, "cr": 1 / 12,
}  # fmt: skip

#: The same at Ka band, where rain matters.
RAINY = LINK | {
    "freq_ghz": 26.0, "tx_gain_dbi": 30.0, "r001_mm_h": 35.0, "availability_percent": 99.0,
    "station_lat_deg": 48.0, "rain_warms_sky": True,
}  # fmt: skip

#: 50 Msym/s and 64 x 64 x 3 at CR 1/12: images a second.
IMAGES_PER_S = 50e6 / (64 * 64)


def link(**changes):
    return Link(**LINK | changes)


def rainy(**changes):
    return Link(**RAINY | changes)


@functools.cache
def accuracy():
    """Accuracy that rises from 0.1 to 0.9 over both axes, with binomial noise of 700 images."""
    return fit_surface(simulated("capped", n=700), "capped")


@functools.cache
def distance():
    """A metric that falls as quality rises."""
    falling = [0.9, 0.1, -4.0, 1.5, -3.0, 0.3, 2.0, 1.5]
    about = {"metric": "lpips", "receiver": "none", "direction": "lower", "floor": None}
    return fit_surface(simulated("capped", parameters=falling, **about), "capped")
