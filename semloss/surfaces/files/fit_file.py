"""The fit file: one JSON that holds a fitted surface, checked strictly when read.

Reading runs no code from the file and imports only numpy and the standard library; whatever the
file holds, it gives a surface or one clear line. Schema version 3, all keys required:

==================  ==============================================================================
key                 value
==================  ==============================================================================
schema, version     "semloss-fit" and 3
form                name of the form in `semloss.surfaces.forms.FORMS`
metric, receiver    names; receiver "clean", "matched" or, for an image metric, "none"
task                name of the task model; "unknown" where the table did not tell, or "none"
direction           "higher" or "lower": which way the metric improves
parameters          {name: value} in the order of the form, levels first, full precision
bounds              [[low, high], …] search range per parameter, null where open; or null
covariance          P lists of P numbers, zeros for parameters that are known or rest on a bound
intervals           {name: [low, high]} profile-likelihood 95 % intervals, null where open
draws               bootstrap draws of the parameters, {"encoding", "shape": [D, P], "data"}; or
                    null. Encoding "base64 float32 little-endian", row by row, D at most 5,000
floor, ceiling      known metric when nothing gets through and at best; null where unknown
model_error_sd      what the form leaves unexplained beyond measurement noise, in the metric's unit
dof                 degrees of freedom of that estimate; null: the noise is known
noise               "binomial", "reported", "replicates" or "none": noise of a measurement
images, noise_sd    median test images per measurement, null where unknown; median reported
                    standard error
replicate_sd        spread between training seeds beyond that noise
hull                [[ln CR, snr_db], …] convex hull of the fitted cells, anticlockwise
outcome, message    how the fit ended (`surfaces.fitted.outcome.Outcome`), what to know about it
quality             object: RMSE, range, held-out errors, candidates, …
data                object: sha256 and size of the fitted points
provenance          object: semloss version, source, codec, channel, …
conventions         object of sentences: what cr, snr_db, value, floor, ceiling and hull mean here
checksum            SHA-256 of all other keys, sorted, without spaces
==================  ==============================================================================
"""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.storage import write_json
from semloss.surfaces.files.fit_check import ENCODING, MAX_DRAWS, parse
from semloss.surfaces.fitted.fit import Fit
from semloss.surfaces.forms import FORMS

SCHEMA = "semloss-fit"
VERSION, OLDEST = 3, 2
_MAX_BYTES = 4_000_000

_ANEW = "make it anew with semloss fit"


def save(surface: Fit, path: Path) -> None:
    """Write the fit file atomically; every number at full precision, draws as float32.

    Raises
    ------
    SemlossError
        When the place cannot be written, or the surface is one that no fit file may hold, e.g.
        over CRs above 1.
    """
    document = _document(surface)
    try:
        parse(json.loads(json.dumps(document)))
    except ValueError as error:
        raise SemlossError(f"{path} not written: {error}") from None
    write_json(path, {**document, "checksum": _checksum(document)})


def load(path: str | Path) -> Fit:
    """Read a fit file.

    Raises
    ------
    SemlossError
        When the file is missing, cut short, edited, of another schema version, or no fit file.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise SemlossError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:  # a zero byte in the name
        raise SemlossError(f"cannot read {str(path)!r}: {error}") from error
    if len(raw) > _MAX_BYTES:
        raise SemlossError(f"{path}: larger than any fit file ({_MAX_BYTES // 1_000_000} MB)")
    try:
        document = json.loads(
            raw.decode("utf-8"), parse_constant=_refuse, object_pairs_hook=_without_repeats
        )
    except _RepeatedKeyError as error:
        raise SemlossError(f"{path}: {error}; {_ANEW}") from None
    except (ValueError, RecursionError):
        raise SemlossError(f"{path} is not JSON (cut short?); {_ANEW}") from None
    try:
        return _read(document)
    except _NewerError as error:
        raise SemlossError(f"{path}: {error}") from None
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else error
        raise SemlossError(f"{path}: {reason}; {_ANEW}") from None


class _RepeatedKeyError(ValueError):
    """An object names a key twice."""


class _NewerError(ValueError):
    """The file is of a later schema."""


def _read(document: Any) -> Fit:  # noqa: ANN401 - whatever the file holds
    """Turn a JSON value into a surface; ValueError says in words what is wrong."""
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise ValueError("not a semloss fit file")
    version = document.get("version")
    if type(version) is not int or not 0 < version < 1_000_000:
        raise ValueError("the schema version is no version")
    if version > VERSION:
        raise _NewerError(
            f"schema version {version} is newer than the {VERSION} that this semloss reads; "
            "update semloss"
        )
    if version < OLDEST:
        raise ValueError(f"schema version {version}, but this semloss reads {OLDEST} to {VERSION}")
    content = {key: value for key, value in document.items() if key != "checksum"}
    if "checksum" not in document:
        raise ValueError("key 'checksum' is missing")
    if document["checksum"] != _checksum(content):
        raise ValueError("content and checksum disagree (edited by hand?)")
    return parse(content if version == VERSION else _of_version_2(content))


def _of_version_2(content: dict[str, Any]) -> dict[str, Any]:
    """What version 2 said in today's words: its ``task`` was the receiver."""
    if "task" not in content or "receiver" in content:
        raise ValueError("keys of another schema version")
    provenance = content.get("provenance")
    if isinstance(provenance, dict) and "task" in provenance:
        provenance = {("receiver" if k == "task" else k): v for k, v in provenance.items()}
    task = "none" if content["task"] == "none" else "unknown"
    return {**content, "receiver": content["task"], "task": task, "provenance": provenance}


