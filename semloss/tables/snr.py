"""Is an SNR in dB? What evidently is not is refused, what may not be is said.

Es/N0 is in dB everywhere in semloss. A table with linear ratios would be fitted just the same,
and every answer would be wrong. Negative values can only be decibels. Ratios that somebody
computed from decibels betray it: they lie on a ladder of round decibels (1, 3.16, 10), far more
exactly than values chosen in dB would by chance.
"""

import math

import numpy as np
import pandas as pd

from semloss.arrays import Array
from semloss.errors import SemlossError

_ABSURD_DB = 100.0
"""Beyond this no link is; 100 itself stands for "no noise" in some tables."""
_LARGE_DB = 50.0
_LADDER_DB = 0.5
_CHANCE = 0.01
"""Chance at which values in dB would look like round decibels made linear."""


def refuse_linear_snr(snr: pd.Series, file: str, column: str) -> None:
    """Refuse an SNR that cannot be in dB.

    Parameters
    ----------
    snr
        SNR (N,) indexed by row numbers; NaN where a cell has none.
    file, column
        For the message: where it is from, and the column it was read from.

    Raises
    ------
    SemlossError
        When a value is beyond ±100 dB, or the values are round decibels made linear.
    """
    present = snr.dropna()
    levels = np.unique(present.to_numpy(float))
    mend = f"convert with 10·log10: --columns 'snr_db=dB({column})'"
    far = present[present.abs() > _ABSURD_DB]
    if not far.empty:
        where = f"{file}, row {far.index[0]}: snr_db = {far.iloc[0]:g}"
        if levels[0] < 0:
            raise SemlossError(f"{where} is no SNR in dB; correct or remove the row")
        raise SemlossError(f"{where} is no SNR in dB; if it is linear, {mend}")
    if len(levels) < 3 or levels[0] <= 0:
        return
    decades = np.allclose(np.diff(np.log10(levels)), 1.0, atol=1e-3)
    long = len(levels) >= 4 and _even_in_db(levels) and not _round(levels)
    if decades or long or _chance(levels) < _CHANCE:
        raise SemlossError(f"{file}: snr_db {_shown(levels)} is linear, not in dB; {mend}")


def doubt_about_snr(snr: Array) -> str | None:
    """A note where the SNR may be linear although it could be in dB; None where all is well."""
    levels = np.unique(snr[np.isfinite(snr)])
    if len(levels) < 3 or levels[0] <= 0:
        return None
    if levels[-1] > _LARGE_DB or _even_in_db(levels):
        return (
            f"snr_db {_shown(levels)} is taken as dB; if it is linear, convert it with "
            "--columns 'snr_db=dB(COLUMN)'"
        )
    return None


def _even_in_db(levels: Array) -> bool:
    """Whether positive levels are evenly spaced as 10·log10, and not as they are."""
    in_db, plain = 10 * np.log10(levels), np.diff(levels)
    ladder = np.linspace(in_db[0], in_db[-1], len(levels))
    written = np.where(levels == np.round(levels), 0.0, _rounding(levels))  # whole: as meant
    slack = 0.01 * (ladder[1] - ladder[0]) + 10 / math.log(10) * written / levels
    even = bool(np.all(np.abs(in_db - ladder) <= slack))
    return even and float(np.ptp(plain)) > 0.05 * float(plain.mean())


def _round(levels: Array) -> bool:
    """Whether most levels are numbers that people choose: multiples of one half."""
    return float(np.mean(np.abs(2 * levels - np.round(2 * levels)) < 1e-9)) >= 0.5


def _chance(levels: Array) -> float:
    """Chance that levels in dB would lie this close to round decibels made linear; 1 if not."""
    nearest = 10 ** (np.round(10 * np.log10(levels) / _LADDER_DB) * _LADDER_DB / 10)
    slack = _rounding(levels) + 1e-9 * levels
    if np.any(np.abs(levels - nearest) > slack):
        return 1.0
    spacing = levels * (10 ** (_LADDER_DB / 10) - 1)
    return float(np.prod(np.minimum(1.0, 2 * slack / spacing)))


def _rounding(levels: Array) -> Array:
    """Half a unit of the last decimal place in which each level is written (N,)."""
    places = [len(np.format_float_positional(x, trim="-").partition(".")[2]) for x in levels]
    return 0.5 * 10.0 ** -np.array(places, dtype=np.float64)


def _shown(levels: Array) -> str:
    few = [f"{x:.4g}" for x in levels[:4]]
    return ", ".join(few) + (f" … {levels[-1]:.4g}" if len(levels) > 4 else "")
