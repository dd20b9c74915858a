"""Rain attenuation from one number, the rain rate exceeded 0.01 % of the year.

Specific attenuation by Recommendation ITU-R P.838-3, long-term statistics of the attenuation on a
slant path by P.618-13 section 2.2.1.1, rain height by latitude by P.839-2.
"""

import numpy as np
from numpy.typing import ArrayLike

from semloss.arrays import Array

#: Frequencies in GHz for which P.618 gives rain attenuation.
FREQ_GHZ = (1.0, 55.0)

_EFFECTIVE_EARTH_RADIUS_KM = 8500.0

# P.838-3 tables 1 to 4: rows of (a, b, c), then slope m and offset c against log10 f.
_K_H = (
    [(-5.33980, -0.10008, 1.13098), (-0.35351, 1.26970, 0.45400),
     (-0.23789, 0.86036, 0.15354), (-0.94158, 0.64552, 0.16817)], -0.18961, 0.71147,
)  # fmt: skip
_K_V = (
    [(-3.80595, 0.56934, 0.81061), (-3.44965, -0.22911, 0.51059),
     (-0.39902, 0.73042, 0.11899), (0.50167, 1.07319, 0.27195)], -0.16398, 0.63297,
)  # fmt: skip
_ALPHA_H = (
    [(-0.14318, 1.82442, -0.55187), (0.29591, 0.77564, 0.19822), (0.32177, 0.63773, 0.13164),
     (-5.37610, -0.96230, 1.47828), (16.1721, -3.29980, 3.43990)], 0.67849, -1.95537,
)  # fmt: skip
_ALPHA_V = (
    [(-0.07771, 2.33840, -0.76284), (0.56727, 0.95545, 0.54039), (-0.20238, 1.14520, 0.26809),
     (-48.2991, 0.791669, 0.116226), (48.5833, 0.791459, 0.116479)], -0.053739, 0.83433,
)  # fmt: skip


def _curve(log_f: Array, constants: tuple[list[tuple[float, float, float]], float, float]) -> Array:
    bells, slope, offset = constants
    total = slope * log_f + offset
    for a, b, c in bells:
        total = total + a * np.exp(-(((log_f - b) / c) ** 2))
    return total


def rain_coefficients(
    freq_ghz: ArrayLike, elevation_deg: ArrayLike, tilt_deg: ArrayLike
) -> tuple[Array, Array]:
    """Coefficients k and α of the specific attenuation ``γ = k·R^α`` in dB/km (P.838-3).

    Parameters
    ----------
    freq_ghz
        Frequency, 1 … 1000.
    elevation_deg
        Elevation of the path.
    tilt_deg
        Tilt of the polarisation to the horizontal: 0 horizontal, 90 vertical, 45 circular.
    """
    log_f = np.log10(np.asarray(freq_ghz, dtype=np.float64))
    k_h, k_v = 10 ** _curve(log_f, _K_H), 10 ** _curve(log_f, _K_V)
    alpha_h, alpha_v = _curve(log_f, _ALPHA_H), _curve(log_f, _ALPHA_V)
    turn = np.cos(np.radians(elevation_deg)) ** 2 * np.cos(2 * np.radians(tilt_deg))
    k = (k_h + k_v + (k_h - k_v) * turn) / 2
    alpha = (k_h * alpha_h + k_v * alpha_v + (k_h * alpha_h - k_v * alpha_v) * turn) / (2 * k)
    return k, alpha


def rain_height_km(lat_deg: ArrayLike) -> Array:
    """Height of the mean 0 °C isotherm by latitude, P.839-2 equation 1, in km.

    Taken as the rain height everywhere; P.839-2 has lower ones in North America and Europe. The
    map of P.839-4 differs by 0.7 km (root mean square between 70° S and 70° N) and by up to 3 km;
    give `rain_height_km` in the link file, or use the `itu` model, where that matters.
    """
    lat = np.asarray(lat_deg, dtype=np.float64)
    north = 5.0 - 0.075 * np.maximum(lat - 23, 0)
    south = 5.0 + 0.1 * np.minimum(lat + 21, 0)
    height: Array = np.where(lat >= 0, north, np.maximum(south, 0.0))
    return height


def rain_attenuation_db(
    *,
    r001_mm_h: ArrayLike,
    exceeded_percent: ArrayLike,
    freq_ghz: ArrayLike,
    elevation_deg: ArrayLike,
    lat_deg: ArrayLike,
    rain_height: ArrayLike,
    altitude_km: ArrayLike = 0.0,
    tilt_deg: ArrayLike = 45.0,
) -> Array:
    """Rain attenuation exceeded a share of an average year, P.618-13 section 2.2.1.1.

    Parameters
    ----------
    r001_mm_h
        Rain rate exceeded 0.01 % of the year (one-minute integration).
    exceeded_percent
        Share of the year, 0.001 … 5 %.
    freq_ghz, elevation_deg, tilt_deg
        Frequency (1 … 55), elevation, and tilt of the polarisation.
    lat_deg, altitude_km
        The station.
    rain_height
        Mean rain height above sea level in km.

    Returns
    -------
    Array
        Attenuation in dB; all arguments broadcast.
    """
    freq, p = np.asarray(freq_ghz, dtype=np.float64), np.asarray(exceeded_percent)
    theta, lat = np.radians(elevation_deg), np.abs(np.asarray(lat_deg, dtype=np.float64))
    sin, cos = np.sin(theta), np.cos(theta)
    depth = np.maximum(np.asarray(rain_height) - np.asarray(altitude_km), 0.0)
    # Equation 2, which curves the Earth, holds for all elevations; equation 1 from 5 degrees on.
    curved = 2 * depth / (np.sqrt(sin**2 + 2 * depth / _EFFECTIVE_EARTH_RADIUS_KM) + sin + 1e-12)
    straight = depth / np.maximum(sin, 1e-12)
    slant = np.where(np.asarray(elevation_deg) >= 5, straight, curved)
    ground = slant * cos
    k, alpha = rain_coefficients(freq, elevation_deg, tilt_deg)
    gamma = k * np.asarray(r001_mm_h, dtype=np.float64) ** alpha
    reduction = 1 / (1 + 0.78 * np.sqrt(ground * gamma / freq) - 0.38 * (1 - np.exp(-2 * ground)))
    wet = ground * reduction
    steep = np.arctan2(depth, wet) > theta
    path = np.where(steep, wet / np.maximum(cos, 1e-12), straight)
    near_equator = np.maximum(36 - lat, 0.0)
    bend = 31 * (1 - np.exp(-np.degrees(theta) / (1 + near_equator)))
    vertical = 1 / (1 + np.sqrt(sin) * (bend * np.sqrt(path * gamma) / freq**2 - 0.45))
    a001 = gamma * path * vertical
    low = np.where(np.degrees(theta) >= 25, 0.0, 1.8 - 4.25 * sin)
    beta = np.where((p >= 1) | (lat >= 36), 0.0, -0.005 * (lat - 36) + low)
    # A dry path has no logarithm; its attenuation is zero all the same.
    log_a = np.log(np.maximum(a001, 1e-30))
    power = 0.655 + 0.033 * np.log(p) - 0.045 * log_a - beta * (1 - p) * sin
    attenuation: Array = np.where(a001 > 0, a001 * (p / 0.01) ** -power, 0.0)
    return attenuation
