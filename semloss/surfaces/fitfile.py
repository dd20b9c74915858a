"""The fit file: one JSON that holds a fitted surface, checked strictly when read.

Reading runs no code from the file and imports only numpy and the standard library.
"""

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from semloss.errors import SemlossError
from semloss.storage import write_json
from semloss.surfaces.forms import FORMS, Array
from semloss.surfaces.prediction import FittedSurface, Outcome

SCHEMA = "semloss-fit"
VERSION = 1
_MAX_BYTES = 4_000_000
_MAX_VERTICES = 10_000

CONVENTIONS = {
    "cr": "CR = k/n: complex channel uses per real source sample, 0 < CR <= 1",
    "snr_db": "Es/N0 in dB per complex symbol, average transmit power 1 per symbol",
    "value": "mean of the metric over the test images of a cell",
    "floor": "metric when nothing gets through; null where unknown",
    "ceiling": "metric at best (clean images); null where unknown",
    "hull": "[ln CR, snr_db] vertices of the convex hull of the fitted cells",
}
_KEYS = {
    "schema", "version", "checksum", "form", "metric", "task", "direction", "parameters",
    "covariance", "floor", "ceiling", "model_error_sd", "dof", "hull", "outcome", "message",
    "quality", "data", "provenance", "conventions",
}  # fmt: skip


def save(surface: FittedSurface, path: Path) -> None:
    """Write the fit file atomically; every number at full precision.

    Raises
    ------
    SemlossError
        When the place cannot be written.
    """
    names = FORMS[surface.form].names
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "version": VERSION,
        "form": surface.form,
        "metric": surface.metric,
        "task": surface.task,
        "direction": surface.direction,
        "parameters": dict(zip(names, surface.parameters.tolist(), strict=True)),
        "covariance": surface.covariance.tolist(),
        "floor": surface.floor,
        "ceiling": surface.ceiling,
        "model_error_sd": surface.model_error_sd,
        "dof": surface.dof,
        "hull": surface.hull.tolist(),
        "outcome": surface.outcome.value,
        "message": surface.message,
        "quality": surface.quality,
        "data": surface.data,
        "provenance": surface.provenance,
        "conventions": CONVENTIONS,
    }
    write_json(path, {**document, "checksum": _checksum(document)})


def load(path: str | Path) -> FittedSurface:
    """Read a fit file.

    Raises
    ------
    SemlossError
        When the file is missing, cut short, edited, newer than this semloss, or no fit file.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise SemlossError(f"cannot read {path}: {error.strerror}") from error
    if len(raw) > _MAX_BYTES:
        raise SemlossError(f"{path}: larger than any fit file ({_MAX_BYTES // 1_000_000} MB)")
    try:
        document = json.loads(raw, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise SemlossError(
            f"{path} is not JSON (cut short?); make it anew with semloss fit"
        ) from None
    try:
        return _parse(document)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        reason = error.args[0] if isinstance(error, ValueError) else "a key is missing or mistyped"
        raise SemlossError(f"{path}: {reason}; make it anew with semloss fit") from None


def _parse(document: Any) -> FittedSurface:  # noqa: ANN401 - whatever the file holds
    """Turn a JSON value into a surface; ValueError says in words what is wrong."""
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise ValueError("not a semloss fit file")
    if document.get("version") != VERSION:
        raise ValueError(
            f"schema version {document.get('version')!r}, but this semloss reads {VERSION}"
        )
    unknown = sorted(set(document) - _KEYS)
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}")
    missing = sorted(_KEYS - set(document))
    if missing:
        raise ValueError(f"key {missing[0]!r} is missing")
    if document["checksum"] != _checksum({k: v for k, v in document.items() if k != "checksum"}):
        raise ValueError("content and checksum disagree (edited by hand?)")
    if document["form"] not in FORMS:
        raise ValueError(f"unknown form {document['form']!r}")
    form = FORMS[document["form"]]
    if list(document["parameters"]) != list(form.names):
        raise ValueError(f"the parameters of form {form.name} are {', '.join(form.names)}")
    size = len(form.names)
    parameters = _numbers(list(document["parameters"].values()), (size,), "parameters")
    for parameter, value in zip(form.parameters, parameters, strict=True):
        if not parameter.low <= value <= parameter.high:
            raise ValueError(f"parameter {parameter.name} = {value:g} is out of its bounds")
    covariance = _numbers(document["covariance"], (size, size), "covariance")
    if np.any(np.diag(covariance) < 0) or not np.allclose(covariance, covariance.T):
        raise ValueError("covariance is no covariance matrix")
    if not 2 <= len(document["hull"]) <= _MAX_VERTICES:
        raise ValueError("hull has an impossible number of vertices")
    hull = _numbers(document["hull"], (len(document["hull"]), 2), "hull")
    if hull[:, 0].max() > 1e-9:
        raise ValueError("hull holds a CR above 1")
    if document["direction"] not in ("higher", "lower"):
        raise ValueError("direction is neither higher nor lower")
    dof = document["dof"]
    if type(dof) is not int or not 1 <= dof <= 10**9:
        raise ValueError("dof is no positive count")
    return FittedSurface(
        form=form.name,
        metric=_text(document["metric"], "metric"),
        task=_text(document["task"], "task"),
        direction=document["direction"],
        parameters=parameters,
        covariance=covariance,
        floor=_level(document["floor"], "floor"),
        ceiling=_level(document["ceiling"], "ceiling"),
        model_error_sd=float(_numbers(document["model_error_sd"], (), "model_error_sd")),
        dof=dof,
        hull=hull,
        outcome=Outcome(document["outcome"]),
        message=_text(document["message"], "message"),
        quality=dict(document["quality"]),
        data=dict(document["data"]),
        provenance=dict(document["provenance"]),
    )


def _checksum(document: dict[str, Any]) -> str:
    """Hash of the content in one spelling; floats survive JSON to the last bit."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON number")


def _numbers(value: Any, shape: tuple[int, ...], key: str) -> Array:  # noqa: ANN401
    """Finite numbers of the shape that the key must have."""
    array = np.asarray(value)
    if array.shape != shape or array.dtype.kind not in "if":
        raise ValueError(f"{key} is not made of {'x'.join(map(str, shape)) or 'one'} number(s)")
    numbers = array.astype(np.float64)
    if not np.all(np.isfinite(numbers)):
        raise ValueError(f"{key} holds a number that is not finite")
    return numbers


def _level(value: Any, key: str) -> float | None:  # noqa: ANN401
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{key} is no number")
    return float(value)


def _text(value: Any, key: str) -> str:  # noqa: ANN401
    if not isinstance(value, str) or len(value) > 10_000:
        raise ValueError(f"{key} is no text")
    return value
