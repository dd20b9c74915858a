"""The fit file: one JSON that holds a fitted surface, checked strictly when read.

Reading runs no code from the file and imports only numpy and the standard library; whatever the
file holds, it gives a surface or one clear line. Beside the keys of `fit_keys.KEYS`, all of them
required, it has ``schema`` "semloss-fit", ``version`` 5 and ``checksum``, the SHA-256 of all other
keys, sorted, without spaces.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from semloss.errors import SemlossError
from semloss.storage import write_json
from semloss.surfaces.files.fit_keys import parse, written
from semloss.surfaces.files.shipped import fit_path, shipped_names
from semloss.surfaces.fitted.fit import Fit

SCHEMA = "semloss-fit"
VERSION, OLDEST = 5, 2
_MAX_BYTES = 4_000_000

_ANEW = "make it anew with semloss fit"


def save(fit: Fit, path: str | Path) -> None:
    """Write the fit file atomically: numbers at full precision, a correction in single and half.

    Raises
    ------
    SemlossError
        When the place cannot be written, or the surface is one that no fit file may hold, e.g.
        over CRs above 1.
    """
    content = written(fit)
    try:
        parse(json.loads(json.dumps(content)))
    except ValueError as error:
        raise SemlossError(f"{path} not written: {error}") from None
    document = {"schema": SCHEMA, "version": VERSION, **content}
    write_json(Path(path), {**document, "checksum": _checksum(document)})


def load(path: str | Path) -> Fit:
    """Read a fit file, or a fit that comes with the package by its name, e.g. "eurosat-accuracy".

    A file of that name in the working folder goes first; `semloss fits` lists the names.

    Raises
    ------
    SemlossError
        When the file is missing, cut short, edited, of another schema version, or no fit file.
    """
    path = fit_path(path)
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except OSError as error:
        known = f"; fits that come with semloss: {', '.join(shipped_names())}"
        also = known if isinstance(error, FileNotFoundError) else ""
        raise SemlossError(f"cannot read {path}: {error.strerror}{also}") from error
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
    for older, in_todays_words in ((2, _of_version_2), (3, _of_version_3), (4, _of_version_4)):
        if version <= older:
            content = in_todays_words(content)
    return parse({key: value for key, value in content.items() if key not in ("schema", "version")})


def _of_version_2(content: dict[str, Any]) -> dict[str, Any]:
    """What version 2 said in today's words: its ``task`` was the receiver."""
    if "task" not in content or "receiver" in content:
        raise ValueError("keys of another schema version")
    provenance = content.get("provenance")
    if isinstance(provenance, dict) and "task" in provenance:
        provenance = {("receiver" if k == "task" else k): v for k, v in provenance.items()}
    task = "none" if content["task"] == "none" else "unknown"
    return {**content, "receiver": content["task"], "task": task, "provenance": provenance}


def _of_version_3(content: dict[str, Any]) -> dict[str, Any]:
    """What version 3 said in today's words: it had no correction."""
    if "correction" in content:
        raise ValueError("keys of another schema version")
    return {**content, "correction": None}


def _of_version_4(content: dict[str, Any]) -> dict[str, Any]:
    """What version 4 said in today's words: doubt grew beyond the table with the distance."""
    found = content.get("correction")
    if isinstance(found, dict):
        if "power" in found:
            raise ValueError("keys of another schema version")
        found = {**found, "power": 1.0}
    return {**content, "correction": found}


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
