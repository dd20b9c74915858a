"""Values of a fitted surface and the bands around them, in blocks that stay in the cache.

A band is about one of four things (`KINDS`), each wider than the one before. What may be wrong
is told by the fit's correction; a fit of an earlier release has none, and its bands come from
the covariance of its parameters (or their draws) and its model error.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from semloss.arrays import Array, Integers, Mask
from semloss.errors import SemlossError
from semloss.facts import SHARED, metric_facts
from semloss.roots import halve
from semloss.surfaces.fitted.data import FitData
from semloss.surfaces.forms import FORMS
from semloss.surfaces.forms.base import blocks

_DRAWN = 65_536
"""Values of draws held at once, for the same reason."""

KINDS = {
    "these-images": "these images",
    "new-images": "new images",
    "trained-again": "trained again",
    "measurement": "a measurement",
}
"""What a band holds, and how it is called where it is printed: the true mean of the metric over
the images that were measured; over all images of their kind; that of a codec trained anew; a new
measured value, with the noise of its test images and its training."""


@dataclass(frozen=True)
class Band:
    """Which band is asked: of what, how sure, by which method.

    Attributes
    ----------
    interval
        Two-sided confidence level in (0, 1).
    kind
        One of `KINDS`.
    method
        ``delta`` (symmetric, from standard deviations) or ``bootstrap`` (quantiles of the draws).
    images
        Test images behind the new measurement; None: as many as in the fitted table.
    """

    interval: float = 0.95
    kind: str = "new-images"
    method: str = "delta"
    images: float | None = None

    def check(self, fit: FitData) -> None:
        """Refuse a band that makes no sense or that the fit cannot give.

        Raises
        ------
        SemlossError
            When a choice is unknown, or the fit lacks draws or a number of images.
        """
        if not 0 < self.interval < 1:
            raise SemlossError(f"interval = {self.interval}: a confidence level lies in (0, 1)")
        if self.kind not in KINDS:
            raise SemlossError(f"band = {self.kind!r}: one of {', '.join(KINDS)}")
        if self.method not in ("delta", "bootstrap"):
            raise SemlossError(f"method = {self.method!r}: one of delta, bootstrap")
        if self.method == "bootstrap" and not fit.has_draws:
            raise SemlossError(
                "method = 'bootstrap': the fit holds no draws; fit with bootstraps, "
                "or use method='delta'"
            )
        if self.images is not None:
            if self.kind != "measurement":
                raise SemlossError("images: only a band='measurement' depends on test images")
            if not (math.isfinite(self.images) and self.images >= 1):
                raise SemlossError(f"images = {self.images}: give 1 or more test images")
            if fit.noise not in ("binomial", "reported"):
                raise SemlossError(
                    "images: the fit knows no noise that depends on test images; leave it out"
                )
        if self.kind == "measurement" and fit.images is None:
            if fit.noise == "binomial" and self.images is None:
                raise SemlossError("the fit tells no number of test images; give images=…")
            if fit.noise == "reported" and self.images is not None:
                raise SemlossError(
                    "images: the fit knows its noise but not for how many images; leave it out"
                )


def at_points(
    fit: FitData, ln_cr: Array, snr_db: Array, band: Band | None
) -> tuple[Array, Array, Array, Mask]:
    """Values, both edges of the band and whether in the domain, each (N,), at points (N,).

    Without a band the edges are NaN (a read-only view, which costs no memory).
    """
    count = len(ln_cr)
    value = np.empty(count)
    inside = np.empty(count, dtype=bool)
    if band is None:
        low = high = np.broadcast_to(np.nan, count)
    else:
        low, high = np.empty(count), np.empty(count)
    for rows in blocks(count):
        x, snr = ln_cr[rows], snr_db[rows]
        inside[rows] = fit.domain.holds(x, snr)
        if band is None:
            value[rows] = _values(fit, x, snr)
        else:
            value[rows], low[rows], high[rows] = _edges(fit, x, snr, band)
            for out, held, edge_x, edge_snr in _beyond(fit, x, snr):
                _, *edges = _edges(fit, edge_x, edge_snr, band)
                for found, edge in zip((low[rows], high[rows]), edges, strict=True):
                    found[out] = held(found[out], edge)
    return value, low, high, inside


def with_sd(fit: FitData, ln_cr: Array, snr_db: Array) -> tuple[Array, Array]:
    """Values (N,) and the standard deviation (N,) of the surface on the measured images."""
    value, sd = np.empty(len(ln_cr)), np.empty(len(ln_cr))
    for rows in blocks(len(ln_cr)):
        value[rows], sd[rows] = _with_sd(fit, ln_cr[rows], snr_db[rows], Band(kind="these-images"))
    return value, sd


def surface_draws(fit: FitData, ln_cr: Array, snr_db: Array, which: Integers) -> Array:
    """Draws `which` (N,) of a corrected surface, each at its point (N,).

    They scatter as the band that the fit's answers are about.
    """
    correction = fit.correction
    assert correction is not None

    def drawn(x: Array, snr: Array, which: Integers) -> Array:
        basis = correction.at(correction.basis, x, snr)
        away = np.einsum("nr,rn->n", correction.draws[which], basis)
        value, sd = _with_sd(fit, x, snr, Band(kind=fit.band))
        value += away * sd / np.maximum(correction.at(correction.new_images, x, snr), 1e-300)
        return value

    value = np.empty(len(ln_cr))
    for rows in blocks(len(ln_cr)):
        x, snr = ln_cr[rows], snr_db[rows]
        found = value[rows] = drawn(x, snr, which[rows])
        for out, held, edge_x, edge_snr in _beyond(fit, x, snr):
            value[rows][out] = held(found[out], drawn(edge_x, edge_snr, which[rows][out]))
    return value


def _beyond(fit: FitData, x: Array, snr_db: Array) -> Iterator[tuple[Mask, np.ufunc, Array, Array]]:
    """Points (N,) outside the range of a corrected fit: no better than at its edge, or no worse.

    Which they are, what holds them to the value at the edge (a worse link is no better, a better
    one no worse, however large the doubt), and the nearest points (M,) of the range.
    """
    if fit.correction is None:
        return
    low, high = fit.hull.min(axis=0), fit.hull.max(axis=0)
    points = np.stack([x, snr_db], axis=1)
    below, above = np.any(points < low, axis=1), np.any(points > high, axis=1)
    held = (np.minimum, np.maximum)[:: int(fit.sign)]
    for out, one in zip((below & ~above, above & ~below), held, strict=True):
        if out.any():
            yield out, one, *np.clip(points[out], low, high).T


def _formula(fit: FitData, x: Array, snr_db: Array, p: Array) -> Array:
    """Values (..., N) of the form for a parameter vector (..., P)."""
    form = FORMS[fit.form]
    count = len(form.levels)
    value = form.gain(x, snr_db, p[..., count:])
    value = value * (p[..., count - 1, None] - p[..., 0, None])
    value += p[..., 0, None]
    return value


def _values(fit: FitData, x: Array, snr_db: Array) -> Array:
    """Values (N,) of the surface: the formula and its correction."""
    value = _formula(fit, x, snr_db, fit.parameters)
    if fit.correction is not None:
        value += fit.correction.at(fit.correction.mean, x, snr_db)
        np.clip(value, *_reach(fit), out=value)
    return value


def _with_sd(fit: FitData, x: Array, snr_db: Array, band: Band) -> tuple[Array, Array]:
    """Values (N,) and the standard deviation (N,) of what the band is about."""
    correction = fit.correction
    if correction is None:
        value, variance = _delta(fit, x, snr_db)
        variance += fit.model_error_sd**2
        if band.kind != "these-images":
            variance += SHARED.get(fit.noise, 0.0) * _of_images(fit, value, None)
    else:
        value = _values(fit, x, snr_db)
        these = band.kind == "these-images"
        sd = correction.at(correction.these_images if these else correction.new_images, x, snr_db)
        variance = sd**2 + correction.outer(x, snr_db, fit.hull) ** 2
    if band.kind in ("trained-again", "measurement"):
        variance += fit.replicate_sd**2
    if band.kind == "measurement":
        variance += _of_images(fit, value, band.images)
    return value, np.sqrt(variance, out=variance)


def _delta(fit: FitData, x: Array, snr_db: Array) -> tuple[Array, Array]:
    """Values (N,) and their variance (N,) from the covariance of the parameters."""
    form, p = FORMS[fit.form], fit.parameters
    count = len(form.levels)
    gain, slopes = form.slopes(x, snr_db, p[count:])
    root = fit.root
    span = p[count - 1] - p[0]
    # The value is floor + span * gain: its derivatives are 1 - gain, gain and span * slopes.
    moved = (span * root[:, count:]) @ slopes
    moved += (root[:, count - 1] - root[:, 0])[:, None] * gain
    moved += root[:, :1]
    value = gain * span
    value += p[0]
    return value, np.einsum("kn,kn->n", moved, moved)


def _edges(fit: FitData, x: Array, snr_db: Array, band: Band) -> tuple[Array, Array, Array]:
    """Values (N,) and both edges (N,) of the band."""
    quantile = student_quantile(band.interval, fit.dof if fit.correction is None else None)
    value, half = _with_sd(fit, x, snr_db, band)
    if band.method == "delta":
        half *= quantile
        low, high = value - half, value + half
    else:
        below, above = _drawn(fit, x, snr_db, band.interval)
        # What the draws leave out: they are of the formula alone, or of the surface on new images.
        if fit.correction is None:
            share = np.ones(len(x))
            rest = (quantile * half) ** 2 - (quantile**2) * _delta(fit, x, snr_db)[1]
            below = -np.sqrt(np.minimum(below, 0.0) ** 2 + np.maximum(rest, 0.0))
            above = np.sqrt(np.maximum(above, 0.0) ** 2 + np.maximum(rest, 0.0))
        else:
            _, told = _with_sd(fit, x, snr_db, Band(kind="new-images"))
            share = half / np.maximum(told, 1e-300)
        low, high = value + share * np.minimum(below, 0.0), value + share * np.maximum(above, 0.0)
    least, most = _ends(fit, band)
    # A receiver tuned to the link may beat the clean ceiling: the band still holds the value.
    if least > -math.inf:
        np.minimum(np.maximum(low, least, out=low), value, out=low)
    if most < math.inf:
        np.maximum(np.minimum(high, most, out=high), value, out=high)
    return value, low, high


def _reach(fit: FitData) -> tuple[float, float]:
    """Where the metric ends, or where it is known to end when nothing gets through."""
    facts = metric_facts(fit.metric)
    low, high = facts.values
    if fit.floor is None or not facts.floor_is_reached:
        return low, high
    return (fit.floor, high) if fit.sign > 0 else (low, fit.floor)


def _ends(fit: FitData, band: Band) -> tuple[float, float]:
    """Where a band ends: where the metric does; on the measured images, at its known levels."""
    ends = metric_facts(fit.metric).values
    if band.kind == "measurement":
        return (0.0, 1.0) if fit.noise == "binomial" else ends
    known = (fit.floor, fit.ceiling if band.kind == "these-images" else None)[:: int(fit.sign)]
    low, high = (end if level is None else level for level, end in zip(known, ends, strict=True))
    return low, high


def _of_images(fit: FitData, value: Array, images: float | None) -> Array:
    """Variance (N,) that the test images of one measurement give it, around the fit.

    Binomial by Laplace's rule, so that hitting every image does not count as certain; reported
    noise falls with the number of images. 0 where the fit tells neither.
    """
    known = fit.images
    if fit.noise == "binomial" and (images or known):
        n = images or known
        assert n is not None
        share = (np.clip(value, 0.0, 1.0) * n + 1.0) / (n + 2.0)
        return np.asarray(share * (1.0 - share) / n)
    if fit.noise == "reported":
        part = fit.noise_sd**2 * (known / images if known and images else 1.0)
        return np.full(len(value), part)
    return np.zeros(len(value))


def _drawn(fit: FitData, x: Array, snr_db: Array, interval: float) -> tuple[Array, Array]:
    """Quantiles (N,) that hold `interval` of the draws between them, against the value."""
    sides = [0.5 - interval / 2, 0.5 + interval / 2]
    correction = fit.correction
    draws = fit.draws if correction is None else correction.draws
    assert draws is not None  # Band.check
    parts = []
    for i in range(0, len(x), size := max(_DRAWN // len(draws), 1)):
        at, snr = x[i : i + size], snr_db[i : i + size]
        if correction is None:
            away = _formula(fit, at, snr, draws) - _formula(fit, at, snr, fit.parameters)
        else:
            away = draws @ correction.at(correction.basis, at, snr)
        parts.append(np.quantile(away.T, sides, axis=1))
    below, above = np.concatenate(parts, axis=1) if parts else np.empty((2, 0))
    return below, above


def level_text(interval: float | None, kind: str) -> str:
    """How sure a band is, and what it is about, as printed beside it: "95 %, new images"."""
    return f"{100 * (interval or math.nan):g} %, {KINDS[kind]}"


@lru_cache(maxsize=256)
def student_quantile(interval: float, dof: int | None) -> float:
    """Two-sided quantile of Student's t; without `dof` the normal distribution's.

    Sources: the finite sums of Abramowitz and Stegun, 26.7.3 and 26.7.4, solved by halving, and
    beyond 100 degrees of freedom their series 26.7.5, which is exact to 1e-6 there.
    """
    z = NormalDist().inv_cdf(0.5 + interval / 2)
    if dof is None:
        return z
    if dof > 100:
        return (
            z
            + (z**3 + z) / (4 * dof)
            + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * dof**2)
            + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * dof**3)
        )
    angle, _ = halve(lambda a: np.asarray(_student_share(float(a), dof) >= interval), 0.0,
                     math.pi / 2, rounds=60)  # fmt: skip
    return math.sqrt(dof) * math.tan(float(angle))


def _student_share(angle: float, dof: int) -> float:
    """Probability of |t| < sqrt(dof) tan(angle)."""
    odd = dof % 2
    term, total = (math.cos(angle) if odd else 1.0), 0.0
    for j in range(1, (dof - odd) // 2 + 1):
        total += term
        term *= math.cos(angle) ** 2 * (2 * j - 1 + odd) / (2 * j + odd)
    total *= math.sin(angle)
    return 2 / math.pi * (angle + total) if odd else total
