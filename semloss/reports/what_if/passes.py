"""Pictures of a pass, of the adaptive coding table and of outage, each with the CSV behind it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from semloss.arrays import Array
from semloss.planning.budget.question import Answered
from semloss.planning.passes.adaptive import CodingTable, Schedule
from semloss.planning.passes.delivery import along
from semloss.planning.passes.outage import Outage
from semloss.planning.passes.simulation import PassResult
from semloss.reports import look
from semloss.reports.page import signed
from semloss.units import format_cr

_COLOR = look.series_colors(3)[1]
_SPOKEN = {
    "": "", " [thousands]": " thousand", " [millions]": " million", " [billions]": " billion",
}  # fmt: skip
_FADING = {"rayleigh": "Rayleigh", "rician": "Rician {} dB", "shadowing": "log-normal {} dB"}


@contextmanager
def _stack(
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


def pass_plot(
    result: PassResult,
    path: Path | str,
    schedule: Schedule | None = None,
) -> None:
    """Draw elevation, SNR, metric and images along a pass; its table lies beside the picture.

    With a schedule, the metric is that of the CR in use, and the CRs are drawn as a staircase;
    without, everything is at the result's one CR.

    Parameters
    ----------
    path
        Picture to write (png, pdf or svg); the table gets the same name ending in .csv.
    schedule
        The coding table's run along the same pass.

    Raises
    ------
    SemlossError
        When a file cannot be written or the suffix is not png, pdf or svg.
    """
    minutes = result.pass_.time_s / 60
    asked, label = result.question, _label(result)
    at = f"CR {format_cr(result.cr)}" if schedule is None else "the CR in use"
    what = f"{label.partition(' [')[0]} at {at}{_faded(result.fading)}"
    title = f"{asked.link.name}, {result.pass_.about}: {what}"
    target = asked.target
    about = look.origin(asked.fit)
    x = "time since rise [min]"
    with _stack(path, (1.1, 1.4, 1.6, 1.4), title, about, series(result, schedule), x) as panels:
        elevation, snr, metric, last = panels
        elevation.plot(minutes, result.pass_.elevation_deg, color=_COLOR)
        elevation.set_ylabel("elevation\n[deg]")
        elevation.set_ylim(bottom=0)
        snr.plot(minutes, result.snr_db, color=_COLOR, label="SNR")
        snr.set_ylabel("SNR, Es/N0\n[dB]")
        if schedule is None:
            _required(snr, result)
            look.band_curve(metric, minutes, result.value, (result.low, result.high),
                       result.inside, color=_COLOR, label=at)  # fmt: skip
            unit, name = _scale(result.images[-1])
            last.plot(minutes, result.images / unit, color=_COLOR)
            last.set_ylim(bottom=0)
            last.set_ylabel(f"images\ndelivered\n{name.strip()}".rstrip())
            inside = result.inside
        else:
            _thresholds(snr, schedule)
            _adaptive(metric, schedule, minutes)
            _staircase(last, schedule, minutes)
            inside = schedule.in_domain
        metric.fill_between([], [], [], color=_COLOR, alpha=0.2, linewidth=0, label="its band")
        if not np.all(inside):
            metric.plot([], [], ":", color=_COLOR, linewidth=1.0, label=look.OUTSIDE)
        if target is not None:
            look.target_line(metric, target, f"target, {target:g}")
        metric.set_ylabel(label.replace(", ", "\n", 1))
        metric.margins(y=0.1)
        last.set_xlim(minutes[0], minutes[-1])


def series(result: PassResult, schedule: Schedule | None = None) -> pd.DataFrame:
    """Table behind the picture of a pass: a row for each moment, the schedule's columns last."""
    return result.frame() if schedule is None else pd.DataFrame(along(result, schedule))


