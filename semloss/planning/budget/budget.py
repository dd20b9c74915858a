"""The link budget in numbers, for one point or a million: EIRP to Es/N0."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.planning.link.checks import check_value
from semloss.planning.link.link import KEYS, LinkData
from semloss.planning.propagation import atmosphere
from semloss.planning.propagation.geometry import dish_gain_dbi, fspl_db, slant_range_km
from semloss.units import parse_cr

#: −10 log10 of Boltzmann's constant in dB(Hz·K/W).
BOLTZMANN_DB = 228.599
#: Reference temperature of noise figures and lossy lines.
T0_K = 290.0


@dataclass(frozen=True)
class Budget:
    """Every row of a link budget, each an array of the overrides' common shape.

    Rows that the link does not determine (parts of a given EIRP or G/T, the symbol rate without
    a bandwidth) are NaN. `es_n0_db` is thermal alone; `snr_db` is Es/N0 after implementation
    loss and interference, where a fit is asked. `combining_credit_db` is what the joint
    statistics of the `itu` model take off the sum of the losses; `loss_db` is the sum of all
    losses after free space, that credit taken off.
    """

    power_dbw: Array
    obo_db: Array
    tx_line_loss_db: Array
    tx_gain_dbi: Array
    tx_pointing_loss_db: Array
    eirp_dbw: Array
    elevation_deg: Array
    range_km: Array
    freq_ghz: Array
    fspl_db: Array
    gas_loss_db: Array
    cloud_loss_db: Array
    rain_loss_db: Array
    scintillation_loss_db: Array
    combining_credit_db: Array
    polarisation_loss_db: Array
    other_loss_db: Array
    loss_db: Array
    rx_gain_dbi: Array
    rx_line_loss_db: Array
    rx_pointing_loss_db: Array
    t_ant_k: Array
    t_sys_k: Array
    g_over_t_db_k: Array
    c_n0_dbhz: Array
    bandwidth_mhz: Array
    symbol_rate_hz: Array
    es_n0_db: Array
    implementation_loss_db: Array
    c_over_i_db: Array
    snr_db: Array


def budget_of(link: LinkData, **overrides: ArrayLike) -> Budget:
    """Evaluate a link's budget, any numeric field overridden by scalars or arrays.

    An override replaces what it says already, as `LinkData.replace` does: `eirp_dbw` its parts,
    `range_km` the orbit height.

    Raises
    ------
    SemlossError
        When a field is unknown, out of its range, contradicts the others, or the shapes do not
        broadcast.
    """
    values = _values(link, overrides)
    rows = _transmitter(values) | _path(values)
    rows |= atmosphere.losses(values)
    rows["loss_db"] = (
        rows["gas_loss_db"] + rows["cloud_loss_db"] + rows["rain_loss_db"]
        + rows["scintillation_loss_db"] - rows["combining_credit_db"]
        + values["polarisation_loss_db"] + values["other_loss_db"]
    )  # fmt: skip
    warming = rows["rain_loss_db"]
    if link.atmosphere_model == "itu":  # of the same share of the year, and as warm
        warming = warming + rows["cloud_loss_db"]
    rows |= _receiver(values, warming)
    rows["c_n0_dbhz"] = (
        rows["eirp_dbw"] - rows["fspl_db"] - rows["loss_db"] + rows["g_over_t_db_k"]
        - values["rx_pointing_loss_db"] + BOLTZMANN_DB
    )  # fmt: skip
    rows |= _signal(values, rows["c_n0_dbhz"])
    names = Budget.__dataclass_fields__
    given = {name: values[name] for name in names if name not in rows}
    shape = np.broadcast_shapes(*(row.shape for row in (rows | given).values()))
    return Budget(**{n: np.broadcast_to((rows | given)[n], shape) for n in names})


def samples_per_image(link: LinkData) -> int:
    """Source samples n = bands·rows·columns of an image, padded to whole tiles."""
    if link.tile_px is None:
        return link.bands * link.height_px * link.width_px
    tiles = math.ceil(link.height_px / link.tile_px) * math.ceil(link.width_px / link.tile_px)
    return link.bands * tiles * link.tile_px**2


def chosen_cr(link: LinkData, cr: float | str | None = None) -> float:
    """CR that was asked, or else the link's.

    Raises
    ------
    SemlossError
        When there is neither, or no such CR.
    """
    if cr is not None:
        return parse_cr(cr)
    if link.cr is None:
        raise SemlossError('cr is missing: give it, or write cr = "1/12" into the link\'s [image]')
    return link.cr


def image_mb(link: LinkData) -> float:
    """Source data of an image in MB (10⁶ bytes), without the padding of its tiles."""
    return link.bands * link.height_px * link.width_px * link.bit_depth / 8e6


def image_km2(link: LinkData) -> float | None:
    """Area that an image covers in km²; None where no ground sampling distance is told."""
    if link.gsd_m is None:
        return None
    return link.height_px * link.width_px * (1e-3 * link.gsd_m) ** 2


def images_per_s(link: LinkData, cr: ArrayLike) -> Any:  # noqa: ANN401 - as `cr`
    """Images a second, ``Rs · frame efficiency / (CR · n)``; shape as `cr`.

    Raises
    ------
    SemlossError
        When the link tells no bandwidth.
    """
    if link.bandwidth_mhz is None:
        raise SemlossError("bandwidth_mhz is missing: SNR and image rate follow from it")
    rate = 1e6 * link.bandwidth_mhz / (1 + link.roll_off) * link.frame_efficiency
    return rate / (np.asarray(cr) * samples_per_image(link))


def rate_kept(sent: ArrayLike, asked: float) -> Any:  # noqa: ANN401 - as `sent`
    """Whether rates reach the one that is asked, rounding apart; shape as `sent`."""
    return np.asarray(sent) >= asked * (1 - 1e-9)


def _values(link: LinkData, overrides: Mapping[str, ArrayLike]) -> dict[str, Any]:
    """Fields of the link as arrays, NaN where not given, the overrides in their place."""
    arrays = {name: _numbers(name, value) for name, value in overrides.items()}
    try:
        np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise SemlossError(f"overrides of shapes that do not broadcast: {shapes}") from None
    # One point stands for all where the givens are checked against each other.
    link = link.replace(**{name: array.flat[0].item() for name, array in arrays.items()})
    if "elevation_deg" in arrays and link.range_km is not None and "range_km" not in arrays:
        raise SemlossError(
            f"elevation_deg cannot vary while range_km = {link.range_km:g} stands: give height_km"
        )
    values: dict[str, Any] = {}
    for name, key in KEYS.items():
        value = getattr(link, name)
        if key.low is None:
            values[name] = value
            continue
        if name in arrays:
            for end in (arrays[name].min(), arrays[name].max()):
                check_value(name, end.item(), key)
        array = arrays.get(name, np.asarray(np.nan if value is None else value, dtype=np.float64))
        values[name] = array
    return values


def _numbers(name: str, value: ArrayLike) -> Array:
    array = np.asarray(value)
    if array.dtype.kind not in "fiu" or array.size == 0:
        raise SemlossError(f"{name} = {value!r}: give a number or an array of numbers")
    return array.astype(np.float64)


def _transmitter(v: Mapping[str, Any]) -> dict[str, Array]:
    """EIRP and antenna gain."""
    dish = dish_gain_dbi(v["tx_dish_m"], v["tx_efficiency"], v["freq_ghz"])
    gain = np.where(np.isnan(v["tx_gain_dbi"]), dish, v["tx_gain_dbi"])
    parts = v["power_dbw"] - v["obo_db"] - v["tx_line_loss_db"] + gain - v["tx_pointing_loss_db"]
    given = v["eirp_dbw"] - v["tx_pointing_loss_db"]
    eirp = np.where(np.isnan(v["eirp_dbw"]), parts, given)
    return {"tx_gain_dbi": gain, "eirp_dbw": eirp}


def _path(v: Mapping[str, Any]) -> dict[str, Array]:
    """Slant range and free-space loss."""
    slant = slant_range_km(v["height_km"], v["elevation_deg"], v["station_altitude_km"])
    distance = np.where(np.isnan(v["range_km"]), slant, v["range_km"])
    return {
        "elevation_deg": v["elevation_deg"],
        "range_km": distance,
        "fspl_db": np.where(np.isnan(v["fspl_db"]), fspl_db(distance, v["freq_ghz"]), v["fspl_db"]),
    }


def _receiver(v: Mapping[str, Any], warming_db: Array) -> dict[str, Array]:
    """Gain, noise temperatures at the amplifier's input, and G/T on boresight."""
    dish = dish_gain_dbi(v["rx_dish_m"], v["rx_efficiency"], v["freq_ghz"])
    gain = np.where(np.isnan(v["rx_gain_dbi"]), dish, v["rx_gain_dbi"])
    sky = v["t_ant_k"]
    if v["rain_warms_sky"]:
        sky = atmosphere.sky_temperature_k(sky, warming_db, v["t_rain_k"])
    through = 10 ** (-v["rx_line_loss_db"] / 10)
    amplifier = T0_K * (10 ** (v["noise_figure_db"] / 10) - 1)
    system = np.where(
        np.isnan(v["t_sys_k"]), sky * through + T0_K * (1 - through) + amplifier, v["t_sys_k"]
    )
    ratio = gain - v["rx_line_loss_db"] - 10 * np.log10(system)
    return {
        "rx_gain_dbi": gain,
        "t_ant_k": np.asarray(sky),
        "t_sys_k": system,
        "g_over_t_db_k": np.where(np.isnan(v["g_over_t_db_k"]), ratio, v["g_over_t_db_k"]),
    }


def _signal(v: Mapping[str, Any], c_n0_dbhz: Array) -> dict[str, Array]:
    """Symbol rate, Es/N0, and the SNR after implementation loss and interference."""
    rate = 1e6 * v["bandwidth_mhz"] / (1 + v["roll_off"])
    es_n0 = c_n0_dbhz - 10 * np.log10(rate)
    left = es_n0 - v["implementation_loss_db"]
    noise = 10 ** (-left / 10) + np.where(
        np.isnan(v["c_over_i_db"]), 0.0, 10 ** (-v["c_over_i_db"] / 10)
    )
    return {"symbol_rate_hz": rate, "es_n0_db": es_n0, "snr_db": -10 * np.log10(noise)}
