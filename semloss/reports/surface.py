"""Picture of a fitted surface with the measurements that it was fitted to."""

from pathlib import Path

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from matplotlib.ticker import MaxNLocator

from semloss.reports.style import (
    INK,
    MARKERS,
    SURFACE_MAP,
    metric_label,
    paper_style,
    save_figure,
    series_colors,
)
from semloss.selection import Points
from semloss.surfaces.forms import Array
from semloss.surfaces.prediction import FittedSurface
from semloss.units import format_cr

_CURVES = 8
"""Most CRs drawn as curves; a denser grid shows evenly chosen ones."""


def surface_plot(fit: FittedSurface, points: Points, path: Path) -> None:
    """Draw the metric against SNR per CR, and the surface over the (SNR, CR) plane.

    Left, lines are the fit with its 95 % band and markers the measurements with 95 % error bars.
    Right, iso-metric contours are labelled, the outline is the fitted domain, and each
    measurement is a disc filled on the same colour scale as the surface behind it.

    Raises
    ------
    SemlossError
        When the picture cannot be written or its suffix is not png, pdf or svg.
    """
    with paper_style():
        figure = Figure(figsize=(10.2, 4.1), layout="constrained")
        curves, plane = figure.subplots(1, 2, width_ratios=(1.0, 1.1))
        _curves(curves, fit, points)
        _plane(figure, plane, fit, points)
        sns.despine(ax=curves)
        save_figure(figure, path)


def _curves(axes: Axes, fit: FittedSurface, points: Points) -> None:
    ratios = np.unique(points.cr)
    if len(ratios) > _CURVES:
        ratios = ratios[np.unique(np.linspace(0, len(ratios) - 1, _CURVES).round().astype(int))]
    snr = np.linspace(*fit.snr_db_range, 161)
    colors = series_colors(len(ratios))
    for i, cr in enumerate(ratios):
        curve = fit.predict(cr=float(cr), snr_db=snr)
        axes.fill_between(snr, curve.low, curve.high, color=colors[i], alpha=0.2, linewidth=0)
        axes.plot(snr, curve.value, color=colors[i], linewidth=1.6)
        own = points.cr == cr
        axes.errorbar(
            points.snr_db[own],
            points.value[own],
            yerr=1.96 * points.se[own] if points.se[own].any() else None,
            fmt=MARKERS[i % len(MARKERS)],
            color=colors[i],
            markersize=5,
            markeredgecolor="white",
            markeredgewidth=0.6,
            elinewidth=1.0,
            label=f"CR {format_cr(float(cr))}",
        )
    axes.xaxis.set_major_locator(_snr_ticks())
    axes.set_xlabel("SNR, Es/N0 [dB]")
    axes.set_ylabel(metric_label(fit.metric, fit.task))
    axes.set_title(f"{fit.form} fit, RMSE {fit.quality.get('rmse', float('nan')):.2g}")
    handles, labels = axes.get_legend_handles_labels()
    best_first = slice(None, None, -1 if fit.direction == "higher" else 1)
    axes.legend(
        handles[best_first], labels[best_first], frameon=False, fontsize="small", handletextpad=0.2
    )


def _snr_ticks() -> MaxNLocator:
    return MaxNLocator(8, steps=[1, 2, 5, 10], integer=True)


def _contours(axes: Axes, snr: Array, x: Array, value: Array, levels: Array, ratios: Array) -> None:
    """Iso-metric lines, labelled near the diagonal of the plane, between rows of points."""
    lines = axes.contour(snr, x, value, levels=levels, colors="white", linewidths=1.0)
    steps = np.linspace(0.03, 0.97, 200)
    diagonal = np.stack([steps * (len(x) - 1), steps * (len(snr) - 1)]).round().astype(int)
    along = value[diagonal[0], diagonal[1]]
    between = 0.5 * (np.log(ratios[1:]) + np.log(ratios[:-1]))
    crossed, spots = [], []
    for level in levels:
        if not along.min() < level < along.max():
            continue
        height = x[diagonal[0, np.argmin(np.abs(along - level))]]
        row = int(np.argmin(np.abs(x - between[np.argmin(np.abs(between - height))])))
        if not value[row].min() < level < value[row].max():
            continue  # it only cuts a corner; the colour bar tells it
        crossed.append(level)
        spots.append((float(snr[np.argmin(np.abs(value[row] - level))]), float(x[row])))
    if spots:
        for label in axes.clabel(lines, levels=crossed, fmt="%g", fontsize="small", manual=spots):
            label.set(color=INK, rotation=0)
            label.set_bbox({"facecolor": "white", "alpha": 0.85, "linewidth": 0, "pad": 1.0})


def _plane(figure: Figure, axes: Axes, fit: FittedSurface, points: Points) -> None:
    (x_low, x_high), (s_low, s_high) = np.log(fit.cr_range), fit.snr_db_range
    x_pad, s_pad = 0.05 * (x_high - x_low), 0.04 * (s_high - s_low)
    x = np.linspace(x_low - x_pad, min(x_high + x_pad, 0.0), 160)
    snr = np.linspace(s_low - s_pad, s_high + s_pad, 200)
    value = fit.predict(cr=np.exp(x)[:, None], snr_db=snr[None, :]).value
    low = float(min(value.min(), points.value.min()))
    high = float(max(value.max(), points.value.max()))
    if high - low < 1e-9:
        high = low + max(abs(low), 1.0) * 1e-3
    mesh = axes.pcolormesh(
        snr, x, value, cmap=SURFACE_MAP, vmin=low, vmax=high, shading="gouraud", rasterized=True
    )
    levels = np.asarray(MaxNLocator(8).tick_values(low, high))
    if np.ptp(value) > 0:
        _contours(axes, snr, x, value, levels, np.unique(points.cr))
    axes.add_patch(
        Polygon(fit.hull[:, ::-1], closed=True, fill=False, edgecolor=INK, linestyle=(0, (4, 3)))
    )
    axes.scatter(points.snr_db, np.log(points.cr), color="white", s=58, linewidth=0, zorder=3)
    axes.scatter(
        points.snr_db,
        np.log(points.cr),
        c=points.value,
        cmap=SURFACE_MAP,
        vmin=low,
        vmax=high,
        s=34,
        edgecolor=INK,
        linewidth=0.6,
        zorder=4,
    )
    ratios = np.unique(points.cr)
    if len(ratios) > _CURVES:
        ratios = ratios[np.unique(np.linspace(0, len(ratios) - 1, _CURVES).round().astype(int))]
    axes.set_yticks(np.log(ratios), [format_cr(float(cr)) for cr in ratios])
    axes.set_xlim(snr[0], snr[-1])
    axes.set_ylim(x[0], x[-1])
    axes.xaxis.set_major_locator(_snr_ticks())
    axes.set_xlabel("SNR, Es/N0 [dB]")
    axes.set_ylabel("CR = k/n")
    axes.set_title("fitted surface and measured cells")
    bar = figure.colorbar(mesh, ax=axes, pad=0.02)
    bar.set_label(metric_label(fit.metric, fit.task))
    bar.outline.set_visible(False)
