"""What one link saves at equal quality: symbols at each SNR, decibels at each CR.

The distance of two rate-quality curves along the other axis, averaged over the qualities that both
reach (G. Bjøntegaard, VCEG-M33, 2001), here between fitted surfaces instead of polynomials through
four points. At one SNR it is the mean of ln CR apart, a ratio of symbols; at one CR, decibels.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from semloss.answers import Answer, laid_out
from semloss.arrays import Array
from semloss.comparing.compare import asked_rows, links_of
from semloss.comparing.paired import Interval
from semloss.errors import SemlossError
from semloss.facts.target import read_target
from semloss.layout import columns
from semloss.selection import Points, select
from semloss.selection.checks import LINK, distinct
from semloss.selection.rows import narrow
from semloss.surfaces.fitted.bands import level_text, surface_draws
from semloss.surfaces.fitted.fit import Fit
from semloss.surfaces.fitting.fit_surface import fit_surface
from semloss.tables.naming import listing
from semloss.units import format_cr

_ALONG = 33
"""Points of a curve; between them it is taken as straight."""
_LEVELS = 17
"""Qualities at which the distance of two curves is averaged."""
_DRAWS = 200
"""Draws of each surface for the intervals."""
_ENOUGH = 0.95
"""Share of the draws that must have a common quality for an interval to be told."""
_UNKNOWN = Interval(math.nan, math.nan)


@dataclass(frozen=True)
class Saving:
    """What is saved along one line, or on average over several.

    Attributes
    ----------
    axis
        "symbols": how many times the base's symbols the other takes; "snr_db": how many dB more.
    at
        SNR in dB, or CR, of the line; None for a mean over lines.
    value, interval
        Less than 1, or than 0 dB, is saved. NaN where the two have no quality in common.
    low, high
        Least and greatest quality at which they are compared.
    """

    axis: str
    at: float | None
    value: float
    interval: Interval
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class SavedPair:
    """Two links' surfaces, and what the other saves against the base."""

    base: str
    other: str
    fits: tuple[Fit, Fit]
    points: tuple[Points, Points]
    savings: Sequence[Saving]

    @property
    def means(self) -> list[Saving]:
        """Over all lines along each axis."""
        return [one for one in self.savings if one.at is None]


@dataclass(frozen=True)
class SavedAnswer(Answer):
    """What links save at equal quality, pair by pair."""

    by: str
    level: float
    target: float | None
    pairs: Sequence[SavedPair]
    notes: Sequence[str] = ()

    @property
    def assumed(self) -> dict[str, str]:
        """The surfaces, and what the intervals are about."""
        told = {
            f"{one.fits[side].form} of {name}": f"{len(one.points[side].cr)} cells"
            for one in self.pairs for side, name in enumerate((one.base, one.other))
        }  # fmt: skip
        surfaces = ", ".join(f"{name}, {cells}" for name, cells in told.items())
        band = self.pairs[0].fits[0].band
        return {
            "surfaces": surfaces,
            "intervals": f"{level_text(self.level, band)}, from draws of both surfaces as if each "
            "were measured on images of its own",
        }

    def rows(self) -> list[dict[str, Any]]:
        """A record for each line, and one for the mean along each axis."""
        return [
            {
                "metric": pair.fits[0].metric, "receiver": pair.fits[1].receiver,
                "base": pair.base, "other": pair.other, "axis": one.axis,
                "snr_db": one.at if one.axis == "symbols" else None,
                "cr": one.at if one.axis == "snr_db" else None,
                "value": one.value, "low": one.interval.low, "high": one.interval.high,
                "from_quality": one.low, "to_quality": one.high,
            }
            for pair in self.pairs for one in pair.savings
        ]  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """The rows, and what was asked."""
        return {"by": self.by, "level": self.level, "target": self.target, "saved": self.rows()}

    def text(self) -> str:
        """The means in words, then each line."""
        head, body = [], []
        for pair in self.pairs:
            fit = pair.fits[0]
            told = {one.receiver for one in pair.fits} - {"none"}
            name = f"{fit.metric} ({told.pop()})" if len(told) == 1 else fit.metric
            for one in pair.means:
                if math.isnan(one.value):
                    equal = "has no" if self.target is None else "does not reach the same"
                    head.append(f"{name}: {pair.other} {equal} {fit.metric} in common with "
                                f"{pair.base} along {one.axis}")  # fmt: skip
                    continue
                takes = "takes {} the symbols of" if one.axis == "symbols" else "needs {} of SNR on"
                head.append(f"{name}: at equal {fit.metric}{self._where} {pair.other} "
                            f"{takes.format(_told(one))} {pair.base}")  # fmt: skip
            body += [
                [pair.other, _line(one), f"{one.low:.4g} … {one.high:.4g}", _told(one)]
                for one in pair.savings if one.at is not None and not math.isnan(one.value)
            ]  # fmt: skip
        table = columns(["other", "at", "over", "takes"], body) if body else ""
        return laid_out("\n".join(head), self.assumed, table)

    @property
    def _where(self) -> str:
        return "" if self.target is None else f" of {self.target:g}"


