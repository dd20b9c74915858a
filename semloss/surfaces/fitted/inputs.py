"""What users hand in for CR and SNR, as checked arrays."""

import math
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.units import CR_LOWEST, SNR_DB_LIMITS, parse_cr


class Frame(Protocol):
    """What is asked of a table, so that pandas need not be imported."""

    def __getitem__(self, column: str, /) -> Any:  # noqa: ANN401
        """One column."""

    def assign(self, **columns: Any) -> Self:  # noqa: ANN401
        """A copy with further columns."""


def columns_of(frame: Frame) -> tuple[Any, Any]:
    """Columns cr and snr_db of a frame."""
    if not hasattr(frame, "assign"):
        raise SemlossError("frame: give a pandas DataFrame with columns cr and snr_db")
    try:
        return np.asarray(frame["cr"]), np.asarray(frame["snr_db"])
    except KeyError as error:
        raise SemlossError(f"the frame has no column {error}; it needs cr and snr_db") from None


def ratios_of(cr: ArrayLike | str) -> Array:
    """Compression ratios as floats, checked to lie in (0, 1]."""
    if isinstance(cr, str | float | int):
        return np.asarray(parse_cr(cr))
    array = np.asarray(cr)
    if array.dtype.kind in "OUS":
        return np.array([parse_cr(c) for c in array.ravel()]).reshape(array.shape)
    if array.dtype.kind not in "fiu":
        raise SemlossError("cr: give numbers, k/n in (0, 1]")
    found = array.astype(np.float64, copy=False)
    # The extremes are NaN where any number is, and need no array of truth values.
    if found.size and not (found.min() >= CR_LOWEST and found.max() <= 1):
        raise SemlossError("cr: every CR is k/n (channel uses per source sample) in (0, 1]")
    return found


def decibels_of(snr_db: ArrayLike) -> Array:
    """SNRs as floats, checked to be finite."""
    try:
        array = np.asarray(snr_db, dtype=np.float64)
    except (TypeError, ValueError):
        raise SemlossError("snr_db: give numbers, Es/N0 in dB") from None
    low, high = SNR_DB_LIMITS
    if array.size and not (array.min() >= low and array.max() <= high):
        raise SemlossError(f"snr_db: give finite SNRs, Es/N0 in {low:g} … {high:g} dB")
    return array


def one_number(value: Any, name: str) -> float:  # noqa: ANN401 - whatever the user handed in
    """One finite number, where lists and text are a misunderstanding."""
    if isinstance(value, str) or np.ndim(value) > 0:
        raise SemlossError(f"{name} = {value!r}: give one number; contour() answers for many CRs")
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise SemlossError(f"{name} = {value!r}: give one number") from None
    if not math.isfinite(found):
        raise SemlossError(f"{name} = {value}: give a finite number")
    return found
