"""What a fit file holds: every key with its meaning, how it is written and how it is checked.

A check raises ValueError with the reason in words.
"""

import base64
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.surfaces.files.correction_keys import correction, correction_written
from semloss.surfaces.files.numbers import number, numbers, unpacked
from semloss.surfaces.fitted.conventions import conventions
from semloss.surfaces.fitted.fit import Fit
from semloss.surfaces.fitted.outcome import Outcome
from semloss.surfaces.forms import FORMS, Form

ENCODING = "base64 float32 little-endian"
MAX_DRAWS = 5000
_MAX_VERTICES = 1000
_MAX_TEXT = 10_000
_MAX_DEPTH = 8
_NOISES = ("binomial", "reported", "replicates", "none")


def written(fit: Fit) -> dict[str, Any]:
    """Content of the fit file: every key of `KEYS`, in their order."""
    return {key.name: key.write(fit) for key in KEYS}


def parse(content: dict[str, Any]) -> Fit:
    """Turn what `written` gives back into a fit.

    Raises
    ------
    ValueError
        With a reason in words, whatever is wrong.
    """
    names = {key.name for key in KEYS}
    for name in sorted(set(content) - names):
        raise ValueError(f"unknown key {name[:40]!r}")
    for name in sorted(names - set(content)):
        raise ValueError(f"key {name!r} is missing")
    form = _form(content["form"])
    known = {key.name: key.read(content[key.name], key.name, form) for key in KEYS}
    del known["conventions"]  # they follow from the rest
    return Fit(**known)


def _form(name: Any) -> Form:  # noqa: ANN401 - whatever the file holds, here and below
    if not isinstance(name, str) or name not in FORMS:
        raise ValueError(
            f"unknown form {str(name)[:40]!r} (a form of your own is registered before loading)"
        )
    return FORMS[name]


def _parameters(named: Any, _: str, form: Form) -> Array:  # noqa: ANN401
    if not isinstance(named, dict) or list(named) != list(form.names):
        raise ValueError(f"the parameters of form {form.name} are {', '.join(form.names)}")
    parameters = numbers(list(named.values()), (len(form.names),), "parameters")
    for parameter, value in zip(form.all_parameters, parameters, strict=True):
        if not parameter.low <= value <= parameter.high:
            raise ValueError(f"parameter {parameter.name} = {value:g} is out of its bounds")
    return parameters


def _covariance(rows: Any, _: str, form: Form) -> Array:  # noqa: ANN401
    size = len(form.names)
    covariance = numbers(rows, (size, size), "covariance")
    variance = np.diag(covariance)
    if np.any(variance < 0):
        raise ValueError("covariance is no covariance matrix: a variance is negative")
    scale = np.sqrt(np.where(variance > 0, variance, 1.0))
    correlation = covariance / np.outer(scale, scale)
    if not np.allclose(correlation, correlation.T, atol=1e-9):
        raise ValueError("covariance is no covariance matrix: it is not symmetric")
    if np.abs(correlation).max() > 1 + 1e-6 or np.linalg.eigvalsh(correlation).min() < -1e-6:
        raise ValueError("covariance is no covariance matrix: it is not positive semidefinite")
    return covariance


def _hull(vertices: Any, *_: Any) -> Array:  # noqa: ANN401
    if not isinstance(vertices, list) or not 1 <= len(vertices) <= _MAX_VERTICES:
        raise ValueError("hull has an impossible number of vertices")
    hull = numbers(vertices, (len(vertices), 2), "hull")
    if hull[:, 0].max() > 1e-9:
        raise ValueError("hull holds a CR above 1")
    if hull[:, 0].min() < -100 or np.abs(hull[:, 1]).max() > 1000:
        raise ValueError("hull holds a CR or SNR that no link has")
    return hull


