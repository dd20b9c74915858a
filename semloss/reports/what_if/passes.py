"""Pictures of a pass, of the adaptive coding table and of outage, each with the CSV behind it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from semloss.arrays import Array, Mask
from semloss.facts import metric_facts
from semloss.layout import amount, share_of_time
from semloss.planning.budget.question import Answered
from semloss.planning.passes.adaptive import CodingRow, CodingTable, Schedule
from semloss.planning.passes.delivery import along
from semloss.planning.passes.outage import Outage
from semloss.planning.passes.simulation import PassResult
from semloss.reports import look
from semloss.reports.page import signed
from semloss.reports.what_if.panels import scale, stack
from semloss.units import format_cr

_COLOR = look.series_colors(3)[1]
_SPOKEN = {
    "": "", " [thousands]": " thousand", " [millions]": " million", " [billions]": " billion",
}  # fmt: skip
_FADING = {"rayleigh": "Rayleigh", "rician": "Rician {} dB", "shadowing": "log-normal {} dB"}


def pass_plot(
    result: PassResult, path: Path | str, schedule: Schedule | None = None, title: str = ""
) -> None:
    """Draw elevation, SNR, metric and images along a pass; its table lies beside the picture.

    With a schedule, the metric is that of the CR in use, and the CRs are drawn as a staircase;
    without, everything is at the result's one CR.

    Parameters
    ----------
    schedule
        The coding table's run along the same pass.
    title
        What was asked; by default, what is drawn.
    """
    minutes = result.pass_.time_s / 60
    asked = result.question
    at = f"CR {format_cr(result.cr)}" if schedule is None else "the CR in use"
    what = f"{look.name_of(asked.fit)} at {at}{_faded(result.fading)}"
    title = title or f"{asked.link.name}, {result.pass_.about}: {what}"
    about, x = look.origin(asked.fit), "time since rise [min]"
    data = result.frame() if schedule is None else pd.DataFrame(along(result, schedule))
    with stack(path, (1.1, 1.4, 1.6, 1.4), title, about, data, x) as panels:
        elevation, snr, metric, last = panels
        elevation.plot(minutes, result.pass_.elevation_deg, color=_COLOR)
        elevation.set_ylabel("elevation\n[deg]")
        elevation.set_ylim(bottom=0)
        snr.plot(minutes, result.snr_db, color=_COLOR,
                 label="SNR" if result.fading is None else "SNR without fades")  # fmt: skip
        snr.set_ylabel("SNR, Es/N0\n[dB]")
        if schedule is None:
            _required(snr, result)
            look.band_curve(metric, minutes, result.value, (result.low, result.high),
                       result.inside, color=_COLOR, label=at)  # fmt: skip
            unit, name = scale(result.images[-1])
            last.plot(minutes, result.images / unit, color=_COLOR)
            last.set_ylim(0, None if result.images_delivered > 0 else 1)
            last.set_ylabel(f"images\ndelivered\n{name.strip()}".rstrip())
            inside = result.inside
        else:
            _thresholds(snr, schedule)
            _adaptive(metric, schedule, minutes)
            _staircase(last, schedule, minutes)
            inside = schedule.in_domain
        if asked.target is not None:
            look.target_line(metric, asked.target, f"target, {asked.target:g}")
        _explain_band(metric, asked.level, inside)
        metric.set_ylabel(look.label_of(asked.fit).replace(", ", "\n", 1))
        metric.margins(y=0.1)
        last.set_xlim(minutes[0], minutes[-1])


def table_plot(table: CodingTable, path: Path | str) -> None:
    """Draw an adaptive coding table: the CR in use with its images a second, and the metric.

    Shaded is the hysteresis: there the row in use depends on where the SNR came from. The metric
    is that of the row in use as the SNR falls, which is the worse one; dotted where the fit was
    not measured. Bars at the steps are the thresholds' intervals.
    """
    rows, asked = table.rows[1:], table.question
    fit = asked.fit
    span = max(rows[-1].up_db - rows[0].down_db, 4.0)
    axis = np.linspace(rows[0].down_db - 0.15 * span, rows[-1].up_db + 0.2 * span, 1201)
    index = table.choose(axis)
    title = f"{asked.link.name}: CR to use for {look.demand(asked)}"
    heights = (max(1.6, 0.18 * len(table.rows)), 2.0)
    x, data = "SNR, Es/N0 [dB]", pd.DataFrame(table.records())
    with stack(path, heights, title, look.origin(fit), data, x) as (upper, lower):
        upper.plot(axis, index, color=look.INK, label="as the SNR falls")
        inside = np.ones(axis.shape, dtype=bool)
        for i, row in enumerate(rows):
            upper.fill_between([row.down_db, row.up_db], i, i + 1, color=look.INK, alpha=0.2,
                               linewidth=0, label=None if i else "hysteresis")  # fmt: skip
            high = float(axis[-1]) if row.snr_db_high is None else row.snr_db_high + table.margin_db
            upper.plot(
                [row.snr_db_low + table.margin_db, high], [i + 0.5] * 2,
                color=look.ACCENT, linewidth=1.6, solid_capstyle="butt",
                label=None if i else f"{asked.level} interval\nof the threshold",
            )  # fmt: skip
            used = index == i + 1
            if not used.any():
                continue
            assert row.cr is not None, "only off has none"
            band = fit.predict(cr=row.cr, snr_db=axis[used], interval=asked.interval)
            inside[used] = band.in_domain
            look.band_curve(lower, axis[used], np.asarray(band.value), (band.low, band.high),
                            band.in_domain, color=_COLOR)  # fmt: skip
        labels = [f"{_named(row)}:  {amount(row.images_per_s)}" for row in rows]
        upper.set_yticks(range(len(table.rows)), ["off", *labels], fontsize=6.5)
        _unmeasured(upper, rows)
        upper.set_ylabel("CR in use:\nimages per second")
        assert asked.target is not None, "a coding table has one"
        look.target_line(lower, asked.target, f"target, {asked.target:g}")
        lower.plot([], [], color=_COLOR, label="at the CR in use,\nas the SNR falls")
        _explain_band(lower, asked.level, inside)
        lower.margins(y=0.08)
        lower.set_ylabel(look.label_of(fit).replace(", ", "\n", 1))
        lower.set_xlim(axis[0], axis[-1])


def outage_plot(found: Outage, path: Path | str) -> None:
    """Draw the metric, and the SNR, against the share of the time in which it is exceeded.

    The axis spreads the rare: it is even in the logarithm of the share that is left.
    """
    left = -np.log10(100 - found.percent)
    asked = found.question
    fit, elevation = asked.fit, asked.link.elevation_deg
    where = "" if elevation is None else f", elevation {elevation:g} deg"
    where = where if found.pass_ is None else f", {found.pass_.about}"
    better = "exceeded" if fit.direction != "lower" else "kept below"
    title = (
        f"{asked.link.name}{where}: {look.name_of(fit)} at CR {format_cr(found.cr)}"
        f"{_faded(found.fading)}, {better} in which share of the time"
    )
    about = look.origin(fit)
    inside = np.asarray(fit.predict(cr=found.cr, snr_db=found.snr_db_exceeded).in_domain)
    x = f"share of the time in which it is {better} [%], even in the logarithm of the rest"
    with stack(path, (2.2, 1.6), title, about, found.frame(), x) as (metric, snr):
        look.band_curve(metric, left, found.value_exceeded,
                        (found.low_exceeded, found.high_exceeded), inside, color=_COLOR,
                        marker="o", markersize=4.5,
                        label=metric_facts(fit.metric).label)  # fmt: skip
        _explain_band(metric, asked.level, inside)
        metric.axhline(found.expected, color=look.INK, linewidth=0.9, linestyle="-.",
                       label=signed(f"expected, {found.expected:.4g}"))  # fmt: skip
        if asked.target is not None:
            assert found.met_percent is not None
            met = f"target {asked.target:g}, met in\n{share_of_time(found.met_percent)}"
            look.target_line(metric, asked.target, met + _kept(found))
        metric.set_ylabel(look.label_of(fit).replace(", ", "\n", 1))
        metric.margins(y=0.12)
        snr.plot(left, found.snr_db_exceeded, "o-", color=_COLOR, markersize=4.5)
        snr.set_ylabel("SNR, Es/N0\n[dB]")
        shown = look.apart(left, 0.08)
        snr.set_xticks(left[shown], [f"{percent:g}" for percent in found.percent[shown]])


def _named(row: CodingRow) -> str:
    """A row's CR, marked where no codec was measured at it."""
    return f"{row.label}*" if row.measured is False else row.label


