"""How a page says numbers: signs, digits, ratios, cells, fields, and the rows of a table."""

import re
from typing import Any

import numpy as np
import pandas as pd

from semloss.arrays import Array
from semloss.layout import digits
from semloss.planning.link.link import KEYS

_MINUS = re.compile(r"(?<![A-Za-z\d])-(?=[\d.])|(?<=\de)-(?=\d)")


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as mappings."""
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def row_of_most(table: pd.DataFrame, by: Array) -> dict[str, Any]:
    """The row at which the values (N,) are largest, NaN passed over."""
    at = int(np.nanargmax(np.asarray(by, dtype=float)))
    return rows_of(table.iloc[at : at + 1])[0]


def signed(text: str) -> str:
    """The text with minus signs before its numbers, as on the axes; hyphens stay."""
    return _MINUS.sub("−", text)


def span(value: float, low: float, high: float | None, level: str, unit: str = "") -> str:
    """A value with its interval, all to the digits that the interval supports, four at most."""
    reach = abs(value - low) if high is None else 0.5 * abs(high - low)
    places = min(digits(reach), digits(abs(value), 4))
    end = "beyond the fitted range" if high is None else f"{high:.{places}f}"
    return f"{value:.{places}f}{unit} [{level}: {low:.{places}f} … {end}]"


def capital(text: str) -> str:
    """The text as a sentence begins; a word with capitals of its own, as mIoU, stays."""
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]


def about_cr(cr: float) -> str:
    """A ratio as a fraction, its denominator to a tenth."""
    return f"1/{round(1 / cr, 1):g}" if cr < 1 else "1"


def cell_name(cr: float, snr_db: float) -> str:
    """A point of the plane in words."""
    return f"CR {about_cr(cr)}, {signed(f'{round(snr_db, 2):g}')} dB"


_FIELDS = {
    "cr": "CR = k/n",
    "snr_db": "SNR, Es/N0 [dB]",
    "eirp_dbw": "EIRP [dBW]",
    "power_dbw": "amplifier power [dBW]",
    "obo_db": "output back-off [dB]",
    "papr_db": "PAPR [dB]",
    "g_over_t_db_k": "G/T [dB/K]",
    "c_over_i_db": "C/I [dB]",
    "required_eb_n0_db": "required Eb/N0 [dB]",
    "r001_mm_h": "rain rate exceeded in 0.01 % [mm/h]",
    "t_ant_k": "antenna temperature [K]",
    "t_sys_k": "system temperature [K]",
    "t_rain_k": "rain temperature [K]",
    "images_per_s": "images per second",
}
_WORDS = {"tx": "transmit", "rx": "receive", "freq": "frequency", "lat": "latitude",
          "lon": "longitude", "pa": "amplifier"}  # fmt: skip


def field_label(name: str) -> str:
    """Field of a link in words, its unit in brackets."""
    if name in _FIELDS:
        return _FIELDS[name]
    words, unit = name.split("_"), KEYS[name].unit if name in KEYS else ""
    said = " ".join(_WORDS.get(word, word) for word in (words[:-1] if unit else words))
    return f"{said} [{unit}]" if unit else said
