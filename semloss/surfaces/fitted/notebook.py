"""How a fitted surface shows itself in a notebook: a table and its curves, as one HTML text.

The curves are drawn by hand as SVG, so that showing a fit imports no plotting library. Every
text is escaped: a fit file may come from anywhere.
"""

import math
from html import escape
from typing import Any

import numpy as np

from semloss.arrays import Array
from semloss.facts import metric_facts
from semloss.surfaces.fitted.bands import KINDS, Band, at_points
from semloss.surfaces.fitted.conventions import conventions
from semloss.surfaces.fitted.data import FitData
from semloss.surfaces.fitted.outcome import Outcome, verdict
from semloss.surfaces.forms import FORMS
from semloss.units import format_cr

_CURVES = 5
_POINTS = 61
_COLORS = ("#440154", "#3b528b", "#21918c", "#5ec962", "#b5a300")
"""Dark to light along viridis, the last one darkened: told apart in grey and by any eye."""
_WIDTH, _HEIGHT = 420, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 78, 12, 38


def html(fit: FitData) -> str:
    """Return a table of the fit and, beside it, its curves per CR with their 95 % bands."""
    receiver = "" if fit.receiver == "none" else f" ({fit.receiver})"
    (cr_low, cr_high), (snr_low, snr_high) = fit.cr_range, fit.snr_db_range
    remedy = fit.message
    if fit.outcome is not Outcome.CONVERGED:
        remedy = remedy or fit.outcome.remedy
    chosen_by = fit.quality.get("chosen_by")
    rows = [
        ("form", f"{fit.form}: {FORMS[fit.form].summary}"),
        ("outcome", f"{verdict(fit.outcome, fit.quality)}{': ' + remedy if remedy else ''}"),
        ("RMSE", f"{_figure(fit.quality.get('rmse'))} over {_points(fit)} points"),
        ("held-out error", _figure(fit.quality.get("held_out"))),
        ("chosen by", chosen_by if isinstance(chosen_by, str) else "–"),
        (
            "domain",
            f"CR {format_cr(cr_low)} … {format_cr(cr_high)}, SNR {snr_low:g} … {snr_high:g} dB",
        ),
        *conventions(fit).items(),
    ]
    facts = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th>"
        f"<td style='text-align:left'>{escape(text)}</td></tr>"
        for name, text in rows
    )
    title = escape(f"{fit.metric}{receiver} = f(CR, SNR)")
    return (
        f"<div><b>{title}</b><div style='display:flex;flex-wrap:wrap;gap:1em'>"
        f"<div>{_svg(fit)}</div><div>{_parameters(fit)}</div></div>"
        f"<details><summary>fit and conventions</summary><table>{facts}</table></details></div>"
    )


def _figure(value: Any) -> str:  # noqa: ANN401 - from a fit file's free part
    """Three digits of a number; a dash for anything else."""
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:.3g}" if known else "–"


def _points(fit: FitData) -> str:
    return _figure(fit.data.get("points", fit.quality.get("points")))


def _parameters(fit: FitData) -> str:
    """Table of the parameters with unit, interval and meaning."""
    errors = np.sqrt(np.maximum(np.diag(fit.covariance), 0.0))
    lines = []
    for parameter, value, error in zip(
        FORMS[fit.form].all_parameters, fit.parameters, errors, strict=True
    ):
        if parameter.name in fit.intervals:
            low, high = fit.intervals[parameter.name]
            spread = f"{low:.3g} … {high:.3g}"
        else:
            spread = f"± {error:.2g}" if error > 0 else "held"
        unit = fit.metric if parameter.unit == "metric" else parameter.unit
        cells = (parameter.name, f"{value:.4g}", spread, unit, parameter.meaning)
        columns = "".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in cells)
        lines.append(f"<tr>{columns}</tr>")
    level = f"{100 * fit.interval_level:g} %"
    head = "".join(
        f"<th style='text-align:left'>{name}</th>"
        for name in ("parameter", "value", f"{level} interval, or ± one sd", "unit", "meaning")
    )
    return f"<table><tr>{head}</tr>{''.join(lines)}</table>"


