"""Path geometry of a link over a spherical Earth: slant range and free-space loss."""

import numpy as np
from numpy.typing import ArrayLike

from semloss.arrays import Array

EARTH_RADIUS_KM = 6371.0
SPEED_OF_LIGHT_M_S = 299_792_458.0


def slant_range_km(
    height_km: ArrayLike, elevation_deg: ArrayLike, station_altitude_km: ArrayLike = 0.0
) -> Array:
    """Distance from a ground station to a satellite.

    ``d = −r sin e + √((r sin e)² + (R+h)² − r²)`` with the station at ``r = R + altitude``
    and R = 6371 km.

    Parameters
    ----------
    height_km
        Height of the satellite above mean sea level, scalar or array.
    elevation_deg
        Elevation of the satellite above the horizon, 0 … 90, broadcasts with `height_km`.
    station_altitude_km
        Height of the station above mean sea level.
    """
    station = EARTH_RADIUS_KM + np.asarray(station_altitude_km, dtype=np.float64)
    orbit = EARTH_RADIUS_KM + np.asarray(height_km, dtype=np.float64)
    up = station * np.sin(np.radians(elevation_deg))
    distance: Array = -up + np.sqrt(up**2 + orbit**2 - station**2)
    return distance


def fspl_db(range_km: ArrayLike, freq_ghz: ArrayLike) -> Array:
    """Free-space path loss ``20 log10(4π d f / c)`` in dB (ITU-R P.525)."""
    metres = 1e3 * np.asarray(range_km, dtype=np.float64)
    hertz = 1e9 * np.asarray(freq_ghz, dtype=np.float64)
    loss: Array = 20 * np.log10(4 * np.pi * metres * hertz / SPEED_OF_LIGHT_M_S)
    return loss


def dish_gain_dbi(diameter_m: ArrayLike, efficiency: ArrayLike, freq_ghz: ArrayLike) -> Array:
    """Boresight gain ``10 log10(η (π D f / c)²)`` of a circular aperture in dBi."""
    diameter = np.asarray(diameter_m, dtype=np.float64)
    hertz = 1e9 * np.asarray(freq_ghz, dtype=np.float64)
    ratio = np.pi * diameter * hertz / SPEED_OF_LIGHT_M_S
    gain: Array = 10 * np.log10(np.asarray(efficiency) * ratio**2)
    return gain
