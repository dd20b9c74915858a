"""Numbers of a file, checked: ValueError says in words what is wrong with which key."""

import base64
import math
from typing import Any

import numpy as np

from semloss.arrays import Array

_LARGEST = 1e15
"""No number of a fit is larger; sums and products of such stay finite."""


def number(value: Any, key: str) -> float:  # noqa: ANN401 - whatever a file holds, here and below
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key} is no number")
    if not abs(value) <= _LARGEST:  # NaN included
        raise ValueError(f"{key} holds a number that is not finite or too large")
    return float(value)


def numbers(value: Any, shape: tuple[int, ...], key: str) -> Array:  # noqa: ANN401
    """Finite numbers of the shape that the key must have."""
    if not isinstance(value, list) or len(value) != shape[0]:
        raise ValueError(f"{key} is not made of {'x'.join(map(str, shape))} numbers")
    if len(shape) == 2:
        return np.array([numbers(row, shape[1:], key) for row in value])
    return np.array([number(one, key) for one in value])


def unpacked(data: Any, kind: str, shape: tuple[int, ...], key: str) -> Array:  # noqa: ANN401
    """Finite numbers of a shape from base64, `kind` a dtype such as ``<f4``."""
    if not isinstance(data, str):
        raise ValueError(f"{key} is no text")
    try:
        raw = base64.b64decode(data, validate=True)
    except ValueError:
        raise ValueError(f"{key} is not base64") from None
    if len(raw) != math.prod(shape) * np.dtype(kind).itemsize:
        raise ValueError(f"{key} has another length than its shape")
    found = np.frombuffer(raw, dtype=kind).astype(np.float64).reshape(shape)
    if not np.all(np.abs(found) <= _LARGEST):
        raise ValueError(f"{key} holds a number that is not finite or too large")
    return found
