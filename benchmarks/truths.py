"""Surfaces that are no form of the ladder, drawn anew for every seed: what a fit must be honest of.

Each draws its parameters from a generator and returns the true share of hits over CR and SNR in
dB, arrays of one shape, rising in both.
"""

import math

import numpy as np
from scipy.special import ndtr

FLOOR = 0.1


def normal_cdf(rng):
    """A normal distribution function of the SNR below a ceiling that depends on the CR."""
    top, lift, middle, width = rng.uniform([0.75, 0.03, -4, 4], [0.9, 0.08, 3, 8])
    shift = rng.uniform(1, 3)

    def truth(cr, snr_db):
        rate = np.log(cr * 12)
        ceiling = np.minimum(top + lift * rate, 0.97)
        return FLOOR + (ceiling - FLOOR) * ndtr((snr_db - middle + shift * rate) / width)

    return truth


def tanh(rng):
    """A hyperbolic tangent of the SNR, its slope and height by the CR."""
    middle, width, shift = rng.uniform([-4, 6, 1], [3, 12, 4])
    top, lift = rng.uniform([0.8, 0.02], [0.9, 0.06])

    def truth(cr, snr_db):
        rate = np.log(cr * 12)
        height = np.minimum(top + lift * rate, 0.97) - FLOOR
        return FLOOR + 0.5 * height * (1 + np.tanh((snr_db - middle + shift * rate) / width))

    return truth


def powers(rng):
    """A saturating power of the CR times a power of the SNR."""
    half, exponent, steep, knee = rng.uniform([0.01, 0.7, 0.5, -8], [0.03, 1.3, 0.9, -2])

    def truth(cr, snr_db):
        rate = cr**exponent / (cr**exponent + half**exponent)
        level = 10 ** ((snr_db - knee) / 10)
        return FLOOR + 0.85 * rate * (level / (1 + level)) ** steep

    return truth


def field(rng):
    """A smooth random field, made monotone: cumulative sums of exponentials of random waves."""
    x, s = np.linspace(math.log(1 / 60), 0.0, 60), np.linspace(-12, 22, 60)
    waves = np.zeros((60, 60))
    for _ in range(12):
        a, b, c, d = rng.normal(0, [0.9, 0.13, 0.45, 3], 4)
        waves += c * np.sin(a * x[:, None] + b * s[None, :] + d)
    rise = np.exp(2 * waves)
    mean = rise.cumsum(0).cumsum(1) ** rng.uniform(0.5, 0.9)
    mean = mean / (mean + np.quantile(mean, rng.uniform(0.2, 0.5)))
    mean = FLOOR + 0.85 * (mean - mean.min()) / np.ptp(mean)

    def truth(cr, snr_db):
        u = np.clip((np.log(cr) - x[0]) / (x[1] - x[0]), 0, 58.999)
        v = np.clip((snr_db - s[0]) / (s[1] - s[0]), 0, 58.999)
        i, j = u.astype(int), v.astype(int)
        u, v = u - i, v - j
        return (mean[i, j] * (1 - u) * (1 - v) + mean[i + 1, j] * u * (1 - v)
                + mean[i, j + 1] * (1 - u) * v + mean[i + 1, j + 1] * u * v)  # fmt: skip

    return truth


def cliff(rng):
    """A cliff that moves with the CR, as of a digital link, with a slow rise beyond it."""
    middle, shift, width = rng.uniform([-2, 2, 0.8], [4, 5, 2])
    top, slow = rng.uniform([0.6, 0.05], [0.72, 0.12])

    def truth(cr, snr_db):
        at = snr_db - middle + shift * np.log(cr * 12)
        slope = slow * (1 + np.tanh((snr_db - 5) / 15)) + 0.02 * np.log(cr * 40)
        return FLOOR + (top - FLOOR + slope) / (1 + np.exp(-at / width))

    return truth


def two_steps(rng):
    """Two logistic rises in a row: coarse answers first, fine ones at a better link."""
    first, apart, width = rng.uniform([-6, 5, 1.5], [-1, 10, 2.5])
    share, shift = rng.uniform([0.4, 1], [0.65, 3])

    def truth(cr, snr_db):
        at = snr_db + shift * np.log(cr * 12)
        low, high = (1 / (1 + np.exp(-(at - m) / width)) for m in (first, first + apart))
        return FLOOR + 0.82 * (share * low + (1 - share) * high)

    return truth


def faded(rng):
    """A steep logistic averaged over Rayleigh fading, its ceiling by a power of the CR."""
    middle, steep, shift, loss = rng.uniform([-6, 0.5, 2, 0.02], [0, 1.2, 5, 0.1])
    gain_db = 10 * np.log10(-np.log1p(-(np.arange(200) + 0.5) / 200))

    def truth(cr, snr_db):
        rate = np.log(cr * 12)[..., None]
        at = snr_db[..., None] + gain_db - middle + shift * rate
        ceiling = 0.93 - loss * np.exp(-0.8 * rate[..., 0])
        return FLOOR + (ceiling - FLOOR) * np.mean(1 / (1 + np.exp(-steep * at)), axis=-1)

    return truth


TRUTHS = {
    "normal-cdf": normal_cdf, "tanh": tanh, "powers": powers, "field": field, "cliff": cliff,
    "two-steps": two_steps, "faded": faded,
}  # fmt: skip
