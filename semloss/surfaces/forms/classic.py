"""Families named in the literature, in our own instantiations (the papers describe them in words).

None of these is the equation of a paper; the docstrings say what was taken from where.
"""

import math

import numpy as np

from semloss.arrays import Array
from semloss.surfaces.forms.base import LN_CR_REF, Form, Parameter, register, sigmoid
from semloss.surfaces.forms.logistic import LN_CR_HALF, RATE_EXPONENT, SHIFT, SLOPE, SNR_HALF

_LN2 = math.log(2.0)


def saturation(u: Array) -> tuple[Array, Array]:
    """Exponential saturation ``1 - 2^(-e^u)``, half at u = 0, and its derivative in u."""
    power = _LN2 * np.exp(np.minimum(u, 30.0))
    rest = np.exp(-power)
    return -np.expm1(-power), power * rest


@register
class Hill(Form):
    r"""Hill curve in the linear SNR under a ceiling that the rate sets, ours.

    .. math::
        gain = (1 - 2^{-(CR / CR_{half})^{\beta}})\; \sigma(\kappa (s - m + d \ln(CR / CR_{ref})))

    The first factor is the ceiling that the rate allows, an exponential saturation that is half
    at CR_half (`ln_cr_half`, exponent `rate_exponent`); the second, a power of the linear SNR
    over itself plus a constant, is a logistic in dB with the parameters of `additive`.
    Limits: floor as SNR -> -inf or CR -> 0, the rate's ceiling as SNR -> inf. Family: saturation
    in SNR with a ceiling set by the rate, as the three-parameter models of arXiv 2504.21055.
    """

    name = "hill"
    summary = "saturating rate ceiling times a Hill curve in linear SNR"
    parameters = (LN_CR_HALF, RATE_EXPONENT, SNR_HALF, SLOPE, SHIFT)

    def gain(self, x: Array, snr_db: Array, shape: Array) -> Array:
        """Gain (..., N)."""
        ln_cr_half, beta, half, slope, shift = (shape[..., i, None] for i in range(5))
        passed = sigmoid(slope * (snr_db - half + shift * (x - LN_CR_REF)))
        return np.asarray(saturation(beta * (x - ln_cr_half))[0] * passed)

    def slopes(self, x: Array, snr_db: Array, shape: Array) -> tuple[Array, Array]:
        """Gain and its derivatives with respect to the shape parameters."""
        ln_cr_half, beta, half, slope, shift = (shape[..., i, None] for i in range(5))
        rate = x - LN_CR_REF
        allowed, opening = saturation(beta * (x - ln_cr_half))
        away = snr_db - half + shift * rate
        passed = sigmoid(slope * away)
        opening = opening * passed
        rise = allowed * passed * (1.0 - passed)
        climb = slope * rise
        rows = [-beta * opening, (x - ln_cr_half) * opening, -climb, away * rise, rate * climb]
        return allowed * passed, np.stack(rows, axis=-2)


@register
class SigmoidExponential(Form):
    r"""Shifted sigmoid plus a saturating exponential, ours.

    .. math::
        gain = w\,\sigma(\kappa (s - m + d\,r)) + (1 - w)(1 - 2^{-e^{\lambda (s - m_e + d_e r)}}),
        \qquad r = \ln(CR / CR_{ref})

    The sigmoid is a logistic in (ln CR, SNR) as in `additive`; the exponential saturates in a
    power of the linear SNR, half at m_e (`exponential_half_db`) for CR 1/12, steepness
    `exponential_slope_per_db` (lambda) and `exponential_shift_db` (d_e) per e-fold of CR; w
    (`mix`) is the sigmoid's part. Limits: floor as SNR -> -inf or CR -> 0, one ceiling for every
    CR. Family: the sum of a shifted sigmoid and an exponential of arXiv 2503.09903.
    """

    name = "sigmoid_exponential"
    summary = "shifted sigmoid plus a saturating exponential"
    parameters = (
        SNR_HALF,
        SLOPE,
        SHIFT,
        Parameter("mix", "1", 0.0, 1.0, "the sigmoid's part of the range", natural=True),
        Parameter("exponential_half_db", "dB", -60.0, 60.0, "SNR of the exponential's half"),
        Parameter(
            "exponential_slope_per_db", "1/dB", 2e-3, 5.0, "the exponential's steepness", log=True
        ),
        Parameter(
            "exponential_shift_db", "dB per e-fold of CR", 0.0, 400.0,
            "SNR that an e-fold of CR is worth to the exponential", natural=True,
        ),
    )  # fmt: skip

    def gain(self, x: Array, snr_db: Array, shape: Array) -> Array:
        """Gain (..., N)."""
        half, slope, shift, mix, half_e, slope_e, shift_e = (shape[..., i, None] for i in range(7))
        rate = x - LN_CR_REF
        curve = sigmoid(slope * (snr_db - half + shift * rate))
        rest, _ = saturation(slope_e * (snr_db - half_e + shift_e * rate))
        return np.asarray(mix * curve + (1.0 - mix) * rest)

    def slopes(self, x: Array, snr_db: Array, shape: Array) -> tuple[Array, Array]:
        """Gain and its derivatives with respect to the shape parameters."""
        half, slope, shift, mix, half_e, slope_e, shift_e = (shape[..., i, None] for i in range(7))
        rate = x - LN_CR_REF
        away, away_e = snr_db - half + shift * rate, snr_db - half_e + shift_e * rate
        curve = sigmoid(slope * away)
        rest, rise_e = saturation(slope_e * away_e)
        rise = mix * curve * (1.0 - curve)
        rise_e = (1.0 - mix) * rise_e
        climb, climb_e = slope * rise, slope_e * rise_e
        rows = [-climb, away * rise, rate * climb, curve - rest, -climb_e, away_e * rise_e,
                rate * climb_e]  # fmt: skip
        return mix * curve + (1.0 - mix) * rest, np.stack(rows, axis=-2)
