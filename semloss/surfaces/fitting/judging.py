"""What to say of a fit: how the search ended, whether it follows the data, and what stands out."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import f as fisher

from semloss.arrays import Array, Mask
from semloss.selection import Points
from semloss.selection.order import Disorder, compared, disorders, scatter_between_neighbours
from semloss.surfaces.fitted.outcome import Following, Outcome
from semloss.surfaces.fitting.form_fit import FormFit, admitted
from semloss.surfaces.fitting.scatter import falls, variance
from semloss.surfaces.forms import FORMS
from semloss.units import format_cr

_NO_FORM = (
    "no form of the ladder follows these measurements: are they of one codec, channel and task "
    "(--group-by)? Trust predictions near the measured cells only"
)
_POOR = 0.05
"""Share of the metric's range that a form may miss, beyond the noise, and still be called a fit."""
_CHANCE = 0.001
"""Chance at which a trend shows in a table that has none."""
_ROUGH = 2.0
"""Variance over all points, against that between neighbours, up to which a table has no shape."""
_NAMED = 3
"""Outliers, and rows in the wrong order, that are named."""
_FAR = 4.5
"""Standardised residual beyond which the diagnosis lists a cell."""
_MOST_ROWS = 100
"""Most CRs, SNRs or cells that the diagnosis lists; points that lie on no grid have more."""


def judged(
    fit: FormFit, quality: Mapping[str, Any], added: Array | float = 0.0
) -> tuple[Outcome, str, dict[str, Any]]:
    """How a fit ended, what to know about it, and the figures behind that.

    Answers are the form's values and what is `added` (N,) to them; a form that misses what its
    answers follow is told, and flags nothing. `quality` tells the range and the choice; the
    figures join it: `follows` (a `Following`), `misses_by_percent` of the range where it does
    not, and `diagnosis`, what the measurements lack about the form by CR, by SNR and by cell, and
    the rows whose order is reversed.
    """
    points, far = fit.points, fit.outliers
    outcome, names = fit.outcome()
    if np.ptp(points.value) == 0:
        outcome, names = Outcome.CONSTANT_VALUES, ""
    inliers = points.subset(~far)
    residual = (points.value - fit.fitted())[~far]
    known = variance(points, fit.fitted())[~far]
    usual = 1.4826 * float(np.median(np.abs(residual)))
    local = scatter_between_neighbours(inliers)
    noise = known + max(min(usual, local or usual), 0.01 * quality["range"]) ** 2
    reversed_ = disorders(inliers, known)
    beyond = max((local or 0.0) ** 2 - float(known.mean()), 0.0)
    alone = answers = fit.scatter.model_error_sd**2
    if np.any(added):
        left = (points.value - fit.fitted() - added)[~far]
        answers = min(alone, max(float(np.mean(left**2) - known.mean()), 0.0))
    whole = quality["range"] or 1.0
    share, share_alone = (math.sqrt(max(part - beyond, 0.0)) / whole for part in (answers, alone))
    word = _word(inliers, residual, local, reversed_, falls(inliers, noise), share)
    lacks = word is Following.MISSES or (word is Following.NO_TREND and share > _POOR)
    if lacks and _cut_short(points, quality) and outcome is Outcome.CONVERGED:
        outcome = Outcome.TOO_FEW_POINTS  # a richer form might follow them
    said = "" if outcome is Outcome.CONVERGED else outcome.remedy
    meant = (
        _NO_FORM if word is Following.MISSES and quality["chosen_by"] != "named" else word.remedy
    )
    if outcome is Outcome.TOO_FEW_POINTS:
        meant = ""
    if word is Following.FOLLOWS and share_alone > _POOR:
        missed = 100 * math.sqrt(alone) / whole
        meant = f"the formula by itself misses by {missed:.2g} % of the range; answers add the rest"
    order = _named(points, reversed_) if word in (Following.UNEVEN, Following.FOLLOWS) else ""
    cells = _cells(fit, far, "weighed down as outliers")
    if word in (Following.UNEVEN, Following.MISSES) and not far.any():
        cells = _cells(fit, _far_off(fit), "far from the surface, --robust weighs it down")
    parts = (cells, order, meant, f"{names}: {said}" if names else said)
    figures: dict[str, Any] = {"follows": word.value, "diagnosis": _diagnosis(fit, reversed_)}
    if word is not Following.FOLLOWS:
        figures["misses_by_percent"] = 100 * math.sqrt(answers) / whole
    return outcome, "; ".join(filter(None, parts)), figures


def _word(
    points: Points,
    residual: Array,
    local: float | None,
    reversed_: list[Disorder],
    fallen: int,
    share: float,
) -> Following:
    """Whether the surface follows the points, outliers aside."""
    if np.ptp(points.value) == 0:
        return Following.NO_TREND
    about_mean = points.value - points.value.mean()
    rises = _explains(float(about_mean @ about_mean), float(residual @ residual), len(residual), 3)
    plane = 0 if rises else _along_a_plane(points)
    if plane < 0:
        return Following.REVERSED
    for axis in ("cr", "snr_db"):
        pairs = compared(points, axis)
        if pairs > 1 and 2 * sum(one.axis == axis for one in reversed_) > pairs:
            return Following.REVERSED
    if not rises:
        rough = math.inf if local is None else _ROUGH * local**2
        shaped = plane > 0 or float(np.var(about_mean)) > rough
        return Following.MISSES if shaped and not fallen else (
            Following.UNEVEN if shaped else Following.NO_TREND)  # fmt: skip
    if fallen or reversed_:
        return Following.UNEVEN
    return Following.MISSES if share > _POOR else Following.FOLLOWS


