"""One look for every picture: readable in print, in grey and for colour-blind eyes.

Fonts and colours, the axes of CR and SNR, and saving a picture with the table behind it.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axis import XAxis, YAxis
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.facts import metric_facts
from semloss.storage import picture_kind, write_atomically
from semloss.units import ROUND_CRS, format_cr

MARKERS = ("o", "s", "D", "^", "v", "<", ">", "p")
SURFACE_MAP = "cividis"
INK = "#222222"
ACCENT = "#c1440e"

COLUMN = 3.5
"""Width in inches of one column of a two-column paper."""
PAGE = 7.16
"""Width in inches of both columns."""

_MOST = 8
"""Most CRs told apart by marker and lightness."""
_GAP_X, _GAP_Y = 0.11, 0.06
"""Least distance of two ticks, in lengths of the axis, that leaves room for their fractions."""
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
def paper_style() -> Iterator[None]:
    """Draw within this context."""
    with mpl.rc_context():
        sns.set_theme(context="paper", style="ticks", font_scale=1.15)
        mpl.rcParams.update(
            {
                "axes.edgecolor": INK,
                "axes.labelcolor": INK,
                "axes.titleweight": "bold",
                "axes.titlesize": "medium",
                "axes.titlelocation": "left",
                "font.family": "DejaVu Sans",
                "text.color": INK,
                "xtick.color": INK,
                "ytick.color": INK,
                "svg.hashsalt": "semloss",
            }
        )
        yield


@contextmanager
def page_style() -> Iterator[None]:
    """Draw within this context at the size of print: figures are placed unscaled."""
    with paper_style():
        mpl.rcParams.update(_SIZES)
        yield


def series_colors(count: int) -> list[tuple[float, float, float]]:
    """Ordered colours, dark to light, whose lightness tells the order by itself."""
    return [tuple(mpl.colormaps["viridis"](x)[:3]) for x in np.linspace(0.0, 0.85, max(count, 1))]


def metric_label(metric: str, receiver: str) -> str:
    """Name of a metric as an axis should carry it."""
    name = metric_facts(metric).title
    return name if receiver == "none" else f"{name}, {receiver} task model"


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
        rounded = np.array(ROUND_CRS)
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


@contextmanager
def picture(
    path: Path | str,
    width: float,
    height: float,
    table: pd.DataFrame | None = None,
    further: Mapping[str, pd.DataFrame] | None = None,
    style: Callable[[], AbstractContextManager[None]] = page_style,
) -> Iterator[Figure]:
    """Figure of a size in inches to draw in, written as by `save_picture` when the context ends."""
    with style():
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        save_picture(figure, path, table, further)


def save_picture(
    figure: Figure,
    path: Path | str,
    table: pd.DataFrame | None = None,
    further: Mapping[str, pd.DataFrame] | None = None,
) -> None:
    """Write a picture atomically, and beside it a CSV of the same stem with its numbers.

    Parameters
    ----------
    path
        Its suffix (png, pdf, svg) tells the kind.
    table
        The numbers that it shows; None: the picture alone.
    further
        More tables, by what is added to the stem of their names.

    Raises
    ------
    SemlossError
        When a CSV of that name holds something else, the suffix names no kind of picture, or
        the place cannot be written.
    """
    path = Path(path)
    kind = picture_kind(path)
    contents: dict[Path, str] = {}
    for ending, one in ({} if table is None else {"": table, **(further or {})}).items():
        content = one.to_csv(index=False, lineterminator="\n", float_format="%.12g")
        beside = path.with_name(f"{path.stem}{ending}.csv")
        _refuse_other(beside, content.partition("\n")[0], path)
        contents[beside] = content
    drawn = io.BytesIO()
    figure.savefig(drawn, format=kind, dpi=200, bbox_inches="tight")
    write_atomically(path, drawn.getvalue())
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
