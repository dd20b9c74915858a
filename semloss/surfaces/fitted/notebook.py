"""How a fitted surface shows itself in a notebook: a table and its curves, as one HTML text.

The curves are drawn by hand as SVG, so that showing a fit imports no plotting library. Every
text is escaped: a fit file may come from anywhere.
"""

import math
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from semloss.arrays import Array
from semloss.surfaces.files.fit_file import conventions
from semloss.surfaces.fitted.outcome import Outcome
from semloss.surfaces.forms import FORMS
from semloss.units import format_cr

if TYPE_CHECKING:
    from semloss.surfaces.fitted.fit import Fit

_CURVES = 5
_POINTS = 61
_COLORS = ("#440154", "#3b528b", "#21918c", "#5ec962", "#b5a300")
"""Dark to light along viridis, the last one darkened: told apart in grey and by any eye."""
_WIDTH, _HEIGHT = 420, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 78, 12, 38


def html(surface: "Fit") -> str:
    """Return a table of the fit and, beside it, its curves per CR with their 95 % bands."""
    receiver = "" if surface.receiver == "none" else f" ({surface.receiver})"
    (cr_low, cr_high), (snr_low, snr_high) = surface.cr_range, surface.snr_db_range
    remedy = surface.message
    if surface.outcome is not Outcome.CONVERGED:
        remedy = remedy or surface.outcome.remedy
    chosen_by = surface.quality.get("chosen_by")
    rows = [
        ("form", f"{surface.form}: {FORMS[surface.form].summary}"),
        ("outcome", f"{surface.outcome}{': ' + remedy if remedy else ''}"),
        ("RMSE", f"{_figure(surface.quality.get('rmse'))} over {_points(surface)} points"),
        ("held-out error", _figure(surface.quality.get("held_out"))),
        ("chosen by", chosen_by if isinstance(chosen_by, str) else "–"),
        (
            "domain",
            f"CR {format_cr(cr_low)} … {format_cr(cr_high)}, SNR {snr_low:g} … {snr_high:g} dB",
        ),
        *conventions(surface).items(),
    ]
    facts = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th>"
        f"<td style='text-align:left'>{escape(text)}</td></tr>"
        for name, text in rows
    )
    title = escape(f"{surface.metric}{receiver} = f(CR, SNR)")
    return (
        f"<div><b>{title}</b><div style='display:flex;flex-wrap:wrap;gap:1em'>"
        f"<div>{_svg(surface)}</div><div>{_parameters(surface)}</div></div>"
        f"<details><summary>fit and conventions</summary><table>{facts}</table></details></div>"
    )


def _figure(value: Any) -> str:  # noqa: ANN401 - from a fit file's free part
    """Three digits of a number; a dash for anything else."""
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:.3g}" if known else "–"


def _points(surface: "Fit") -> str:
    return _figure(surface.data.get("points", surface.quality.get("points")))


def _parameters(surface: "Fit") -> str:
    """Table of the parameters with unit, interval and meaning."""
    errors = np.sqrt(np.maximum(np.diag(surface.covariance), 0.0))
    lines = []
    for parameter, value, error in zip(
        FORMS[surface.form].all_parameters, surface.parameters, errors, strict=True
    ):
        if parameter.name in surface.intervals:
            low, high = surface.intervals[parameter.name]
            spread = f"{low:.3g} … {high:.3g}"
        else:
            spread = f"± {error:.2g}" if error > 0 else "held"
        unit = surface.metric if parameter.unit == "metric" else parameter.unit
        cells = (parameter.name, f"{value:.4g}", spread, unit, parameter.meaning)
        columns = "".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in cells)
        lines.append(f"<tr>{columns}</tr>")
    head = "".join(
        f"<th style='text-align:left'>{name}</th>"
        for name in ("parameter", "value", "95 % interval, or ± one sd", "unit", "meaning")
    )
    return f"<table><tr>{head}</tr>{''.join(lines)}</table>"


def _svg(surface: "Fit") -> str:
    """Metric against SNR, one curve per CR, shaded with its 95 % band."""
    snr = np.linspace(*surface.snr_db_range, _POINTS)
    ratios = _shown(*surface.cr_range)
    found = surface.predict(cr=np.minimum(ratios, 1.0)[:, None], snr_db=snr[None, :])
    least, most = float(np.min(found.low)), float(np.max(found.high))
    if not np.isfinite([least, most]).all() or most <= least:
        least, most = float(np.min(found.value)) - 0.5, float(np.max(found.value)) + 0.5
    span = float(np.ptp(snr)) or 1.0
    across = _LEFT + (snr - snr[0]) / span * (_WIDTH - _LEFT - _RIGHT)

    def up(value: Any) -> Any:  # noqa: ANN401 - a number or an array of them
        return _TOP + (most - value) / (most - least) * (_HEIGHT - _TOP - _BOTTOM)

    def path(x: Any, y: Any) -> str:  # noqa: ANN401 - arrays
        return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))

    parts = []
    for i in range(len(ratios)):
        color = _COLORS[i % len(_COLORS)]
        edge = path([*across, *across[::-1]], [*up(found.high[i]), *up(found.low[i])[::-1]])
        parts.append(f"<polygon points='{edge}' fill='{color}' fill-opacity='0.15'/>")
        curve = path(across, up(found.value[i]))
        parts.append(f"<polyline points='{curve}' fill='none' stroke='{color}' stroke-width='2'/>")
    labels = _apart([float(up(found.value[i][-1])) for i in range(len(ratios))])
    for i, (cr, y) in enumerate(zip(ratios, labels, strict=True)):
        parts.append(
            f"<text x='{_WIDTH - _RIGHT + 6}' y='{y + 4:.1f}' fill='{_COLORS[i % len(_COLORS)]}'>"
            f"CR {format_cr(float(cr))}</text>"
        )
    floor = _HEIGHT - _BOTTOM
    parts.append(f"<path d='M{_LEFT},{_TOP}V{floor}H{_WIDTH - _RIGHT}' fill='none' stroke='#666'/>")
    for value in _ticks(least, most):
        parts.append(
            f"<text x='{_LEFT - 6}' y='{up(value) + 4:.1f}' text-anchor='end'>{value:.3g}</text>"
        )
    for value in _ticks(float(snr[0]), float(snr[-1])):
        x = _LEFT + (value - snr[0]) / span * (_WIDTH - _LEFT - _RIGHT)
        parts.append(f"<text x='{x:.1f}' y='{floor + 16}' text-anchor='middle'>{value:.3g}</text>")
    parts.append(
        f"<text x='{(_LEFT + _WIDTH - _RIGHT) / 2}' y='{_HEIGHT - 4}' text-anchor='middle'>"
        "SNR, Es/N0 [dB]</text>"
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
