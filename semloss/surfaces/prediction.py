"""A fitted surface answers: the metric at (CR, SNR), and the SNR or CR that a target needs.

Numpy and the standard library only, so that a prediction starts cold in a fraction of a second.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from semloss.errors import SemlossError, TargetNotAttainable
from semloss.surfaces.domain import in_hull
from semloss.surfaces.forms import FORMS, Array
from semloss.units import format_cr, parse_cr

_GRID = 257
"""Points on which a band edge, which need not be monotone, is searched for its crossing."""


class Outcome(StrEnum):
    """How a fit ended; `remedy` says what to do about it."""

    CONVERGED = "converged"
    BOUND_HIT = "bound hit"
    NOT_IDENTIFIABLE = "not identifiable"
    NOT_CONVERGED = "not converged"
    TOO_FEW_POINTS = "too few points"

    @property
    def remedy(self) -> str:
        """One sentence that says what the outcome means and what to do."""
        return _REMEDIES[self]


_REMEDIES = {
    Outcome.CONVERGED: "nothing to do",
    Outcome.BOUND_HIT: "the named parameters rest on the edge of their search range, so the data "
    "do not show that bend; widen the grid or choose a simpler --form",
    Outcome.NOT_IDENTIFIABLE: "several parameter sets fit equally well: trust predictions near "
    "the measured cells only, add CRs or SNRs, or choose a simpler --form",
    Outcome.NOT_CONVERGED: "the solver stopped early; choose a simpler --form",
    Outcome.TOO_FEW_POINTS: "measure more cells or choose a simpler --form",
}


@dataclass(frozen=True)
class Prediction:
    """Metric at one or many points; floats for scalars asked, arrays otherwise.

    `low` and `high` bound the true surface with the stated confidence `interval`: parameter
    uncertainty and model error together. `in_domain` tells whether the point lies within the
    convex hull of the fitted cells in (ln CR, SNR).
    """

    metric: str
    task: str
    cr: Any
    snr_db: Any
    value: Any
    low: Any
    high: Any
    in_domain: Any
    interval: float


@dataclass(frozen=True)
class Requirement:
    """Smallest SNR or CR that meets a target, with the interval that the band's edges give.

    `solved` is "snr_db" or "cr", and `low` … `high` is its interval; `high` is None where the
    band's pessimistic edge does not reach the target within the fitted range. `at_edge` says
    that the lowest fitted SNR or CR meets the target already, so that less might do.
    """

    metric: str
    task: str
    target: float
    solved: str
    cr: float
    snr_db: float
    low: float
    high: float | None
    at_edge: bool
    in_domain: bool
    interval: float

    @property
    def cr_fraction(self) -> str:
        """A ratio 1/m not below the CR, so that it meets the target as well."""
        return format_cr(1 / max(math.floor(1 / self.cr + 1e-9), 1))


@dataclass(frozen=True)
class FittedSurface:
    """A form with fitted parameters and everything that makes its predictions honest.

    Attributes
    ----------
    parameters, covariance
        Vector (P,) in the order of the form's names, and its covariance (P, P) with zeros for
        parameters that are known or rest on a bound.
    direction
        "higher" or "lower": which way the metric improves.
    floor, ceiling
        Known values of the metric when nothing gets through and at best; None where unknown.
    model_error_sd, dof
        What the form leaves unexplained beyond measurement noise, and the degrees of freedom.
    hull
        Vertices (V, 2) of the convex hull of the fitted cells in (ln CR, SNR in dB).
    quality, data, provenance
        Figures of the fit, hash and size of the table, and where it came from.
    """

    form: str
    metric: str
    task: str
    direction: str
    parameters: Array
    covariance: Array
    floor: float | None
    ceiling: float | None
    model_error_sd: float
    dof: int
    hull: Array
    outcome: Outcome
    message: str = ""
    quality: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def cr_range(self) -> tuple[float, float]:
        """Smallest and largest fitted CR."""
        return float(np.exp(self.hull[:, 0].min())), float(np.exp(self.hull[:, 0].max()))

    @property
    def snr_db_range(self) -> tuple[float, float]:
        """Smallest and largest fitted SNR in dB."""
        return float(self.hull[:, 1].min()), float(self.hull[:, 1].max())

    def predict(
        self, *, cr: ArrayLike | str, snr_db: ArrayLike, interval: float = 0.95
    ) -> Prediction:
        """Metric at CR and SNR, with a confidence band.

        Parameters
        ----------
        cr
            Compression ratio k/n in (0, 1]: scalar, text such as "1/12", or array.
        snr_db
            Es/N0 in dB per complex symbol: scalar or array that broadcasts with `cr`.
        interval
            Confidence level of the band, in (0, 1).

        Raises
        ------
        SemlossError
            When a CR lies outside (0, 1], an SNR is not finite or the level is not in (0, 1).
        """
        cr_grid, snr_grid = np.broadcast_arrays(_ratios(cr), _decibels(snr_db))
        value, half = self._band(cr_grid.ravel(), snr_grid.ravel(), interval)
        # A receiver tuned to the link may beat the clean ceiling: the band still holds the value.
        low = np.minimum(self._clip(value - half), value)
        high = np.maximum(self._clip(value + half), value)
        inside = in_hull(self.hull, np.log(cr_grid.ravel()), snr_grid.ravel())
        shape = cr_grid.shape

        def shaped(array: Array | np.ndarray[Any, np.dtype[np.bool_]]) -> Any:  # noqa: ANN401
            return array.reshape(shape) if shape else array.item()

        return Prediction(
            self.metric, self.task, shaped(cr_grid), shaped(snr_grid), shaped(value),
            shaped(low), shaped(high), shaped(inside), interval,
        )  # fmt: skip

    def min_snr(self, *, target: float, cr: float | str, interval: float = 0.95) -> Requirement:
        """Smallest SNR, within the fitted range, at which the metric meets `target` at `cr`.

        Raises
        ------
        TargetNotAttainable
            When the surface stays short of the target up to the largest fitted SNR.
        """
        ratio = parse_cr(cr)
        where = f"at CR {format_cr(ratio)}"
        ask = "raise --cr or relax --target"
        answer = self._require(
            target, *self.snr_db_range, interval, lambda s: (np.full_like(s, ratio), s), where, ask
        )
        return self._requirement("snr_db", target, ratio, answer[0], answer, interval)

    def min_cr(self, *, target: float, snr_db: float, interval: float = 0.95) -> Requirement:
        """Smallest CR, within the fitted range, at which the metric meets `target` at `snr_db`.

        Raises
        ------
        TargetNotAttainable
            When the surface stays short of the target up to the largest fitted CR.
        """
        snr = float(_decibels(snr_db))
        low, high = (math.log(cr) for cr in self.cr_range)
        where = f"at SNR {snr:g} dB"
        ask = "raise --snr-db or relax --target"
        found = self._require(
            target, low, high, interval, lambda x: (np.exp(x), np.full_like(x, snr)), where, ask
        )
        best, optimist, pessimist, at_edge = found
        answer = (
            math.exp(best), math.exp(optimist),
            None if pessimist is None else math.exp(pessimist), at_edge,
        )  # fmt: skip
        return self._requirement("cr", target, answer[0], snr, answer, interval)

    def _band(self, cr: Array, snr_db: Array, interval: float) -> tuple[Array, Array]:
        """Value and half-width (N,) by the delta method plus model error."""
        if not 0 < interval < 1:
            raise SemlossError(f"interval = {interval}: a confidence level lies in (0, 1)")
        form = FORMS[self.form]
        value = form(cr, snr_db, self.parameters)
        jacobian = form.jacobian(cr, snr_db, self.parameters)
        variance = np.einsum("np,pq,nq->n", jacobian, self.covariance, jacobian)
        spread = np.sqrt(np.maximum(variance, 0.0) + self.model_error_sd**2)
        return value, student_quantile(interval, self.dof) * spread

    def _clip(self, value: Array) -> Array:
        """Keep a band's edge between the known floor and ceiling."""
        ends = (self.floor, self.ceiling)
        low, high = ends if self.direction == "higher" else ends[::-1]
        return np.clip(value, -np.inf if low is None else low, np.inf if high is None else high)

    def _require(
        self,
        target: float,
        start: float,
        stop: float,
        interval: float,
        points: Callable[[Array], tuple[Array, Array]],
        where: str,
        ask: str,
    ) -> tuple[float, float, float | None, bool]:
        """Find where the surface and both band edges meet the target along a line.

        Bisection needs no more than a monotone curve, which every form is.
        """
        if not math.isfinite(target):
            raise SemlossError(f"target = {target}: give a finite value of {self.metric}")
        sign = 1.0 if self.direction == "higher" else -1.0

        def surplus(t: Array, side: float) -> Array:
            if side == 0:
                return sign * (FORMS[self.form](*points(t), self.parameters) - target)
            value, half = self._band(*points(t), interval)
            return sign * (self._clip(value + side * sign * half) - target)

        # A target taken from a prediction must be met at that very point: allow for round-off.
        slack = 1e-12 * max(abs(target), 1.0)
        grid = np.linspace(start, stop, _GRID)

        def first(side: float) -> float | None:
            met = np.flatnonzero(surplus(grid, side) >= -slack)
            if met.size == 0:
                return None
            if met[0] == 0:
                return float(grid[0])
            short, enough = float(grid[met[0] - 1]), float(grid[met[0]])
            for _ in range(60):
                middle = 0.5 * (short + enough)
                if surplus(np.array([middle]), side)[0] >= 0:
                    enough = middle
                else:
                    short = middle
            return enough

        best = first(0.0)
        if best is None:
            nearest = float(sign * surplus(grid[-1:], 0.0)[0] + target)
            more = "at most" if sign > 0 else "no less than"
            raise TargetNotAttainable(
                f"{self.metric} = {target:g} is not attainable {where}: the surface reaches "
                f"{more} {nearest:.4g} within the fitted range; {ask}"
            )
        optimist = first(1.0)
        return best, best if optimist is None else optimist, first(-1.0), best == start

    def _requirement(
        self,
        solved: str,
        target: float,
        cr: float,
        snr_db: float,
        answer: tuple[float, float, float | None, bool],
        interval: float,
    ) -> Requirement:
        inside = in_hull(self.hull, np.log([cr]), np.array([snr_db]))
        _, low, high, at_edge = answer
        return Requirement(
            self.metric, self.task, target, solved, cr, snr_db, low, high, at_edge,
            bool(inside[0]), interval,
        )  # fmt: skip


