"""A surface and links with known answers, for the tests of planning."""

import numpy as np

from semloss.planning.planner import Link
from semloss.planning.propagation.fading import Rayleigh, Shadowing
from semloss.surfaces.fitted.fit import Fit
from semloss.surfaces.fitted.outcome import Outcome

CR_RANGE, SNR_DB_RANGE = (1 / 40, 1 / 4), (-8.0, 12.0)

# floor, ceiling, ln_cr_half, rate_exponent, snr_half_db, slope_per_db, shift_db, sharpness
PARAMETERS = [0.1, 0.9, -4.0, 1.5, -3.0, 0.3, 2.0, 1.5]


def surface(direction="higher", **about):
    """Surface of the form `capped` with a small known uncertainty."""
    parameters = np.array(PARAMETERS)
    if direction == "lower":
        parameters[:2] = 0.6, 0.05
    x, y = np.log(CR_RANGE), SNR_DB_RANGE
    known = {
        "form": "capped", "metric": "accuracy", "receiver": "clean", "direction": direction,
        "parameters": parameters, "covariance": np.diag((1e-2 * np.abs(parameters)) ** 2),
        "floor": parameters[0], "ceiling": parameters[1], "model_error_sd": 0.005, "dof": 50,
        "hull": np.array([[x[0], y[0]], [x[1], y[0]], [x[1], y[1]], [x[0], y[1]]]),
        "outcome": Outcome.CONVERGED,
    }  # fmt: skip
    return Fit(**known | about)


def faded_db(fading, count, rng):
    """Draws of a fading's gain in dB, by what makes it: complex normal amplitudes, or a normal."""
    if isinstance(fading, Shadowing):
        return rng.normal(scale=fading.sigma_db, size=count)
    k = 0.0 if isinstance(fading, Rayleigh) else 10 ** (fading.k_db / 10)
    scatter = rng.normal(size=(count, 2)) * np.sqrt(0.5 / (1 + k))
    sight = np.sqrt(k / (1 + k))
    return 10 * np.log10((scatter[:, 0] + sight) ** 2 + scatter[:, 1] ** 2)


#: An X-band Earth observation link; flat keys as `Link` takes them.
X_BAND = {
    "freq_ghz": 8.2, "height_km": 500.0, "elevation_deg": 10.0, "power_dbw": 7.0,
    "tx_gain_dbi": 6.0, "tx_line_loss_db": 1.5, "other_loss_db": 3.0, "rx_dish_m": 3.0,
    "rx_efficiency": 0.6, "t_ant_k": 60.0, "noise_figure_db": 1.5,
}  # fmt: skip


def image_link(**fields):
    """The X-band link sending tiles at a CR, in the middle of the surface."""
    return Link(**X_BAND | {"bandwidth_mhz": 150.0, "cr": 1 / 12} | fields)


def rainy_link(**fields):
    """A Ka-band link with rain statistics, its SNR near the middle of the surface."""
    known = {
        "freq_ghz": 26.25, "height_km": 747.0, "elevation_deg": 20.0, "eirp_dbw": 30.0,
        "rx_dish_m": 5.0, "t_ant_k": 80.0, "noise_figure_db": 2.0, "bandwidth_mhz": 1200.0,
        "station_lat_deg": 64.86, "r001_mm_h": 18.0, "availability_percent": 99.0,
        "cr": 1 / 12,
    }  # fmt: skip
    return Link(**known | fields)
