"""Picture of DeepJSCC against a digital chain: which wins where, in one look."""

from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from semloss.arrays import Array
from semloss.planning.digital.separation import DEEPJSCC, UNKNOWN, Comparison
from semloss.reports import look
from semloss.reports.page import about_cr
from semloss.units import ROUND_CRS

_CURVES = 3
_NOTHING = "#d9d9d9"


def separation_plot(
    comparison: Comparison, path: Path | str, link: str = "", about: str = ""
) -> None:
    """Draw the crossover map, and write the numbers behind it as CSV beside the picture.

    Left, the metric against SNR at a few CRs: DeepJSCC with its band, the VCM staircase, and the
    cliff of the fixed MODCOD. Right, the map over (SNR, CR): how much better which chain is,
    the line where they are even, and where no MODCOD closes; left out for one CR or one SNR.
    Without a digital curve, the bits per symbol that the chain may spend, under the capacity.
    """
    c = comparison
    head = f"{link}: " if link else ""
    where = f" at CR {about_cr(float(c.cr[0]))}" if len(c.cr) == 1 else ""
    title = (
        f"{head}{look.name_of(c)}{where}: DeepJSCC against {look.spelled(c.codec)} over "
        f"{c.standard}"
        if c.codec is not None
        else f"{head}bits that a digital chain may spend at equal symbols (no source codec was "
        f"given, so {look.name_of(c)} is not compared)"
    )
    one = c.codec is None or min(c.gain.shape) < 2
    table = pd.DataFrame(c.rows())
    with look.picture(
        path, 5.6 if one else look.PAGE, 3.2 if one else 5.6, title, about, table
    ) as figure:
        grid = figure.subplots(1 if one else 2, 1, squeeze=False)[:, 0]
        (_efficiency if c.codec is None else _curves)(grid[0], c)
        sns.despine(ax=grid[0])
        if not one:
            _map(figure, grid[1], c)


def _curves(axes: Axes, c: Comparison) -> None:
    chosen, codec = _chosen(c), look.spelled(c.codec)
    colors = look.series_colors(len(chosen))
    ink = colors[0] if len(chosen) == 1 else look.INK
    for color, i in zip(colors, chosen, strict=True):
        axes.fill_between(c.snr_db, c.low[i], c.high[i], color=color, alpha=0.2, linewidth=0)
        axes.plot(c.snr_db, c.deepjscc[i], color=color, linewidth=1.8)
        axes.step(c.snr_db, c.vcm[i], color=color, linewidth=1.2, linestyle="--", where="post")
        axes.step(c.snr_db, c.fixed[i], color=color, linewidth=1.2, linestyle=":", where="post")
    handles: list[Artist] = [
        look.key(f"CR {about_cr(float(c.cr[i]))}", color, linewidth=4)
        for color, i in list(zip(colors, chosen, strict=True))[::-1]
        if len(chosen) > 1
    ]
    handles += [
        look.key("DeepJSCC", ink, linewidth=1.8),
        look.key(f"{codec}, best MODCOD (VCM)", ink, linewidth=1.2, linestyle="--"),
    ]
    if c.fixed_modcod is not None:
        label = f"{codec}, always {c.fixed_modcod.name}"
        handles.append(look.key(label, ink, linewidth=1.2, linestyle=":"))
    axes.margins(y=0.12)
    axes.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    look.legend(axes, [*handles, look.band_key("95 % band of DeepJSCC", ink)])
    _snr_axis(axes, c)
    axes.set_ylabel(look.label_of(c))
    axes.set_title("at equal symbols for an image")


