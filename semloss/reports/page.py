"""How a page says numbers: signs, ratios, cells of the plane, and the rows of a table."""

import re
from typing import Any

import numpy as np
import pandas as pd

from semloss.arrays import Array

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


def about_cr(cr: float) -> str:
    """A ratio as a fraction, its denominator to a tenth."""
    return f"1/{round(1 / cr, 1):g}" if cr < 1 else "1"


def cell_name(cr: float, snr_db: float) -> str:
    """A point of the plane in words."""
    return f"CR {about_cr(cr)}, {signed(f'{round(snr_db, 2):g}')} dB"
