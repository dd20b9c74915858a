"""Numbers with units, as people write them in a link file: 8.2 or "8.2 GHz", "2 W" for dBW."""

import math
import re

from semloss.errors import SemlossError

_WATTS = {"mW": 1e-3, "W": 1.0, "kW": 1e3}
_LINEAR: dict[str, dict[str, float]] = {
    "GHz": {"Hz": 1e-9, "kHz": 1e-6, "MHz": 1e-3, "GHz": 1.0},
    "MHz": {"Hz": 1e-6, "kHz": 1e-3, "MHz": 1.0, "GHz": 1e3},
    "MBd": {
        "Bd": 1e-6, "kBd": 1e-3, "MBd": 1.0, "GBd": 1e3, "MBaud": 1.0, "GBaud": 1e3,
        "Msym/s": 1.0, "Msps": 1.0, "MHz": 1.0,
    },
    "Mb/s": {
        "b/s": 1e-6, "kb/s": 1e-3, "Mb/s": 1.0, "Gb/s": 1e3,
        "bps": 1e-6, "kbps": 1e-3, "Mbps": 1.0, "Gbps": 1e3,
        "bit/s": 1e-6, "kbit/s": 1e-3, "Mbit/s": 1.0, "Gbit/s": 1e3,
    },
    "m": {"mm": 1e-3, "cm": 1e-2, "m": 1.0, "km": 1e3},
    "km": {"m": 1e-3, "km": 1.0},
    "deg": {"deg": 1.0, "°": 1.0, "rad": 180 / math.pi},
    "K": {"K": 1.0},
    "mm/h": {"mm/h": 1.0},
    "%": {"%": 1.0},
    "px": {"px": 1.0},
    "1/s": {"1/s": 1.0, "/s": 1.0, "1/min": 1 / 60, "1/h": 1 / 3600},
    "": {"%": 0.01},
    "dB": {"dB": 1.0},
    "dBi": {"dBi": 1.0, "dBic": 1.0},
    "dBW": {"dBW": 1.0},
    "dB/K": {"dB/K": 1.0},
    "dBHz": {"dBHz": 1.0, "dB-Hz": 1.0},
    "W": _WATTS,
}  # fmt: skip
_NOISE_REFERENCE_K = 290.0
_NUMBER = re.compile(r"\s*([-+]?(?:\d+(?:[ _]?\d+)*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*")


def read_quantity(value: object, unit: str, where: str, *, whole: bool = False) -> float:
    """Read a value in `unit` from a number or from text with a unit.

    Parameters
    ----------
    value
        A number, taken in `unit`, or text such as "8.2 GHz".
    unit
        The unit of the key; powers in dBW are also read from watts and dBm, noise figures
        (`where` ends in ``noise_figure_db``) from kelvin, and linear ratios are not guessed.
    where
        The key to name in an error.
    whole
        Whether only whole numbers make sense; then an int comes back.

    Raises
    ------
    SemlossError
        When the value is no number, or its unit is unknown or of another kind.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise SemlossError(f"{where} = {value!r}: give a number, {_allowed(unit, where)}")
    try:
        number, given = _split(value, unit, where) if isinstance(value, str) else (float(value), "")
    except OverflowError:
        raise SemlossError(f"{where}: no number is that large; {_allowed(unit, where)}") from None
    if given:
        number = _convert(number, given, value, unit, where)
    if whole and not number.is_integer():
        raise SemlossError(f"{where} = {value!r}: give a whole number")
    return int(number) if whole else number


def _split(text: str, unit: str, where: str) -> tuple[float, str]:
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise SemlossError(f"{where} = {text!r}: give a number, {_allowed(unit, where)}")
    return float(re.sub("[ _]", "", match[1])), match[2]


def _convert(number: float, given: str, value: object, unit: str, where: str) -> float:
    """Value in the key's unit of a number given in another."""
    table = _LINEAR[unit]
    if given in table:
        return number * table[given]
    if unit == "dBW" and given == "dBm":
        return number - 30
    if unit == "dBW" and given in _WATTS:
        if number <= 0:
            raise SemlossError(f"{where} = {value!r}: a power in watts is positive")
        return 10 * math.log10(number * _WATTS[given])
    if where.endswith("noise_figure_db") and given == "K":
        if number < 0:
            raise SemlossError(f"{where} = {value!r}: a noise temperature is not negative")
        return 10 * math.log10(1 + number / _NOISE_REFERENCE_K)
    if unit == "K" and given == "dBK":
        return float(10 ** (number / 10))
    raise SemlossError(f"{where} = {value!r}: unknown unit {given!r}; {_allowed(unit, where)}")


def _allowed(unit: str, where: str) -> str:
    units = list(_LINEAR[unit])
    if unit == "dBW":
        units += ["dBm", *_WATTS]
    if unit == "K":
        units.append("dBK")
    if where.endswith("noise_figure_db"):
        units.append("K")
    if not unit:
        return "a plain ratio, or with %"
    return f"plain in {unit}, or with a unit: {', '.join(units)}"


def implausible(name: str, value: object) -> list[str]:
    """Say where a plain number looks like another unit than the key's."""
    if isinstance(value, str):  # a number alone, as the command line gives it
        value = float(value) if re.fullmatch(r"\s*-?\d+\.?\d*\s*", value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return []
    if name in ("power_dbw", "pa_saturation_dbw") and 20 < value < 1000:
        watts = 10 ** (value / 10)
        return [
            f"{name} = {value:g} is {watts:,.0f} W: implausible unless a hub; if watts or dBm "
            f'are meant, write "{value:g} W" or "{value:g} dBm"'
        ]
    if name == "t_sys_k" and 0 < value < 35:
        return [f"{name} = {value:g} K is implausible unless cooled: is it in dBK?"]
    if name == "height_km" and value > 100_000:
        return [f'{name} = {value:g} is implausible: if metres are meant, write "{value:g} m"']
    if name == "noise_figure_db" and value > 15:
        return [f'{name} = {value:g} dB is implausible: if kelvin are meant, write "{value:g} K"']
    if name == "eirp_dbw" and value > 90:
        return [f'{name} = {value:g} is implausible: if dBm are meant, write "{value:g} dBm"']
    return []
