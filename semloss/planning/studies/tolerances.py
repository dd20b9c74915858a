"""How far a link's inputs may be off.

Tolerances stand in a table ``[tolerances]``, one entry for a numeric field of the link, `cr` or
`snr_db`, as changes from the nominal value:

==================================  ===========================================================
``rain_loss_db = 0.5``              uniform within ±0.5
``= { uniform = [-0.2, 0.5] }``     uniform between these changes
``= { triangular = [-0.2, 0.5] }``  triangular between these changes, likeliest at the nominal
``= { normal = 0.3 }``              normal, standard deviation 0.3
==================================  ===========================================================
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.planning.budget.points import IMAGE
from semloss.planning.link.link import KEYS
from semloss.storage import read_toml

_TWO_SIDED_95 = 1.959963984540054
_BOUNDS = {"cr": (1e-6, 1.0), "snr_db": (-200.0, 200.0)}


@dataclass(frozen=True)
class Tolerance:
    """How a field may be off: `kind` with changes `low` … `high` from the nominal value.

    `kind` is "uniform", "triangular" or "normal"; a normal one has 95 % of its draws between
    `low` and `high`.
    """

    kind: str
    low: float
    high: float

    def draw(self, rng: np.random.Generator, count: int) -> Array:
        """Changes (count,) from the nominal value."""
        if self.low == self.high:
            return np.full(count, self.low)
        if self.kind == "normal":
            return rng.normal(0.0, self.high / _TWO_SIDED_95, count)
        if self.kind == "triangular":
            return rng.triangular(self.low, 0.0, self.high, count)
        return rng.uniform(self.low, self.high, count)


def read_tolerances(table: Mapping[str, Any]) -> dict[str, Tolerance]:
    """Read a table of tolerances.

    Raises
    ------
    SemlossError
        When a field is unknown or an entry says no tolerance; names both and the mend.
    """
    found = {}
    for name, entry in table.items():
        if name not in _BOUNDS and (name not in KEYS or KEYS[name].low is None or name in IMAGE):
            raise SemlossError(f"tolerances.{name}: no numeric field of the link, nor cr or snr_db")
        found[name] = _read(name, entry)
    return found


def load_tolerances(path: Path | str) -> dict[str, Tolerance]:
    """Read the table ``[tolerances]`` of a TOML file, a link file or one of its own.

    Raises
    ------
    SemlossError
        When the file cannot be read or has no such table.
    """
    table = read_toml(path).get("tolerances")
    if not isinstance(table, dict) or not table:
        raise SemlossError(f"{path} has no [tolerances]; write e.g. power_dbw = {{ normal = 0.3 }}")
    return read_tolerances(table)


_LARGEST = 1e12
"""A change beyond this is none of any key's."""


def _read(name: str, entry: Any) -> Tolerance:  # noqa: ANN401 - whatever the file holds
    kind, size = "uniform", entry
    if isinstance(entry, Mapping) and len(entry) == 1:
        kind, size = next(iter(entry.items()))
    ends = size if isinstance(size, list) and kind != "normal" else [size, size]
    good = len(ends) == 2 and all(
        isinstance(x, int | float) and not isinstance(x, bool) and abs(x) <= _LARGEST for x in ends
    )
    if not good or kind not in ("uniform", "triangular", "normal"):
        raise SemlossError(
            f"tolerances.{name} = {entry!r}: write a number, {{ uniform = [low, high] }}, "
            "{ triangular = [low, high] } or { normal = sd }"
        )
    low, high = (float(x) for x in ends) if isinstance(size, list) else (-float(size), float(size))
    if kind == "normal":
        low, high = low * _TWO_SIDED_95, high * _TWO_SIDED_95
    if not low <= 0 <= high:
        raise SemlossError(f"tolerances.{name} = {entry!r}: changes lie around 0, low <= 0 <= high")
    return Tolerance(kind, low, high)


def bounds(name: str) -> tuple[float, float]:
    """Lowest and highest value that a field allows."""
    if name in _BOUNDS:
        return _BOUNDS[name]
    key = KEYS[name]
    low = -math.inf if key.low is None else key.low + 1e-9 * key.above
    return low, math.inf if key.high is None else key.high