def _explains(whole: float, left: float, count: int, spent: int) -> bool:
    """Whether what a surface of `spent` degrees of freedom leaves is less than chance would."""
    free = count - spent - 1
    if free < 1:
        return whole > left
    ratio = (whole - left) / spent / max(left / free, 1e-300)
    return bool(ratio > fisher.isf(_CHANCE, spent, free))


def _along_a_plane(points: Points) -> int:
    """Where a plane over ln CR and SNR leads as the link rises: up, down, or 0 for nowhere."""
    axes = np.stack([np.log(points.cr), points.snr_db], axis=1)
    axes = (axes - axes.mean(axis=0))[:, np.ptp(axes, axis=0) > 0]
    axes = axes / axes.std(axis=0)
    value = points.sign * (points.value - points.value.mean())
    slope = np.linalg.lstsq(axes, value, rcond=None)[0]
    left = value - axes @ slope
    if not _explains(float(value @ value), float(left @ left), len(value), axes.shape[1]):
        return 0
    return int(np.sign(slope[np.argmax(np.abs(slope))]))


def _cut_short(points: Points, quality: Mapping[str, Any]) -> bool:
    """Whether richer forms were left out of the choice for want of points."""
    return quality["chosen_by"] != "named" and len(admitted(points)) < len(FORMS)


def _named(points: Points, reversed_: list[Disorder]) -> str:
    """The rows that are in the wrong order, the worst first."""
    told = []
    for one in sorted(reversed_, key=lambda one: -one.by)[:_NAMED]:
        low, high = _level(one.axis, one.low), _level(one.axis, one.high)
        places = "SNRs" if one.axis == "cr" else "CRs"
        told.append(
            f"{high} reads worse than {low} at {one.count} of {one.of} {places}, "
            f"by {one.by:.3g} on average"
        )
    more = f" and {len(reversed_) - _NAMED} more" if len(reversed_) > _NAMED else ""
    return "; ".join(told) + more


def _level(axis: str, at: float) -> str:
    return f"CR {format_cr(at)}" if axis == "cr" else f"{at:g} dB"


def _cells(fit: FormFit, which: Mask, what: str) -> str:
    """Cells (N,) by name, the farthest from the surface first."""
    away = fit.points.value - fit.fitted()
    far = sorted(np.flatnonzero(which), key=lambda i: -abs(float(away[i])))
    cells = [
        f"CR {format_cr(float(fit.points.cr[i]))} at {fit.points.snr_db[i]:g} dB "
        f"({away[i]:+.3g} from the surface)"
        for i in far[:_NAMED]
    ]
    more = f" and {len(far) - _NAMED} more" if len(far) > _NAMED else ""
    return f"{what}: {', '.join(cells)}{more}" if cells else ""


def _far_off(fit: FormFit) -> Mask:
    """Mask (N,) of the points that lie far from the surface, as the others do."""
    away = np.abs(fit.points.value - fit.fitted())
    usual = 1.4826 * float(np.median(away))
    scale = np.sqrt(variance(fit.points, fit.fitted()) + usual**2)
    return np.asarray(away > _FAR * np.maximum(scale, 1e-300))


def _diagnosis(fit: FormFit, reversed_: list[Disorder]) -> dict[str, Any]:
    """Measured less fitted by CR and by SNR, the cells far off, and rows in the wrong order."""
    points = fit.points
    away = points.value - fit.fitted()
    found: dict[str, Any] = {}
    for name, axis in (("cr", points.cr), ("snr_db", points.snr_db)):
        levels = np.unique(axis)
        rows = [(level, away[axis == level]) for level in levels[: _MOST_ROWS + 1]]
        found[f"by_{name}"] = [] if len(levels) > _MOST_ROWS else [
            {name: float(level), "points": len(own), "mean": float(own.mean()),
             "rms": float(np.sqrt(np.mean(own**2)))}
            for level, own in rows
        ]  # fmt: skip
    far = np.flatnonzero(_far_off(fit))
    far = far[np.argsort(-np.abs(away[far]), kind="stable")]
    found["cells"] = [
        {"cr": float(points.cr[i]), "snr_db": float(points.snr_db[i]), "seed": int(points.seed[i]),
         "away": float(away[i])}
        for i in far[:_MOST_ROWS]
    ]  # fmt: skip
    found["reversed"] = [
        {"axis": one.axis, "low": one.low, "high": one.high, "by": one.by, "count": one.count,
         "of": one.of}
        for one in reversed_[:_MOST_ROWS]
    ]  # fmt: skip
    return found
