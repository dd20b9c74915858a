"""Picture of a ledger: how the level runs from amplifier to decoder, and where decibels go."""

from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from seaborn import despine

from semloss.planning.budget.ledger import Ledger
from semloss.reports.look import ACCENT, INK, paper_style, save_picture, series_colors

_TOTALS = ("eirp_dbw", "c_n0_dbhz", "es_n0_db", "snr_db")
_DIGITAL_TOTALS = ("eirp_dbw", "c_n0_dbhz", "eb_n0_db", "digital_margin_db")
_BIG_DB = 40.0
"""Terms above it, free space and the bandwidth, would hide the losses that a design can change."""


@dataclass(frozen=True)
class _Step:
    """A bar from `start` to `stop`; a total's bar starts at zero."""

    name: str
    start: float
    stop: float
    total: bool

    @property
    def change(self) -> float:
        return self.stop - self.start


def waterfall_plot(ledger: Ledger, path: Path | str) -> None:
    """Draw the ledger's sum step by step, and beside it the losses that are not free space.

    Raises
    ------
    SemlossError
        When the picture cannot be written or its suffix is not png, pdf or svg.
    """
    steps = _steps(ledger)
    with paper_style():
        figure = Figure(figsize=(11.0, 0.27 * len(steps) + 1.6), layout="constrained")
        margins = _margins(ledger)
        left, right = figure.subfigures(1, 2, width_ratios=(3, 2), squeeze=False)[0]
        _draw_chain(left.subplots(), steps)
        losses = _losses(steps)
        if margins:
            above, below = right.subplots(2, 1, height_ratios=(len(losses) + 1, len(margins) + 1))
            _draw_bars(below, margins, series_colors(3)[1], "What the target needs")
        else:
            above = right.subplots()
        _draw_bars(above, losses, ACCENT, "Losses besides free space")
        figure.suptitle(ledger.link.name, x=0.01, ha="left", fontweight="bold")
        save_picture(figure, path)


def _steps(ledger: Ledger) -> list[_Step]:
    """Terms of the sum in order, and its results."""
    digital = "snr_db" not in ledger
    totals = _DIGITAL_TOTALS if digital else _TOTALS
    level, steps = 0.0, []
    parts = {row.key for row in ledger.lines if row.sign in ("+", "-")}
    for row in ledger.lines:
        if row.key in totals and (row.sign == "=" or row.key in parts):
            steps.append(_Step(row.name, 0.0, row.value, True))
            level = row.value
        elif row.sign in ("+", "-"):
            after = level + (row.value if row.sign == "+" else -row.value)
            if row.value:
                steps.append(_Step(row.name, level, after, False))
            level = after
        if row.key == totals[-1]:
            break
    return steps


def _draw_chain(axes: Axes, steps: list[_Step]) -> None:
    dark, middle, _ = series_colors(3)
    low = min(min(step.start, step.stop) for step in steps)
    high = max(max(step.start, step.stop) for step in steps)
    for y, step in enumerate(steps):
        color = dark if step.total else middle if step.change > 0 else ACCENT
        axes.barh(y, step.change, left=step.start, height=0.68, color=color)
        text = f"{step.stop:.2f}" if step.total else f"{step.change:+.2f}"
        axes.text(
            max(step.start, step.stop) + 0.012 * (high - low), y, text.replace("-", "−"),
            va="center", fontsize="small", fontweight="bold" if step.total else "normal",
        )  # fmt: skip
        if y + 1 < len(steps):
            axes.plot([step.stop, step.stop], [y, y + 1], color=INK, linewidth=0.5, zorder=0)
    axes.set_yticks(range(len(steps)), [step.name for step in steps])
    for label, step in zip(axes.get_yticklabels(), steps, strict=True):
        label.set_fontweight("bold" if step.total else "normal")
    axes.invert_yaxis()
    axes.set_xlim(low - 0.02 * (high - low), high + 0.14 * (high - low))
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlabel("level [dBW, dBHz or dB]")
    axes.set_title("From amplifier to decoder")
    despine(ax=axes)


def _losses(steps: list[_Step]) -> list[tuple[str, float]]:
    """Losses that a design can change, largest first."""
    small = [s for s in steps if not s.total and -_BIG_DB < s.change < 0]
    losses = [(s.name, -s.change) for s in small if s.name != "system noise in dBK"]
    return sorted(losses, key=lambda loss: -loss[1])


def _margins(ledger: Ledger) -> list[tuple[str, float]]:
    """SNR reached and needed, and the margins."""
    keys = ("snr_db", "required_snr_db", "snr_margin_db", "confident_margin_db", "margin_db",
            "excess_db", "digital_margin_db")  # fmt: skip
    found = [(row.name, row.value) for row in ledger.lines if row.key in keys]
    return found if len(found) > 1 else []


def _draw_bars(
    axes: Axes, bars: list[tuple[str, float]], color: tuple[float, ...] | str, title: str
) -> None:
    for y, (_, value) in enumerate(bars):
        axes.barh(y, value, height=0.68, color=color)
        axes.text(
            max(value, 0), y, f" {value:.2f}".replace("-", "−"), va="center", fontsize="small"
        )
    axes.set_yticks(range(len(bars)), [name for name, _ in bars])
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlabel("dB")
    axes.set_title(title)
    despine(ax=axes)
