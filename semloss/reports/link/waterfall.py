"""Picture of a ledger: what each term of the sum is worth, and what it leads to."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter
from seaborn import despine

from semloss.planning.budget.ledger import Ledger
from semloss.reports import look
from semloss.reports.page import signed

_TOTALS = ("eirp_dbw", "c_n0_dbhz", "es_n0_db", "eb_n0_db", "snr_db", "digital_margin_db")
_NEEDS = ("snr_db", "required_snr_db", "snr_margin_db", "confident_margin_db", "margin_db",
          "excess_db", "digital_margin_db")  # fmt: skip
_EVEN_DB = 3.0
"""Up to it the axis of decibels is even, beyond it logarithmic: a small loss shows too."""


def waterfall_plot(ledger: Ledger, path: Path | str, title: str = "", about: str = "") -> None:
    """Draw the terms of the ledger's sum in order, and what its target needs and its fit says.

    Raises
    ------
    SemlossError
        When the picture cannot be written or its suffix is not png, pdf or svg.
    """
    parts = [row for row in ledger.lines if row.sign in ("+", "-") and row.value]
    last = next((i for i, row in enumerate(ledger.lines) if row.key == "snr_db"), len(ledger.lines))
    chain = [
        (row.name, row.value if row.sign != "-" else -row.value, row.key in _TOTALS)
        for row in ledger.lines[: last + 1]
        if row in parts or (row.key in _TOTALS and row.sign == "=")
    ]
    needs = [(row.name, row.value, False) for row in ledger.lines if row.key in _NEEDS]
    named = f"{ledger.link.name}: link budget" + (f"; {title}" if title else "")
    with look.picture(path, look.PAGE, max(2.6, 0.19 * len(chain) + 0.6), named, about) as figure:
        two = len(needs) > 1 or ledger.prediction is not None
        grid = figure.add_gridspec(2, 2 if two else 1)
        terms = figure.add_subplot(grid[:, 0])
        _bars(terms, chain)
        terms.set_xlabel("gain or loss [dB], results [dBW, dBHz, dB]")
        terms.set_title("terms of the sum (bold: results)")
        if len(needs) > 1:
            bars = figure.add_subplot(grid[0, 1])
            _bars(bars, needs)
            bars.set_xlabel("SNR and margins [dB]")
        if ledger.prediction is not None:
            _metric(figure.add_subplot(grid[1 if len(needs) > 1 else slice(None), 1]), ledger)


def _bars(axes: Axes, bars: list[tuple[str, float, bool]]) -> None:
    """Draw a bar for each name, to the right where it adds; its value stands at its end."""
    value = np.array([one for _, one, _ in bars])
    color = [
        look.INK if total else look.KINDS[0] if x >= 0 else look.KINDS[1] for _, x, total in bars
    ]
    hatch = ["" if total or x >= 0 else "////" for _, x, total in bars]
    rows = np.arange(len(bars))
    axes.barh(rows, value, height=0.68, color=color, hatch=hatch, edgecolor="white", linewidth=0.3)
    tick = 100 if np.abs(value).max() > 100 else 10
    axes.set_xscale("symlog", linthresh=_EVEN_DB)
    axes.set_xticks([-tick, 0, tick])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: signed(f"{x:g}")))
    axes.minorticks_off()
    for y, (_, x, total) in enumerate(bars):
        axes.annotate(
            signed(f"{x + 0.0:.2f}".replace("-0.00", "0.00")), (x, y),
            xytext=(3 if x >= 0 else -3, 0),
            textcoords="offset points", ha="left" if x >= 0 else "right", va="center",
            fontsize=6.5, fontweight="bold" if total else "normal",
        )  # fmt: skip
    axes.set_yticks(rows, [name for name, _, _ in bars], fontsize=6.5)
    for label, (_, _, total) in zip(axes.get_yticklabels(), bars, strict=True):
        label.set_fontweight("bold" if total else "normal")
    reach = 1000.0 * max(float(np.abs(value).max()), _EVEN_DB)  # room for the figures at the ends
    axes.set_xlim(-reach if value.min() < 0 else 0, reach if value.max() > 0 else 0)
    axes.invert_yaxis()
    axes.axvline(0, color=look.INK, linewidth=0.8)
    despine(ax=axes)


def _metric(axes: Axes, ledger: Ledger) -> None:
    """Predicted metric with its band, and the target."""
    point = ledger.prediction
    assert point is not None
    value, low, high = (float(x) for x in (point.value, point.low, point.high))
    axes.bar([0], [high - low], bottom=low, width=0.5, color=look.KINDS[0], alpha=0.3)
    axes.plot([0], [value], "o", color=look.KINDS[0], label=signed(f"predicted, {value:.4g}"))
    if ledger.required is not None:
        look.target_line(axes, ledger.required.target, f"target, {ledger.required.target:g}")
    level = 95 if point.interval is None else 100 * point.interval
    band = look.band_key(signed(f"{level:g} % band,\n{low:.4g} … {high:.4g}"), look.KINDS[0])
    inside = [] if point.in_domain else [look.band_key("outside the fitted domain", look.ACCENT)]
    look.legend(axes, [band, *inside])
    axes.set_xlim(-1, 1)
    axes.set_xticks([])
    axes.margins(y=0.3)
    axes.set_ylabel(look.metric_label(point.metric, point.receiver).replace(", ", "\n", 1))
    despine(ax=axes)
