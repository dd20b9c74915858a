"""The process behind a correction: settings by their likelihood, mean and doubt at knots."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from semloss.arrays import Array, Integers

_SIZES = np.array([0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.12, 0.24])
"""Standard deviations of the discrepancy that are averaged over, as shares of the range."""
_USUAL_SIZE = 0.03
_LENGTHS = (0.1, 0.2, 0.4, 0.8)
"""Its lengths along ln CR and SNR, as shares of the table's span."""
_TRAININGS = (0.0, 0.005, 0.012, 0.03, 0.06)
"""Scatter of single trainings, as shares of the range; half as likely beyond `_USUAL_TRAINING`."""
_USUAL_TRAINING = 0.02
_SCATTERS = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.12)
"""Scatter of each cell where nothing, or nothing to be believed, is told of its noise."""
_KEPT, _MASS = 16, 0.99
"""Most settings that share the answer, and the probability beyond which the rest is left aside."""
TINY = 1e-9


@dataclass(frozen=True)
class Residuals:
    """Residuals about the form in shares of the range, neighbours averaged where there are many.

    `noise` (N,) is the told variance, `allowed` (N, N) its covariance as images share it;
    `weight` (N,) a robust fit's; `x`, `snr` (N,) the places, and `levels` (2, N) the CR and the
    SNR of each by number.
    """

    x: Array
    snr: Array
    residual: Array
    noise: Array
    allowed: Array
    weight: Array
    levels: Integers


def noises(told: bool, sure: bool, own: Sequence[float]) -> list[tuple[float, float]]:
    """Settings of the noise: share of the told variance, and scatter of each cell beside it.

    Noise that is told but not `sure`, as that of a table's own words, may be none of a cell's own.
    """
    believed = list(product(own, _TRAININGS)) if told else []
    alone = [] if told and sure else [(0.0, scatter) for scatter in _SCATTERS]
    return believed + alone


@dataclass(frozen=True)
class Setting:
    """Lengths, noise and size of one setting, and its probability."""

    lengths: tuple[float, float]
    noise: tuple[float, float]
    size: float
    probability: float


@dataclass(frozen=True)
class Mixture:
    """Mean (K,) and covariances (K, K) of the correction at the knots, in shares of the range."""

    mean: Array
    these: Array
    new: Array
    training: float
    size: float


class Process:
    """The process at the data and at the knots, for any setting."""

    def __init__(self, data: Residuals, bends: Array, knots_x: Array, knots_snr: Array) -> None:
        self.data, self.count = data, len(data.x)
        every = bends.T @ bends / len(bends)
        self.bend = every[: self.count, : self.count]
        self.bend_across = every[self.count :, : self.count]
        self.bend_knots = every[self.count :, self.count :]
        spans = [max(float(np.ptp(a)), TINY) for a in (data.x, data.snr)]
        own, knots = (data.x, data.snr), (knots_x, knots_snr)
        self.apart, self.across, self.between = (
            [(a[:, None] - b) / span for a, b, span in zip(one, other, spans, strict=True)]
            for one, other in ((own, own), (knots, own), (knots, knots))
        )

    def noise(self, setting: tuple[float, float]) -> Array:
        """Variance (N,) of each point about the surface on its own images."""
        own, scatter = setting
        return np.asarray((own * self.data.noise + scatter**2) / self.data.weight + TINY)

    def weighed(self, noises: Sequence[tuple[float, float]]) -> list[Setting]:
        """The settings that the data support, with their probabilities."""
        size = self.count + 1
        settings, scores = [], []
        diagonal = np.arange(self.count)
        likely = np.log(_SIZES / (1.0 + (_SIZES / _USUAL_SIZE) ** 2))
        for lengths in product(_LENGTHS, _LENGTHS):
            kernel = _matern(self.apart, lengths)
            for noise in noises:
                # The residuals as a further row: its Cholesky factor is what they weigh.
                matrix = np.empty((len(_SIZES), size, size))
                matrix[:, :-1, :-1] = self.bend + _SIZES[:, None, None] ** 2 * kernel
                matrix[:, diagonal, diagonal] += self.noise(noise)
                matrix[:, -1, :-1] = matrix[:, :-1, -1] = self.data.residual
                matrix[:, -1, -1] = 1e12
                factor = np.linalg.cholesky(matrix)
                pivots = np.diagonal(factor, axis1=1, axis2=2)[:, :-1]
                score = -0.5 * np.sum(factor[:, -1, :-1] ** 2, axis=1) - np.log(pivots).sum(axis=1)
                settings += [Setting(lengths, noise, float(a), 0.0) for a in _SIZES]
                scores.append(score + likely - math.log1p((noise[1] / _USUAL_TRAINING) ** 2))
        score = np.concatenate(scores)
        share = np.exp(score - score.max())
        share /= share.sum()
        order = np.argsort(-share, kind="stable")[:_KEPT]
        order = order[: int(np.searchsorted(np.cumsum(share[order]), _MASS)) + 1]
        total = float(share[order].sum())
        return [replace(settings[i], probability=float(share[i]) / total) for i in order]

    def matrices(self, setting: Setting) -> tuple[Array, Array]:
        """Covariance of the data (N, N) and of the knots with them (K, N)."""
        square = setting.size**2
        own = self.bend + square * _matern(self.apart, setting.lengths)
        own[np.arange(self.count), np.arange(self.count)] += self.noise(setting.noise)
        return own, self.bend_across + square * _matern(self.across, setting.lengths)

    def mixed(self, settings: Sequence[Setting]) -> Mixture:
        """The correction at the knots, averaged over the settings."""
        parts = []
        for setting in settings:
            own, across = self.matrices(setting)
            weights = np.linalg.solve(own, across.T).T
            knots = self.bend_knots + setting.size**2 * _matern(self.between, setting.lengths)
            # What images share is no part of the surface on the measured ones, but of that on
            # new ones: the estimate is linear in the data, and so is its error.
            luck = self.data.allowed - setting.noise[0] * np.diag(self.data.noise)
            parts.append(
                (
                    weights @ self.data.residual,
                    knots - weights @ across.T,
                    weights @ luck @ weights.T,
                )
            )
        shares = np.array([setting.probability for setting in settings])
        means = np.array([part[0] for part in parts])
        mean = shares @ means
        away = (means - mean) * np.sqrt(shares)[:, None]
        these = away.T @ away
        luck = np.zeros_like(these)
        for share, (_, doubt, shared) in zip(shares, parts, strict=True):
            these += share * doubt
            luck += share * shared
        training = sum(s.probability * s.noise[1] ** 2 for s in settings)
        size = sum(s.probability * s.size**2 for s in settings)
        return Mixture(mean, these, these + luck, math.sqrt(training), math.sqrt(size))


def _matern(apart: Sequence[Array], lengths: Sequence[float]) -> Array:
    """Matérn correlation of smoothness 5/2 at distances along two axes."""
    root = np.sqrt(5.0 * sum((a / length) ** 2 for a, length in zip(apart, lengths, strict=True)))
    return np.asarray((1.0 + root + root**2 / 3.0) * np.exp(-root))
