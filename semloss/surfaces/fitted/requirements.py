"""What a target needs: the smallest SNR or CR that meets it, with an interval.

An interval inverts the band: it is made of the SNRs (or CRs) whose band holds the target, so it
covers the true one as often as the band covers the true fit.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from semloss.answers import Answer
from semloss.arrays import Array, Mask
from semloss.errors import SemlossError, TargetNotAttainable
from semloss.layout import frame_text, named
from semloss.roots import first_met
from semloss.surfaces.fitted.bands import Band, at_points, level_text
from semloss.surfaces.fitted.data import FitData
from semloss.surfaces.fitted.inputs import one_number
from semloss.units import format_cr

_GRID = 257
"""Points on which a band's edge, which need not be monotone, is searched for its crossing."""
_COUNTS = (_GRID, *[33] * 8)
"""Each further round narrows a crossing to one of 32 parts: eight leave a rounding error."""
_COLUMNS = ("cr", "snr_db", "low", "high", "in_domain", "at_edge")
"""Arrays of a contour, as its table has them."""


@dataclass(frozen=True)
class Levels:
    """How sure an answer has to be: see `Fit.min_snr`."""

    interval: float | None = 0.95
    confidence: float | None = None
    method: str = "delta"

    def check(self, fit: FitData) -> None:
        """Refuse levels that make no sense or that the fit cannot give."""
        self.band(fit, 0.95 if self.interval is None else self.interval).check(fit)
        if self.confidence is not None and not 0.5 < self.confidence < 1:
            raise SemlossError(f"confidence = {self.confidence}: it lies in (0.5, 1), e.g. 0.95")

    def band(self, fit: FitData, interval: float) -> Band:
        """Band of this level about what the fit's answers are about."""
        return Band(interval, fit.band, self.method)


@dataclass(frozen=True)
class Requirement(Answer):
    """Smallest SNR or CR that meets a target, with the interval that the band's edges give.

    `solved` is "snr_db" or "cr", and `low` … `high` is its interval; `high` is None where the
    band's pessimistic edge does not reach the target within the fitted range. `at_edge` says
    that the lowest fitted SNR or CR meets the target already, so that less might do.
    `confidence` is the one-sided confidence with which the target is met; None: by the surface
    itself.
    """

    metric: str
    receiver: str
    task: str
    target: float
    solved: str
    cr: float
    snr_db: float
    low: float
    high: float | None
    at_edge: bool
    in_domain: bool = True
    interval: float | None = None
    confidence: float | None = None
    band: str = "new-images"

    @property
    def met(self) -> bool:
        """What a target needs meets it."""
        return True

    def rows(self) -> list[dict[str, Any]]:
        """One row."""
        return [self.to_dict()]

    def to_dict(self) -> dict[str, Any]:
        """What is needed, with its interval."""
        answer = {
            "metric": self.metric, "receiver": self.receiver, "task": self.task, "cr": self.cr,
            "cr_text": format_cr(self.cr), "snr_db": self.snr_db, "interval": self.interval,
            "in_domain": self.in_domain, "target": self.target, "solved": self.solved,
            f"{self.solved}_low": self.low, f"{self.solved}_high": self.high,
            "at_edge": self.at_edge, "confidence": self.confidence, "band": self.band,
        }  # fmt: skip
        return answer | ({"cr_fraction": self.cr_fraction} if self.solved == "cr" else {})

    def text(self) -> str:
        """What is needed, with its interval."""
        worst = "beyond the fitted range" if self.high is None else None
        least = "at most " if self.at_edge else ""
        if self.solved == "snr_db":
            span = f"{self.low:.2f} … {worst or f'{self.high:.2f} dB'}"
            ask = f"needs SNR {least}{self.snr_db:.2f} dB at CR {format_cr(self.cr)}"
        else:
            span = f"{self.low:.4f} … {worst or f'{self.high:.4f}'}"
            ask = (
                f"needs CR {least}{self.cr:.4f} at SNR {self.snr_db:g} dB, "
                f"met by {self.cr_fraction}"
            )
        # A confident answer is a bound; the interval is that of what is truly needed.
        of = "truly needed, " if self.confidence else ""
        level = "" if self.interval is None else (
            f"   [{of}{level_text(self.interval, self.band)}: {span}]"
        )  # fmt: skip
        line = f"{named(self)} = {self.target:g}{_sure(self.confidence)} {ask}{level}"
        edge = "\nthe lowest measured value meets the target; less might do"
        return line + edge * self.at_edge

    @property
    def cr_fraction(self) -> str:
        """A ratio 1/m not below the CR, so that it meets the target as well."""
        return format_cr(1 / max(math.floor(1 / self.cr + 1e-9), 1))


