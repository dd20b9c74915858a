"""The difference of two means over test images, with and without the pairing of the images.

Two links that are measured on the same images share the images' luck: hard tiles are hard for both.
The difference image by image is free of it, and its mean is known several times better than the
two means by themselves.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, t

from semloss.arrays import Array


@dataclass(frozen=True)
class Interval:
    """A confidence interval; both ends are NaN where nothing tells one."""

    low: float
    high: float

    @property
    def width(self) -> float:
        """From end to end."""
        return self.high - self.low


@dataclass(frozen=True)
class Discordant:
    """Images that only one of two classifiers gets right, and what chance says of the numbers.

    `p_value` is that of McNemar's exact test: were both as good, each of these images would be as
    likely right with the one as with the other (McNemar, Psychometrika 12, 1947).
    """

    only_base: int
    only_other: int

    @property
    def p_value(self) -> float:
        """Chance of numbers at least as unequal; 1 where there are none."""
        images = self.only_base + self.only_other
        return float(binomtest(self.only_base, images).pvalue) if images else 1.0


def discordant(base: Array, other: Array) -> Discordant:
    """Images that only one of two classifiers gets right, from their answers (n,), 1 or 0."""
    return Discordant(int(np.sum(base > other)), int(np.sum(other > base)))


def paired(
    base: Array, other: Array, level: float, hits: tuple[float, float] | None = None
) -> Interval:
    """Interval of the mean of `other` less that of `base` on the same images.

    Student's t on the differences, image by image. Differences of hits are few and whole: two
    images are added, of which half of one is gained and half of one is lost, so that an interval
    of no difference at all still has a width (Agresti and Min, Statistics in Medicine 24, 2005).

    Parameters
    ----------
    base, other
        Outcomes (n,) of the same images.
    level
        Of confidence, in (0, 1).
    hits
        What a miss and a hit count, where outcomes are these or their means; None for numbers.
    """
    gain, n = other - base, len(base)
    if n < 2:
        return Interval(math.nan, math.nan)
    if hits is None:
        return _about(float(gain.mean()), float(gain.std(ddof=1)) / math.sqrt(n), n, level)
    one = hits[1] - hits[0]
    mean = float(gain.sum()) / (n + 2)
    variance = (float(np.sum(gain**2)) + one**2) / (n + 2) - mean**2
    return _about(mean, math.sqrt(variance / (n + 2)), n, level)


def unpaired(
    base: Array, other: Array, level: float, hits: tuple[float, float] | None = None
) -> Interval:
    """The interval that the two would have on different images: their variances add.

    Parameters as for `paired`. For their variance, outcomes of hits get one hit and one miss more
    (Laplace's rule), as measurements have that are fitted.
    """
    n = len(base)
    if n < 2:
        return Interval(math.nan, math.nan)
    variance = sum(_variance(side, hits) for side in (base, other)) / n
    return _about(float(other.mean() - base.mean()), math.sqrt(variance), n, level)


def of_errors(difference: float, errors: tuple[float, float], level: float) -> Interval:
    """Interval of a difference of two values with independent standard errors, normal.

    NaN where an error is 0, that is, not told.
    """
    if min(errors) <= 0:
        return Interval(math.nan, math.nan)
    return _about(difference, math.hypot(*errors), math.inf, level)


def _variance(values: Array, hits: tuple[float, float] | None) -> float:
    return float(values.var(ddof=1) if hits is None else np.append(values, hits).var())


def _about(middle: float, se: float, n: float, level: float) -> Interval:
    reach = float(t.ppf(0.5 + level / 2, n - 1)) * se
    return Interval(middle - reach, middle + reach)
