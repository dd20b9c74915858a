"""Pictures of a pass and of the adaptive coding table, each with the CSV behind it."""

from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from semloss.arrays import Array
from semloss.planning.passes.adaptive import CodingTable, Schedule
from semloss.planning.passes.outage import Outage
from semloss.planning.passes.simulation import PassResult
from semloss.reports.look import (
    ACCENT,
    INK,
    metric_label,
    paper_style,
    save_picture,
    series_colors,
)
from semloss.storage import write_atomically
from semloss.surfaces.fitted.fit import FittedSurface
from semloss.units import format_cr

_DASHED = (0, (4, 3))
_SPOKEN = {
    "": "", " [thousands]": " thousand", " [millions]": " million", " [billions]": " billion",
}  # fmt: skip
_FADING = {"rayleigh": "Rayleigh", "rician": "Rician {} dB", "shadowing": "log-normal {} dB"}


def pass_plot(result: PassResult, path: Path | str, schedule: Schedule | None = None) -> Path:
    """Draw elevation, SNR, metric and images along a pass; write its table beside the picture.

    With a schedule, the metric is that of the CR in use, and the CRs are drawn as a staircase;
    without, everything is at the result's one CR.

    Parameters
    ----------
    path
        Picture to write (png, pdf or svg); the table gets the same name ending in .csv.
    schedule
        The coding table's run along the same pass.

    Returns
    -------
    Path
        Of the CSV file.

    Raises
    ------
    SemlossError
        When a file cannot be written or the suffix is not png, pdf or svg.
    """
    minutes = result.pass_.time_s / 60
    with paper_style():
        figure = Figure(figsize=(6.6, 7.6), layout="constrained")
        elevation, snr, metric, last = figure.subplots(
            4, 1, sharex=True, height_ratios=(0.8, 1.0, 1.2, 1.0)
        )
        color = series_colors(3)[1]
        elevation.plot(minutes, result.pass_.elevation_deg, color=color)
        elevation.set_ylabel("elevation [deg]")
        elevation.set_ylim(bottom=0)
        elevation.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 1.5, 3, 4.5, 9, 10]))
        elevation.set_title(_capital(result.pass_.about))
        snr.plot(minutes, result.snr_db, color=color)
        snr.set_ylabel("SNR, Es/N0 [dB]")
        if schedule is None:
            _required(snr, result, minutes)
            _one_cr(metric, result, minutes, color)
            _images(last, result.images, minutes, color)
        else:
            _thresholds(snr, schedule, minutes)
            _adaptive(metric, schedule, minutes, color)
            _staircase(last, schedule, minutes)
        target = result.target if schedule is None else schedule.table.target
        if target is not None:
            metric.axhline(target, color=ACCENT, linewidth=1.1, linestyle=_DASHED,
                           label=f"target {target:g}")  # fmt: skip
        metric.set_ylabel(metric_label(result.metric, result.receiver).replace(", ", "\n", 1))
        metric.legend(frameon=False, fontsize="small", ncols=3, loc="lower right",
                      bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2, columnspacing=1.2)  # fmt: skip
        last.set_xlabel("time since rise [min]")
        last.set_xlim(minutes[0], minutes[-1])
        for axes in (elevation, snr, metric, last):
            sns.despine(ax=axes)
        figure.align_ylabels()
        save_picture(figure, path)
    return _csv(series(result, schedule).to_csv(index=False), path)


def series(result: PassResult, schedule: Schedule | None = None) -> pd.DataFrame:
    """Table behind the picture of a pass: a row for each moment, the schedule's columns last."""
    table = result.frame()
    if schedule is None:
        return table
    ours = schedule.frame().drop(columns=["time_s", "snr_db"])
    return table.join(ours.add_prefix("adaptive_"))


