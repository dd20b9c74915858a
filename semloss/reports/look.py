"""One look for every picture: readable in print, in grey and for colour-blind eyes.

Fonts and colours, titles, axes of CR and SNR, curves with their bands, legends beside the data,
and saving a picture with the table behind it.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import fill, wrap
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.colorbar import Colorbar
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, NullLocator

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.facts import metric_facts
from semloss.planning.budget.question import Question
from semloss.reports.page import signed
from semloss.storage import picture_kind, write_atomically
from semloss.surfaces.fitted.fit import Fit
from semloss.surfaces.fitted.outcome import flagged, verdict
from semloss.units import ROUND_CRS, format_cr

MARKERS = ("o", "s", "D", "^", "v", "<", ">", "p")
SURFACE_MAP = "cividis"
DIVERGING_MAP = "PuOr"
"""Told apart by colour-blind eyes."""
INK = "#222222"
ACCENT = "#c1440e"
GREY = "#6b6b6b"
KINDS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
"""Colours of things without an order, told apart by colour-blind eyes (Okabe and Ito, 2008)."""
DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 1.5)),
    (0, (1.5, 1.2)),
    (0, (5, 1.5, 1.5, 1.5)),
    (0, (9, 2)),
)
OUTSIDE = "outside the fitted domain"
TARGET_LINE: dict[str, Any] = {"color": ACCENT, "linewidth": 1.1, "linestyle": (0, (4, 3))}
OUTSIDE_LINE: dict[str, Any] = {"linestyle": ":", "linewidth": 1.0, "marker": "", "label": None}

_SPELLED = {
    "eurosat": "EuroSAT", "scenes": "built-in scenes", "deepjscc": "DeepJSCC", "awgn": "AWGN",
    "rayleigh": "Rayleigh", "rician": "Rician", "resnet8": "ResNet8", "jpeg": "JPEG",
    "jpeg2000": "JPEG 2000", "jp2": "JPEG 2000", "webp": "WebP",
}  # fmt: skip

COLUMN = 3.5
"""Width in inches of one column of a two-column paper."""
PAGE = 7.16
"""Width in inches of both columns."""

_MOST = 8
"""Most CRs told apart by marker and lightness."""
_GAP_X, _GAP_Y = 0.11, 0.06
"""Least distance of two ticks, in lengths of the axis, that leaves room for their fractions."""
_BOUND = re.compile(
    r"(?<=\d) (?=(?:dB|dBW|W|deg|km|m|px|MHz|bands|day)\b|%)"
    r"|(?<=%:) |(?<=[≥≤…]) | (?=…)|(?<=\bCR) (?=1?[/\d])"
)
"""Blanks at which no line is broken: before a unit, within an interval, before a CR."""
_DIFFERENT = 4
"""Most parts of the origins of several fits that they need not have in common."""
_TITLE, _FOOT = 13.0, 19.0
"""Characters of a title and of a foot that fit in an inch."""
_STYLE: dict[Any, Any] = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.labelsize": 8.0,
    "axes.linewidth": 0.8,
    "axes.titlelocation": "left",
    "axes.titlesize": 8.0,
    "figure.titlesize": 8.5,
    "figure.titleweight": "bold",
    "font.family": "DejaVu Sans",
    "font.size": 8.0,
    "legend.fontsize": 7.0,
    "legend.frameon": False,
    "legend.title_fontsize": 7.0,
    "lines.linewidth": 1.4,
    "svg.hashsalt": "semloss",
    "text.color": INK,
    "xtick.color": INK,
    "xtick.labelsize": 7.5,
    "xtick.major.size": 3.5,
    "xtick.major.width": 0.8,
    "ytick.color": INK,
    "ytick.labelsize": 7.5,
    "ytick.major.size": 3.5,
    "ytick.major.width": 0.8,
}


def series_colors(count: int) -> list[tuple[float, float, float]]:
    """Ordered colours, dark to light, whose lightness tells the order by itself."""
    return [tuple(mpl.colormaps["viridis"](x)[:3]) for x in np.linspace(0.0, 0.85, max(count, 1))]


def metric_label(metric: str, receiver: str) -> str:
    """Name of a metric as an axis should carry it."""
    name = metric_facts(metric).title
    return name if receiver == "none" else f"{name}, {receiver} task model"


def label_of(about: Any) -> str:  # noqa: ANN401 - a fit or an answer from one
    """Metric with its receiver and unit, as an axis carries it."""
    return metric_label(about.metric, about.receiver)


def name_of(about: Any) -> str:  # noqa: ANN401 - a fit or an answer from one
    """The same without the unit, as a sentence carries it."""
    return label_of(about).partition(" [")[0]


def demand(asked: Question) -> str:
    """Target of a question as a title carries it."""
    sure = "" if asked.confidence is None else f" with {100 * asked.confidence:g} % confidence"
    sign = "≥" if asked.fit.sign > 0 else "≤"
    return f"{name_of(asked.fit)} {sign} {asked.target:g}{sure}"


def spelled(name: Any) -> str:  # noqa: ANN401 - a word of a fit file
    """A source, codec, channel or classifier as people write it; an unknown one as it is."""
    return _SPELLED.get(str(name), str(name))


def origin(*fits: Fit) -> str:
    """What fits were measured on, as far as their files tell: images, classifier, codec, channel.

    What several have in common is said once; where they differ in much, their names tell it.
    """
    told = [[part for part in _origin(fit) if part] for fit in fits]
    parts = list(dict.fromkeys(part for one in told for part in one))
    common = [part for part in parts if all(part in one for one in told)]
    return "; ".join(parts if len(parts) - len(common) <= _DIFFERENT else common)


def _origin(fit: Fit) -> Iterator[str]:
    told = fit.provenance
    tile = str(told.get("tile", "")).replace("x", "×", 1)
    count = "" if fit.images is None else f"{fit.images:g} test images a cell"
    cells = fit.data.get("points")
    images = ", ".join(part for part in (f"{cells} cells" if cells else "", count, tile) if part)
    yield ": ".join(part for part in (spelled(told.get("source", "")), images) if part)
    if fit.receiver != "none" and told.get("task_model"):
        yield f"task model {spelled(told['task_model'])}"
    codec = told.get("codec_label") or told.get("codec")
    yield f"codec {spelled(codec)}" if codec else ""
    yield f"channel {spelled(told['channel'])}" if told.get("channel") else ""
    if flagged(fit.outcome, fit.quality):
        yield f"the fit is flagged: {verdict(fit.outcome, fit.quality)}"


def shown_ratios(cr: Array) -> Array:
    """CRs to draw as series: all of them, or evenly chosen ones of a denser grid, ends kept."""
    ratios = np.unique(cr)
    if len(ratios) > _MOST:
        ratios = ratios[np.unique(np.linspace(0, len(ratios) - 1, _MOST).round().astype(int))]
    return ratios


def cr_axis(axis: XAxis | YAxis, cr: Array) -> None:
    """Ticks of an axis in ln CR, written as fractions: the measured CRs, or round ones of many."""
    ratios = np.unique(cr)
    if len(ratios) > _MOST or not all("/" in format_cr(float(ratio)) for ratio in ratios):
        rounded = np.array(ROUND_CRS)
        kept = rounded[(rounded >= 0.98 * ratios[0]) & (rounded <= 1.02 * ratios[-1])]
        ratios = np.sort(kept) if len(kept) > 1 else ratios[[0, -1]]
    x = np.log(ratios)
    shown = apart(x, _GAP_X if isinstance(axis, XAxis) else _GAP_Y)
    axis.set_ticks(x[shown], [format_cr(float(ratio)) for ratio in ratios[shown]])
    axis.set_minor_locator(NullLocator())
    axis.set_label_text("CR = k/n")


def apart(x: Array, gap: float) -> list[int]:
    """Indices of rising places (N,) that lie a share of their span apart, both ends kept."""
    least = gap * max(float(np.ptp(x)), 1e-9)
    shown = [0]
    for i in range(1, len(x)):
        if x[i] - x[shown[-1]] >= least:
            shown.append(i)
    if len(x) > 1 and shown[-1] != len(x) - 1:  # the end matters more than its neighbour
        shown[-1 if len(shown) > 1 else 1 :] = [len(x) - 1]
    return shown


def snr_axis(axis: XAxis | YAxis, count: int = 7) -> None:
    """Ticks at whole decibels, and the label."""
    axis.set_major_locator(MaxNLocator(count, steps=[1, 2, 5, 10], integer=True))
    axis.set_label_text("SNR, Es/N0 [dB]")


def band_curve(
    axes: Axes,
    x: Array,
    value: Array,
    band: tuple[Any, Any] | None = None,
    inside: Any = True,  # noqa: ANN401 - a mask (N,) or one flag
    **style: Any,  # noqa: ANN401 - properties of the line
) -> None:
    """Draw values (N,) with their band; thin and dotted where the fit was not measured."""
    inside = np.broadcast_to(np.asarray(inside, dtype=bool), np.shape(x))
    if band is not None:
        axes.fill_between(x, *band, color=style["color"], alpha=0.2, linewidth=0)
    axes.plot(x, np.where(inside, value, np.nan), **style)
    if not inside.all():
        out = ~inside
        out[1:] |= ~inside[:-1]  # from the last point that was measured to the next one
        out[:-1] |= ~inside[1:]
        axes.plot(x, np.where(out, value, np.nan), **style | OUTSIDE_LINE)


def outside_key(inside: Any, color: Any = INK) -> list[Line2D]:  # noqa: ANN401 - a mask, a colour
    """Entry of a legend for what lies outside the domain, where something does."""
    out = not np.all(inside)
    return [key(**OUTSIDE_LINE | {"label": OUTSIDE, "color": color})] if out else []


def key(label: str, color: Any = INK, **style: Any) -> Line2D:  # noqa: ANN401 - properties
    """Entry of a legend that explains a line or a mark."""
    return Line2D([], [], label=label, color=color, **style)


def band_key(label: str, color: Any = INK) -> Patch:  # noqa: ANN401 - a colour
    """Entry of a legend that explains a band."""
    return Patch(facecolor=color, alpha=0.2, linewidth=0, label=label)


def bars_key() -> Line2D:
    """Entry of a legend that explains the bars of measurements."""
    return key("95 % bar of measuring", linestyle="", marker="|", markersize=9)


def target_line(axes: Axes, value: float, label: str) -> None:
    """Draw what was asked for across the axes; the legend tells it."""
    axes.axhline(value, **TARGET_LINE, label=signed(label))


def legend(axes: Axes, handles: Sequence[Any] = (), title: str | None = None) -> None:
    """Explain what is drawn: beside the axes, where no data can lie; the handles come last."""
    entries = [*axes.get_legend_handles_labels()[0], *handles]
    if entries:
        axes.legend(handles=entries, title=title, loc="upper left", bbox_to_anchor=(1.0, 1.0),
                    borderaxespad=0.2, handlelength=1.8, alignment="left")  # fmt: skip


def colorbar(figure: Figure, axes: Axes, mesh: Any, label: str, **more: Any) -> Colorbar:  # noqa: ANN401
    """Scale of the colours of a map."""
    bar = figure.colorbar(mesh, ax=axes, pad=0.02, **more)
    bar.set_label(label)
    bar.outline.set_visible(False)
    return bar


def number_contours(axes: Axes, lines: ContourSet, avoid: Array, written: str = "{:g}") -> None:
    """Write each line's value on it, where it is farthest from the points (N, 2) and the others.

    A line without room for its number goes without; a colour bar tells it.
    """
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    corner, size = np.array([left, low]), np.array([right - left, high - low])
    taken = (np.reshape(avoid, (-1, 2)) - corner) / size
    numbers = np.empty((0, 2))
    for level, path in zip(lines.levels, lines.get_paths(), strict=True):
        spots = (path.vertices - corner) / size
        spots = spots[((spots > 0.08) & (spots < 0.92)).all(axis=1)]
        if not len(spots):
            continue
        far = [_distance(spots, numbers, 0.14), _distance(spots, taken, 1.0)]
        best = int(np.argmax(np.where(far[0] < 1.0, -1.0, far[1])))
        if far[0][best] < 1.0:
            continue
        numbers = np.vstack([numbers, spots[best]])
        x, y = corner + size * spots[best]
        axes.text(
            x, y, signed(written.format(level)), ha="center", va="center",
            fontsize=6.5, zorder=5,
            bbox={"facecolor": "white", "alpha": 0.85, "linewidth": 0, "pad": 0.8},
        )  # fmt: skip


def _distance(spots: Array, others: Array, unit: float) -> Array:
    """How far each spot lies from the nearest of the others, in units; 9 where there is none."""
    if not len(others):
        return np.full(len(spots), 9.0)
    return np.asarray(np.linalg.norm(spots[:, None] - others[None], axis=2).min(axis=1) / unit)


@contextmanager
def picture(
    path: Path | str,
    width: float,
    height: float,
    title: str,
    about: str = "",
    table: pd.DataFrame | None = None,
    further: Mapping[str, pd.DataFrame] | None = None,
) -> Iterator[Figure]:
    """Figure to draw in, written with its tables when the context ends.

    Parameters
    ----------
    path
        Its suffix (png, pdf, svg) tells the kind. The tables lie beside it, as CSV.
    width, height
        Of the drawing in inches, at the size of print; title and foot come on top.
    title, about
        What was asked, above; what it rests on, small at the foot.
    table
        The numbers that it shows; None: the picture alone.
    further
        More tables, by what is added to the stem of their names.

    Raises
    ------
    SemlossError
        When a CSV of that name holds something else, the suffix names no kind of picture, or
        the place cannot be written.
    """
    above = _filled(signed(title), round(_TITLE * width))
    below = fill(_BOUND.sub("\u00a0", signed(about)), round(_FOOT * width))
    lines = above.count("\n") + below.count("\n") + 1 + bool(below)
    with mpl.rc_context():
        sns.set_theme(context="paper", style="ticks")
        mpl.rcParams.update(_STYLE)
        figure = Figure(figsize=(width, height + 0.15 * lines), layout="constrained")
        figure.suptitle(above, x=0.01, ha="left")
        if below:
            figure.supxlabel(below, x=0.01, ha="left", fontsize=6.5, color=GREY)
        yield figure
        _save(figure, Path(path), {} if table is None else {"": table, **(further or {})})


def _filled(text: str, width: int) -> str:
    """The text in as few lines as fit, of nearly one length; a number keeps to its unit."""
    bound = _BOUND.sub("\u00a0", text)
    lines = wrap(bound, width)
    for narrower in range(width - 1, width // 2, -1):
        tried = wrap(bound, narrower, break_long_words=False)
        if len(tried) > len(lines) or max(map(len, tried), default=0) > width:
            break
        lines = tried
    return "\n".join(lines)


def _save(figure: Figure, path: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write a picture atomically, and its tables beside it."""
    kind = picture_kind(path)
    contents: dict[Path, str] = {}
    for ending, one in tables.items():
        content = one.to_csv(index=False, lineterminator="\n", float_format="%.12g")
        beside = path.with_name(f"{path.stem}{ending}.csv")
        _refuse_other(beside, content.partition("\n")[0], path)
        contents[beside] = content
    drawn = io.BytesIO()
    figure.savefig(drawn, format=kind, dpi=200, bbox_inches="tight")
    write_atomically(path, drawn.getvalue())
    for beside, content in contents.items():
        write_atomically(beside, content)


def _refuse_other(beside: Path, header: str, picture: Path) -> None:
    """Refuse to write over a CSV that has other columns: a table of measurements, say."""
    if beside.exists():
        with beside.open("rb") as old:
            names = next((line for line in old if not line.startswith(b"#")), b"")
            if names.rstrip(b"\r\n") != header.encode():
                raise SemlossError(
                    f"{beside} holds something else than the numbers behind {picture.name}; give "
                    "the picture another name"
                )