def _map(figure: Figure, axes: Axes, c: Comparison) -> None:
    x = np.log(c.cr)
    gain = np.ma.masked_invalid(np.where(c.winner == UNKNOWN, np.nan, c.gain))
    # The edge of a cliff can be far off the rest: the colours serve what lies between.
    size = float(np.quantile(np.abs(gain.compressed()), 0.8)) if gain.count() else 1.0
    norm = TwoSlopeNorm(0.0, -max(size, 1e-9), max(size, 1e-9))
    mesh = axes.pcolormesh(
        c.snr_db, x, gain, cmap=look.DIVERGING_MAP, norm=norm, shading="nearest", rasterized=True
    )
    keys: list[Artist] = []
    empty = np.ma.getmaskarray(gain)
    closed = np.broadcast_to(c.bits_per_symbol == 0, gain.shape)
    short = (c.winner == DEEPJSCC) & ~closed & empty
    for where, hatch, label in (
        (closed, "////", "no MODCOD closes"),
        (short, "\\\\\\\\", "less than the codec's smallest file"),
        (c.winner == UNKNOWN, "....", "rate not measured"),
    ):
        if where.any() and not (hatch == "////" and not empty[closed].all()):
            _hatch(axes, c.snr_db, x, where, hatch)
            keys.append(Patch(facecolor=_NOTHING, edgecolor="white", hatch=hatch, label=label))
    if closed.any() and not closed.all() and not empty[closed].all():
        first = float(c.snr_db[int(np.argmin(closed[0]))])
        axes.axvline(first, color=look.INK, linewidth=1.2, linestyle=(0, (1.5, 1.2)))
        keys.append(
            look.key("left of it no MODCOD closes", linewidth=1.2, linestyle=(0, (1.5, 1.2)))
        )
    if gain.count() and gain.min() < 0 < gain.max():
        axes.contour(c.snr_db, x, gain, levels=[0.0], colors=[look.ACCENT], linewidths=1.8)
        keys.append(look.key("even", look.ACCENT, linewidth=1.8))
    _snr_axis(axes, c)
    look.cr_axis(axes.yaxis, c.cr)
    axes.set_title("who is ahead, by how much (digital: the MODCOD that the SNR allows, VCM)")
    worse = "" if c.direction == "higher" else " (less is better)"
    label = f"DeepJSCC − digital, {look.label_of(c)}{worse}"
    look.colorbar(figure, axes, mesh, label.replace(", ", "\n", 1), extend="both", location="left")
    if keys:
        look.legend(axes, keys)


def _chosen(c: Comparison) -> list[int]:
    """Rows of a few CRs spread over the range, round ones where the grid comes near them."""
    inside = np.array([r for r in ROUND_CRS if 0.99 * c.cr[0] <= r <= 1.01 * c.cr[-1]])
    if len(c.cr) <= _CURVES or len(inside) < _CURVES:
        inside = c.cr
    spread = np.linspace(0.1, 0.9, _CURVES) * (len(inside) - 1)
    wanted = inside[spread.round().astype(int)]
    return sorted({int(np.argmin(np.abs(np.log(c.cr / ratio)))) for ratio in wanted})


def _hatch(
    axes: Axes,
    snr_db: Array,
    x: Array,
    where: NDArray[np.bool_],
    hatch: str,
) -> None:
    """Mark the cells where the digital chain has no value."""
    area = np.ma.masked_where(~where, np.ones(where.shape))
    cells = axes.pcolor(snr_db, x, area, cmap=ListedColormap([_NOTHING]), shading="nearest")
    cells.set(hatch=hatch, edgecolor="white", linewidth=0)


def _efficiency(axes: Axes, c: Comparison) -> None:
    first, second = look.series_colors(3)[:2]
    axes.plot(
        c.snr_db, c.shannon_bits_per_symbol, color=first, label="capacity (Shannon) at its SNR"
    )
    axes.step(
        c.snr_db,
        c.bits_per_symbol,
        where="post",
        color=second,
        label=f"{c.standard}, the best MODCOD\nat each SNR (VCM)",
    )
    axes.set_ylabel("bits per symbol")
    look.legend(axes)
    _snr_axis(axes, c)


def _snr_axis(axes: Axes, c: Comparison) -> None:
    look.snr_axis(axes.xaxis)
    if len(c.snr_db) > 1:
        axes.set_xlim(c.snr_db[0], c.snr_db[-1])