def table_plot(table: CodingTable, model: FittedSurface, path: Path | str) -> Path:
    """Draw an adaptive coding table: images a second, and the metric, against SNR.

    Shaded is the hysteresis: there the row in use depends on where the SNR came from. The metric
    is that of the row in use as the SNR falls, which is the worse one; dotted where the fit was
    not measured. Bars at the steps are the thresholds' intervals.

    Parameters
    ----------
    path
        Picture to write (png, pdf or svg); the table gets the same name ending in .csv.

    Returns
    -------
    Path
        Of the CSV file.

    Raises
    ------
    SemlossError
        When a file cannot be written or the suffix is not png, pdf or svg.
    """
    rows = table.rows[1:]
    span = max(rows[-1].up_db - rows[0].down_db, 4.0)
    axis = np.linspace(rows[0].down_db - 0.15 * span, rows[-1].up_db + 0.2 * span, 1201)
    index = table.choose(axis)
    rate = np.array([row.images_per_s for row in table.rows])
    crs = np.array([row.cr or np.nan for row in table.rows])[index]
    on = index > 0
    band = model.predict(cr=crs[on], snr_db=axis[on], interval=table.interval)
    with paper_style():
        figure = Figure(figsize=(6.6, 5.6), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(1.25, 1.0))
        unit, name = _scale(rate.max())
        colors = series_colors(len(rows))
        upper.plot(axis, rate[index] / unit, color=INK, linewidth=1.4)
        for i, row in enumerate(rows):
            upper.fill_between([row.down_db, row.up_db], rate[i] / unit, rate[i + 1] / unit,
                               color=colors[i], alpha=0.3, linewidth=0)  # fmt: skip
            upper.annotate(
                f"CR {row.label}" if row is rows[-1] else row.label,
                (row.down_db, rate[i + 1] / unit),
                xytext=(-4, 2),
                textcoords="offset points",
                ha="right",
                va="bottom",
                fontsize="small",
            )
        _intervals(upper, table, rate / unit, float(axis[-1]))
        upper.set_ylabel(f"images per second{name}")
        upper.set_ylim(0, 1.12 * rate.max() / unit)
        sure = "" if table.confidence is None else f" with {100 * table.confidence:g} % confidence"
        sign = "≥" if table.direction == "higher" else "≤"
        label = metric_label(table.metric, table.receiver)
        upper.set_title(f"{_capital(label)} {sign} {table.target:g}{sure}")
        for i in range(1, len(table.rows)):
            own = index[on] == i
            for inside, style in ((True, "-"), (False, ":")):
                value = np.where(band.in_domain[own] == inside, band.value[own], np.nan)
                lower.plot(axis[on][own], value, style, color=colors[i - 1], linewidth=1.6)
            lower.fill_between(axis[on][own], band.low[own], band.high[own],
                               color=colors[i - 1], alpha=0.2, linewidth=0)  # fmt: skip
        lower.axhline(table.target, color=ACCENT, linewidth=1.1, linestyle=_DASHED,
                      label=f"target {table.target:g}")  # fmt: skip
        lower.margins(y=0.08)
        lower.set_ylabel(label.replace(", ", "\n", 1))
        lower.set_xlabel("SNR, Es/N0 [dB]")
        lower.set_xlim(axis[0], axis[-1])
        _legend(lower)
        for axes in (upper, lower):
            sns.despine(ax=axes)
        figure.align_ylabels()
        save_picture(figure, path)
    return _csv(table.frame().to_csv(index=False), path)


def outage_plot(found: Outage, path: Path | str) -> Path:
    """Draw the metric, and the SNR, against the share of the time in which it is exceeded.

    The axis spreads the rare: it is even in the logarithm of the share that is left.

    Parameters
    ----------
    path
        Picture to write (png, pdf or svg); the table gets the same name ending in .csv.

    Returns
    -------
    Path
        Of the CSV file.

    Raises
    ------
    SemlossError
        When a file cannot be written or the suffix is not png, pdf or svg.
    """
    left = -np.log10(100 - found.percent)
    color = series_colors(3)[1]
    with paper_style():
        figure = Figure(figsize=(5.8, 5.2), layout="constrained")
        metric, snr = figure.subplots(2, 1, sharex=True, height_ratios=(1.3, 1.0))
        metric.fill_between(left, found.low_exceeded, found.high_exceeded, color=color, alpha=0.2,
                            linewidth=0)  # fmt: skip
        metric.plot(left, found.value_exceeded, "o-", color=color, markersize=4.5)
        metric.axhline(found.expected, color=INK, linewidth=0.9, linestyle=":",
                       label=f"expected, {found.expected:.4g}")  # fmt: skip
        if found.target is not None:
            met = f"target {found.target:g}, met in {found.met_percent:.4g} %"
            metric.axhline(found.target, color=ACCENT, linewidth=1.1, linestyle=_DASHED, label=met)
        metric.set_ylabel(metric_label(found.metric, found.receiver).replace(", ", "\n", 1))
        faded = "" if found.fading is None else f", {_fading_name(found.fading)} fading"
        metric.set_title(f"CR {format_cr(found.cr)}{faded}")
        metric.margins(y=0.12)
        _legend(metric)
        snr.plot(left, found.snr_db_exceeded, "o-", color=color, markersize=4.5)
        snr.set_ylabel("SNR, Es/N0 [dB]")
        snr.set_xlabel("exceeded in % of the time")
        snr.set_xticks(left, [f"{percent:g}" for percent in found.percent])
        for axes in (metric, snr):
            sns.despine(ax=axes)
        figure.align_ylabels()
        save_picture(figure, path)
    return _csv(found.frame().to_csv(index=False), path)


def _fading_name(label: str) -> str:
    kind, _, number = label.partition(":")
    return _FADING[kind].format(number)


def _required(axes: Axes, result: PassResult, minutes: Array) -> None:
    """SNR that the target requires, the margin above it shaded."""
    if result.required_snr_db is None:
        return
    label = f"target met from {result.required_snr_db:.1f} dB".replace("-", "−")
    axes.axhline(
        result.required_snr_db, color=ACCENT, linewidth=1.1, linestyle=_DASHED, label=label
    )
    axes.fill_between(
        minutes, result.required_snr_db, result.snr_db, where=list(result.margin_db > 0),
        color=ACCENT, alpha=0.12, linewidth=0, label="margin",
    )  # fmt: skip
    _legend(axes)


