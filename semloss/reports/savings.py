"""Picture of two links over all SNR and CR: their curves, and a map of which is better where."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from semloss.comparing import SavedAnswer
from semloss.comparing.saved import SavedPair
from semloss.errors import SemlossError
from semloss.reports import look
from semloss.units import format_cr

_CURVES = 4
_ALONG = 61


def savings_plot(answer: SavedAnswer, path: Path | str) -> None:
    """Draw the metric over SNR per CR for both links, and the map of their difference.

    The numbers of both lie beside the picture. A line of the map is where the two are even.

    Raises
    ------
    SemlossError
        When several links are compared with the base.
    """
    if len(answer.pairs) != 1:
        others = ", ".join(one.other for one in answer.pairs)
        raise SemlossError(
            f"a picture is of two links, and here are {others} against {answer.pairs[0].base}; "
            "choose by --where"
        )
    (pair,) = answer.pairs
    ratios = np.intersect1d(pair.points[0].cr.round(9), pair.points[1].cr.round(9))
    if not len(ratios):
        ratios = np.unique(pair.points[0].cr)
    low = max(points.snr_db.min() for points in pair.points)
    high = min(points.snr_db.max() for points in pair.points)
    if not low < high:
        raise SemlossError("a picture needs SNRs that both links were measured between")
    snr_db = np.linspace(low, high, _ALONG)
    told = [
        fit.predict(cr=ratios[:, None], snr_db=snr_db[None], interval=answer.level)
        for fit in pair.fits
    ]
    fit = pair.fits[0]
    title = f"{_label(pair).partition(' [')[0]}: {pair.other} against {pair.base}"
    table = pd.DataFrame({
        "cr": np.repeat(ratios, _ALONG), "snr_db": np.tile(snr_db, len(ratios)),
        pair.base: np.ravel(told[0].value), pair.other: np.ravel(told[1].value),
    })  # fmt: skip
    several = len(ratios) > 1
    with look.picture(
        path, look.PAGE, 5.8 if several else 3.0, title, look.origin(*pair.fits), table
    ) as figure:
        grid = figure.subplots(2 if several else 1, 1, squeeze=False)[:, 0]
        _curves(grid[0], pair, told, ratios, snr_db)
        if several:
            away = fit.sign * (np.asarray(told[1].value) - np.asarray(told[0].value))
            _map(figure, grid[1], pair, away, ratios, snr_db)


def _label(pair: SavedPair) -> str:
    """The metric, with the receiver that both have."""
    receivers = {fit.receiver for fit in pair.fits}
    return look.metric_label(
        pair.fits[0].metric, receivers.pop() if len(receivers) == 1 else "none"
    )


def _curves(axes: Axes, pair: SavedPair, told: list[Any], ratios: Any, snr_db: Any) -> None:  # noqa: ANN401
    shown = look.shown_ratios(ratios)
    chosen = shown[np.unique(np.linspace(0, len(shown) - 1, _CURVES).round().astype(int))]
    colors = look.series_colors(len(chosen))
    for cr, color in zip(chosen, colors, strict=True):
        at = int(np.argmin(np.abs(ratios - cr)))
        for one, style in zip(told, ("--", "-"), strict=True):
            band = np.asarray(one.low)[at], np.asarray(one.high)[at]
            look.band_curve(axes, snr_db, np.asarray(one.value)[at], band,
                            np.broadcast_to(one.in_domain, (len(ratios), _ALONG))[at],
                            color=color, linestyle=style)  # fmt: skip
    keys: list[Any] = [look.key(f"CR {format_cr(float(cr))}", color, linewidth=4)
            for cr, color in list(zip(chosen, colors, strict=True))[::-1]]  # fmt: skip
    keys += [look.key(pair.other, look.INK), look.key(pair.base, look.INK, linestyle="--"),
             look.band_key("band of each")]  # fmt: skip
    outside = [np.asarray(one.in_domain).all() for one in told]
    look.legend(axes, [*keys, *look.outside_key(np.array(outside))])
    look.snr_axis(axes.xaxis)
    axes.set_ylabel(_label(pair))
    sns.despine(ax=axes)


def _map(
    figure: Figure,
    axes: Axes,
    pair: SavedPair,
    away: Any,  # noqa: ANN401 - (R, S) how much better the other is
    ratios: Any,  # noqa: ANN401
    snr_db: Any,  # noqa: ANN401
) -> None:
    most = max(float(np.abs(away).max()), 1e-9)
    mesh = axes.pcolormesh(snr_db, np.log(ratios), away, cmap=look.DIVERGING_MAP, shading="gouraud",
                           norm=TwoSlopeNorm(0.0, -most, most))  # fmt: skip
    if away.min() < 0 < away.max():
        axes.contour(snr_db, np.log(ratios), away, levels=[0.0], colors=look.INK, linewidths=1.2)
        look.legend(axes, [look.key("both even", linewidth=1.2)])
    look.colorbar(figure, axes, mesh, f"{_label(pair)},\nby which {pair.other} is better")
    look.snr_axis(axes.xaxis)
    look.cr_axis(axes.yaxis, ratios)
