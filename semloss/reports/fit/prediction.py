"""Picture of one answer: a prediction, or what a target needs."""

import math
from pathlib import Path

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes

from semloss.arrays import Array
from semloss.reports import look
from semloss.reports.page import capital, span
from semloss.surfaces.fitted.bands import level_text
from semloss.surfaces.fitted.fit import Fit, Prediction
from semloss.surfaces.fitted.requirements import Requirement
from semloss.units import format_cr

_PLURAL = {"cr": "CRs", "snr_db": "SNRs"}


def prediction_plot(
    fit: Fit, path: Path | str, point: Prediction, needed: Requirement | None = None
) -> None:
    """Draw the curve through an answer, its band, the answer itself and its numbers.

    The curve runs along SNR at the asked CR; for a CR that was solved for, along CR at the
    asked SNR. Outside the fitted domain it is dotted. Cells measured on it are drawn where the
    fit file holds their values; strokes at the foot are the measured SNRs, or CRs.

    Parameters
    ----------
    point
        Scalar prediction to mark.
    needed
        The requirement that led to `point`, where a target was asked.
    """
    along_cr = needed is not None and needed.solved == "cr"
    low, high = np.log(fit.cr_range) if along_cr else fit.snr_db_range
    here = float(np.log(point.cr)) if along_cr else float(point.snr_db)
    if high - low < 1e-9:  # measured at one SNR, or at one CR
        low, high = low - 1.0, high + 1.0
    axis = np.unique(np.append(np.linspace(min(low, here), max(high, here), 301), here))
    ratios = np.exp(axis) if along_cr else np.full_like(axis, point.cr)
    levels = np.full_like(axis, point.snr_db) if along_cr else axis
    interval = 0.95 if point.interval is None else point.interval
    curve = fit.predict(cr=np.minimum(ratios, 1.0), snr_db=levels, interval=interval)
    inside = np.asarray(curve.in_domain)
    cells = _on_the_curve(fit, point, along_cr)
    untold = "" if len(fit.measured_cells()) else "; its cells' own values are not in the fit file"
    about = f"{look.origin(fit)}{untold}"
    with look.picture(path, 5.8, 3.2, _title(fit, point, needed), about) as figure:
        axes = figure.subplots()
        color = look.series_colors(3)[1]
        look.band_curve(axes, axis, np.asarray(curve.value), (curve.low, curve.high), inside,
                   color=color, label="fit")  # fmt: skip
        keys = [look.band_key(f"band, {level_text(interval, fit.band)}", color)]
        if len(cells):
            axes.plot(*cells.T, "s", color=color, markersize=5, markeredgecolor="white", zorder=4,
                      label="measured")  # fmt: skip
        axes.margins(y=0.1)
        if needed is not None:
            _target(axes, needed, here, float(axis[-1]), along_cr)
        axes.plot(here, point.value, "o", color=look.ACCENT, markersize=7, zorder=5,
                  markeredgecolor="white", label="the answer")  # fmt: skip
        _cells(axes, fit, axis[inside], point, along_cr)
        if along_cr:
            look.cr_axis(axes.xaxis, ratios)
        else:
            look.snr_axis(axes.xaxis)
        axes.set_ylabel(look.label_of(fit))
        pad = 0.03 * (axis[-1] - axis[0])
        axes.set_xlim(axis[0] - pad, axis[-1] + pad)
        look.legend(axes, [*keys, *look.outside_key(inside, color)])
        sns.despine(ax=axes)


def _on_the_curve(fit: Fit, point: Prediction, along_cr: bool) -> Array:
    """Place along the curve and value (N, 2) of the cells that were measured on it."""
    cells = fit.measured_cells()
    other, asked = (cells[:, 1], point.snr_db) if along_cr else (cells[:, 0], point.cr)
    on = np.isclose(other, asked, rtol=1e-3, atol=1e-9)
    place = np.log(cells[on, 0]) if along_cr else cells[on, 1]
    return np.column_stack([place, cells[on, 2]])


def _target(axes: Axes, needed: Requirement, here: float, last: float, along_cr: bool) -> None:
    """Target line, the drop to the axis, and the interval of what is needed."""
    look.target_line(axes, needed.target, f"target, {needed.target:g}")
    axes.axvline(here, ymax=0.97, color=look.ACCENT, linewidth=0.9, linestyle=":",
                 label="what is needed")  # fmt: skip
    low, high = needed.low, needed.high
    if along_cr:
        low, high = math.log(low), None if high is None else math.log(high)
    high = last if high is None else high
    axes.plot(
        [low, high],
        [needed.target] * 2,
        color=look.ACCENT,
        linewidth=4,
        alpha=0.45,
        zorder=4,
        solid_capstyle="butt",
        label=f"{100 * (needed.interval or 0.95):g} % interval of\nwhat is needed",
    )


def _cells(axes: Axes, fit: Fit, inside: Array, point: Prediction, along_cr: bool) -> None:
    """Which SNRs or CRs were measured: strokes at the foot; of an old fit, how far they reach."""
    at_foot = axes.get_xaxis_transform()
    along, across = ("cr", "snr_db") if along_cr else ("snr_db", "cr")
    levels, others = (np.array(fit.measured_levels(name)) for name in (along, across))
    if len(levels):
        x = np.log(levels) if along_cr else levels
        here = np.isclose(others, getattr(point, across), rtol=1e-3, atol=1e-9).any()
        label = f"measured {_PLURAL[along]}" + ("" if here else f",\nat other {_PLURAL[across]}")
        axes.plot(x, 0.02 + 0 * x, "|", color=look.GREY, markersize=9, markeredgewidth=1.4,
                  transform=at_foot, label=label)  # fmt: skip
    elif len(inside):
        axes.plot(
            inside[[0, -1]], [0.0, 0.0], color=look.GREY, linewidth=5, solid_capstyle="butt",
            transform=at_foot, label="reach of the\nmeasured cells",
        )  # fmt: skip


def _title(fit: Fit, point: Prediction, needed: Requirement | None) -> str:
    """The question and its answer."""
    name, cr, outside = capital(look.name_of(fit)), f"CR {format_cr(point.cr)}", ""
    if not point.in_domain:
        outside = f", {look.OUTSIDE}"
    if needed is None:
        level = level_text(0.95 if point.interval is None else point.interval, point.band)
        answer = span(point.value, point.low, point.high, level)
        return f"{name} at {cr} and SNR {point.snr_db:g} dB: {answer}{outside}"
    sign = "≥" if fit.sign > 0 else "≤"
    sure = f" with {100 * needed.confidence:g} % confidence" if needed.confidence else ""
    least = "at most " if needed.at_edge else ""
    along_cr = needed.solved == "cr"
    found = needed.cr if along_cr else needed.snr_db
    unit = "" if along_cr else " dB"
    answer = span(
        found, needed.low, needed.high, level_text(needed.interval or 0.95, needed.band), unit
    )
    ask = f"{name} {sign} {needed.target:g}{sure}"
    if along_cr:
        return (
            f"{ask} at SNR {point.snr_db:g} dB needs CR {least}{answer}, met by "
            f"{needed.cr_fraction}{outside}"
        )
    return f"{ask} at {cr} needs SNR {least}{answer}{outside}"
