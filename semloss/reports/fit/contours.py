"""Picture of what a target needs: iso-metric contours in the (CR, SNR) plane, with their bands."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.reports import look
from semloss.reports.page import about_cr, row_of_most, signed
from semloss.selection import Points
from semloss.surfaces.fitted.bands import level_text
from semloss.surfaces.fitted.fit import Fit

_MOST = 5


def contours_plot(fit: Fit, points: Points, path: Path | str, targets: Sequence[float] = ()) -> str:
    """Draw the SNR that each target needs over CR, with its 95 % band.

    A line ends where the target is out of reach within the fitted range, or where less than the
    lowest fitted SNR would do. A band open to the top says that the surface may stay short.

    Parameters
    ----------
    targets
        Values of the metric; by default up to five round ones.

    Raises
    ------
    SemlossError
        When the surface is flat.
    """
    chosen = targets or round_targets(fit)
    if not chosen:
        raise SemlossError(f"the surface of {fit.metric} is flat: it has no contours to draw")
    table = contours_table(fit, chosen)
    with look.picture(
        path, 4.6, 2.9, f"SNR that {look.name_of(fit)} needs over CR", look.origin(fit), table
    ) as figure:
        axes = figure.subplots()
        _draw(axes, fit, points, table)
        sns.despine(ax=axes)
    return _read(fit, points, table)


def contours_table(fit: Fit, targets: Sequence[float]) -> pd.DataFrame:
    """Rows `target`, `cr`, `snr_db`, `low`, `high`; empty where nothing in the range meets it."""
    parts = []
    for target in targets:
        line = fit.contour(target=float(target), interval=0.95)
        parts.append(
            pd.DataFrame(
                {
                    "target": float(target),
                    "cr": np.asarray(line.cr, dtype=float),
                    "snr_db": np.asarray(line.snr_db, dtype=float),
                    "low": np.asarray(line.low, dtype=float),
                    "high": np.asarray(line.high, dtype=float),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def round_targets(fit: Fit) -> list[float]:
    """Up to five round values that the surface takes inside its domain; none of a flat one."""
    at_cr, at_snr = (np.array(ends) for ends in (fit.cr_range, fit.snr_db_range))
    ends = fit.predict(cr=at_cr[:, None], snr_db=at_snr[None, :], interval=None).value
    low, high = float(ends.min()), float(ends.max())
    margin = 0.04 * (high - low)
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-12):
        return []
    for count in range(_MOST + 1, 1, -1):
        levels = np.asarray(MaxNLocator(count, steps=[1, 2, 5, 10]).tick_values(low, high))
        inside = [float(f"{v:.10g}") for v in levels if low + margin < v < high - margin]
        if len(inside) <= _MOST:
            break
    return inside


def _shown(part: pd.DataFrame, fit: Fit) -> tuple[Array, Array, Array, Array]:
    """Ln CR, and line and band in dB where the line runs inside the fitted range."""
    bottom, top = fit.snr_db_range
    line = part["snr_db"].to_numpy()
    inside = np.isfinite(line) & (line > bottom + 1e-9)
    line = np.where(inside, line, np.nan)
    low = np.where(inside, np.maximum(part["low"].to_numpy(), bottom), np.nan)
    high = np.where(np.isfinite(part["high"]), part["high"].to_numpy(), top)
    return np.log(part["cr"].to_numpy()), line, low, np.where(inside, high, np.nan)


def _draw(axes: Axes, fit: Fit, points: Points, table: pd.DataFrame) -> None:
    (x_low, x_high), (s_low, s_high) = np.log(fit.cr_range), fit.snr_db_range
    x_pad, s_pad = 0.04 * (x_high - x_low or 2.0), 0.04 * (s_high - s_low or 20.0)
    few = min(1.0, 60 / len(points.value))
    axes.scatter(
        np.log(points.cr), points.snr_db, s=2 + 8 * few, color="#bbbbbb",
        linewidth=0, zorder=1, label="measured cells",
    )  # fmt: skip
    groups = list(table.groupby("target", sort=True))
    groups = groups if fit.sign > 0 else groups[::-1]
    colors = look.series_colors(len(groups))
    for i, (target, part) in enumerate(groups):
        x, line, low, high = _shown(part, fit)
        axes.fill_between(x, low, high, color=colors[i], alpha=0.22, linewidth=0, zorder=2)
        axes.plot(x, line, color=colors[i], linestyle=look.DASHES[i % len(look.DASHES)], zorder=3,
                  label=signed(f"{target:g}"))  # fmt: skip
    axes.set_xlim(x_low - x_pad, min(x_high + x_pad, 0.0) if x_high < 0 else x_high + x_pad)
    axes.set_ylim(s_low - s_pad, s_high + s_pad)
    look.cr_axis(axes.xaxis, points.cr)
    look.snr_axis(axes.yaxis)
    axes.set_ylabel("SNR needed, Es/N0 [dB]")
    label = look.label_of(fit).replace(", ", "\n", 1)
    look.legend(axes, [look.band_key(f"band, {level_text(0.95, fit.band)}")], label)


def _read(fit: Fit, points: Points, table: pd.DataFrame) -> str:
    """What the middle target needs at the largest measured CR and at the smallest that attains."""
    targets = np.unique(table["target"])
    target = float(targets[len(targets) // 2])
    part = table[(table["target"] == target) & table["snr_db"].notna()]
    name = f"{look.metric_label(fit.metric, 'none')} = {target:g}"
    if part.empty:
        return signed(f"{name} is nowhere attained within the fitted range.")
    says = []
    cr = part["cr"].to_numpy(float)
    for row in (row_of_most(part, cr), row_of_most(part, -cr))[: len(part)]:
        least = "at most " if row["snr_db"] <= fit.snr_db_range[0] + 1e-9 else ""
        high = f"{row['high']:.1f}" if np.isfinite(row["high"]) else "beyond the range"
        says.append(
            f"{least}{row['snr_db']:.1f} dB [{row['low']:.1f} … {high}] at CR {about_cr(row['cr'])}"
        )
    short = float(cr.min()) > fit.cr_range[0] * 1.001
    tail = ", and is out of reach below that CR" if short else ""
    return signed(f"{name} needs {' and '.join(says)}{tail}.")
