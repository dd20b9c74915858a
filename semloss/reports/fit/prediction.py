"""Picture of one answer: a prediction, or what a target needs."""

import math
from pathlib import Path

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes

from semloss.reports.look import (
    ACCENT,
    INK,
    cr_axis,
    metric_label,
    paper_style,
    picture,
    series_colors,
)
from semloss.reports.page import signed
from semloss.surfaces.fitted.fit import Fit, Prediction
from semloss.surfaces.fitted.requirements import Requirement
from semloss.units import format_cr


def prediction_plot(
    fit: Fit, path: Path | str, point: Prediction, needed: Requirement | None = None
) -> None:
    """Draw the curve through an answer, its band, the answer itself and its numbers.

    The curve runs along SNR at the asked CR; for a CR that was solved for, along CR at the
    asked SNR. Outside the fitted range it is dashed.

    Parameters
    ----------
    point
        Scalar prediction to mark.
    needed
        The requirement that led to `point`, where a target was asked.

    Raises
    ------
    SemlossError
        When the picture cannot be written or its suffix is not png, pdf or svg.
    """
    along_cr = needed is not None and needed.solved == "cr"
    low, high = np.log(fit.cr_range) if along_cr else fit.snr_db_range
    here = float(np.log(point.cr)) if along_cr else float(point.snr_db)
    axis = np.linspace(min(low, here), max(high, here), 301)
    ratios = np.exp(axis) if along_cr else np.full_like(axis, point.cr)
    levels = np.full_like(axis, point.snr_db) if along_cr else axis
    interval = 0.95 if point.interval is None else point.interval
    curve = fit.predict(cr=np.minimum(ratios, 1.0), snr_db=levels, interval=interval)
    inside = np.asarray(curve.in_domain)
    with picture(path, 5.8, 4.0, style=paper_style) as figure:
        axes = figure.subplots()
        color = series_colors(3)[1]
        axes.fill_between(
            axis, curve.low, curve.high, color=color, alpha=0.2, linewidth=0,
            label=f"{100 * interval:g} % band",
        )  # fmt: skip
        if inside.any():
            axes.plot(axis, np.where(inside, curve.value, np.nan), color=color, label="fit")
        if not inside.all():
            axes.plot(
                axis, np.where(inside, np.nan, curve.value), "--", color=color,
                label="outside the fitted domain",
            )  # fmt: skip
        axes.margins(y=0.25)  # room for the numbers above a plateau and below a foot
        if needed is not None:
            _target(axes, needed, here, float(axis[-1]), along_cr)
        error = [[point.value - point.low], [point.high - point.value]]
        axes.errorbar(
            here, point.value, yerr=None if needed else error, fmt="o", color=ACCENT, capsize=3,
            markersize=7, markeredgecolor="white", zorder=5, clip_on=False,
        )  # fmt: skip
        _label(axes, fit, point, needed, here)
        if along_cr:
            cr_axis(axes.xaxis, ratios)
        else:
            axes.set_xlabel("SNR, Es/N0 [dB]")
        axes.set_ylabel(metric_label(fit.metric, fit.receiver))
        axes.set_xlim(axis[0], axis[-1])
        axes.set_title(
            signed(f"SNR = {point.snr_db:g} dB") if along_cr else f"CR = {format_cr(point.cr)}"
        )
        axes.legend(
            frameon=False,
            fontsize="small",
            loc="lower right" if fit.sign > 0 else "upper right",
        )
        sns.despine(ax=axes)


def _target(axes: Axes, needed: Requirement, here: float, last: float, along_cr: bool) -> None:
    """Target line, the drop to the axis, and the interval of what is needed."""
    axes.axhline(needed.target, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.axvline(here, ymax=0.97, color=ACCENT, linewidth=0.9, linestyle=":")
    low, high = needed.low, needed.high
    if along_cr:
        low, high = math.log(low), None if high is None else math.log(high)
    high = last if high is None else high
    axes.plot([low, high], [needed.target] * 2, color=ACCENT, linewidth=4, alpha=0.45, zorder=4,
              solid_capstyle="butt")  # fmt: skip


def _label(
    axes: Axes, fit: Fit, point: Prediction, needed: Requirement | None, here: float
) -> None:
    """Numbers of the answer, beside its mark on the side that the curve leaves free."""
    if needed is None:
        text = f"{point.value:.4g}  [{point.low:.4g} … {point.high:.4g}]\nat {point.snr_db:g} dB"
    elif needed.solved == "snr_db":
        top = "…" if needed.high is None else f"… {needed.high:.1f}"
        text = f"{needed.target:g} needs {needed.snr_db:.2f} dB\n[{needed.low:.1f} {top}]"
    else:
        top = "…" if needed.high is None else f"… {needed.high:.3g}"
        text = (
            f"{needed.target:g} needs CR {needed.cr:.4f}\n[{needed.low:.3g} {top}]; "
            f"{needed.cr_fraction} meets it"
        )
    text = signed(text)
    left, right = axes.get_xlim()
    rightwards = here < 0.55 * left + 0.45 * right
    down = (fit.sign > 0) == rightwards
    axes.annotate(
        text,
        (here, point.value),
        xytext=(14 if rightwards else -14, -16 if down else 16),
        textcoords="offset points",
        ha="left" if rightwards else "right",
        va="top" if down else "bottom",
        fontsize="medium",
        color=ACCENT,
        zorder=6,
    )
