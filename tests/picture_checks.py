"""What lies on a drawn figure: its texts as they were drawn, its marks, and what is wrong there.

Every check gives a list of complaints, empty where the picture is sound.
"""

import itertools
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Bbox

DPI = 200
"""As pictures are saved."""
UNITLESS = re.compile(
    r"CR|(fitted |measured |change of |DeepJSCC − digital )?"
    r"(accuracy|SSIM|LPIPS|macro F1)|images|bits per symbol|standardised residual|target"
)
"""What is a share, a count or a ratio: it has a name and no unit."""
_SLACK = 0.5
"""Pixels that glyphs leave free at each side of their box."""
_LIGHTNESS = 8.0
"""Least difference in CIE lightness of two marks that nothing else tells apart."""


@dataclass(frozen=True)
class Drawn:
    """A figure, the texts that drawing it wrote with their boxes in pixels, and its answer."""

    figure: Figure
    texts: tuple[tuple[str, Bbox, Text], ...]
    answer: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return " ".join(self.figure.get_suptitle().split())

    @property
    def foot(self) -> str:
        return " ".join(self.figure.get_supxlabel().split())

    @property
    def axes(self) -> list[Axes]:
        return [axes for axes in self.figure.axes if axes.get_visible()]

    @property
    def legends(self) -> list[Legend]:
        return [axes.get_legend() for axes in self.axes if axes.get_legend() is not None]

    @property
    def told(self) -> str:
        """All words of the picture."""
        return "\n".join(text for text, _, _ in self.texts)


def drawn(figure: Figure, monkeypatch) -> Drawn:
    """Draw a figure and note every text that is written."""
    written: dict[int, Text] = {}
    own = Text.draw

    def noted(self, renderer):
        if self.get_visible() and self.get_text().strip():
            written[id(self)] = self
        own(self, renderer)

    figure.set_dpi(DPI)
    with monkeypatch.context() as patch:
        patch.setattr(Text, "draw", noted)
        figure.draw_without_rendering()
    return Drawn(figure, tuple((t.get_text(), t.get_window_extent(), t) for t in written.values()))


def overlapping_texts(picture: Drawn) -> list[str]:
    """Texts that cover one another."""
    boxes = [(text, box.padded(-_SLACK)) for text, box, _ in picture.texts]
    return [
        f"{one!r} covers {other!r}"
        for (one, a), (other, b) in itertools.combinations(boxes, 2)
        if a.overlaps(b)
    ]


def leaving_texts(picture: Drawn) -> list[str]:
    """Texts that reach beyond the figure."""
    page = picture.figure.bbox.padded(1.0)
    return [
        f"{text!r} leaves the figure"
        for text, box, _ in picture.texts
        if not (page.containsx(box.x0) and page.containsx(box.x1)
                and page.containsy(box.y0) and page.containsy(box.y1))
    ]  # fmt: skip


def covered_marks(picture: Drawn) -> list[str]:
    """Marks that a legend or a text without a ground of its own lies upon."""
    covers = [("the legend", legend.get_window_extent()) for legend in picture.legends]
    covers += [
        (repr(text), box.padded(-_SLACK)) for text, box, artist in picture.texts
        if artist.get_bbox_patch() is None and not artist.get_text().isspace()
    ]  # fmt: skip
    found = []
    for axes in picture.axes:
        points = _marks(axes)
        for name, box in covers:
            if box.count_contains(points):
                found.append(f"{name} covers a mark of {_named(axes)}")
        for name, box in covers[: len(picture.legends)]:
            if box.padded(-_SLACK).overlaps(axes.get_window_extent()):
                found.append(f"{name} lies in {_named(axes)}")
    return found


def unnamed_axes(picture: Drawn) -> list[str]:
    """Axes that show numbers without saying of what, in which unit."""
    shown = {id(artist) for _, _, artist in picture.texts}
    found = []
    for axes in picture.axes:
        for axis in (axes.xaxis, axes.yaxis):
            numbers = [
                label.get_text() for label in axis.get_ticklabels() if id(label) in shown
                and re.fullmatch(r"−?[\d.,]+|1/\d+", label.get_text())
            ]  # fmt: skip
            label = " ".join(axis.label.get_text().split())
            if not numbers:
                continue
            if not label:
                found.append(f"{axis.axis_name} axis of {_named(axes)} has no name")
            elif "[" not in label and not UNITLESS.match(label):
                found.append(f"{label!r} has no unit")
    return found


def unexplained_marks(picture: Drawn) -> list[str]:
    """Lines, markers and areas that no legend, colour bar or axis explains."""
    keys = [handle for legend in picture.legends for handle in legend.legend_handles]
    lines = [_style(line) for legend in picture.legends for line in legend.findobj(Line2D)]
    faces = {
        to_rgb(np.ravel(handle.get_facecolor())[:3]) for handle in keys
        if not isinstance(handle, Line2D) and len(np.ravel(handle.get_facecolor()))
    }  # fmt: skip
    ink = to_rgb("#222222")
    found = []
    for axes in picture.axes:
        own = [line for line in axes.lines if len(line.get_xdata()) and _is_data(line, axes)]
        rows = axes.get_legend() is None and _has_named_rows(axes)
        for line in own:
            if len(own) > 1 and not rows and not any(_same(_style(line), key) for key in lines):
                found.append(f"a line of {_named(axes)} is not explained: {_style(line)}")
        if rows:
            continue
        colors = {to_rgb(line.get_color()) for line in own}
        for area in axes.collections:
            if area.get_array() is not None or not len(area.get_facecolor()):
                continue
            if not sum(len(path.vertices) for path in area.get_paths()):
                continue
            face = tuple(area.get_facecolor()[0][:3])
            known = any(np.allclose(face, other, atol=0.01) for other in faces)
            if not known and not (ink in faces and any(np.allclose(face, c) for c in colors)):
                found.append(f"an area of {_named(axes)} is not explained: {face}")
    return found