def _document(surface: Fit) -> dict[str, Any]:
    """Everything but the checksum, in the order of the documentation."""
    names = FORMS[surface.form].names
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "form": surface.form,
        "metric": surface.metric,
        "receiver": surface.receiver,
        "task": surface.task,
        "direction": surface.direction,
        "parameters": dict(zip(names, surface.parameters.tolist(), strict=True)),
        "bounds": None if surface.bounds is None else [_ends(*b) for b in surface.bounds.tolist()],
        "covariance": surface.covariance.tolist(),
        "intervals": {name: _ends(*ends) for name, ends in surface.intervals.items()},
        "draws": None if surface.draws is None else _packed(surface.draws),
        "floor": surface.floor,
        "ceiling": surface.ceiling,
        "model_error_sd": surface.model_error_sd,
        "dof": surface.dof,
        "noise": surface.noise,
        "images": surface.images,
        "noise_sd": surface.noise_sd,
        "replicate_sd": surface.replicate_sd,
        "hull": surface.hull.tolist(),
        "outcome": surface.outcome.value,
        "message": surface.message,
        "quality": surface.quality,
        "data": surface.data,
        "provenance": surface.provenance,
        "conventions": conventions(surface),
    }


def conventions(surface: Fit) -> dict[str, str]:
    """What the numbers of a fit mean, one sentence per quantity."""
    receiver = surface.receiver
    answers = "" if receiver == "none" else f" of the task model ({receiver})"
    levels = {
        name: "unknown, fitted as a parameter" if level is None else f"{level:g}, known"
        for name, level in (("floor", surface.floor), ("ceiling", surface.ceiling))
    }
    return {
        "cr": "CR = k/n: complex channel uses per real source sample, 0 < CR <= 1",
        "snr_db": "Es/N0 in dB per complex symbol, average transmit power 1 per symbol",
        "value": f"{surface.metric}{answers}, mean over the test images of a cell; "
        f"{surface.direction} is better",
        "floor": f"{surface.metric} when nothing gets through: {levels['floor']}",
        "ceiling": f"{surface.metric} at its best (clean images): {levels['ceiling']}",
        "hull": "[ln CR, snr_db] vertices of the convex hull of the fitted cells",
    }


def _packed(draws: Array) -> dict[str, Any]:
    if len(draws) > MAX_DRAWS:
        raise SemlossError(f"{len(draws)} bootstrap draws: a fit file holds {MAX_DRAWS} at most")
    data = base64.b64encode(draws.astype("<f4").tobytes()).decode("ascii")
    return {"encoding": ENCODING, "shape": list(draws.shape), "data": data}


def _ends(low: float, high: float) -> list[float | None]:
    """A range, with None for an open end."""
    return [None if low == -float("inf") else low, None if high == float("inf") else high]


def _checksum(document: dict[str, Any]) -> str:
    """Hash of the content in one spelling; floats survive JSON to the last bit."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON number")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, refused where it names a key twice: readers would disagree on its meaning."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _RepeatedKeyError(f"key {key[:40]!r} is named twice")
        found[key] = value
    return found