def _line(one: Saving) -> str:
    assert one.at is not None
    return f"{one.at:g} dB" if one.axis == "symbols" else f"CR {format_cr(one.at)}"


def _told(one: Saving) -> str:
    """Value with its interval."""
    form, unit = ("{:.3f}", "×") if one.axis == "symbols" else ("{:+.2f}", " dB")
    if math.isnan(one.interval.low):
        return form.format(one.value) + unit
    span = " … ".join(form.format(end) for end in (one.interval.low, one.interval.high))
    return f"{form.format(one.value)}{unit} [{span}]"


def saved(
    table: pd.DataFrame,
    by: str | None = None,
    *,
    base: str | None = None,
    metric: str | None = None,
    receiver: str | None = None,
    task: str | None = None,
    where: Mapping[str, str] | None = None,
    target: float | str | None = None,
    form: str = "auto",
    level: float = 0.95,
    band: str | None = None,
) -> SavedAnswer:
    """Fit a surface to each link of a table and compare them at equal quality.

    Parameters
    ----------
    table, by, base, metric, receiver, task, where
        As for `compare`; one metric and receiver, those that `select` chooses by default.
    target
        Compare at this quality alone; by default on average over all that both reach on a line.
    form
        Of the surfaces; see `fit_surface`.
    level, band
        Of the intervals, and what they are about; see `Fit.about`.

    Raises
    ------
    SemlossError
        When there is nothing to compare, or too little to fit a surface to.
    """
    if not 0 < level < 1:
        raise SemlossError(f"level = {level:g}: give the level of the intervals in (0, 1)")
    rows, notes = asked_rows(table, metric, receiver, task, where)
    by, base, names = links_of(rows, by, base)
    found, goal = {}, None
    for name in names:
        _refuse_several(narrow(rows, by, name, "--by"), metric)
        points = _points(table, metric, receiver, task, {**(where or {}), by: name})
        if target is not None:
            goal = read_target(target, points, f"--target {target}")
        found[name] = points, fit_surface(points, form, bootstraps=_DRAWS).about(band)
    pairs = []
    for name in names:
        if name != base:
            (ours, fit), (theirs, other) = found[base], found[name]
            lines = savings(fit, other, ours, theirs, target=goal, level=level)
            pairs.append(SavedPair(base, name, (fit, other), (ours, theirs), lines))
    return SavedAnswer(by, level, goal, pairs, tuple(dict.fromkeys(notes)))


def _points(
    table: pd.DataFrame,
    metric: str | None,
    receiver: str | None,
    task: str | None,
    where: Mapping[str, str],
) -> Points:
    """Points of a link's surface; one for each group, as `semloss fit` would offer, is no link."""
    try:
        return select(table, metric, receiver, task=task, where=where)
    except SemlossError as error:
        raise SemlossError(str(error).partition(", or fit each with --group-by")[0]) from None


def _refuse_several(rows: pd.DataFrame, metric: str | None) -> None:
    """Refuse rows of a link that are of more than one surface."""
    metrics = distinct(rows, "metric")
    if metric is None and len(metrics) > 1:
        if "accuracy" not in metrics:
            raise SemlossError(f"choose --metric from {listing(metrics)}")
        rows = rows[rows["metric"] == "accuracy"]
    for column in ("task", *LINK):
        several = distinct(rows, column) if column in rows else []
        if len(several) > 1:
            option = "--task NAME" if column == "task" else f"--where {column}=NAME"
            raise SemlossError(
                f"a surface is of one {column}, and here are {listing(several)}; choose by {option}"
            )


