"""What the pictures of a fit share: sizes of a paper's columns, axes, and the table beside each."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axis import XAxis, YAxis
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.reports.look import paper_style, save_figure
from semloss.storage import write_atomically
from semloss.units import format_cr

COLUMN = 3.5
"""Width in inches of one column of a two-column paper."""
PAGE = 7.16
"""Width in inches of both columns."""

_MOST = 8
"""Most CRs told apart by marker and lightness."""
_ROUND = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
_GAP_X, _GAP_Y = 0.11, 0.06
"""Least distance of two ticks, in lengths of the axis, that leaves room for their fractions."""
_MINUS = re.compile(r"(?<![A-Za-z\d])-(?=[\d.])|(?<=\de)-(?=\d)")
_SIZES: dict[Any, Any] = {
    "font.size": 8.0,
    "axes.labelsize": 8.0,
    "axes.titlesize": 8.5,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "legend.title_fontsize": 7.5,
    "axes.linewidth": 0.8,
    "xtick.major.width": 0.8,
    "ytick.major.width": 0.8,
    "xtick.major.size": 3.5,
    "ytick.major.size": 3.5,
    "lines.linewidth": 1.4,
}


@contextmanager
def page_style() -> Iterator[None]:
    """Draw within this context at the size of print: figures are placed unscaled."""
    with paper_style():
        mpl.rcParams.update(_SIZES)
        yield


def shown_ratios(cr: Array) -> Array:
    """CRs to draw as series: all of them, or evenly chosen ones of a denser grid, ends kept."""
    ratios = np.unique(cr)
    if len(ratios) > _MOST:
        ratios = ratios[np.unique(np.linspace(0, len(ratios) - 1, _MOST).round().astype(int))]
    return ratios


def cr_axis(axis: XAxis | YAxis, cr: Array) -> None:
    """Ticks of an axis in ln CR, written as fractions: the measured CRs, or round ones of many."""
    ratios = np.unique(cr)
    if len(ratios) > _MOST or not all("/" in format_cr(float(ratio)) for ratio in ratios):
        rounded = 1.0 / np.array(_ROUND, dtype=float)
        kept = rounded[(rounded >= 0.98 * ratios[0]) & (rounded <= 1.02 * ratios[-1])]
        ratios = np.sort(kept) if len(kept) > 1 else ratios[[0, -1]]
    x = np.log(ratios)
    least = (_GAP_X if isinstance(axis, XAxis) else _GAP_Y) * max(float(np.ptp(x)), 1e-9)
    shown = [0]
    for i in range(1, len(x)):
        if x[i] - x[shown[-1]] >= least:
            shown.append(i)
    if len(x) > 1 and shown[-1] != len(x) - 1:  # the end matters more than its neighbour
        shown[-1 if len(shown) > 1 else 1 :] = [len(x) - 1]
    axis.set_ticks(x[shown], [format_cr(float(ratio)) for ratio in ratios[shown]])
    axis.set_minor_locator(NullLocator())
    axis.set_label_text("CR = k/n")


def snr_axis(axis: XAxis | YAxis, count: int = 7) -> None:
    """Ticks at whole decibels, and the label."""
    axis.set_major_locator(MaxNLocator(count, steps=[1, 2, 5, 10], integer=True))
    axis.set_label_text("SNR, Es/N0 [dB]")


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as mappings."""
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def row_of_most(table: pd.DataFrame, by: Array) -> dict[str, Any]:
    """The row at which the values (N,) are largest, NaN passed over."""
    at = int(np.nanargmax(np.asarray(by, dtype=float)))
    return rows_of(table.iloc[at : at + 1])[0]


def signed(text: str) -> str:
    """The text with minus signs before its numbers, as on the axes; hyphens stay."""
    return _MINUS.sub("−", text)


def about_cr(cr: float) -> str:
    """A ratio as a fraction, its denominator to a tenth."""
    return f"1/{round(1 / cr, 1):g}" if cr < 1 else "1"


def cell_name(cr: float, snr_db: float) -> str:
    """A point of the plane in words."""
    return f"CR {about_cr(cr)}, {signed(f'{round(snr_db, 2):g}')} dB"


def save_picture(
    figure: Figure,
    path: Path,
    table: pd.DataFrame,
    further: Mapping[str, pd.DataFrame] | None = None,
) -> None:
    """Write a picture, and beside it a CSV of the same stem with the numbers that it shows.

    Parameters
    ----------
    further
        More tables, by what is added to the stem of their names.

    Raises
    ------
    SemlossError
        When a CSV of that name holds something else, the suffix names no kind of picture, or
        the place cannot be written.
    """
    contents = {}
    for ending, one in {"": table, **(further or {})}.items():
        content = one.to_csv(index=False, lineterminator="\n", float_format="%.12g")
        beside = path.with_name(f"{path.stem}{ending}.csv")
        _refuse_other(beside, content.partition("\n")[0], path)
        contents[beside] = content
    save_figure(figure, path)
    for beside, content in contents.items():
        write_atomically(beside, content)


def _refuse_other(beside: Path, header: str, picture: Path) -> None:
    """Refuse to write over a CSV that has other columns: a table of measurements, say."""
    if beside.exists():
        with beside.open("rb") as old:
            if old.readline().rstrip(b"\r\n") != header.encode():
                raise SemlossError(
                    f"{beside} holds something else than the numbers behind {picture.name}; give "
                    "the picture another name"
                )