def student_quantile(interval: float, dof: int) -> float:
    """Two-sided quantile of Student's t: within 1 % for dof >= 3, exact for 1 and 2.

    Source: the series of Abramowitz and Stegun, 26.7.5.
    """
    p = 0.5 + interval / 2
    if dof == 1:
        return math.tan(math.pi * (p - 0.5))
    if dof == 2:
        return interval * math.sqrt(2 / (1 - interval**2))
    z = NormalDist().inv_cdf(p)
    return (
        z
        + (z**3 + z) / (4 * dof)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * dof**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * dof**3)
    )


def _ratios(cr: ArrayLike | str) -> Array:
    """Compression ratios as floats, checked to lie in (0, 1]."""
    if isinstance(cr, str | float | int):
        return np.asarray(parse_cr(cr))
    array = np.asarray(cr)
    if array.dtype.kind in "OUS":
        return np.array([parse_cr(c) for c in array.ravel()]).reshape(array.shape)
    ratios = array.astype(np.float64)
    if not np.all((ratios > 0) & (ratios <= 1)):
        raise SemlossError("cr: every CR is k/n (channel uses per source sample) in (0, 1]")
    return ratios


def _decibels(snr_db: ArrayLike) -> Array:
    """SNRs as floats, checked to be finite."""
    array = np.asarray(snr_db, dtype=np.float64)
    if not np.all(np.isfinite(array)):
        raise SemlossError("snr_db: give finite SNRs, Es/N0 in dB")
    return array