def table_plot(table: CodingTable, path: Path | str) -> None:
    """Draw an adaptive coding table: images a second, and the metric, against SNR.

    Shaded is the hysteresis: there the row in use depends on where the SNR came from. The metric
    is that of the row in use as the SNR falls, which is the worse one; dotted where the fit was
    not measured. Bars at the steps are the thresholds' intervals.

    Parameters
    ----------
    path
        Picture to write (png, pdf or svg); the table gets the same name ending in .csv.

    Raises
    ------
    SemlossError
        When a file cannot be written or the suffix is not png, pdf or svg.
    """
    rows, asked = table.rows[1:], table.question
    fit = asked.fit
    span = max(rows[-1].up_db - rows[0].down_db, 4.0)
    axis = np.linspace(rows[0].down_db - 0.15 * span, rows[-1].up_db + 0.2 * span, 1201)
    index = table.choose(axis)
    rate = np.array([row.images_per_s for row in table.rows])
    title = f"{asked.link.name}: CR to use for {asked.demand}"
    x, data = "SNR, Es/N0 [dB]", pd.DataFrame(table.records())
    with _stack(path, (2.2, 2.0), title, look.origin(fit), data, x) as (upper, lower):
        unit, name = _scale(rate.max())
        colors = look.series_colors(len(rows))
        upper.plot(axis, rate[index] / unit, color=look.INK, label="as the SNR falls")
        for i, row in enumerate(rows):
            upper.fill_between([row.down_db, row.up_db], rate[i] / unit, rate[i + 1] / unit,
                               color=colors[i], alpha=0.3, linewidth=0)  # fmt: skip
            high = float(axis[-1]) if row.snr_db_high is None else row.snr_db_high + table.margin_db
            upper.plot(
                [row.snr_db_low + table.margin_db, high], [(rate[i] + rate[i + 1]) / 2 / unit] * 2,
                color=look.ACCENT, linewidth=1.6, solid_capstyle="butt",
                label=f"{asked.level} interval\nof the threshold" if i == 0 else None,
            )  # fmt: skip
            own = axis[index == i + 1]
            assert row.cr is not None, "only off has none"
            band = fit.predict(cr=row.cr, snr_db=own, interval=asked.interval)
            look.band_curve(
                lower,
                own,
                np.asarray(band.value),
                (band.low, band.high),
                band.in_domain,
                color=colors[i],
                label=f"CR {row.label}",
            )
        upper.fill_between([], [], [], color=colors[0], alpha=0.3, label="hysteresis")
        upper.set_ylabel(f"images per second\n{name.strip()}".rstrip())
        upper.set_ylim(0, 1.12 * rate.max() / unit)
        assert asked.target is not None, "a coding table has one"
        look.target_line(lower, asked.target, f"target, {asked.target:g}")
        lower.plot([], [], ":", color=look.INK, linewidth=1.0, label=look.OUTSIDE)
        lower.margins(y=0.08)
        lower.set_ylabel(look.metric_label(fit.metric, fit.receiver).replace(", ", "\n", 1))
        lower.set_xlim(axis[0], axis[-1])


def outage_plot(found: Outage, path: Path | str) -> None:
    """Draw the metric, and the SNR, against the share of the time in which it is exceeded.

    The axis spreads the rare: it is even in the logarithm of the share that is left.

    Parameters
    ----------
    path
        Picture to write (png, pdf or svg); the table gets the same name ending in .csv.

    Raises
    ------
    SemlossError
        When a file cannot be written or the suffix is not png, pdf or svg.
    """
    left = -np.log10(100 - found.percent)
    asked, label = found.question, _label(found)
    better = "exceeded" if asked.fit.direction != "lower" else "kept below"
    name = label.partition(" [")[0]
    at = f"CR {format_cr(found.cr)}{_faded(found.fading)}"
    title = f"{asked.link.name}: {name} at {at}, {better} how often"
    about = look.origin(asked.fit)
    x = f"{better} in % of the time (even in the logarithm of the rest)"
    with _stack(path, (2.2, 1.6), title, about, found.frame(), x) as (metric, snr):
        look.band_curve(
            metric,
            left,
            found.value_exceeded,
            (found.low_exceeded, found.high_exceeded),
            color=_COLOR,
            marker="o",
            label=name.partition(",")[0],
        )
        metric.fill_between([], [], [], color=_COLOR, alpha=0.2, linewidth=0, label="its band")
        metric.axhline(found.expected, color=look.INK, linewidth=0.9, linestyle=":",
                       label=signed(f"expected, {found.expected:.4g}"))  # fmt: skip
        if asked.target is not None:
            keep = asked.link.margin_db
            kept = f"\nwith {keep:g} dB kept" if keep else ""
            met = f"target {asked.target:g},\nmet in {found.met_percent:.4g} %{kept}"
            look.target_line(metric, asked.target, met)
        metric.set_ylabel(label.replace(", ", "\n", 1))
        metric.margins(y=0.12)
        snr.plot(left, found.snr_db_exceeded, "o-", color=_COLOR, markersize=4.5)
        snr.set_ylabel("SNR, Es/N0\n[dB]")
        snr.set_xticks(left, [f"{percent:g}" for percent in found.percent])


