"""Losses of the atmosphere: given, by the light rain path, or by the ITU-R P.618 family."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from semloss.arrays import Array
from semloss.planning.propagation.rain import rain_attenuation_db, rain_height_km

#: Below this elevation a flat layer overstates the path, so zenith losses grow no further.
LOWEST_LAYER_DEG = 5.0


def sky_temperature_k(t_ant_k: ArrayLike, attenuation_db: ArrayLike, t_rain_k: ArrayLike) -> Array:
    """Antenna temperature under rain, ``T·10^(−A/10) + T_m·(1 − 10^(−A/10))`` (P.618 section 3)."""
    through = 10 ** (-np.asarray(attenuation_db, dtype=np.float64) / 10)
    warmed: Array = np.asarray(t_ant_k) * through + np.asarray(t_rain_k) * (1 - through)
    return warmed


def losses(v: Mapping[str, Any]) -> dict[str, Array]:
    """Gas, cloud, rain and scintillation losses, and what their joint statistics take off.

    Parameters
    ----------
    v
        Fields of a link as arrays that broadcast, NaN where not given.
    """
    if v["atmosphere_model"] == "itu":
        from semloss.planning.propagation.itu import itu_losses

        return itu_losses(v)
    slant = 1.0
    if v["zenith_losses"]:
        slant = 1 / np.sin(np.radians(np.maximum(v["elevation_deg"], LOWEST_LAYER_DEG)))
    return {
        "gas_loss_db": v["gas_loss_db"] * slant,
        "cloud_loss_db": v["cloud_loss_db"] * slant,
        "rain_loss_db": _rain(v),
        "scintillation_loss_db": v["scintillation_loss_db"],
        "combining_credit_db": np.zeros(()),
    }


def _rain(v: Mapping[str, Any]) -> Array:
    if np.isnan(v["r001_mm_h"]).all():
        given: Array = np.nan_to_num(v["rain_loss_db"], nan=0.0)
        return given
    by_latitude = rain_height_km(v["station_lat_deg"])
    return rain_attenuation_db(
        r001_mm_h=v["r001_mm_h"],
        exceeded_percent=100 - v["availability_percent"],
        freq_ghz=v["freq_ghz"],
        elevation_deg=v["elevation_deg"],
        lat_deg=v["station_lat_deg"],
        rain_height=np.where(np.isnan(v["rain_height_km"]), by_latitude, v["rain_height_km"]),
        altitude_km=v["station_altitude_km"],
        tilt_deg=v["polarisation_tilt_deg"],
    )
