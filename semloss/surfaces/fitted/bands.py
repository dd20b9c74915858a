"""Values of a fitted surface and the bands around them, in blocks that stay in the cache.

A band adds up, as variances, what may be wrong: the parameters (by the delta method with their
covariance, or by bootstrap draws), the form itself (model error), and, where a new measurement
is asked about, its test images and its training.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from semloss.arrays import Array, Mask
from semloss.errors import SemlossError
from semloss.facts import metric_facts
from semloss.roots import halve
from semloss.surfaces.fitted.data import FitData
from semloss.surfaces.forms import FORMS

_BLOCK = 8192
"""Points evaluated at once: the intermediate arrays stay in the second-level cache."""
_DRAWN = 65_536
"""Values of bootstrap draws held at once, for the same reason."""


@dataclass(frozen=True)
class Band:
    """Which band is asked: of what, how sure, by which method.

    Attributes
    ----------
    interval
        Two-sided confidence level in (0, 1).
    kind
        ``surface`` bounds the true mean of the metric, ``measurement`` a new measured value.
    method
        ``delta`` (covariance, symmetric) or ``bootstrap`` (quantiles of the draws).
    images
        Test images behind the new measurement; None: as many as in the fitted table.
    """

    interval: float = 0.95
    kind: str = "surface"
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
        if self.kind not in ("surface", "measurement"):
            raise SemlossError(f"band = {self.kind!r}: one of surface, measurement")
        if self.method not in ("delta", "bootstrap"):
            raise SemlossError(f"method = {self.method!r}: one of delta, bootstrap")
        if self.method == "bootstrap" and fit.draws is None:
            raise SemlossError(
                "method = 'bootstrap': the fit holds no bootstrap draws; fit with bootstraps, "
                "or use method='delta'"
            )
        if self.images is not None:
            if self.kind == "surface":
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
    for begin in range(0, count, _BLOCK):
        rows = slice(begin, min(begin + _BLOCK, count))
        x, snr = ln_cr[rows], snr_db[rows]
        inside[rows] = fit.domain.holds(x, snr)
        if band is None:
            value[rows] = _values(fit, x, snr, fit.parameters)
        else:
            value[rows], low[rows], high[rows] = _edges(fit, x, snr, band)
    return value, low, high, inside


def with_sd(fit: FitData, ln_cr: Array, snr_db: Array) -> tuple[Array, Array]:
    """Values (N,) and the standard deviation (N,) of the surface there."""
    value, sd = np.empty(len(ln_cr)), np.empty(len(ln_cr))
    for begin in range(0, len(ln_cr), _BLOCK):
        rows = slice(begin, begin + _BLOCK)
        value[rows], variance = _delta(fit, ln_cr[rows], snr_db[rows])
        sd[rows] = np.sqrt(variance + fit.model_error_sd**2)
    return value, sd


def _values(fit: FitData, x: Array, snr_db: Array, p: Array) -> Array:
    """Metric (..., N) for a parameter vector (..., P)."""
    form = FORMS[fit.form]
    count = len(form.levels)
    value = form.gain(x, snr_db, p[..., count:])
    value = value * (p[..., count - 1, None] - p[..., 0, None])
    value += p[..., 0, None]
    return value


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
    quantile = student_quantile(band.interval, fit.dof)
    if band.method == "delta":
        value, variance = _delta(fit, x, snr_db)
        variance += fit.model_error_sd**2
        if band.kind == "measurement":
            variance += _sampling(fit, value, band.images)
        half = np.sqrt(variance, out=variance)
        half *= quantile
        low, high = value - half, value + half
    else:
        value = _values(fit, x, snr_db, fit.parameters)
        below, above = _drawn(fit, x, snr_db, band.interval)
        noise = np.full(len(x), fit.model_error_sd**2)
        if band.kind == "measurement":
            noise += _sampling(fit, value, band.images)
        noise *= quantile**2
        low = value - np.sqrt(np.maximum(value - below, 0.0) ** 2 + noise)
        high = value + np.sqrt(np.maximum(above - value, 0.0) ** 2 + noise)
    least, most = _ends(fit, band)
    # A receiver tuned to the link may beat the clean ceiling: the band still holds the value.
    if least > -math.inf:
        np.minimum(np.maximum(low, least, out=low), value, out=low)
    if most < math.inf:
        np.maximum(np.minimum(high, most, out=high), value, out=high)
    return value, low, high


def _ends(fit: FitData, band: Band) -> tuple[float, float]:
    """Where a band ends: where the metric does, and a mean between its known levels too."""
    ends = metric_facts(fit.metric).values
    if band.kind == "measurement":
        return (0.0, 1.0) if fit.noise == "binomial" else ends
    levels = (fit.floor, fit.ceiling)[:: int(fit.sign)]
    low, high = (end if level is None else level for level, end in zip(levels, ends, strict=True))
    return low, high


def _sampling(fit: FitData, value: Array, images: float | None) -> Array:
    """Variance (N,) of one new measurement around the fit.

    Binomial by Laplace's rule, so that hitting every image does not count as certain; reported
    noise falls with the number of images.
    """
    variance = np.full(len(value), fit.replicate_sd**2)
    known = fit.images
    if fit.noise == "binomial":
        n = images or known
        assert n is not None  # Band.check
        share = (np.clip(value, 0.0, 1.0) * n + 1.0) / (n + 2.0)
        variance += share * (1.0 - share) / n
    elif fit.noise == "reported":
        variance += fit.noise_sd**2 * (known / images if known and images else 1.0)
    return variance


def _drawn(fit: FitData, x: Array, snr_db: Array, interval: float) -> tuple[Array, Array]:
    """Quantiles (N,) of the bootstrap draws' surfaces that hold `interval` between them."""
    assert fit.draws is not None  # Band.check
    sides = [0.5 - interval / 2, 0.5 + interval / 2]
    size = max(_DRAWN // len(fit.draws), 1)
    parts = [
        np.quantile(_values(fit, x[i : i + size], snr_db[i : i + size], fit.draws).T,
                    sides, axis=1)
        for i in range(0, len(x), size)
    ]  # fmt: skip
    below, above = np.concatenate(parts, axis=1) if parts else np.empty((2, 0))
    return below, above


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