@dataclass(frozen=True)
class Contour(Answer):
    """Smallest SNR that meets a target, over CR: arrays (N,), NaN where not attainable.

    `low` … `high` is the interval of each SNR; `high` is NaN where the pessimistic edge does not
    reach the target. `at_edge` says that the lowest fitted SNR meets it already.
    """

    metric: str
    receiver: str
    task: str
    target: float
    cr: Array
    snr_db: Array
    low: Array
    high: Array
    at_edge: Mask
    in_domain: Any = None
    interval: float | None = None
    confidence: float | None = None
    band: str = "new-images"

    def frame(self) -> Any:  # noqa: ANN401 - a DataFrame; pandas is imported only here
        """Return the arrays as a pandas DataFrame, one row per CR."""
        import pandas as pd

        return pd.DataFrame({name: getattr(self, name) for name in _COLUMNS})

    def rows(self) -> list[dict[str, Any]]:
        """One record per CR."""
        columns = [getattr(self, name).tolist() for name in _COLUMNS]
        return [dict(zip(_COLUMNS, row, strict=True)) for row in zip(*columns, strict=True)]

    def to_dict(self) -> dict[str, Any]:
        """The target and the records, as ``points``."""
        names = ("metric", "receiver", "task", "target", "interval", "confidence", "band")
        return {name: getattr(self, name) for name in names} | {"points": self.rows()}

    def text(self) -> str:
        """The target, and a line per CR."""
        asked = f"{named(self)} = {self.target:g}{_sure(self.confidence)}"
        return f"{asked} needs\n{frame_text(self.rows(), _COLUMNS)}"


def _sure(confidence: float | None) -> str:
    return f" with {100 * confidence:g} % confidence" if confidence else ""


@dataclass(frozen=True)
class _Line:
    """R lines through the plane along which a target is searched for, of one kind.

    `points` turns positions (R, G) along the lines into ln CR and SNR of the same shape.
    """

    start: float
    stop: float
    rows: int
    points: Callable[[Array], tuple[Array, Array]]


def min_snr(fit: FitData, target: float, cr: float, levels: Levels) -> Requirement:
    """See `Fit.min_snr`."""
    line = _along_snr(fit, np.array([cr]))
    where = f"at CR {format_cr(cr)}"
    answer, low, high = _solve(fit, target, line, levels)
    if math.isnan(answer[0]):
        raise _short_of(fit, target, line, levels, where, "raise --cr or relax --target")
    return _requirement(
        fit, target, levels, "snr_db", cr, float(answer[0]), float(low[0]), float(high[0]),
        at_edge=bool(answer[0] == line.start),
    )  # fmt: skip


def min_cr(fit: FitData, target: float, snr_db: float, levels: Levels) -> Requirement:
    """See `Fit.min_cr`."""
    ends = fit.hull[:, 0]
    line = _Line(
        float(ends.min()), float(ends.max()), 1, lambda t: (t, np.broadcast_to(snr_db, t.shape))
    )
    where = f"at SNR {snr_db:g} dB"
    answer, low, high = _solve(fit, target, line, levels)
    if math.isnan(answer[0]):
        raise _short_of(fit, target, line, levels, where, "raise --snr-db or relax --target")
    return _requirement(
        fit, target, levels, "cr", math.exp(answer[0]), snr_db, math.exp(low[0]),
        math.exp(high[0]), at_edge=bool(answer[0] == line.start),
    )  # fmt: skip


def contour(fit: FitData, target: float, cr: Array, levels: Levels) -> Contour:
    """See `Fit.contour`."""
    line = _along_snr(fit, cr)
    answer, low, high = _solve(fit, target, line, levels)
    met = ~np.isnan(answer)
    inside = met.copy()
    inside[met] = fit.domain.holds(np.log(cr[met]), answer[met])
    return Contour(
        fit.metric, fit.receiver, fit.task, target, cr, answer,
        np.where(met, low, np.nan), high, met & (answer == line.start), inside, levels.interval,
        levels.confidence, fit.band,
    )  # fmt: skip


