"""Errors that a table tells in ways of its own: "28.3 ± 0.2", the spread over repetitions."""

import re

import numpy as np
import pandas as pd

from semloss.facts import metric_facts
from semloss.tables.cells import cell_text

_SIGN = r"(?:±|\+/[-\u2212]|\+[-\u2212])"
_NUMBER = r"\d*\.?\d+(?:[eE][-+]?\d+)?"
_PAIR = re.compile(rf"\(?([-+\u2212]?{_NUMBER})\s*(%?)\s*{_SIGN}\s*({_NUMBER})\s*\)?\s*(%?)")


def error_name(column: str) -> str:
    """Name of the column that holds the errors written beside the values of another."""
    return f"{column} ±"


def split_errors(frame: pd.DataFrame) -> pd.DataFrame:
    """A table in which no cell holds a value and its error: the latter have columns of their own.

    A percent sign at the end of a pair is that of both numbers.
    """
    for name in frame.columns:
        if pd.api.types.is_numeric_dtype(frame[name]):
            continue
        pairs = [_PAIR.fullmatch(cell_text(cell)) for cell in frame[name]]
        if any(pairs):
            values = [p[1] + (p[2] or p[4]) if p else cell
                      for p, cell in zip(pairs, frame[name], strict=True)]  # fmt: skip
            errors = [p[3] + (p[2] or p[4]) if p else "" for p in pairs]
            frame = frame.assign(**{name: values, error_name(name): errors})
    return frame


def spread_over_repetitions(frame: pd.DataFrame) -> pd.DataFrame:
    """A table with `sd` over `n` repetitions of a whole test, not over its images.

    An accuracy's error is then sd / sqrt(n); the binomial of n would take each repetition for one
    image. How many images there were is not told.
    """
    shares = np.array([metric_facts(m).noise == "binomial" for m in frame["metric"]])
    told = shares & (frame["sd"] >= 0) & (frame["n"] > 0)
    error = (frame["sd"] / np.sqrt(frame["n"])).where(told)
    if "se" in frame:
        error = frame["se"].fillna(error)
    return frame.assign(se=error, n=frame["n"].mask(told))
