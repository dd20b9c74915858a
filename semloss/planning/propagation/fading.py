"""Fading of the SNR about its mean or median: Rayleigh, Rician, log-normal shadowing.

The gain is a power ratio told in dB that adds to the SNR. One gain holds for a whole image (block
fading) and the receiver is coherent, so that an image met by gain g is received as over a link
without fading whose SNR is g dB higher. Rayleigh and Rician have E|h|² = 1, as the channels of
`semloss collect`: the SNR without fading is then the mean SNR. Shadowing has median 1.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from semloss.arrays import Array
from semloss.errors import SemlossError

_NODES = 41
_LEAST_WEIGHT = 1e-12
_K_DB = (-40.0, 40.0)


class Fading(ABC):
    """Distribution of a power gain in dB."""

    @abstractmethod
    def quantile_db(self, share: ArrayLike) -> Array:
        """Gain in dB below which the channel lies a share, in (0, 1), of the time."""

    @abstractmethod
    def exceeded(self, gain_db: ArrayLike) -> Array:
        """Share of the time in which the gain is above a level in dB."""

    @property
    @abstractmethod
    def label(self) -> str:
        """Name as `parse_fading` reads it."""

    def margin_db(self, percent: float) -> float:
        """SNR in dB to keep in hand so that a threshold holds `percent` % of the time."""
        if not 0 < percent < 100:
            raise SemlossError(f"{percent:g} %: a share of the time lies between 0 and 100")
        return float(-self.quantile_db(1 - percent / 100))

    def nodes(self) -> tuple[Array, Array]:
        """Gains (M,) in dB and weights (M,) whose weighted sum is the mean over the fades.

        Gauss-Hermite in the normal variate z with gain = quantile(Φ(z)): exact to high order for
        shadowing, where the gain is linear in z, and smooth for the others.
        """
        return _nodes(self)


@lru_cache(maxsize=32)
def _nodes(fading: Fading) -> tuple[Array, Array]:
    z, weight = np.polynomial.hermite_e.hermegauss(_NODES)
    weight = weight / weight.sum()
    kept = weight > _LEAST_WEIGHT
    shares = np.array([NormalDist().cdf(float(x)) for x in z[kept]])
    return fading.quantile_db(shares), weight[kept] / weight[kept].sum()


@dataclass(frozen=True)
class Rayleigh(Fading):
    """No line of sight: an exponential power gain of mean 1."""

    def quantile_db(self, share: ArrayLike) -> Array:
        """``10 log10(−ln(1 − share))``."""
        gain: Array = 10 * np.log10(-np.log1p(-np.asarray(share, dtype=np.float64)))
        return gain

    def exceeded(self, gain_db: ArrayLike) -> Array:
        """``exp(−g)``."""
        share: Array = np.exp(-_power(gain_db))
        return share

    @property
    def label(self) -> str:
        """Always "rayleigh"."""
        return "rayleigh"


@dataclass(frozen=True)
class Rician(Fading):
    """A line of sight and scatter: a non-central chi-square power gain of mean 1.

    Attributes
    ----------
    k_db
        Power of the line of sight over that of the scatter in dB, −40 … 40.
    """

    k_db: float = 20.0

    def __post_init__(self) -> None:
        low, high = _K_DB
        if not low <= self.k_db <= high:
            raise SemlossError(
                f"rician:{self.k_db:g}: the K factor in dB lies in {low:g} … {high:g}"
            )

    @property
    def _k(self) -> float:
        k: float = 10 ** (self.k_db / 10)
        return k

    def quantile_db(self, share: ArrayLike) -> Array:
        """Inverse of the non-central chi-square distribution with 2 degrees of freedom."""
        from scipy.special import chndtrix

        power = chndtrix(np.asarray(share, dtype=np.float64), 2.0, 2 * self._k)
        gain: Array = 10 * np.log10(np.asarray(power) / (2 * (1 + self._k)))
        return gain

    def exceeded(self, gain_db: ArrayLike) -> Array:
        """Marcum's ``Q1(√(2K), √(2(1+K) g))``, as one less the non-central chi-square."""
        from scipy.special import chndtr

        below = chndtr(2 * (1 + self._k) * _power(gain_db), 2.0, 2 * self._k)
        share: Array = np.clip(1 - np.asarray(below), 0.0, 1.0)
        return share

    @property
    def label(self) -> str:
        """Name with the K factor: "rician:20"."""
        return f"rician:{self.k_db:g}"


@dataclass(frozen=True)
class Shadowing(Fading):
    """Log-normal shadowing: a gain that is normal in dB about 0.

    Attributes
    ----------
    sigma_db
        Standard deviation in dB, above 0 and at most 20.
    """

    sigma_db: float = 3.0

    def __post_init__(self) -> None:
        if not 0 < self.sigma_db <= 20:
            raise SemlossError(
                f"shadowing:{self.sigma_db:g}: the standard deviation in dB lies in 0 … 20, above 0"
            )

    def quantile_db(self, share: ArrayLike) -> Array:
        """Normal quantile times the standard deviation."""
        from scipy.special import ndtri

        gain: Array = self.sigma_db * np.asarray(ndtri(np.asarray(share, dtype=np.float64)))
        return gain

    def exceeded(self, gain_db: ArrayLike) -> Array:
        """Normal tail above the level."""
        from scipy.special import ndtr

        share: Array = np.asarray(ndtr(-np.asarray(gain_db, dtype=np.float64) / self.sigma_db))
        return share

    @property
    def label(self) -> str:
        """Name with the standard deviation: "shadowing:3"."""
        return f"shadowing:{self.sigma_db:g}"


def parse_fading(text: str) -> Fading:
    """Read "rayleigh", "rician:K in dB" or "shadowing:standard deviation in dB".

    Raises
    ------
    SemlossError
        When the text is none of them or the number is out of range.
    """
    kind, _, number = text.strip().lower().partition(":")
    try:
        if kind == "rayleigh" and not number:
            return Rayleigh()
        if kind == "rician":
            return Rician(float(number))
        if kind == "shadowing":
            return Shadowing(float(number))
    except ValueError:
        pass  # no number: told below
    raise SemlossError(
        f'fading = {text!r}: write "rayleigh", "rician:10" (K factor in dB) or "shadowing:3" '
        "(standard deviation in dB)"
    )


def _power(gain_db: ArrayLike) -> Array:
    power: Array = 10 ** (np.asarray(gain_db, dtype=np.float64) / 10)
    return power
