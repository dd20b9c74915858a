"""Whether a link's givens are in range, complete and free of contradiction."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING
from typing import Any

from semloss.errors import SemlossError
from semloss.planning.link.keys import REPLACES, Key
from semloss.planning.propagation.rain import FREQ_GHZ

#: Fields of a link by name.
Fields = Mapping[str, Any]

#: What a link cannot do without: any of the sets of keys, and what they tell.
_NEEDS = {
    "the transmitter": (("eirp_dbw",), ("power_dbw", "tx_gain_dbi"), ("power_dbw", "tx_dish_m")),
    "the path": (("range_km",), ("fspl_db",), ("height_km", "elevation_deg")),
    "the receiver": (("g_over_t_db_k",), ("rx_gain_dbi",), ("rx_dish_m",)),
    "the signal": (("bandwidth_mhz",), ("bit_rate_mbps",)),
}


_EXAMPLES = {"cr": 'it in the table [image], e.g. cr = "1/12"'}


def refuse_incomplete(fields: Fields, keys: Mapping[str, Key], needed: Iterable[str] = ()) -> None:
    """Refuse a link that lacks a part, or what a question `needed`; all of it in one line."""
    lacking = [*_lacking(fields, keys, tuple(needed))]
    if lacking:
        raise SemlossError("; ".join(lacking))


def check(fields: Fields, keys: Mapping[str, Key], defaults: Fields) -> None:
    """Check a link's values one by one and together.

    Raises
    ------
    SemlossError
        Naming the key, its value, and what is allowed.
    """
    for name, key in keys.items():
        check_value(name, fields[name], key)
    _check_contradictions(fields, defaults)
    refuse_incomplete(fields, keys)
    _check_atmosphere(fields)
    _check_idle(fields, defaults)


def check_value(name: str, value: object, key: Key) -> None:
    """Check one value against its key's range or choices."""
    if value is None:
        return
    if key.choices and value not in key.choices:
        raise SemlossError(f"{name} = {value!r}: allowed is {key.allowed}")
    if key.low is None or key.high is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SemlossError(f"{name} = {value!r}: give a number, {key.allowed}")
    too_low = value <= key.low if key.above else value < key.low
    if not math.isfinite(value) or too_low or value > key.high:
        raise SemlossError(f"{name} = {value:g}: allowed is {key.allowed} ({key.about})")


def _check_contradictions(fields: Fields, defaults: Fields) -> None:
    """Refuse two keys that say the same thing."""
    for name, others in REPLACES.items():
        if fields[name] is None:
            continue
        for other in others:
            if fields[other] != defaults[other]:
                raise SemlossError(
                    f"{name} = {fields[name]:g} contradicts {other} = "
                    f"{fields[other]}: {name} says it already; give one of them"
                )


def _lacking(fields: Fields, keys: Mapping[str, Key], needed: tuple[str, ...]) -> Iterator[str]:
    """What a link lacks, a line each."""
    if fields["freq_ghz"] is MISSING:
        yield f"freq_ghz is missing: give {keys['freq_ghz'].allowed}"
    for what, alternatives in _NEEDS.items():
        if not any(all(fields[k] is not None for k in some) for some in alternatives):
            if any(some == (name,) for some in alternatives for name in needed):
                continue  # told below, without the alternative that does not serve
            ways = ", or ".join(" and ".join(some) for some in alternatives)
            yield f"{what} is not described: give {ways}"
    if fields["g_over_t_db_k"] is None and fields["t_sys_k"] is None:
        absent = [name for name in ("t_ant_k", "noise_figure_db") if fields[name] is None]
        if absent:
            yield (
                f"{' and '.join(absent)} {'are' if absent[1:] else 'is'} missing: the receiver's "
                "noise is t_ant_k and noise_figure_db, or t_sys_k, or g_over_t_db_k in place of "
                "gain and noise"
            )
    for name in needed:
        if fields[name] is None:
            instead = [
                g for g, parts in REPLACES.items() if name in parts and fields[g] is not None
            ]
            other = f", instead of {instead[0]}" if instead else ""
            yield f"{name} is missing: give {_EXAMPLES.get(name, keys[name].allowed)}{other}"


def _check_atmosphere(fields: Fields) -> None:
    """Refuse rain without what its model needs."""
    itu = fields["atmosphere_model"] == "itu"
    if itu:
        for name in ("gas_loss_db", "cloud_loss_db", "scintillation_loss_db", "rain_loss_db"):
            if fields[name]:
                raise SemlossError(
                    f'{name} = {fields[name]:g} contradicts atmosphere_model = "itu", which '
                    f'computes it; leave {name} away or say "fixed"'
                )
        for name in ("r001_mm_h", "rain_height_km", "zenith_losses"):
            if fields[name]:
                raise SemlossError(
                    f'{name} = {fields[name]} contradicts atmosphere_model = "itu", which '
                    f'takes its own from the maps; leave {name} away or say "fixed"'
                )
    if fields["zenith_losses"] and fields["elevation_deg"] is None:
        raise SemlossError("elevation_deg is missing: zenith_losses grow with it")
    if not itu and fields["r001_mm_h"] is None:
        if fields["availability_percent"] is not None and fields["rain_loss_db"] is None:
            raise SemlossError(
                f"availability_percent = {fields['availability_percent']:g} needs rain statistics: "
                'give r001_mm_h, or atmosphere_model = "itu"'
            )
        return
    needed = ["availability_percent", "elevation_deg", "station_lat_deg"]
    for name in [*needed, "station_lon_deg"] if itu else needed:
        if fields[name] is None:
            why = 'atmosphere_model = "itu"' if itu else f"r001_mm_h = {fields['r001_mm_h']:g}"
            raise SemlossError(f"{name} is missing: rain by {why} depends on it")
    low, high = FREQ_GHZ
    if not low <= fields["freq_ghz"] <= high:
        raise SemlossError(
            f"freq_ghz = {fields['freq_ghz']:g}: rain statistics hold for {low:g} … {high:g} GHz "
            "(P.618); give rain_loss_db instead"
        )


def _check_idle(fields: Fields, defaults: Fields) -> None:
    """Refuse what has no effect without another key."""
    for name, needed, why in (
        ("c_over_i_db", "bandwidth_mhz", "interference is told in the symbol bandwidth"),
        ("required_eb_n0_db", "bit_rate_mbps", "the energy of a bit depends on it"),
        ("rain_height_km", "r001_mm_h", "it is that of the rain statistics"),
        ("t_rain_k", "rain_warms_sky", "it is how warm rain makes the sky"),
        ("pj_per_mac", "encoder_mmac", "it is the energy of each of the encoder's operations"),
    ):
        if fields[name] != defaults[name] and not fields[needed]:
            raise SemlossError(f"{name} = {fields[name]:g} needs {needed}: {why}")
