"""A target for a metric, as people write it: 0.8, ">= 0.8", "at most 0.2"."""

import math
import re
from typing import TYPE_CHECKING

from semloss.errors import SemlossError

if TYPE_CHECKING:
    from semloss.surfaces.fitted.fit import FittedSurface

_TARGET = re.compile(r"\s*(>=|≥|<=|≤|at least|at most)?\s*(\S+)\s*")
_SENSE = {"higher": ("at least", ">=", "≥"), "lower": ("at most", "<=", "≤")}


def read_target(target: float | str, model: "FittedSurface") -> float:
    """Read a target and check that its sense is the metric's.

    Parameters
    ----------
    target
        A value, or text with the sense written out: ">= 0.8", "at most 0.2".
    model
        The fit whose metric it is for.

    Raises
    ------
    SemlossError
        When it is no number, or "at least" is asked of a metric that falls as quality rises.
    """
    words = _SENSE[model.direction]
    match = _TARGET.fullmatch(str(target))
    try:
        value = float(match[2]) if match else math.nan
    except ValueError:
        value = math.nan
    if match is None or not math.isfinite(value):
        raise SemlossError(
            f'target = {target!r}: give a value of {model.metric}, e.g. "{words[1]} 0.8"'
        )
    if match[1] and match[1] not in words:
        raise SemlossError(
            f"target = {target!r}: {model.metric} is better {model.direction}, so a target is met "
            f'by "{words[0]}"; write "{words[0]} {value:g}"'
        )
    return value


def sense(model: "FittedSurface") -> str:
    """Say which way the metric's targets are met, "at least" or "at most"."""
    return _SENSE[model.direction][0]