def _svg(fit: FitData) -> str:
    """Metric against SNR, one curve per CR, shaded with its 95 % band."""
    snr = np.linspace(*fit.snr_db_range, _POINTS)
    ratios = _shown(*fit.cr_range)
    ln_cr, snr_db = np.broadcast_arrays(np.log(np.minimum(ratios, 1.0))[:, None], snr[None, :])
    found = at_points(fit, ln_cr.ravel(), snr_db.ravel(), Band())
    value, low, high = (edge.reshape(ln_cr.shape) for edge in found[:3])
    least, most = float(np.min(low)), float(np.max(high))
    if not np.isfinite([least, most]).all() or most <= least:
        least, most = float(np.min(value)) - 0.5, float(np.max(value)) + 0.5
    span = float(np.ptp(snr)) or 1.0
    across = _LEFT + (snr - snr[0]) / span * (_WIDTH - _LEFT - _RIGHT)

    def up(value: Any) -> Any:  # noqa: ANN401 - a number or an array of them
        return _TOP + (most - value) / (most - least) * (_HEIGHT - _TOP - _BOTTOM)

    def path(x: Any, y: Any) -> str:  # noqa: ANN401 - arrays
        return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))

    parts = []
    for i in range(len(ratios)):
        color = _COLORS[i % len(_COLORS)]
        edge = path([*across, *across[::-1]], [*up(high[i]), *up(low[i])[::-1]])
        parts.append(f"<polygon points='{edge}' fill='{color}' fill-opacity='0.15'/>")
        curve = path(across, up(value[i]))
        parts.append(f"<polyline points='{curve}' fill='none' stroke='{color}' stroke-width='2'/>")
    labels = _apart([float(up(value[i][-1])) for i in range(len(ratios))])
    for i, (cr, y) in enumerate(zip(ratios, labels, strict=True)):
        parts.append(
            f"<text x='{_WIDTH - _RIGHT + 6}' y='{y + 4:.1f}' fill='{_COLORS[i % len(_COLORS)]}'>"
            f"CR {format_cr(float(cr))}</text>"
        )
    floor = _HEIGHT - _BOTTOM
    parts.append(f"<path d='M{_LEFT},{_TOP}V{floor}H{_WIDTH - _RIGHT}' fill='none' stroke='#666'/>")
    for tick in _ticks(least, most):
        parts.append(
            f"<text x='{_LEFT - 6}' y='{up(tick) + 4:.1f}' text-anchor='end'>{tick:.3g}</text>"
        )
    for tick in _ticks(float(snr[0]), float(snr[-1])):
        x = _LEFT + (tick - snr[0]) / span * (_WIDTH - _LEFT - _RIGHT)
        parts.append(f"<text x='{x:.1f}' y='{floor + 16}' text-anchor='middle'>{tick:.3g}</text>")
    parts.append(
        f"<text x='{(_LEFT + _WIDTH - _RIGHT) / 2}' y='{_HEIGHT - 4}' text-anchor='middle'>"
        "SNR, Es/N0 [dB]</text>"
    )
    middle = (_TOP + floor) / 2
    parts.append(
        f"<text x='12' y='{middle}' text-anchor='middle' transform='rotate(-90 12 {middle})'>"
        f"{escape(metric_facts(fit.metric).title)}; shaded: 95 %, {KINDS[fit.band]}</text>"
    )
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{_WIDTH}' height='{_HEIGHT}' "
        f"viewBox='0 0 {_WIDTH} {_HEIGHT}' font-family='sans-serif' font-size='11' "
        f"style='background:white'>{''.join(parts)}</svg>"
    )


def _shown(low: float, high: float) -> Array:
    """CRs of the curves, evenly spaced in ln CR, as fractions 1/m where that moves them little."""
    ratios = np.geomspace(low, high, _CURVES)
    whole = 1.0 / np.maximum(np.round(1.0 / ratios), 1.0)
    near = (whole > low) & (whole < high) & (np.abs(whole / ratios - 1.0) < 0.15)
    return np.unique(np.where(near, whole, ratios))


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers, about five of them, between two ends."""
    rough = max(high - low, 1e-12) / 5.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def _apart(heights: list[float], gap: float = 13.0) -> list[float]:
    """Label heights moved as little as keeps them from lying on one another."""
    order = np.argsort(heights)
    placed = np.array(heights)[order]
    for i in range(1, len(placed)):
        placed[i] = max(placed[i], placed[i - 1] + gap)
    placed -= max(float(placed[-1]) - (_HEIGHT - _BOTTOM), 0.0)
    moved = np.empty_like(placed)
    moved[order] = placed
    return [float(y) for y in moved]