def _draws(packed: Any, _: str, form: Form) -> Array | None:  # noqa: ANN401
    """Bootstrap draws (D, P), within the bounds of the form up to float32's rounding."""
    if packed is None:
        return None
    if not isinstance(packed, dict) or set(packed) != {"encoding", "shape", "data"}:
        raise ValueError("draws has other keys than encoding, shape and data")
    _one_of(packed["encoding"], (ENCODING,), "encoding of draws")
    shape = packed["shape"]
    size = len(form.names)
    if (
        not isinstance(shape, list)
        or [type(length) for length in shape] != [int, int]
        or not 1 <= shape[0] <= MAX_DRAWS
        or shape[1] != size
    ):
        raise ValueError(f"shape of draws is not [1 … {MAX_DRAWS}, {size}]")
    draws = unpacked(packed["data"], "<f4", (shape[0], size), "data of draws")
    low = np.array([parameter.low for parameter in form.all_parameters])
    high = np.array([parameter.high for parameter in form.all_parameters])
    room = 1e-6 * np.maximum(np.abs(np.where(np.isfinite(low), low, 0.0)), 1e-3)
    if np.any(draws < low - room) or np.any(draws > high * (1 + 1e-6) + 1e-9):
        raise ValueError("draws holds a parameter out of its bounds")
    return np.asarray(np.clip(draws, low, high))


def _intervals(named: Any, _: str, form: Form) -> dict[str, tuple[float, float]]:  # noqa: ANN401
    if not isinstance(named, dict) or not set(named) <= set(form.names):
        raise ValueError(f"intervals names other parameters than {', '.join(form.names)}")
    return {name: _range(ends, f"interval of {name}") for name, ends in named.items()}


def _bounds(rows: Any, _: str, form: Form) -> Array | None:  # noqa: ANN401
    size = len(form.names)
    if rows is None:
        return None
    if not isinstance(rows, list) or len(rows) != size:
        raise ValueError(f"bounds is not made of {size} ranges")
    return np.array([_range(ends, "bounds") for ends in rows])


def _range(ends: Any, key: str) -> tuple[float, float]:  # noqa: ANN401
    """Low and high end; None stands for an open one."""
    if not isinstance(ends, list) or len(ends) != 2:
        raise ValueError(f"{key} is no pair [low, high]")
    low = -math.inf if ends[0] is None else number(ends[0], key)
    high = math.inf if ends[1] is None else number(ends[1], key)
    if low > high:
        raise ValueError(f"{key}: the low end lies above the high end")
    return low, high


def _size(value: Any, key: str, *_: Any) -> float:  # noqa: ANN401
    size = number(value, key)
    if size < 0:
        raise ValueError(f"{key} is negative")
    return size


def _level(value: Any, key: str, *_: Any) -> float | None:  # noqa: ANN401
    return None if value is None else number(value, key)


def _images(value: Any, *_: Any) -> float | None:  # noqa: ANN401
    if value is not None and number(value, "images") < 1:
        raise ValueError("images is no positive count")
    return None if value is None else float(value)


def _text(value: Any, key: str, *_: Any) -> str:  # noqa: ANN401
    """One printable line: a terminal must not be steered by what a file says."""
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise ValueError(f"{key} is no text")
    if not value.isprintable():
        raise ValueError(f"{key} holds characters that cannot be printed")
    return value


def _dof(value: Any, *_: Any) -> int | None:  # noqa: ANN401
    if value is not None and (type(value) is not int or not 1 <= value <= 10**9):
        raise ValueError("dof is no positive count")
    return value


def _one_of(value: Any, allowed: tuple[str, ...], key: str) -> str:  # noqa: ANN401
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{key} is none of {', '.join(allowed)}")
    return value


def _plain(value: Any, key: str, *_: Any) -> dict[str, Any]:  # noqa: ANN401
    """Object of printable texts and finite numbers, nested a few times at most."""
    if not isinstance(value, dict):
        raise ValueError(f"{key} is no object")
    _check_plain(value, key, 0)
    return value


