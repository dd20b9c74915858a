"""Picture of one answer: a prediction, or what a target needs."""

import math
from pathlib import Path

import numpy as np
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from semloss.reports import look
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
    where = f"SNR {point.snr_db:g} dB" if along_cr else f"CR {format_cr(point.cr)}"
    title = f"{look.name_of(fit)} at {where}: {_answer(point, needed)}"
    with look.picture(path, 5.8, 3.2, title, look.origin(fit)) as figure:
        axes = figure.subplots()
        color = look.series_colors(3)[1]
        look.band_curve(axes, axis, np.asarray(curve.value), (curve.low, curve.high), inside,
                   color=color, label="fit")  # fmt: skip
        keys: list[Artist] = [look.band_key(f"{100 * interval:g} % band", color)]
        if not inside.all():
            keys.insert(0, look.key(look.OUTSIDE, color, linestyle=":", linewidth=1.0))
        axes.margins(y=0.1)
        if needed is not None:
            _target(axes, needed, here, float(axis[-1]), along_cr)
        error = [[point.value - point.low], [point.high - point.value]]
        axes.errorbar(
            here,
            point.value,
            yerr=None if needed else error,
            fmt="o",
            color=look.ACCENT,
            capsize=3,
            markersize=7,
            markeredgecolor="white",
            zorder=5,
            clip_on=False,
            label="the answer",
        )
        if along_cr:
            look.cr_axis(axes.xaxis, ratios)
        else:
            look.snr_axis(axes.xaxis)
        axes.set_ylabel(look.metric_label(fit.metric, fit.receiver))
        axes.set_xlim(axis[0], axis[-1])
        look.legend(axes, keys)
        sns.despine(ax=axes)


def _target(axes: Axes, needed: Requirement, here: float, last: float, along_cr: bool) -> None:
    """Target line, the drop to the axis, and the interval of what is needed."""
    look.target_line(axes, needed.target, f"target, {needed.target:g}")
    axes.axvline(here, ymax=0.97, color=look.ACCENT, linewidth=0.9, linestyle=":")
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
        label="interval of what\nis needed",
    )


def _answer(point: Prediction, needed: Requirement | None) -> str:
    """The answer in words."""
    if needed is None:
        return f"{point.value:.4g} [{point.low:.4g} … {point.high:.4g}] at {point.snr_db:g} dB"
    if needed.solved == "snr_db":
        top = "" if needed.high is None else f" {needed.high:.2f}"
        return f"{needed.target:g} needs {needed.snr_db:.2f} dB [{needed.low:.2f} …{top}]"
    top = "" if needed.high is None else f" {needed.high:.3g}"
    return (
        f"{needed.target:g} needs CR {needed.cr:.4f} [{needed.low:.3g} …{top}], met by "
        f"{needed.cr_fraction}"
    )