def _one_cr(
    axes: Axes, result: PassResult, minutes: Array, color: tuple[float, float, float]
) -> None:
    """Metric at one CR, dashed where the fit was not measured."""
    label = f"CR {format_cr(result.cr)}"
    if result.fading is not None:
        label += f", {_fading_name(result.fading)} fading"
    inside = result.in_domain
    axes.fill_between(minutes, result.low, result.high, color=color, alpha=0.2, linewidth=0)
    if inside.any():
        axes.plot(minutes, np.where(inside, result.value, np.nan), color=color, label=label)
    if not inside.all():
        outside = "outside the fitted domain"
        axes.plot(
            minutes, np.where(inside, np.nan, result.value), "--", color=color,
            label=outside if inside.any() else f"{label}, {outside}",
        )  # fmt: skip


def _images(axes: Axes, images: Array, minutes: Array, color: tuple[float, float, float]) -> None:
    unit, name = _scale(images[-1])
    axes.plot(minutes, images / unit, color=color)
    axes.set_ylim(bottom=0)
    axes.set_ylabel(f"images\ndelivered{name}")


def _thresholds(axes: Axes, schedule: Schedule, minutes: Array) -> None:
    """Lower thresholds of the rows that the schedule uses."""
    written = -np.inf
    for i in sorted(set(schedule.row.tolist()) - {0}):
        row = schedule.table.rows[i]
        axes.axhline(row.down_db, color=INK, linewidth=0.7, linestyle=":")
        if row.down_db - written < 0.08 * np.ptp(axes.get_ylim()):
            continue  # its name would cover the one below
        written = row.down_db
        axes.annotate(row.label, (minutes[-1], row.down_db), xytext=(4, 0), ha="left",
                      va="center", textcoords="offset points", fontsize="x-small",
                      annotation_clip=False)  # fmt: skip


def _adaptive(
    axes: Axes, schedule: Schedule, minutes: Array, color: tuple[float, float, float]
) -> None:
    """Metric at the CR in use, broken where it switches, dashed where the fit was not measured."""
    switches = np.diff(schedule.row) != 0
    breaks = np.flatnonzero(switches | np.diff(schedule.in_domain)) + 1
    labels = {True: "at the CR in use", False: "outside the fitted domain"}
    for part in np.split(np.arange(len(minutes)), breaks):
        inside = bool(schedule.in_domain[part[0]])
        if part[-1] < len(switches) and not switches[part[-1]]:  # leave no gap at the domain's edge
            part = np.append(part, part[-1] + 1)
        axes.plot(
            minutes[part], schedule.value[part], "-" if inside else "--", color=color,
            label=labels.pop(inside, None) if schedule.row[part[0]] else None,
        )  # fmt: skip
        axes.fill_between(minutes[part], schedule.low[part], schedule.high[part], color=color,
                          alpha=0.2, linewidth=0)  # fmt: skip
    axes.margins(y=0.08)


def _staircase(axes: Axes, schedule: Schedule, minutes: Array) -> None:
    """Row in use over time, against the images that it brings."""
    labels = [row.label for row in schedule.table.rows]
    axes.step(minutes, schedule.row, where="post", color=series_colors(3)[0])
    first, last = int(schedule.row.min()), int(schedule.row.max())
    axes.set_yticks(range(first, last + 1), labels[first : last + 1])
    axes.set_ylim(first - 0.3, last + 0.3)
    axes.set_ylabel("CR in use")
    unit, name = _scale(schedule.images_delivered)
    best = schedule.best_fixed_images
    gain = f", {schedule.images_delivered / best:.2f} × the best fixed CR" if best > 0 else ""
    axes.set_title(
        f"{schedule.images_delivered / unit:.3g}{_SPOKEN[name]} images{gain} "
        f"({format_cr(schedule.best_fixed_cr)})"
    )


def _intervals(axes: Axes, table: CodingTable, rate: Array, right: float) -> None:
    """Where each threshold may lie, drawn half-way up its step."""
    for i, row in enumerate(table.rows[1:]):
        high = right if row.snr_db_high is None else row.snr_db_high + table.margin_db
        axes.plot(
            [row.snr_db_low + table.margin_db, high], [(rate[i] + rate[i + 1]) / 2] * 2,
            color=ACCENT, linewidth=1.6, solid_capstyle="butt",
            label=f"{100 * table.interval:g} % interval of the threshold" if i == 0 else None,
        )  # fmt: skip
    _legend(axes)


def _legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize="small", loc="best")


def _scale(largest: float) -> tuple[float, str]:
    """Divisor for an axis of counts, and what to write behind its name."""
    for unit, name in ((1e9, " [billions]"), (1e6, " [millions]"), (1e3, " [thousands]")):
        if largest >= 2 * unit:
            return unit, name
    return 1.0, ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _csv(text: str, picture: Path | str) -> Path:
    path = Path(picture).with_suffix(".csv")
    write_atomically(path, text)
    return path
