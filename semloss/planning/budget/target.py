"""A target for a metric, as people write it: 0.8, "80%", ">= 0.8", "at most 0.2"."""

import math
import re
from typing import TYPE_CHECKING

from semloss.errors import SemlossError
from semloss.facts import metric_facts

if TYPE_CHECKING:
    from semloss.surfaces.fitted.fit import Fit

_TARGET = re.compile(r"\s*(>=|≥|<=|≤|at least|at most)?\s*(\S+)\s*")
_SENSE = {"higher": ("at least", ">=", "≥"), "lower": ("at most", "<=", "≤")}


def read_target(target: float | str, fit: "Fit") -> float:
    """Read a target and check that its sense is the metric's.

    Parameters
    ----------
    target
        A value, or text with the sense written out: ">= 0.8", "at most 0.2"; percent of a share
        too: "80%".
    fit
        The fit whose metric it is for.

    Raises
    ------
    SemlossError
        When it is no number, or one that the metric cannot take, or "at least" is asked of a
        metric that falls as quality rises.
    """
    words = _SENSE[fit.direction]
    match = _TARGET.fullmatch(str(target))
    try:
        text = match[2] if match else "nan"
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = math.nan
    if match is None or not math.isfinite(value):
        raise SemlossError(
            f'target = {target!r}: give a value of {fit.metric}, e.g. "{words[1]} 0.8"'
        )
    if match[1] and match[1] not in words:
        raise SemlossError(
            f"target = {target!r}: {fit.metric} is better {fit.direction}, so a target is met "
            f'by "{words[0]}"; write "{words[0]} {value:g}"'
        )
    low, high = metric_facts(fit.metric).values
    if not low <= value <= high:
        fraction = f"; write {value / 100:g} or {value:g}%" if high == 1.0 < value <= 100.0 else ""
        raise SemlossError(
            f"target = {target!r}: {fit.metric} lies in {low:g} … {high:g}{fraction}"
        )
    return value


def sense(fit: "Fit") -> str:
    """Say which way the metric's targets are met, "at least" or "at most"."""
    return _SENSE[fit.direction][0]
