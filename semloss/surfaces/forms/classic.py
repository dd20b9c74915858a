"""Families named in the literature, in our own instantiations (the papers describe them in words).

None of these is the equation of a paper; the docstrings say what was taken from where.
"""

from semloss.surfaces.forms.base import RATE, Form, Parameter, S, X, register
from semloss.surfaces.forms.expression import saturation
from semloss.surfaces.forms.logistic import (
    LN_CR_HALF,
    RATE_EXPONENT,
    SHIFT,
    SLOPE,
    SNR_HALF,
    logistic,
)


@register
class Hill(Form):
    r"""Hill curve in the linear SNR under a ceiling that the rate sets, ours.

    The first factor is the ceiling that the rate allows, an exponential saturation that is half
    at CR_half (`ln_cr_half`, exponent `rate_exponent`); the second, a power of the linear SNR
    over itself plus a constant, is a logistic in dB with the parameters of `additive`.
    Limits: floor as SNR -> -inf or CR -> 0, the rate's ceiling as SNR -> inf. Family: saturation
    in SNR with a ceiling set by the rate, as the three-parameter models of arXiv 2504.21055.
    """

    name = "hill"
    summary = "saturating rate ceiling times a Hill curve in linear SNR"
    parameters = (LN_CR_HALF, RATE_EXPONENT, SNR_HALF, SLOPE, SHIFT)

    expression = saturation(RATE_EXPONENT.symbol * (X - LN_CR_HALF.symbol)) * logistic(
        SLOPE, SNR_HALF, SHIFT
    )


MIX = Parameter("mix", "1", 0.0, 1.0, "the sigmoid's part of the range", natural=True, latex="w")
HALF_E = Parameter("exponential_half_db", "dB", -60.0, 60.0, "SNR of the exponential's half",
                   latex="m_e")  # fmt: skip
SLOPE_E = Parameter("exponential_slope_per_db", "1/dB", 2e-3, 5.0, "the exponential's steepness",
                    log=True, latex=r"\lambda")  # fmt: skip
SHIFT_E = Parameter(
    "exponential_shift_db", "dB per e-fold of CR", 0.0, 400.0,
    "SNR that an e-fold of CR is worth to the exponential", natural=True, latex="d_e",
)  # fmt: skip


@register
class SigmoidExponential(Form):
    r"""Shifted sigmoid plus a saturating exponential, ours.

    The sigmoid is a logistic in (ln CR, SNR) as in `additive`; the exponential saturates in a
    power of the linear SNR, half at m_e (`exponential_half_db`) for CR 1/12, steepness
    `exponential_slope_per_db` (lambda) and `exponential_shift_db` (d_e) per e-fold of CR; w
    (`mix`) is the sigmoid's part. Limits: floor as SNR -> -inf or CR -> 0, one ceiling for every
    CR. Family: the sum of a shifted sigmoid and an exponential of arXiv 2503.09903.
    """

    name = "sigmoid_exponential"
    summary = "shifted sigmoid plus a saturating exponential"
    parameters = (SNR_HALF, SLOPE, SHIFT, MIX, HALF_E, SLOPE_E, SHIFT_E)
    expression = MIX.symbol * logistic(SLOPE, SNR_HALF, SHIFT) + (1.0 - MIX.symbol) * saturation(
        SLOPE_E.symbol * (S - HALF_E.symbol + SHIFT_E.symbol * RATE)
    )