def confusable_keys(picture: Drawn) -> list[str]:
    """Entries of a legend that only their hue tells apart, which grey and some eyes do not see."""
    found = []
    for legend in picture.legends:
        entries = [
            (text.get_text(), *_look(handle))
            for text, handle in zip(legend.texts, legend.legend_handles, strict=True)
        ]
        for (one, a, light), (other, b, lighter) in itertools.combinations(entries, 2):
            if a == b and abs(light - lighter) < _LIGHTNESS:
                found.append(f"{one!r} looks like {other!r} in grey")
    return found


def _named(axes: Axes) -> str:
    return repr(axes.get_ylabel() or axes.get_xlabel() or "a panel")


def _marks(axes: Axes) -> np.ndarray:
    """Pixels (N, 2) that lines run through and points lie on, as far as they are drawn."""
    inside = axes.get_window_extent().padded(1.0)
    found = [np.empty((0, 2))]
    for line in axes.lines:
        path = line.get_transform().transform(np.asarray(line.get_xydata(), dtype=float))
        if line.get_linestyle() != "None" and len(path) > 1:
            t = np.linspace(0, 1, 30)[:, None]
            path = np.concatenate([a + t * (b - a) for a, b in itertools.pairwise(path)])
        path = path[np.isfinite(path).all(axis=1)]
        drawn = inside.padded(20.0) if not line.get_clip_on() else inside
        found.append(path[[drawn.contains(*point) for point in path]] if len(path) else path)
    for points in axes.collections:
        offsets = np.asarray(points.get_offsets(), dtype=float)
        if points.get_array() is None and len(offsets) > 1:
            found.append(points.get_offset_transform().transform(offsets))
    for bar in axes.patches:
        box = bar.get_window_extent()
        if box.width > 1 and box.height > 1 and bar.get_fill() is not False:
            found.append(box.corners()[[0, 1, 2, 3]])
    return np.concatenate(found)


def _is_data(line: Line2D, axes: Axes) -> bool:
    """Whether a line shows something; a thin line in ink through zero belongs to the axes."""
    x, y = (np.asarray(data, dtype=float) for data in line.get_data())
    frame = to_rgb(line.get_color()) == to_rgb("#222222") and line.get_linewidth() <= 0.9
    return not (frame and ((x == 0).all() or (y == 0).all())) and bool(
        np.isfinite(y).any() and line.get_visible()
    )


def _has_named_rows(axes: Axes) -> bool:
    """Whether words stand at the y axis, so that each row says what it is."""
    return any(re.search(r"[a-z]{3}", label.get_text()) for label in axes.get_yticklabels())


def _style(line: Line2D) -> tuple:
    dashes = "None" if line.get_linestyle() == "None" else str(line._unscaled_dash_pattern)
    marker = "None" if line.get_marker() in ("None", "", None) else line.get_marker()
    return (tuple(np.round(to_rgb(line.get_color()), 2)), dashes, marker)


def _same(line: tuple, key: tuple) -> bool:
    """Whether a key explains a line; one in ink explains a kind of line whatever its colour."""
    return line[1:] == key[1:] and (line[0] == key[0] or key[0] == (0.13, 0.13, 0.13))


def _look(handle) -> tuple[tuple, float]:
    """What tells a key apart without colour, and how light it is."""
    if isinstance(handle, Line2D):
        face = handle.get_markerfacecolor()
        hollow = handle.get_marker() not in ("None", None, "") and to_rgb(face) == (1, 1, 1)
        return (*_style(handle)[1:], round(handle.get_linewidth(), 1), hollow), _light(
            to_rgb(handle.get_color())
        )
    if not hasattr(handle, "get_hatch"):
        return (type(handle).__name__, id(handle)), 0.0
    filled = len(np.ravel(handle.get_facecolor())) > 0 and getattr(handle, "fill", True)
    color = np.ravel(handle.get_facecolor() if filled else handle.get_edgecolor())
    alpha = color[3] if len(color) > 3 else 1.0
    outline = () if filled else (str(handle.get_linestyle()),)
    return (type(handle).__name__, handle.get_hatch(), *outline), _light(
        alpha * color[:3] + 1 - alpha
    )


def _light(color) -> float:
    """CIE lightness, 0 … 100, of an sRGB colour."""
    c = np.asarray(color, dtype=float)[:3]
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    y = float(linear @ (0.2126, 0.7152, 0.0722))
    return 116 * np.cbrt(y) - 16 if y > 0.008856 else 903.3 * y