def _label(answer: Answered) -> str:
    """Metric with its receiver and unit."""
    fit = answer.question.fit
    return look.metric_label(fit.metric, fit.receiver)


def _faded(label: str | None) -> str:
    """Words about the fading for a title; none without it."""
    if label is None:
        return ""
    kind, _, number = label.partition(":")
    return f", {_FADING[kind].format(number)} fading"


def _required(axes: Axes, result: PassResult) -> None:
    """SNR from which images count as meeting the target: what it requires, and the margin kept."""
    if result.required_snr_db is None:
        return
    keep = result.question.link.margin_db
    least = result.required_snr_db + keep
    kept = f",\n{keep:g} dB of it kept" if keep else ""
    look.target_line(axes, least, f"target met\nfrom {least:.1f} dB{kept}")
    axes.fill_between(
        result.pass_.time_s / 60, least, result.snr_db, where=list(result.snr_db > least),
        color=look.ACCENT, alpha=0.12, linewidth=0, label="excess",
    )  # fmt: skip


def _thresholds(axes: Axes, schedule: Schedule) -> None:
    """Lower thresholds of the rows that the schedule uses."""
    used = sorted(set(schedule.row.tolist()) - {0})
    for color, i in zip(look.series_colors(len(used)), used, strict=True):
        row = schedule.table.rows[i]
        axes.axhline(row.down_db, color=color, linewidth=0.9, linestyle=(0, (1.5, 1.2)),
                     label=f"CR {row.label}" if i in (used[0], used[-1]) else None)  # fmt: skip
    if len(used) > 2:
        axes.plot([], [], ":", color=look.INK, linewidth=0.9, label="and those between")


def _adaptive(axes: Axes, schedule: Schedule, minutes: Array) -> None:
    """Metric at the CR in use, broken where it switches."""
    label: str | None = "at the CR in use"
    for part in np.split(np.arange(len(minutes)), np.flatnonzero(np.diff(schedule.row)) + 1):
        look.band_curve(
            axes, minutes[part], schedule.value[part], (schedule.low[part], schedule.high[part]),
            schedule.in_domain[part], color=_COLOR, label=label if schedule.row[part[0]] else None,
        )  # fmt: skip
        label = None if schedule.row[part[0]] else label


def _staircase(axes: Axes, schedule: Schedule, minutes: Array) -> None:
    """Row in use over time, against the images that it brings."""
    labels = [row.label for row in schedule.table.rows]
    axes.step(minutes, schedule.row, where="post", color=look.series_colors(3)[0])
    first, last = int(schedule.row.min()), int(schedule.row.max())
    axes.set_yticks(range(first, last + 1), labels[first : last + 1], fontsize=6)
    axes.set_ylim(first - 0.3, last + 0.3)
    axes.set_ylabel("CR in use")
    unit, name = _scale(schedule.images_delivered)
    best = schedule.best_fixed_images
    gain = f", {schedule.images_delivered / best:.2f} × the best fixed CR" if best > 0 else ""
    axes.set_title(
        f"{schedule.images_delivered / unit:.3g}{_SPOKEN[name]} images{gain} "
        f"({format_cr(schedule.best_fixed_cr)})"
    )


def _scale(largest: float) -> tuple[float, str]:
    """Divisor for an axis of counts, and what to write behind its name."""
    for unit, name in ((1e9, " [billions]"), (1e6, " [millions]"), (1e3, " [thousands]")):
        if largest >= 2 * unit:
            return unit, name
    return 1.0, ""
