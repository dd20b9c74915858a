"""One look for every picture: readable in print, in grey and for colour-blind eyes."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from semloss.errors import SemlossError
from semloss.facts import metric_facts
from semloss.storage import write_atomically

MARKERS = ("o", "s", "D", "^", "v", "<", ">", "p")
SURFACE_MAP = "cividis"
INK = "#222222"
ACCENT = "#c1440e"


@contextmanager
def paper_style() -> Iterator[None]:
    """Draw within this context."""
    with mpl.rc_context():
        sns.set_theme(context="paper", style="ticks", font_scale=1.15)
        mpl.rcParams.update(
            {
                "axes.edgecolor": INK,
                "axes.labelcolor": INK,
                "axes.titleweight": "bold",
                "axes.titlesize": "medium",
                "axes.titlelocation": "left",
                "font.family": "DejaVu Sans",
                "text.color": INK,
                "xtick.color": INK,
                "ytick.color": INK,
                "svg.hashsalt": "semloss",
            }
        )
        yield


def series_colors(count: int) -> list[tuple[float, float, float]]:
    """Ordered colours, dark to light, whose lightness tells the order by itself."""
    return [tuple(mpl.colormaps["viridis"](x)[:3]) for x in np.linspace(0.0, 0.85, max(count, 1))]


def metric_label(metric: str, receiver: str) -> str:
    """Name of a metric as an axis should carry it."""
    name = metric_facts(metric).title
    return name if receiver == "none" else f"{name}, {receiver} task model"


def save_figure(figure: Figure, path: Path) -> None:
    """Write a picture atomically; the suffix (png, pdf, svg) tells the kind.

    Raises
    ------
    SemlossError
        When the suffix names no kind of picture or the place cannot be written.
    """
    kind = path.suffix.lower().lstrip(".")
    if kind not in ("png", "pdf", "svg"):
        raise SemlossError(f"{path}: name a picture *.png, *.pdf or *.svg")
    content = io.BytesIO()
    figure.savefig(content, format=kind, dpi=200, bbox_inches="tight")
    write_atomically(path, content.getvalue())
