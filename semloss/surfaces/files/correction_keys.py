"""How a fit file holds a correction: its lattice as numbers, its fields and draws in base64.

A check raises ValueError with the reason in words.
"""

import base64
import math
from typing import Any

import numpy as np

from semloss.arrays import Array
from semloss.surfaces.fitted.correction import FINER, Correction

_FIELDS = ("mean", "these_images", "new_images")
_KEYS = {"encoding", "start", "step", "shape", "beyond", *_FIELDS, "basis", "draws"}
_ENCODING = "base64 little-endian: fields float32, basis and draws float16"
_MOST_KNOTS, _MOST_RANK, _MOST_DRAWS = 10_000, 64, 5000
_LARGEST = 1e15


def correction_written(found: Correction | None) -> dict[str, Any] | None:
    """Content of the key; basis and draws lose all but their first three digits."""
    if found is None:
        return None
    size = found.basis_size
    return {
        "encoding": _ENCODING,
        "start": found.start.tolist(),
        "step": found.step.tolist(),
        "shape": [*found.basis.shape, len(found.draws)],
        "beyond": found.beyond.tolist(),
        **{name: _text(getattr(found, name), "<f4") for name in _FIELDS},
        # Half precision keeps three digits of numbers near 1, of far smaller ones fewer.
        "basis": [size, _text(found.basis / size, "<f2")],
        "draws": _text(found.draws, "<f2"),
    }


def correction(content: Any, *_: Any) -> Correction | None:  # noqa: ANN401 - whatever a file holds
    """The correction that `correction_written` wrote, checked."""
    if content is None:
        return None
    if not isinstance(content, dict) or set(content) != _KEYS:
        raise ValueError(f"correction has other keys than {', '.join(sorted(_KEYS))}")
    if content["encoding"] != _ENCODING:
        raise ValueError("correction is in another encoding")
    start, step, beyond = (_pair(content[key], key) for key in ("start", "step", "beyond"))
    if np.any(step <= 0) or np.any(beyond < 0):
        raise ValueError("correction: a step or a growth is no positive number")
    shape = content["shape"]
    if not isinstance(shape, list) or [type(n) for n in shape] != [int] * 4:
        raise ValueError("shape of the correction is not made of 4 counts")
    rank, *knots, draws = shape
    if not (0 <= rank <= _MOST_RANK and min(knots) >= 2 and knots[0] * knots[1] <= _MOST_KNOTS
            and 0 <= draws <= _MOST_DRAWS):  # fmt: skip
        raise ValueError("shape of the correction is impossible")
    finer = tuple(FINER * (count - 1) + 1 for count in knots)
    fields = {
        name: _array(content[name], "<f4", finer if name == "mean" else tuple(knots), name)
        for name in _FIELDS
    }
    if np.any(fields["these_images"] < 0) or np.any(fields["new_images"] < 0):
        raise ValueError("correction: a standard deviation is negative")
    if not isinstance(content["basis"], list) or len(content["basis"]) != 2:
        raise ValueError("basis of the correction is no scale with its data")
    size = _number(content["basis"][0], "basis")
    basis = size * _array(content["basis"][1], "<f2", (rank, *knots), "basis")
    return Correction(
        start, step, **fields, beyond=beyond, basis=basis,
        draws=_array(content["draws"], "<f2", (draws, rank), "draws"),
    )  # fmt: skip


def _text(array: Array, kind: str) -> str:
    return base64.b64encode(array.astype(kind).tobytes()).decode("ascii")


def _array(data: Any, kind: str, shape: tuple[int, ...], key: str) -> Array:  # noqa: ANN401
    if not isinstance(data, str):
        raise ValueError(f"{key} of the correction is no text")
    try:
        raw = base64.b64decode(data, validate=True)
    except ValueError:
        raise ValueError(f"{key} of the correction is not base64") from None
    if len(raw) != math.prod(shape) * int(kind[-1]):
        raise ValueError(f"{key} and shape of the correction disagree")
    found = np.frombuffer(raw, dtype=kind).astype(np.float64).reshape(shape)
    if not np.all(np.abs(found) <= _LARGEST):
        raise ValueError(f"{key} of the correction holds a number that is not finite")
    return found


def _pair(value: Any, key: str) -> Array:  # noqa: ANN401
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"{key} of the correction is no pair")
    return np.array([_number(number, key) for number in value])


def _number(value: Any, key: str) -> float:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
        raise ValueError(f"{key} of the correction is no number")
    return float(value)
