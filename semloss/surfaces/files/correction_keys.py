"""How a fit file holds a correction: its lattice as numbers, its fields and draws in base64.

A check raises ValueError with the reason in words.
"""

import base64
from typing import Any

import numpy as np

from semloss.arrays import Array
from semloss.surfaces.files.numbers import number, numbers, unpacked
from semloss.surfaces.fitted.correction import FINER, Correction

_FIELDS = ("mean", "these_images", "new_images")
_KEYS = {"encoding", "start", "step", "shape", "beyond", "power", *_FIELDS, "basis", "draws"}
_ENCODING = "base64 little-endian: fields float32, basis and draws float16"
_MOST_KNOTS, _MOST_RANK, _MOST_DRAWS, _MOST_POWER = 10_000, 64, 5000, 4.0


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
        "power": found.power,
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
    start, step, beyond = (
        numbers(content[key], (2,), f"{key} of the correction")
        for key in ("start", "step", "beyond")
    )
    power = number(content["power"], "power of the correction")
    if np.any(step <= 0) or np.any(beyond < 0) or not 0 < power <= _MOST_POWER:
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
        name: _field(content[name], "<f4", finer if name == "mean" else tuple(knots), name)
        for name in _FIELDS
    }
    if np.any(fields["these_images"] < 0) or np.any(fields["new_images"] < 0):
        raise ValueError("correction: a standard deviation is negative")
    if not isinstance(content["basis"], list) or len(content["basis"]) != 2:
        raise ValueError("basis of the correction is no scale with its data")
    size = number(content["basis"][0], "basis of the correction")
    basis = size * _field(content["basis"][1], "<f2", (rank, *knots), "basis")
    return Correction(
        start, step, **fields, beyond=beyond, basis=basis,
        draws=_field(content["draws"], "<f2", (draws, rank), "draws"), power=power,
    )  # fmt: skip


def _text(array: Array, kind: str) -> str:
    return base64.b64encode(array.astype(kind).tobytes()).decode("ascii")


def _field(data: Any, kind: str, shape: tuple[int, ...], key: str) -> Array:  # noqa: ANN401
    return unpacked(data, kind, shape, f"{key} of the correction")
