"""Panels above one another, and the scale of counts: what pictures over passes share."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from semloss.arrays import Array
from semloss.layout import amount
from semloss.reports import look


@contextmanager
def stack(
    path: Path | str, heights: Sequence[float], title: str, about: str, table: pd.DataFrame, x: str
) -> Iterator[list[Axes]]:
    """Panels above one another on one axis, each explained beside it."""
    with look.picture(path, 6.2, sum(heights), title, about, table) as figure:
        grid = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
        panels: list[Axes] = list(grid)
        yield panels
        panels[-1].set_xlabel(x)
        for axes in panels:
            look.legend(axes)
            sns.despine(ax=axes)
        figure.align_ylabels()


def draw_images(
    axes: Axes, minutes: Array, curves: Sequence[tuple[Array, str, str, str]], largest: float
) -> float:
    """Images delivered over a pass: of each curve numbers, colour, line style and name.

    Gives the divisor of the axis, which is chosen for the `largest` number.
    """
    unit, name = scale(largest)
    for values, color, style, label in curves:
        axes.plot(minutes, values / unit, color=color, linestyle=style,
                  label=f"{label},\n{amount(float(values[-1]))} images")  # fmt: skip
    axes.set_ylabel(f"images\ndelivered\n{name.strip()}".rstrip())
    axes.set_xlim(minutes[0], minutes[-1])
    return unit


def scale(largest: float) -> tuple[float, str]:
    """Divisor for an axis of counts, and what to write behind its name."""
    for unit, name in ((1e9, " [billions]"), (1e6, " [millions]"), (1e3, " [thousands]")):
        if largest >= 2 * unit:
            return unit, name
    return 1.0, ""
