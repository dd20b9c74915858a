"""A target for a metric, as people write it: 0.8, "80%", ">= 0.8", "at most 0.2"."""

import math
import re
from typing import Protocol

from semloss.errors import SemlossError
from semloss.facts.metric import metric_facts


class OfMetric(Protocol):
    """Points of a metric, or a fit of it."""

    @property
    def metric(self) -> str:
        """Its name."""
        ...

    @property
    def direction(self) -> str:
        """Which way is better."""
        ...


_TARGET = re.compile(r"\s*(>=|≥|<=|≤|at least|at most)?\s*(\S+)\s*")
_SENSE = {"higher": ("at least", ">=", "≥"), "lower": ("at most", "<=", "≤")}


def read_target(target: float | str, of: OfMetric, said: str = "") -> float:
    """Read a target and check that its sense is the metric's.

    Parameters
    ----------
    target
        A value, or text with the sense written out: ">= 0.8", "at most 0.2"; percent of a share
        too: "80%".
    of
        What the metric is of.
    said
        How errors name it; by default "target = …".

    Raises
    ------
    SemlossError
        When it is no number, or one that the metric cannot take, or "at least" is asked of a
        metric that falls as quality rises.
    """
    words, said = _SENSE[of.direction], said or f"target = {target!r}"
    match = _TARGET.fullmatch(str(target))
    try:
        text = match[2] if match else "nan"
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = math.nan
    if match is None or not math.isfinite(value):
        raise SemlossError(f'{said}: give a value of {of.metric}, e.g. "{words[1]} 0.8"')
    if match[1] and match[1] not in words:
        raise SemlossError(
            f"{said}: {of.metric} is better {of.direction}, so a target is met "
            f'by "{words[0]}"; write "{words[0]} {value:g}"'
        )
    low, high = metric_facts(of.metric).values
    if not low <= value <= high:
        fraction = f"; write {value / 100:g} or {value:g}%" if high == 1.0 < value <= 100.0 else ""
        raise SemlossError(f"{said}: {of.metric} lies in {low:g} … {high:g}{fraction}")
    return value


def sense(of: OfMetric) -> str:
    """Say which way the metric's targets are met, "at least" or "at most"."""
    return _SENSE[of.direction][0]