def savings(
    base: Fit,
    other: Fit,
    base_points: Points,
    other_points: Points,
    *,
    target: float | None = None,
    level: float = 0.95,
) -> list[Saving]:
    """Savings of one surface against another, at the SNRs and CRs that both were measured at.

    Where they share none, at those of the base that lie within the other's.
    """
    both = [base_points, other_points]
    found: list[Saving] = []
    for axis, lines in (
        ("symbols", _shared(*(points.snr_db for points in both))),
        ("snr_db", _shared(*(points.cr for points in both))),
    ):
        distances = []
        for at in lines:
            along, quality = zip(
                *(_curve(fit, points, axis, at)
                  for fit, points in zip((base, other), both, strict=True)), strict=True,
            )  # fmt: skip
            distance, low, high = _apart(along, quality, base.sign, target)
            distances.append(distance)
            found.append(_saving(axis, float(at), distance, level, (low, high)))
        if distances:
            with np.errstate(invalid="ignore"):
                told = [one for one in distances if np.isfinite(one[0])]
            mean = np.mean(told, axis=0) if told else np.full(1, np.nan)
            found.append(_saving(axis, None, mean, level, (math.nan, math.nan)))
    return found


def _shared(base: Array, other: Array) -> Array:
    """Rising values that both have, to a rounding; else the base's within the other's span."""
    own = np.unique(base)
    near = np.array([np.isclose(other, one, rtol=1e-3, atol=1e-6).any() for one in own])
    if near.any():
        return np.asarray(own[near])
    return np.asarray(own[(own >= other.min()) & (own <= other.max())])


def _curve(fit: Fit, points: Points, axis: str, at: float) -> tuple[Array, Array]:
    """Places (P,) along a line, ln CR or SNR, and qualities (1 + D, P): the value, then draws."""
    measured = np.log(points.cr) if axis == "symbols" else points.snr_db
    along = np.linspace(measured.min(), measured.max(), _ALONG)
    fixed = np.full(_ALONG, at if axis == "symbols" else math.log(at))
    ln_cr, snr_db = (along, fixed) if axis == "symbols" else (fixed, along)
    value = np.asarray(fit.predict(cr=np.exp(ln_cr), snr_db=snr_db, interval=None).value)
    correction = fit.correction
    count = 0 if correction is None else len(correction.draws)
    if not count:
        return along, value[None]
    which = np.repeat(np.arange(count), _ALONG)
    drawn = surface_draws(fit, np.tile(ln_cr, count), np.tile(snr_db, count), which)
    return along, np.concatenate([value[None], drawn.reshape(count, _ALONG)])


def _apart(
    along: Sequence[Array], quality: Sequence[Array], sign: float, target: float | None
) -> tuple[Array, float, float]:
    """How much further along the other curve is at equal quality, of each draw; and which quality.

    NaN where a draw has no quality in common.
    """
    count = min(len(one) for one in quality)
    apart, span = np.full(count, np.nan), (math.nan, math.nan)
    for draw in range(count):
        # what is worse further along is as good as what is better before it
        curves = [np.maximum.accumulate(sign * one[draw]) for one in quality]
        low, high = max(one[0] for one in curves), min(one[-1] for one in curves)
        levels = np.linspace(low, high, _LEVELS) if target is None else np.array([sign * target])
        if not low < high or not (low <= levels[0] <= levels[-1] <= high):
            continue
        at = [
            np.interp(levels, curve + 1e-12 * np.arange(_ALONG), x)
            for curve, x in zip(curves, along, strict=True)
        ]
        apart[draw] = np.mean(at[1] - at[0])
        if draw == 0:
            span = (float(levels[0]), float(levels[-1]))
    low, high = sorted((sign * span[0], sign * span[1]))
    return apart, low, high


def _saving(
    axis: str, at: float | None, apart: Array, level: float, span: tuple[float, float]
) -> Saving:
    """A saving from the distance of the curves and its draws."""
    told = np.exp(apart) if axis == "symbols" else apart
    draws, interval = told[1:], _UNKNOWN
    if len(draws) and np.isfinite(draws).mean() >= _ENOUGH:
        ends = np.nanquantile(draws, [(1 - level) / 2, (1 + level) / 2])
        interval = Interval(float(ends[0]), float(ends[1]))
    return Saving(axis, at, float(told[0]), interval, *span)