def _unmeasured(axes: Axes, rows: Sequence[CodingRow]) -> None:
    """Have the legend explain the mark of CRs that were not measured."""
    if any(row.measured is False for row in rows):
        axes.plot([], [], color=look.INK, linestyle="", marker="$*$",
                  label="no codec was measured\nat this CR")  # fmt: skip


def _kept(answer: Answered) -> str:
    """Words about the margin that a target is met with."""
    keep = answer.question.link.margin_db
    return f"\nwith {keep:g} dB to spare" if keep else ""


def _explain_band(axes: Axes, level: str, inside: Mask) -> None:
    """Have the legend explain the band of the one curve, and its dots outside the domain."""
    axes.fill_between([], [], [], color=_COLOR, alpha=0.2, linewidth=0, label=f"band, {level}")
    for line in look.outside_key(inside, _COLOR):
        axes.add_line(line)


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
    least = result.required_snr_db + result.question.link.margin_db
    look.target_line(axes, least, f"target met{_kept(result)}\nfrom {least:.2f} dB")
    axes.fill_between(
        result.pass_.time_s / 60, least, result.snr_db, where=list(result.snr_db > least),
        color=look.ACCENT, alpha=0.12, linewidth=0, label="excess",
    )  # fmt: skip


def _thresholds(axes: Axes, schedule: Schedule) -> None:
    """Lower thresholds of the rows that the schedule uses."""
    used = [schedule.table.rows[i] for i in sorted(set(schedule.row.tolist()) - {0})]
    several = f":\n{used[0].label} the lowest, {used[-1].label} the highest" if used[1:] else ""
    for row in used:
        label = None if row is not used[0] else f"from where each CR is used{several}"
        axes.axhline(row.down_db, color=look.INK, linewidth=0.8, linestyle=(0, (1.5, 1.2)),
                     label=label)  # fmt: skip


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
    labels = [_named(row) for row in schedule.table.rows]
    axes.step(minutes, schedule.row, where="post", color=look.series_colors(3)[0])
    first, last = int(schedule.row.min()), int(schedule.row.max())
    axes.set_yticks(range(first, last + 1), labels[first : last + 1], fontsize=6)
    axes.set_ylim(first - 0.3, last + 0.3)
    _unmeasured(axes, schedule.table.rows[first : last + 1])
    axes.set_ylabel("CR in use")
    unit, name = scale(schedule.images_delivered)
    best = schedule.best_fixed_images
    gain = f", {schedule.images_delivered / best:.2f} × the best fixed CR" if best > 0 else ""
    axes.set_title(
        f"{schedule.images_delivered / unit:.3g}{_SPOKEN[name]} images{gain} "
        f"({format_cr(schedule.best_fixed_cr)})"
    )
