"""The digital chain: a source codec's rate–metric curve over MODCODs at quasi-error-free SNR.

A digital link of spectral efficiency eta [bits per symbol] carries an image of H x W pixels and
C bands, coded at b bits per pixel (all bands together), in b·H·W/eta symbols. Over the
n = C·H·W samples of the image this is the equivalent compression ratio CR = b/(eta·C), at which
it meets DeepJSCC on equal terms. Where a MODCOD closes, the image arrives as the source codec
left it; 0.1 dB below, nothing arrives: the cliff.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.facts import Directed, metric_facts
from semloss.facts.metric import SHARE
from semloss.roots import halve
from semloss.storage import csv_rows


def equivalent_cr(bits_per_pixel: ArrayLike, bits_per_symbol: ArrayLike, bands: int) -> Array:
    """Compression ratio of the digital chain, b·H·W/(eta·n) = b/(eta·C); inf where eta is 0.

    It may exceed 1: a poor link needs more symbols than the image has samples.
    """
    with np.errstate(divide="ignore"):
        return np.asarray(bits_per_pixel) / (np.asarray(bits_per_symbol, dtype=np.float64) * bands)


@dataclass(frozen=True)
class RateCurve(Directed):
    """What a source codec makes of the imagery at each rate, as measured.

    Between measured rates it is interpolated over the logarithm of the rate by monotone cubic
    pieces (PCHIP). Below the lowest measured rate it says nothing (nan); above the highest it
    stays at the last value. A worse value at a higher rate is replaced by the better one below,
    since the smaller file may be sent as well.

    Attributes
    ----------
    bits_per_pixel, value
        (M,) rising rates in bits per pixel, all bands together, and the mean metric there.
    metric, receiver, direction
        What was measured, as in a fit.
    codec
        Name of the codec, for titles.
    lowest_is_minimum
        Whether the first rate is the smallest file that the codec makes, so that below it the
        chain delivers nothing, rather than just the first that somebody measured.
    receiver_told
        Whether the file says which receiver read it; else it is taken to be the one asked for.
    """

    bits_per_pixel: Array
    value: Array
    metric: str
    receiver: str = "none"
    direction: str = "higher"
    codec: str = "source codec"
    lowest_is_minimum: bool = False
    receiver_told: bool = True

    def __post_init__(self) -> None:
        rate, value = np.asarray(self.bits_per_pixel, float), np.asarray(self.value, float)
        if rate.ndim != 1 or rate.shape != value.shape or len(rate) < 2:
            raise SemlossError(f"rate curve of {self.codec}: give two or more rates with values")
        if not (np.all(np.isfinite(rate)) and np.all(np.isfinite(value)) and rate.min() > 0):
            raise SemlossError(f"rate curve of {self.codec}: rates are above 0 and all is finite")
        low, high = metric_facts(self.metric).values
        wrong = value[(value < low) | (value > high)]
        if wrong.size:
            percent = "; write fractions, not percent" if (low, high) == SHARE else ""
            raise SemlossError(
                f"rate curve of {self.codec}: {self.metric} = {wrong[0]:g} lies outside "
                f"{low:g} … {high:g}{percent}"
            )
        order = np.argsort(rate, kind="stable")
        rate, value = rate[order], value[order]
        if np.any(np.diff(rate) <= 0):
            raise SemlossError(f"rate curve of {self.codec}: a rate is given twice")
        best = np.maximum if self.sign > 0 else np.minimum
        object.__setattr__(self, "bits_per_pixel", rate)
        object.__setattr__(self, "value", best.accumulate(value))

    @classmethod
    def from_csv(
        cls,
        path: Path | str,
        *,
        metric: str | None = None,
        receiver: str | None = None,
        codec: str | None = None,
        task: str | None = None,
        direction: str | None = None,
    ) -> Self:
        """Read a curve from a CSV with columns ``bits_per_pixel, metric, value``.

        Of a run's folder that is its ``rate_curve.csv``, which `semloss collect` writes there.

        ``bits_per_image`` with ``height_px`` and ``width_px`` serves as well. The columns
        ``codec``, ``receiver``, ``direction`` and ``codec_minimum`` (1 on the row of the smallest
        file that the codec makes) are used where present.

        Parameters
        ----------
        metric, receiver, codec, task
            Which rows to take; needed where the file holds several.
        direction
            Which way the metric improves, where the file does not say; "higher" by default.

        Raises
        ------
        SemlossError
            When the file cannot be read, a column is missing, a cell is no number, or the rows
            are of several curves or of none.
        """
        path = Path(path)
        if path.is_dir():
            path = path / "rate_curve.csv"
            if not path.exists():
                raise SemlossError(
                    f"{path.parent} has no rate_curve.csv: collect it with a source codec, e.g. "
                    '[[codec]] kind = "jpeg2000"'
                )
        rows = csv_rows(path, "rate curve")
        if rows and "receiver" not in rows[0]:  # the receiver's column was once called task
            rows = [row | {"receiver": row.get("task") or "", "task": ""} for row in rows]
        told_receiver = any(row.get("receiver") for row in rows)
        chosen: dict[str, str] = {}
        for column, wanted in (("metric", metric), ("receiver", receiver), ("codec", codec)):
            rows, chosen[column] = _choose(rows, column, wanted, path)
        if len({row.get("task") for row in rows}) > 1:
            rows, _ = _choose(rows, "task", task, path)
        if direction is None:
            rows, direction = _choose(rows, "direction", None, path)
        points = sorted(
            ((_rate(row, path), _number(row, "value", path), row) for row in rows),
            key=lambda point: point[0],
        )
        told = all(row.get("codec_minimum") for row in rows)
        minimum = _number(points[0][2], "codec_minimum", path) if told else 0.0
        return cls(
            np.array([p[0] for p in points]), np.array([p[1] for p in points]),
            chosen["metric"], chosen["receiver"] or "none", direction or "higher",
            chosen["codec"] or path.stem, minimum > 0, told_receiver,
        )  # fmt: skip

    def at(self, bits_per_pixel: ArrayLike) -> Array:
        """Metric at rates in bits per pixel; nan below the lowest measured."""
        rate = np.asarray(bits_per_pixel, dtype=np.float64)
        low, high = self.bits_per_pixel[[0, -1]]
        inside = np.clip(rate, low, high)
        found = pchip(np.log(self.bits_per_pixel), self.value, np.log(inside))
        return np.where(rate >= low * (1 - 1e-12), found, np.nan)

    def rate_for(self, target: ArrayLike) -> Array:
        """Smallest measured or interpolated rate [bits per pixel] that meets each target.

        The lowest measured rate where that meets it already; inf where none does.
        """
        goal = np.asarray(target, dtype=np.float64)
        x = np.log(self.bits_per_pixel)
        reached = self.meets(self.value[-1], goal)
        at_start = self.meets(self.value[0], goal)
        ends = np.full(goal.shape, x[0]), np.full(goal.shape, x[-1])
        _, enough = halve(
            lambda middle: self.meets(pchip(x, self.value, middle), goal), *ends, rounds=60
        )
        found = np.where(at_start, self.bits_per_pixel[0], np.exp(enough))
        return np.where(reached, found, np.inf)


def pchip(x: Array, y: Array, at: Array) -> Array:
    """Monotone piecewise cubic through (x, y), x rising, at points within [x[0], x[-1]].

    Source: F. N. Fritsch and J. Butland, SIAM J. Sci. Stat. Comput. 5(2), 1984: at each inner
    knot the weighted harmonic mean of the neighbouring slopes, 0 where they differ in sign.
    """
    h, slope = np.diff(x), np.diff(y) / np.diff(x)
    if len(x) == 2:
        return np.asarray(y[0] + slope[0] * (at - x[0]))
    left, right = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (left + right) / (left / slope[:-1] + right / slope[1:])
    inner = np.where(slope[:-1] * slope[1:] > 0, mean, 0.0)
    d = np.array([_end(h[0], h[1], slope[0], slope[1]), *inner,
                  _end(h[-1], h[-2], slope[-1], slope[-2])])  # fmt: skip
    i = np.clip(np.searchsorted(x, at, "right") - 1, 0, len(h) - 1)
    t = (at - x[i]) / h[i]
    rise = h[i] * (t * (1 - t) ** 2 * d[i] - t**2 * (1 - t) * d[i + 1])
    return np.asarray(y[i] * (1 + 2 * t) * (1 - t) ** 2 + y[i + 1] * t**2 * (3 - 2 * t) + rise)


def _end(h: float, h_next: float, slope: float, slope_next: float) -> float:
    """Three-point slope at an end, limited so that the first piece stays monotone."""
    d = ((2 * h + h_next) * slope - h * slope_next) / (h + h_next)
    if d * slope <= 0:
        return 0.0
    if slope * slope_next <= 0 and abs(d) > 3 * abs(slope):
        return 3 * slope
    return float(d)


def _choose(
    rows: list[dict[str, str]], column: str, wanted: str | None, path: Path
) -> tuple[list[dict[str, str]], str]:
    """Rows with the wanted entry of a column, and that entry; the only one where none is named."""
    present = sorted({row.get(column) or "" for row in rows})
    if not rows or (column == "metric" and present == [""]):
        raise SemlossError(f"{path}: a rate curve has columns bits_per_pixel, metric, value")
    if present == [""]:
        return rows, wanted or ""
    if wanted is None and len(present) > 1:
        raise SemlossError(f"{path} holds several: choose a {column} from {', '.join(present)}")
    wanted = present[0] if wanted is None else wanted
    if wanted not in present:
        held = f"{path} has no {column} {wanted}; it holds {', '.join(present)}"
        if column == "receiver":  # a receiver that knows what arrives reads more of the same image
            held += (
                "; both chains are compared at one receiver: give a fit of that one (semloss fit "
                f"--receiver {present[0]}), or a curve that was read by receiver {wanted}"
            )
        raise SemlossError(held)
    return [row for row in rows if (row.get(column) or "") == wanted], wanted


def _rate(row: Mapping[str, str], path: Path) -> float:
    if row.get("bits_per_pixel"):
        return _number(row, "bits_per_pixel", path)
    pixels = _number(row, "height_px", path) * _number(row, "width_px", path)
    return _number(row, "bits_per_image", path) / pixels


def _number(row: Mapping[str, str], column: str, path: Path) -> float:
    try:
        return float(row.get(column) or "")
    except ValueError:
        found = f"{column} = {row.get(column)!r}" if column in row else f"no column {column}"
        raise SemlossError(f"{path}: {found}; every row of a rate curve gives a number") from None
