"""What the planner's answers share: notes on stderr, JSON without NaN, aligned columns."""

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semloss.storage import write_atomically
from semloss.units import format_cr

if TYPE_CHECKING:
    import pandas as pd


def notes(lines: Iterable[str]) -> None:
    """Tell what a reader should know, each line once."""
    for line in dict.fromkeys(lines):
        print(f"semloss: {line}", file=sys.stderr)


def print_json(answer: Mapping[str, Any]) -> None:
    """Print one JSON object; what is no finite number is null."""
    print(json.dumps(plain(answer), allow_nan=False))


def plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Copy with numpy's numbers as Python's, and None for what is not finite."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def columns(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay rows out in columns, numbers to the right, words to the left."""
    table = [list(head), *(list(row) for row in rows)]
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    words = [not any(row[i].strip("-")[:1].isdigit() for row in table[1:])
             for i in range(len(head))]  # fmt: skip
    return "\n".join(
        "  ".join(
            cell.ljust(width) if word else cell.rjust(width)
            for cell, width, word in zip(row, widths, words, strict=True)
        ).rstrip()
        for row in table
    )


def number(value: Any, digits: str = "#.4g") -> str:  # noqa: ANN401 - a cell
    """Write a cell of a table."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    return format(value, digits)


def amount(count: float) -> str:
    """Write a number of images: whole from a hundred on."""
    return f"{count:,.0f}" if count >= 100 else f"{count:.3g}"


def frame_text(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> str:
    """Lay records out as columns; CRs as fractions, decibels with two digits."""

    def cell(name: str, value: Any) -> str:  # noqa: ANN401 - a cell
        if name == "cr" and value == value:
            return format_cr(float(value))
        return number(value, ".2f" if name.endswith(("_db", "_dbhz")) else ".5g")

    return columns(names, ([cell(name, row[name]) for name in names] for row in rows))


def clock(seconds: float) -> str:
    """Write a time in minutes and seconds."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def domain_line(share: float) -> str:
    """Say how much of the time lies where the fit was measured."""
    if share >= 1 - 1e-9:
        return "inside the fitted domain throughout"
    return f"OUTSIDE the fitted domain in {100 * (1 - share):.3g} % of the time"


def save_table(path: Path, table: "pd.DataFrame") -> None:
    """Write a table as CSV."""
    write_atomically(path, table.to_csv(index=False, lineterminator="\n"))