def _along_snr(fit: FitData, cr: Array) -> _Line:
    ln_cr = np.log(cr)[:, None]
    return _Line(*fit.snr_db_range, len(cr), lambda t: (np.broadcast_to(ln_cr, t.shape), t))


def _requirement(
    fit: FitData, target: float, levels: Levels, solved: str, cr: float,
    snr_db: float, low: float, high: float, *, at_edge: bool,
) -> Requirement:  # fmt: skip
    inside = fit.domain.holds(np.log([cr]), np.array([snr_db]))
    beyond = levels.interval is not None and math.isnan(high)
    return Requirement(
        fit.metric, fit.receiver, fit.task, target, solved, cr, snr_db, low,
        None if beyond else high, at_edge, bool(inside[0]), levels.interval, levels.confidence,
        fit.band,
    )  # fmt: skip


def _solve(fit: FitData, target: float, line: _Line, levels: Levels) -> tuple[Array, Array, Array]:
    """Positions (R,) of the answer and of the ends of its interval; NaN where there is none."""
    levels.check(fit)
    target = one_number(target, "target")
    answer = _first(_surplus(fit, target, line, _answer_band(fit, levels)), target, line)
    if levels.interval is None:
        nothing = np.full(line.rows, np.nan)
        return answer, nothing, nothing
    band = levels.band(fit, levels.interval)
    low = _first(_surplus(fit, target, line, band, hopeful=True), target, line)
    high = _first(_surplus(fit, target, line, band), target, line)
    # The band's hopeful edge ends at the known ceiling, which a fit may beat.
    return answer, np.where(np.isnan(low), answer, low), high


def _answer_band(fit: FitData, levels: Levels) -> Band | None:
    """Two-sided band whose pessimistic edge is the one-sided bound asked for; None without."""
    if levels.confidence is None:
        return None
    return levels.band(fit, 2 * levels.confidence - 1)


def _surplus(
    fit: FitData,
    target: float,
    line: _Line,
    band: Band | None,
    *,
    hopeful: bool = False,
) -> Callable[[Array], Array]:
    """By how much the value, or an edge of the band, exceeds the target at positions (R, G)."""

    def surplus(t: Array) -> Array:
        ln_cr, snr_db = (np.ascontiguousarray(a).ravel() for a in line.points(t))
        value, low, high, _ = at_points(fit, ln_cr, snr_db, band)
        edge = value if band is None else high if hopeful == (fit.sign > 0) else low
        return fit.sign * (edge - target).reshape(t.shape)

    return surplus


def _first(surplus: Callable[[Array], Array], target: float, line: _Line) -> Array:
    """First position (R,) on each line at which the target is met; NaN where it never is."""
    # A target taken from a prediction must be met at that very point: allow for round-off.
    slack = 1e-12 * max(abs(target), 1.0)
    start, stop = np.full(line.rows, line.start), np.full(line.rows, line.stop)
    return first_met(surplus, start, stop, _COUNTS, slack)


def _short_of(
    fit: FitData, target: float, line: _Line, levels: Levels, where: str, ask: str
) -> TargetNotAttainable:
    """Say what is reached at best, and whether only the confidence is lacking."""
    sign = fit.sign
    more = "at most" if sign > 0 else "no less than"
    grid = np.linspace(line.start, line.stop, _GRID)[None, :]
    plain = _surplus(fit, target, line, None)(grid)
    best = float(sign * plain[0, -1] + target)
    if levels.confidence is None or plain[0, -1] < -1e-12 * max(abs(target), 1.0):
        return TargetNotAttainable(
            f"{fit.metric} = {target:g} is not attainable {where}: the surface reaches "
            f"{more} {best:.4g} within the fitted range; {ask}"
        )
    sure = _surplus(fit, target, line, _answer_band(fit, levels))(grid)
    bound = float(sign * sure.max() + target)
    return TargetNotAttainable(
        f"{fit.metric} = {target:g} is not attainable {where} with "
        f"{100 * levels.confidence:g} % confidence: the surface reaches {best:.4g} within the "
        f"fitted range, but its {'lower' if sign > 0 else 'upper'} bound {more} {bound:.4g}; "
        f"lower --confidence, measure more, {ask}"
    )
