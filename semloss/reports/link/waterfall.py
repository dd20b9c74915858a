"""Picture of a ledger: what each term of the sum is worth, and what it leads to."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator
from seaborn import despine

from semloss.layout import digits
from semloss.planning.budget.ledger import Ledger
from semloss.reports import look
from semloss.reports.page import signed
from semloss.units import format_cr

_TOTALS = ("eirp_dbw", "c_n0_dbhz", "es_n0_db", "eb_n0_db", "snr_db", "digital_margin_db")
_NEEDS = ("snr_db", "required_snr_db", "snr_margin_db", "confident_margin_db", "margin_db",
          "excess_db", "digital_margin_db")  # fmt: skip
_EVEN_DB = 3.0
"""Up to it the axis of decibels is even, beyond it logarithmic: a small loss shows too."""


def waterfall_plot(ledger: Ledger, path: Path | str, title: str = "") -> None:
    """Draw the terms of the ledger's sum in order, and what its target needs and its fit says.

    `title` says what was asked; by default, what the ledger is for.
    """
    parts = [row for row in ledger.lines if row.sign in ("+", "-") and row.value]
    last = next((i for i, row in enumerate(ledger.lines) if row.key == "snr_db"), len(ledger.lines))
    chain = [
        (row.name, row.value if row.sign != "-" else -row.value, row.key in _TOTALS)
        for row in ledger.lines[: last + 1]
        if row in parts or (row.key in _TOTALS and row.sign == "=")
    ]
    needs = [(row.name, row.value, False) for row in ledger.lines if row.key in _NEEDS]
    about = "the link alone, without a fit" if ledger.fit is None else look.origin(ledger.fit)
    with look.picture(
        path, look.PAGE, max(2.6, 0.19 * len(chain) + 0.6), title or _title(ledger), about
    ) as figure:
        two = len(needs) > 1 or ledger.prediction is not None
        grid = figure.add_gridspec(2, 2 if two else 1, height_ratios=(2, 1))
        terms = figure.add_subplot(grid[:, 0])
        _bars(terms, chain)
        _logarithmic(terms, [value for _, value, _ in chain])
        terms.set_title("terms of the sum [dB]; bold: results [dBW, dBHz, dB]")
        if len(needs) > 1:
            bars = figure.add_subplot(grid[0, 1])
            _bars(bars, needs)
            bars.set_xlabel("SNR and margins [dB]")
            bars.xaxis.set_major_locator(MaxNLocator(4))
        if ledger.prediction is not None:
            _metric(figure.add_subplot(grid[1 if len(needs) > 1 else 0, 1]), ledger)


def _title(ledger: Ledger) -> str:
    """What the ledger is of, for which metric and target, and whether that is met."""
    title, point = f"{ledger.link.name}: link budget", ledger.prediction
    if point is None:
        return title
    assert ledger.fit is not None
    title += f" for {look.name_of(point)}"
    if ledger.required is not None:
        title += f" {'≥' if ledger.fit.sign > 0 else '≤'} {ledger.required.target:g}"
    if ledger.confident is not None and ledger.confident.confidence:
        title += f" with {100 * ledger.confident.confidence:g} % confidence"
    title += f" at CR {format_cr(float(point.cr))}"
    return title if ledger.met is None else f"{title}: {'met' if ledger.met else 'NOT met'}"


def _bars(axes: Axes, bars: list[tuple[str, float, bool]]) -> None:
    """Draw a bar for each name, to the right where it adds; its value stands at its name."""
    value = np.array([one for _, one, _ in bars])
    color = [
        look.INK if total else look.KINDS[0] if x >= 0 else look.KINDS[1] for _, x, total in bars
    ]
    hatch = ["" if total or x >= 0 else "////" for _, x, total in bars]
    rows = np.arange(len(bars))
    axes.barh(rows, value, height=0.68, color=color, hatch=hatch, edgecolor="white", linewidth=0.3)
    axes.axvline(0, color=look.INK, linewidth=0.8)
    _name_rows(axes, [f"{name}   {x + 0.0:.2f}".replace("-0.00", "0.00") for name, x, _ in bars])
    for label, (_, _, total) in zip(axes.get_yticklabels(), bars, strict=True):
        label.set_fontweight("bold" if total else "normal")


def _name_rows(axes: Axes, names: list[str]) -> None:
    """Write what each row is, from the top, and its number."""
    axes.set_yticks(range(len(names)), [signed(name) for name in names], fontsize=6.5)
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    despine(ax=axes, left=True)


def _logarithmic(axes: Axes, values: list[float]) -> None:
    """Spread the small terms: even about zero, logarithmic beyond."""
    axes.set_xscale("symlog", linthresh=_EVEN_DB)
    ticks = [tick for tick in (-100, -10, 0, 10, 100) if min(values) <= tick <= max(values)]
    axes.set_xticks(ticks)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: signed(f"{x:g}")))
    axes.minorticks_off()
    axes.set_xlabel(f"gain or loss, result [dB]; logarithmic beyond ±{_EVEN_DB:g}")


def _metric(axes: Axes, ledger: Ledger) -> None:
    """Predicted metric, its band and the target, a row each."""
    point = ledger.prediction
    assert point is not None
    value, low, high = (float(x) for x in (point.value, point.low, point.high))
    places = digits(0.5 * (high - low))
    level = 95 if point.interval is None else 100 * point.interval
    rows = [
        f"predicted{'' if point.in_domain else f', {look.OUTSIDE}'}   {value:.{places}f}",
        f"its {level:g} % band   {low:.{places}f} … {high:.{places}f}",
    ]
    axes.plot([value], [0], "o", color=look.KINDS[0])
    axes.barh([1], [high - low], left=low, height=0.4, color=look.KINDS[0], alpha=0.4)
    if ledger.required is not None:
        rows.append(f"target   {ledger.required.target:g}")
        axes.axvline(ledger.required.target, **look.TARGET_LINE)
        axes.plot([ledger.required.target], [2], "D", color=look.ACCENT, markersize=5)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    _name_rows(axes, rows)
    axes.use_sticky_edges = False
    axes.margins(x=0.15)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.set_xlabel(look.label_of(point))
