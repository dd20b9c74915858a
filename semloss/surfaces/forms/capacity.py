"""Forms indexed by the channel's capacity instead of its SNR in dB."""

import numpy as np

from semloss.arrays import Array
from semloss.surfaces.forms.base import Form, Parameter, S, register
from semloss.surfaces.forms.expression import (
    Expression,
    Named,
    log1p,
    log10,
    pow10,
    substitute,
)
from semloss.surfaces.forms.logistic import SNR_HALF, Additive
from semloss.surfaces.forms.unified import Capped, Unified

GAP = Parameter("gap_db", "dB", -15.0, 45.0, "SNR gap in log2(1 + SNR/gap)", natural=True,
                latex=r"\Gamma")  # fmt: skip


def capacity_db(snr_db: Array, gap_db: Array | float) -> tuple[Array, Array]:
    """Capacity ln(1 + SNR/gap) in dB, relative to the gap, and its slope d/d snr_db.

    Far below the gap it is the SNR itself, far above it grows like the logarithm of the SNR.
    """
    excess = 10.0 ** ((snr_db - gap_db) / 10.0)
    nats = np.log1p(excess)
    return gap_db + 10.0 * np.log10(nats), excess / (1.0 + excess) / nats


def seen(expression: Expression, gap: Parameter | None = None) -> Expression:
    """An expression with the capacity in dB, seen from the midpoint, in the place of the SNR."""

    def capacity(snr_db: Expression) -> Expression:
        if gap is None:
            return 10.0 * log10(log1p(pow10(snr_db / 10.0)))
        return gap.symbol + 10.0 * log10(log1p(pow10((snr_db - gap.symbol) / 10.0)))

    half = SNR_HALF.symbol
    return substitute(expression, {S.name: Named("c", capacity(S) - capacity(half) + half)})


@register
class CapacityAdditive(Additive):
    r"""`additive` with the capacity in dB in the place of the SNR in dB, ours.

    So the gain is a Hill curve in CR^a log2(1 + SNR): with a = 1, in the bits that the channel
    could carry per source sample. Parameters and limits as in `additive`.
    """

    name = "capacity_additive"
    summary = "logistic in ln CR and the capacity in dB"

    expression = seen(Additive.expression)


class _Gapped(Form):
    """Capacity with a free SNR gap, the last shape parameter; the midpoint is the third."""

    def slopes(self, x: Array, snr_db: Array, shape: Array) -> tuple[Array, Array]:
        """Gain and its derivatives with respect to the shape parameters."""
        half, gap = shape[..., 2, None], shape[..., -1, None]
        (here, slope), (there, slope_half) = capacity_db(snr_db, gap), capacity_db(half, gap)
        # The axis is seen from the midpoint.
        gain, slopes = super().slopes(x, here - there + half, shape[..., :-1])
        by_gap = -slopes[..., 2, :] * (slope_half - slope)
        slopes[..., 2, :] *= slope_half
        return gain, np.concatenate([slopes, by_gap[..., None, :]], axis=-2)


@register
class CapacityCapped(_Gapped, Capped):
    r"""`capped` over the capacity of a channel with an SNR gap, ours.

    Gamma (`gap_db`) is how far the learned code stays from the Shannon limit: well below it the
    capacity rises like the SNR, well above it only like its logarithm, so that the approach to
    the ceiling slows down. A large gap is `capped` itself. Everything else as there.
    """

    name = "capacity_capped"
    summary = "capped, over log2(1 + SNR/gap)"
    parameters = (*Capped.parameters, GAP)
    expression = seen(Capped.expression, GAP)


@register
class CapacityUnified(_Gapped, Unified):
    """`unified` over the capacity of a channel with an SNR gap, as in `capacity_capped`, ours."""

    name = "capacity_unified"
    summary = "unified, over log2(1 + SNR/gap)"
    parameters = (*Unified.parameters, GAP)
    expression = seen(Unified.expression, GAP)
