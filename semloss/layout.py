"""Answers as a reader sees them: aligned columns, numbers, times."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from semloss.units import format_cr

_ROUNDING = 1e-9


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


def digits(spread: float, figures: int = 2) -> int:
    """Decimals that a number known to ± `spread` supports: down to that many figures of it."""
    if not (math.isfinite(spread) and spread > 0):
        return 4
    return min(max(figures - 1 - math.floor(math.log10(spread)), 0), 12)


def share_of_time(percent: float) -> str:
    """Write a percentage of the time, to the 0.01 % down to which outage is known.

    Only where nothing varies, without rain statistics and fading, is it all or nothing.
    """
    if percent == 0 or abs(percent - 100) < _ROUNDING:
        return f"{percent:.0f} %"
    if percent > 99.99:
        return "more than 99.99 %"
    return "less than 0.01 %" if percent < 0.01 else f"{percent:.2f} %"


def share_of_draws(share: float, se: float, draws: int) -> str:
    """Write which share of random draws did something, to the digits that their number supports.

    Where all did or none, the bound is what is then left with 95 % confidence.
    """
    if 0 < share < 1:
        places = digits(100 * se)
        return f"{100 * share:.{places}f} ± {100 * se:.{places}f} % of {draws:,} draws"
    rest = 100 * (1 - 0.05 ** (1 / draws))
    rest = math.ceil(rest * (unit := 10 ** digits(rest))) / unit
    if share == 1:
        return f"all {draws:,} draws (at least {100 - rest:.6g} %, 95 % sure)"
    return f"none of {draws:,} draws (at most {rest:.6g} %, 95 % sure)"


def amount(count: float) -> str:
    """Write a number of images: whole from a hundred on."""
    return f"{count:,.0f}" if count >= 100 else f"{count:.3g}"


def between(low: float, high: float, level: str) -> str:
    """Write an interval of numbers of images."""
    return f"   [{level}: {amount(low)} … {amount(high)}]"


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


def throughout(share: float) -> bool:
    """Whether a share is the whole, rounding apart."""
    return share >= 1 - _ROUNDING


def days_text(days: float) -> str:
    """Write a number of days."""
    return f"{days:g} day{'s' if days != 1 else ''}"


def domain_line(share: float) -> str:
    """Say how much of the time lies where the fit was measured."""
    if throughout(share):
        return "inside the fitted domain throughout"
    return f"OUTSIDE the fitted domain in {100 * (1 - share):.3g} % of the time"


def named(about: Any) -> str:  # noqa: ANN401 - a fit or an answer from one
    """Metric with its receiver, e.g. "accuracy (matched)"."""
    return about.metric if about.receiver == "none" else f"{about.metric} ({about.receiver})"


def place_text(point: Any) -> str:  # noqa: ANN401 - a prediction
    """Say at which CR and SNR a prediction is."""
    return f"CR {format_cr(float(point.cr))} at SNR {float(point.snr_db):.2f} dB"


def domain_text(fit: Any) -> str:  # noqa: ANN401 - a fit
    """Say where a fit was measured."""
    (cr_low, cr_high), (snr_low, snr_high) = fit.cr_range, fit.snr_db_range
    return (
        f"CR {format_cr(cr_low)} … {format_cr(cr_high)} and SNR {snr_low:g} … {snr_high:g} dB "
        f"(convex hull of the measured cells)"
    )
