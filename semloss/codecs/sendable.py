"""Symbols that a transmitter can send: peaks within a limit, points of a constellation."""

import math
from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor

from semloss.codecs.base import Codec

#: Slope of the soft assignment to points, over the square of their distance.
SOFTNESS = 4.0


class Sendable(Codec):
    """A codec whose symbols are free, or as a transmitter wants them, in training too.

    Attributes
    ----------
    papr_db
        Peak-to-average power ratio of each image's symbols, at most; 0 is a constant envelope.
        Left out, any.
    constellation
        Points of the square QAM that all symbols are taken from, as an existing modem sends them;
        left out, symbols are free.
    """

    papr_db: float | None = Field(default=None, ge=0.0, le=30.0, allow_inf_nan=False)
    constellation: Literal[4, 16, 64, 256] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "Sendable":
        if self.papr_db is not None and self.constellation is not None:
            raise ValueError("the peaks of a constellation are its own: leave out papr_db")
        return self

    def sendable(self, symbols: Tensor, used: Tensor | None = None) -> Tensor:
        """Symbols (B, k) of mean power one as they are sent; `used` as in `peaks_limited`."""
        if self.constellation is not None:
            return on_points(symbols, self.constellation, used)
        return peaks_limited(symbols, self.papr_db, used)


def on_points(symbols: Tensor, points: int, used: Tensor | None = None) -> Tensor:
    """The nearest points of a square QAM, times the one number that makes mean power one.

    The number is each image's own, as of a transmitter that holds its mean power. Learning sees
    the soft assignment, the mean of the levels of I and of Q weighted by how near they are, as in
    DeepJSCC-Q (Tung, Kurka, Jankowski, Gündüz, arXiv 2111.13042); slope and scaling are ours.

    Parameters
    ----------
    symbols
        Complex (B, k), mean power one.
    points
        4, 16, 64 or 256.
    used
        Symbols (B, 1) of each image that are sent, the first ones; all by default.
    """
    side = math.isqrt(points)
    step = 2 / math.sqrt(2 * (points - 1) / 3)  # between neighbours, for points used alike
    levels = (torch.arange(side, device=symbols.device) - (side - 1) / 2) * step
    parts = torch.view_as_real(symbols)
    near = -SOFTNESS * ((parts.unsqueeze(-1) - levels) / step).square()
    soft = (near.softmax(-1) * levels).sum(-1)
    hard = levels[near.argmax(-1)]
    chosen = torch.view_as_complex(soft + (hard - soft).detach())
    if used is not None:
        chosen = chosen * (torch.arange(chosen.shape[1], device=chosen.device) < used)
    power = chosen.real.square() + chosen.imag.square()
    count = chosen.shape[1] if used is None else used
    return chosen * torch.rsqrt(power.sum(1, True) / count)


def peaks_limited(symbols: Tensor, papr_db: float | None, used: Tensor | None = None) -> Tensor:
    """Clip amplitudes and scale the rest up, so that mean power stays one and no peak is higher.

    The limit is exact and each image's own: with r the amplitudes, those of the result are
    min(g r, a) with a² the limit and g such that their mean square is one. Phases stay. What is
    clipped still learns by its phase, and all by g: clipping that is trained with, as of Shao and
    Gündüz (arXiv 2208.08342).

    Parameters
    ----------
    symbols
        Complex (B, k), mean power one.
    papr_db
        Largest peak power over mean power, 0 for a constant envelope; None leaves all as it is.
    used
        Symbols (B, 1) that the mean is taken of where the others are zero; all k by default.
    """
    if papr_db is None:
        return symbols
    peak = 10 ** (papr_db / 10)
    power = symbols.real.square() + symbols.imag.square()
    count = torch.full_like(power[:, :1], power.shape[1]) if used is None else used
    with torch.no_grad():
        ranked = power.sort(dim=1, descending=True).values
        rest = ranked.flip(1).cumsum(1).flip(1)  # of all but the m largest, m from 0
        left = count - peak * torch.arange(power.shape[1], device=power.device)
        fits = (left >= 0) & (left * ranked <= peak * (1 + 1e-6) * rest)
        clipped = fits.float().argmax(1, keepdim=True)  # the fewest that do
        above = power > ranked.gather(1, clipped)
    gain = (count - peak * above.sum(1, True)).clamp_min(0) / (power * ~above).sum(1, True)
    scale = torch.where(above, peak * power.clamp_min(1e-12).reciprocal(), gain.clamp_min(1e-12))
    return symbols * scale.sqrt()
