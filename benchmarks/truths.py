"""Surfaces that are no form of the ladder, drawn anew for every seed: what a fit must be honest of.

Each is a share of hits over CR and SNR in dB, rising in both, with parameters from a stated box.
The last three were written down, and kept aside, before the last changes of the bands were made:
nothing was chosen by them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr
from scipy.stats import t as student

FLOOR = 0.1
WAVES = 12


@dataclass(frozen=True)
class Truth:
    """A surface of some parameters, each uniform between `low` and `high`.

    `at` takes CR, SNR in dB and the parameters (Q,); `width` (Q,) is to what the parameters are
    known by one who knows the surface.
    """

    at: Callable
    low: np.ndarray
    high: np.ndarray

    @property
    def width(self):
        return self.high - self.low

    def draw(self, rng):
        return rng.uniform(self.low, self.high)


class Field(Truth):
    """One with normal parameters: heights, wave numbers and phases of random waves."""

    def draw(self, rng):
        waves = [rng.normal(0, self.high[i : i + 4]) for i in range(0, 4 * WAVES, 4)]
        return np.concatenate([*waves, rng.uniform(self.low[-2:], self.high[-2:])])


def rate_of(cr):
    return np.log(cr * 12)


def normal_cdf(cr, snr_db, p):
    """A normal distribution function of the SNR below a ceiling that depends on the CR."""
    top, lift, middle, width, shift = p
    ceiling = np.minimum(top + lift * rate_of(cr), 0.97)
    return FLOOR + (ceiling - FLOOR) * ndtr((snr_db - middle + shift * rate_of(cr)) / width)


def tanh(cr, snr_db, p):
    """A hyperbolic tangent of the SNR, its slope and height by the CR."""
    middle, width, shift, top, lift = p
    height = np.minimum(top + lift * rate_of(cr), 0.97) - FLOOR
    return FLOOR + 0.5 * height * (1 + np.tanh((snr_db - middle + shift * rate_of(cr)) / width))


def powers(cr, snr_db, p):
    """A saturating power of the CR times a power of the SNR."""
    half, exponent, steep, knee = p
    level = 10 ** ((snr_db - knee) / 10)
    rate = cr**exponent / (cr**exponent + half**exponent)
    return FLOOR + 0.85 * rate * (level / (1 + level)) ** steep


def field(cr, snr_db, p):
    """A smooth random field, made monotone: cumulative sums of exponentials of random waves."""
    x, s = np.linspace(math.log(1 / 60), 0.0, 60), np.linspace(-12, 22, 60)
    a, b, c, d = (p[i : 4 * WAVES : 4, None, None] for i in range(4))
    waves = np.sum(c * np.sin(a * x[:, None] + b * s[None, :] + d), axis=0)
    mean = np.exp(2 * waves).cumsum(0).cumsum(1) ** p[-2]
    mean = mean / (mean + np.quantile(mean, p[-1]))
    mean = FLOOR + 0.85 * (mean - mean.min()) / np.ptp(mean)
    u = np.clip((np.log(cr) - x[0]) / (x[1] - x[0]), 0, 58.999)
    v = np.clip((snr_db - s[0]) / (s[1] - s[0]), 0, 58.999)
    i, j = u.astype(int), v.astype(int)
    u, v = u - i, v - j
    return (mean[i, j] * (1 - u) * (1 - v) + mean[i + 1, j] * u * (1 - v)
            + mean[i, j + 1] * (1 - u) * v + mean[i + 1, j + 1] * u * v)  # fmt: skip


def cliff(cr, snr_db, p):
    """A cliff that moves with the CR, as of a digital link, with a slow rise beyond it."""
    middle, shift, width, top, slow = p
    at = snr_db - middle + shift * rate_of(cr)
    slope = slow * (1 + np.tanh((snr_db - 5) / 15)) + 0.02 * np.log(cr * 40)
    return FLOOR + (top - FLOOR + slope) / (1 + np.exp(-at / width))


def two_steps(cr, snr_db, p):
    """Two logistic rises in a row: coarse answers first, fine ones at a better link."""
    first, apart, width, share, shift = p
    at = snr_db + shift * rate_of(cr)
    low, high = (1 / (1 + np.exp(-(at - m) / width)) for m in (first, first + apart))
    return FLOOR + 0.82 * (share * low + (1 - share) * high)


def faded(cr, snr_db, p):
    """A steep logistic averaged over Rayleigh fading, its ceiling by a power of the CR."""
    middle, steep, shift, loss = p
    gain_db = 10 * np.log10(-np.log1p(-(np.arange(200) + 0.5) / 200))
    at = snr_db[..., None] + gain_db - middle + shift * rate_of(cr)[..., None]
    ceiling = 0.93 - loss * np.exp(-0.8 * rate_of(cr))
    return FLOOR + (ceiling - FLOOR) * np.mean(1 / (1 + np.exp(-steep * at)), axis=-1)


def gompertz(cr, snr_db, p):
    """A rise that starts sharply and ends slowly, its ceiling saturating with the CR."""
    middle, width, shift, top, loss = p
    at = (snr_db - middle + shift * rate_of(cr)) / width
    ceiling = top - loss * np.exp(-rate_of(cr))
    return FLOOR + (ceiling - FLOOR) * np.exp(-np.exp(-at))


def heavy_tails(cr, snr_db, p):
    """A distribution function of heavy tails, below a height that is a power of the CR."""
    middle, width, shift, least, exponent = p
    at = (snr_db - middle + shift * rate_of(cr)) / width
    height = least + (0.96 - least) * (4 * np.minimum(cr, 0.25)) ** exponent
    return FLOOR + (height - FLOOR) * student.cdf(at, 2)


def symbols(cr, snr_db, p):
    """One less an exponential of what the link carries, some of it lost to a fixed overhead."""
    gap_db, size, exponent, slow = p
    carried = cr * np.log2(1 + 10 ** ((snr_db - gap_db) / 10)) / size
    bend = 1 + slow * np.tanh((snr_db - 2) / 6) * np.exp(-4 * cr)
    return FLOOR + 0.84 * (1 - np.exp(-(carried**exponent) * bend))


def _of(at, low, high, kind=Truth):
    return kind(at, np.array(low, dtype=float), np.array(high, dtype=float))


_WAVES = np.tile([0.9, 0.13, 0.45, 3.0], WAVES)
TRUTHS = {
    "normal-cdf": _of(normal_cdf, [0.75, 0.03, -4, 4, 1], [0.9, 0.08, 3, 8, 3]),
    "tanh": _of(tanh, [-4, 6, 1, 0.8, 0.02], [3, 12, 4, 0.9, 0.06]),
    "powers": _of(powers, [0.01, 0.7, 0.5, -8], [0.03, 1.3, 0.9, -2]),
    "field": _of(field, [*(0 * _WAVES), 0.5, 0.2], [*_WAVES, 0.9, 0.5], Field),
    "cliff": _of(cliff, [-2, 2, 0.8, 0.6, 0.05], [4, 5, 2, 0.72, 0.12]),
    "two-steps": _of(two_steps, [-6, 5, 1.5, 0.4, 1], [-1, 10, 2.5, 0.65, 3]),
    "faded": _of(faded, [-6, 0.5, 2, 0.02], [0, 1.2, 5, 0.1]),
    "gompertz": _of(gompertz, [-5, 2, 1, 0.85, 0.03], [1, 5, 3, 0.95, 0.1]),
    "heavy-tails": _of(heavy_tails, [-4, 2, 1, 0.5, 0.4], [3, 5, 4, 0.7, 0.9]),
    "symbols": _of(symbols, [-4, 0.05, 0.6, 0.0], [2, 0.15, 1.0, 0.2]),
}  # fmt: skip
KEPT_ASIDE = ("gompertz", "heavy-tails", "symbols")