def _check_plain(value: Any, key: str, depth: int) -> None:  # noqa: ANN401
    if depth > _MAX_DEPTH:
        raise ValueError(f"{key} is nested too deeply")
    if isinstance(value, dict):
        for name, item in value.items():
            _text(name, key)
            _check_plain(item, key, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check_plain(item, key, depth + 1)
    elif isinstance(value, str):
        _text(value, key)
    elif value is not None and not isinstance(value, bool):
        number(value, key)


def _packed(draws: Array | None) -> dict[str, Any] | None:
    if draws is None:
        return None
    if len(draws) > MAX_DRAWS:
        raise SemlossError(f"{len(draws)} bootstrap draws: a fit file holds {MAX_DRAWS} at most")
    data = base64.b64encode(draws.astype("<f4").tobytes()).decode("ascii")
    return {"encoding": ENCODING, "shape": list(draws.shape), "data": data}


def _ends(low: float, high: float) -> list[float | None]:
    """A range, with None for an open end."""
    return [None if low == -float("inf") else low, None if high == float("inf") else high]


@dataclass(frozen=True)
class Key:
    """A key of the fit file: its meaning, its value for a fit, and its value checked when read."""

    name: str
    meaning: str
    read: Callable[[Any, str, Form], Any]
    write: Callable[[Fit], Any]


def _key(
    name: str,
    meaning: str,
    read: Callable[[Any, str, Form], Any],
    write: Callable[[Any], Any] = lambda value: value,
) -> Key:
    """A key that holds the attribute of its name, written in JSON's terms by `write`."""
    return Key(name, meaning, read, lambda fit: write(getattr(fit, name)))


KEYS = (
    _key("form", "name of the form in `semloss.surfaces.forms.FORMS`",
         lambda _, __, form: form.name),
    _key("metric", "name of the metric", _text),
    _key("receiver", '"clean", "matched" or, for an image metric, "none"', _text),
    _key("task", 'name of the task model; "none" for an image metric, "unknown" if not told',
         _text),
    _key("direction", '"higher" or "lower": which way the metric improves',
         lambda value, key, _: _one_of(value, ("higher", "lower"), key)),
    Key("parameters", "{name: value} in the order of the form, levels first, full precision",
        _parameters,
        lambda fit: dict(zip(FORMS[fit.form].names, fit.parameters.tolist(), strict=True))),
    _key("bounds", "[[low, high], …] search range per parameter, null where open; or null", _bounds,
         lambda rows: None if rows is None else [_ends(*row) for row in rows.tolist()]),
    _key("covariance",
         "P lists of P numbers, zeros for parameters that are known or rest on a bound",
         _covariance, lambda rows: rows.tolist()),
    _key("intervals", "{name: [low, high]} profile-likelihood intervals, null where open",
         _intervals, lambda named: {name: _ends(*ends) for name, ends in named.items()}),
    _key("draws", f'draws of the parameters in earlier releases, {{"encoding", "shape", "data"}}, '
         f'or null; encoding "{ENCODING}", row by row, D at most {MAX_DRAWS:,}', _draws, _packed),
    _key("correction", "what is added to the formula, with its doubt: object or null",
         correction, correction_written),
    _key("floor", "known metric when nothing gets through; null where unknown", _level),
    _key("ceiling", "known metric at its best; null where unknown", _level),
    _key("model_error_sd",
         "what the form leaves unexplained beyond measurement noise, in the metric's unit", _size),
    _key("dof", "degrees of freedom of that estimate; null: the noise is known", _dof),
    _key("noise", '"binomial", "reported", "replicates" or "none": noise of a measurement',
         lambda value, key, _: _one_of(value, _NOISES, key)),
    _key("images", "median test images per measurement, null where unknown", _images),
    _key("noise_sd", "median reported standard error", _size),
    _key("replicate_sd", "spread between training seeds beyond that noise", _size),
    _key("hull", "[[ln CR, snr_db], …] convex hull of the fitted cells, anticlockwise", _hull,
         lambda vertices: vertices.tolist()),
    _key("outcome", "how the fit ended (`surfaces.fitted.outcome.Outcome`)",
         lambda value, key, _: Outcome(_one_of(value, tuple(Outcome), key)), str),
    _key("message", "what to know about it", _text),
    _key("quality", "object: RMSE, range, held-out errors, candidates, …", _plain),
    _key("data", "object: sha256 and number of the fitted points, and their grid: cr, snr_db",
         _plain),
    _key("provenance", "object: semloss version, source, codec, channel, …", _plain),
    Key("conventions", "object of sentences: what cr, snr_db, value, floor, ceiling and hull mean",
        _plain, conventions),
)  # fmt: skip
"""Every key of a fit file but schema, version and checksum, in the order of the file."""
