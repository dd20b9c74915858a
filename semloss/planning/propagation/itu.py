"""Losses of the atmosphere by site, from the maps and models of the ITU-R P.618 family.

Runs the package `itur`, the optional extra ``semloss[itu]``, which carries the maps and works
offline; it is imported on the first use, which takes about two seconds.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.extras import optional
from semloss.planning.propagation.geometry import SPEED_OF_LIGHT_M_S

#: Lowest elevation at which the family's approximate methods hold.
LOWEST_ELEVATION_DEG = 5.0
_NAMES = ("gas_loss_db", "cloud_loss_db", "rain_loss_db", "scintillation_loss_db")


def itu_losses(v: Mapping[str, Any]) -> dict[str, Array]:
    """Gas, cloud, rain and scintillation losses not exceeded `availability_percent` of the year.

    Parameters
    ----------
    v
        Fields of a link as arrays that broadcast; the station is one point.

    Returns
    -------
    dict
        The four losses in dB and ``combining_credit_db``: their sum exceeds the loss of the
        joint statistics, ``A_G + √((A_R + A_C)² + A_S²)``, by so much (P.618-13 section 2.5).

    Raises
    ------
    SemlossError
        When `itur` is not installed, the elevation is below 5 degrees, or the maps end short of
        the station.
    """
    if v["elevation_deg"].min() < LOWEST_ELEVATION_DEG:
        raise SemlossError(
            f'elevation_deg = {v["elevation_deg"].min():g}: atmosphere_model = "itu" holds for '
            f"{LOWEST_ELEVATION_DEG:g} … 90 deg"
        )
    with np.errstate():  # the package silences divisions for everybody else
        itur = optional(
            "itur",
            'atmosphere_model = "itu" needs the package itur: pip install "semloss[itu]", '
            "or give r001_mm_h or fixed losses",
        )
    diameter, efficiency = _aperture(v)
    columns = np.broadcast_arrays(
        100 - v["availability_percent"], v["freq_ghz"], diameter, efficiency,
        v["polarisation_tilt_deg"], v["elevation_deg"],
    )  # fmt: skip
    shape = columns[0].shape
    points = np.stack([column.ravel() for column in columns], axis=1)
    # itur takes many elevations at once but one of everything else.
    settings, group = np.unique(points[:, :-1], axis=0, return_inverse=True)
    parts = np.empty((5, len(points)))
    for number, (exceeded, freq, d, eta, tilt) in enumerate(settings):
        here = group.ravel() == number
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = itur.atmospheric_attenuation_slant_path(
                v["station_lat_deg"].item(), v["station_lon_deg"].item(), freq,
                points[here, -1], exceeded, d, eta=eta, tau=tilt,
                hs=v["station_altitude_km"].item(), return_contributions=True,
            )  # fmt: skip
        parts[:, here] = [np.broadcast_to(part.value, here.sum()) for part in answer]
    if not np.isfinite(parts).all():
        raise SemlossError(
            f"station_lat_deg = {v['station_lat_deg'].item():g}, station_lon_deg = "
            f"{v['station_lon_deg'].item():g}: the ITU-R maps have no weather there; give "
            'r001_mm_h or fixed losses instead of atmosphere_model = "itu"'
        )
    losses = {name: part.reshape(shape) for name, part in zip(_NAMES, parts, strict=False)}
    return losses | {"combining_credit_db": (parts[:4].sum(axis=0) - parts[4]).reshape(shape)}


def _aperture(v: Mapping[str, Any]) -> tuple[Array, Array]:
    """Diameter and efficiency that average the scintillation.

    A gain stands for the lossless aperture that has it; a bare G/T for one too small to help.
    """
    wavelength = SPEED_OF_LIGHT_M_S / (1e9 * v["freq_ghz"])
    gain = np.where(np.isnan(v["rx_gain_dbi"]), -40.0, v["rx_gain_dbi"])
    equivalent = wavelength / np.pi * 10 ** (gain / 20)
    by_gain = np.isnan(v["rx_dish_m"])
    diameter = np.where(by_gain, equivalent, v["rx_dish_m"])
    return diameter, np.where(by_gain, 1.0, v["rx_efficiency"])
