"""Picture of what passes bring: each one, and a day of them."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from semloss.arrays import Array
from semloss.layout import amount
from semloss.planning.passes.daily import Daily, volumes_text
from semloss.reports import look
from semloss.reports.what_if.panels import scale, stack

_LOST: dict[str, Any] = {"color": "white", "edgecolor": look.INK, "hatch": "//////"}


def day_plot(daily: Daily, table: pd.DataFrame, path: Path | str, title: str, about: str) -> None:
    """Draw the images of each pass, what rain takes of them, and how they add up.

    Passes of a search stand where they rise in time; the kinds of pass of an average day where
    they culminate.

    Parameters
    ----------
    table
        A row for each pass, to lie beside the picture.
    title, about
        What was asked, and what it rests on.
    """
    first = daily.passes[0].start
    if first is None:
        x = np.array([one.max_elevation_deg for one in daily.passes])
        label = "elevation at which a pass culminates [deg]"
    else:
        midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
        starts = [one.start - midnight for one in daily.passes if one.start is not None]
        x = np.array([since / timedelta(days=1) for since in starts])
        label = f"rise, time since {midnight:%Y-%m-%d} 00:00 UTC [days]"
    with stack(path, (1.8, 1.5), title, about, table, label) as (each, sum_):
        _passes(each, daily, x, first is None)
        order = np.argsort(x, kind="stable")
        share = daily.per_day if first is None else np.ones(len(x))
        total = np.cumsum((share * daily.images)[order])
        unit, name = scale(total[-1])
        sum_.step(np.append(x[order], _end(x)), np.append(total, total[-1]) / unit, where="post",
                  color=look.INK)  # fmt: skip
        sum_.set_ylim(0, 1.05 * max(total[-1] / unit, 1e-9))
        since = "a day, of passes\nthat culminate lower" if first is None else "since the start"
        sum_.set_ylabel(f"images {since}\n{name.strip()}".rstrip())
        day = daily.images_per_day
        sum_.set_title(f"a day: {amount(day)} images, {volumes_text(daily.link, day)}")
        sum_.xaxis.set_major_locator(MaxNLocator(9, steps=[1, 2, 5, 10]))


def _passes(axes: Axes, daily: Daily, x: Array, kinds: bool) -> None:
    """Images of each pass, and above them what a clear sky would add."""
    clear = daily.images if daily.clear_images is None else daily.clear_images
    unit, name = scale(float(clear.max()))
    got, lost = daily.images / unit, np.maximum(clear - daily.images, 0.0) / unit
    if kinds:
        order = np.argsort(x, kind="stable")
        axes.plot(x[order], got[order], "o", color=look.KINDS[0], label="delivered")
        if daily.lost_share:
            axes.plot(x[order], (got + lost)[order], "o", markerfacecolor="white", zorder=1,
                      color=look.INK, label=f"under a clear sky:\n{_lost(daily)}")  # fmt: skip
    else:
        width = 0.6 * (float(np.diff(np.sort(x)).min()) if len(x) > 1 else 0.05)
        axes.bar(x, got, width, color=look.KINDS[0], label="delivered")
        if daily.lost_share:
            axes.bar(x, lost, width, got, **_LOST, label=_lost(daily))
    low, half, high = (value / unit for value in daily.spread)
    axes.axhline(half, color=look.INK, linewidth=0.9, linestyle="-.", label="median pass")
    axes.axhspan(low, high, color=look.INK, alpha=0.1, linewidth=0, zorder=0,
                 label="eight of ten passes")  # fmt: skip
    axes.set_ylim(0, 1.08 * max(float(clear.max()) / unit, 1e-9))
    axes.set_ylabel(f"images {'a' if kinds else 'of a'} pass\n{name.strip()}".rstrip())


def _lost(daily: Daily) -> str:
    share = daily.link.availability_percent
    at = "lost to rain" if share is None else f"lost to weather\nat {share:g} % availability"
    return f"{at},\n{100 * (daily.lost_share or 0.0):.2g} % of a day's"


def _end(x: Array) -> float:
    """Where the sum ends: a little behind the last pass."""
    return float(x.max() + 0.02 * max(float(np.ptp(x)), 0.05))
