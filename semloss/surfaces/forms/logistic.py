"""The simple end of the ladder: no dependence, SNR alone, and two ways to add the rate."""

import numpy as np

from semloss.surfaces.forms.base import RATE, Form, Parameter, S, X, register
from semloss.surfaces.forms.expression import Expression, Number, sigmoid

SNR_HALF = Parameter("snr_half_db", "dB", -60.0, 60.0, "SNR of half gain at CR 1/12",
                     latex="m")  # fmt: skip
SLOPE = Parameter("slope_per_db", "1/dB", 2e-3, 5.0, "steepness of the rise with SNR", log=True,
                  latex=r"\kappa")  # fmt: skip
SHIFT = Parameter(
    "shift_db", "dB per e-fold of CR", 0.0, 400.0, "SNR that an e-fold of CR is worth",
    natural=True, latex="d",
)  # fmt: skip
LN_CR_HALF = Parameter("ln_cr_half", "ln CR", -12.0, 3.0, "ln of the CR of half gain",
                       latex=r"\ln CR_{1/2}")  # fmt: skip
RATE_EXPONENT = Parameter(
    "rate_exponent", "1", 0.05, 12.0, "power of CR with which the rate's limit is lifted", log=True,
    latex=r"\beta",
)  # fmt: skip


def logistic(slope: Parameter, half: Parameter, shift: Parameter) -> Expression:
    """Logistic in the plane (ln CR, SNR) of three parameters."""
    return sigmoid(slope.symbol * (S - half.symbol + shift.symbol * RATE))


@register
class Constant(Form):
    """Metric that neither CR nor SNR moves, ``value = level``.

    The yardstick: a form that does not beat it has learnt nothing. One parameter, `level`.
    """

    name = "constant"
    summary = "a level that neither CR nor SNR moves"
    parameters = ()
    levels = (Parameter("level", "metric", -np.inf, np.inf, "the metric everywhere"),)

    expression = Number(0.0)


@register
class LogisticSnr(Form):
    r"""Logistic in SNR alone: the rate does not matter.

    m (`snr_half_db`) is the SNR of half gain, kappa (`slope_per_db`) the steepness.
    Limits: floor as SNR -> -inf, ceiling as SNR -> inf. Source: the classic S-curve of the
    field, e.g. arXiv 2205.02620, which fits one per rate.
    """

    name = "logistic_snr"
    summary = "logistic in SNR, the rate does not matter"
    parameters = (SNR_HALF, SLOPE)

    expression = sigmoid(SLOPE.symbol * (S - SNR_HALF.symbol))


@register
class Additive(Form):
    r"""Logistic in the plane (ln CR, SNR), ours: rate and SNR trade one for the other.

    m (`snr_half_db`) is the SNR of half gain at CR 1/12, kappa (`slope_per_db`) the steepness
    and d (`shift_db`) the dB that an e-fold of CR is worth. One ceiling serves every CR.
    Limits: floor as SNR -> -inf or CR -> 0, ceiling as SNR -> inf.
    """

    name = "additive"
    summary = "logistic in the plane (ln CR, SNR)"
    parameters = (SNR_HALF, SLOPE, SHIFT)

    expression = logistic(SLOPE, SNR_HALF, SHIFT)


@register
class Separable(Form):
    r"""Logistic in ln CR times logistic in SNR, ours: what the rate allows times the channel.

    CR_half (`ln_cr_half`) is the CR at which the rate allows half, beta (`rate_exponent`) the
    power of CR with which it does; m and kappa as in `additive`, the same at every CR.
    Limits: floor as SNR -> -inf or CR -> 0, the rate's own ceiling as SNR -> inf.
    """

    name = "separable"
    summary = "logistic in ln CR times logistic in SNR"
    parameters = (LN_CR_HALF, RATE_EXPONENT, SNR_HALF, SLOPE)

    expression = sigmoid(RATE_EXPONENT.symbol * (X - LN_CR_HALF.symbol)) * sigmoid(
        SLOPE.symbol * (S - SNR_HALF.symbol)
    )
