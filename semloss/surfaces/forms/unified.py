"""The rich end of the ladder: ceiling, midpoint and slope all move with the rate."""

from typing import ClassVar

import numpy as np

from semloss.arrays import Array
from semloss.surfaces.forms.base import LN_CR_REF, RATE, Form, Parameter, S, X, register
from semloss.surfaces.forms.expression import (
    LN2,
    Expression,
    Named,
    Number,
    bent,
    bent_and_slope,
    exp,
    expm1,
    ln,
    ln_saturation,
    ln_saturation_and_slope,
    log_sigmoid,
    log_sigmoid_of,
)
from semloss.surfaces.forms.logistic import LN_CR_HALF, RATE_EXPONENT, SLOPE, SNR_HALF

SHIFT = Parameter(
    "shift_db", "dB per e-fold of CR", 0.0, 40.0, "SNR that an e-fold of CR is worth", natural=True,
    latex="d",
)  # fmt: skip
SHARPNESS = Parameter(
    "sharpness", "1", 0.05, 20.0, "how abruptly rate limit and channel limit hand over at CR 1/12",
    log=True, natural=True, latex="p_0",
)  # fmt: skip
SHARPNESS_EXPONENT = Parameter(
    "sharpness_exponent", "1", 0.0, 2.0, "power of CR with which the sharpness grows", natural=True,
    latex="q",
)  # fmt: skip
BEND = Parameter(
    "bend", "1", -2.0, 2.0, "power of CR by which `shift_db` grows (positive) or wears off",
    natural=True, latex="b",
)  # fmt: skip


def soft_minimum(moved: Expression, sharpness: Expression) -> Expression:
    """Rate limit C and channel limit R joined; `moved` is how CR moves the channel's midpoint."""
    beta, half, p0 = RATE_EXPONENT.symbol, LN_CR_HALF.symbol, SHARPNESS.symbol
    ln_c = Named(r"\ln C", ln_saturation(beta * (X - half)))
    ln_c_ref = ln_saturation(beta * (Number(LN_CR_REF, r"\ln CR_{ref}") - half))
    constant = Named("k", ln_c_ref - ln(expm1(p0 * Number(LN2, r"\ln 2"))) / p0)
    away = S - SNR_HALF.symbol + SHIFT.symbol * moved
    ln_r = Named(r"\ln R", SLOPE.symbol / p0 * away + constant)
    return exp(ln_c + log_sigmoid(sharpness * (ln_r - ln_c)) / sharpness)


@register
class Capped(Form):
    r"""Rate-limited and channel-limited gain joined by a soft minimum, ours.

    The gain is [C^-p + R^-p]^(-1/p), computed from the logarithms of C and R. C is what the rate
    allows: an exponential saturation that is half at CR_half (`ln_cr_half`, natural log) with
    exponent beta (`rate_exponent`); on measured surfaces it extrapolates to a CR left out better
    than a saturating power does. R is what the channel allows: a power of the linear SNR. The
    constant is such that at CR 1/12 the gain is half of C at s = m (`snr_half_db`); kappa
    (`slope_per_db`) is the steepness there, d (`shift_db`) the dB that an e-fold of CR is worth
    to the channel, and p (`sharpness`) how abruptly one limit hands over to the other: p -> 0
    gives a Gompertz curve in SNR, 1 a logistic, large a corner. A soft minimum rises with C and
    with R, and d >= 0: the form is monotone in CR and SNR everywhere, by construction.
    Limits: floor as SNR -> -inf or CR -> 0, the rate-limited ceiling C as SNR -> inf.
    """

    name = "capped"
    summary = "soft minimum of what the rate allows and what the channel allows"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        LN_CR_HALF, RATE_EXPONENT, SNR_HALF, SLOPE, SHIFT, SHARPNESS,
    )  # fmt: skip

    expression = soft_minimum(RATE, SHARPNESS.symbol)

    def slopes(self, x: Array, snr_db: Array, shape: Array) -> tuple[Array, Array]:
        """Gain and its derivatives with respect to the shape parameters."""
        ln_cr_half, beta, half, slope, shift, p0 = (shape[..., i, None] for i in range(6))
        rate = x - LN_CR_REF
        moved, by_bend, p = self._moves(rate, shape)
        beyond, beyond_ref = x - ln_cr_half, LN_CR_REF - ln_cr_half
        ln_c, open_c = ln_saturation_and_slope(beta * beyond)
        ln_c_ref, open_ref = ln_saturation_and_slope(beta * beyond_ref)
        away = snr_db - half + shift * moved
        ln_r = slope / p0 * away + (ln_c_ref - np.log(np.expm1(p0 * LN2)) / p0)
        z = p * (ln_r - ln_c)
        soft = log_sigmoid_of(z)
        gain = np.exp(ln_c + soft / p)
        by_r = -np.expm1(soft) * gain  # d gain / d ln R; the rest of the gain is by ln C
        rise_c, rise_ref = open_c * (gain - by_r), open_ref * by_r
        by_p = (by_r * z - gain * soft) / p  # d gain / d ln p
        doubled = 2.0**p0
        ln_r_by_p0 = (ln_c_ref - ln_r - doubled * LN2 / (doubled - 1.0)) / p0
        channel = by_r * (slope / p0)
        jacobian = np.empty((*gain.shape[:-1], shape.shape[-1], gain.shape[-1]))
        jacobian[..., 0, :] = -beta * (rise_c + rise_ref)
        jacobian[..., 1, :] = rise_c * beyond + rise_ref * beyond_ref
        jacobian[..., 2, :] = -channel
        jacobian[..., 3, :] = by_r * away / p0
        jacobian[..., 4, :] = channel * moved
        jacobian[..., 5, :] = by_p / p0 + by_r * ln_r_by_p0
        if by_bend is not None:
            jacobian[..., 6, :] = by_p * rate
            jacobian[..., 7, :] = channel * shift * by_bend
        return gain, jacobian

    def _moves(self, rate: Array, shape: Array) -> tuple[Array, Array | None, Array]:
        """How the midpoint moves with the rate, its derivative by the bend, and the sharpness."""
        return rate, None, shape[..., 5, None]


@register
class Unified(Capped):
    r"""`capped` whose sharpness grows and whose midpoint bends with the rate, ours.

    q (`sharpness_exponent`) >= 0 lets the steepness grow with CR. b (`bend`) bends the midpoint:
    with b < 0 more rate is worth ever less SNR, with b > 0 ever more, b -> 0 is the straight line
    of `capped`. So ceiling, midpoint and slope all move with CR. The bent term rises with CR for
    any b and a soft minimum rises with p, so the form stays monotone in CR and SNR everywhere.
    Limits as in `capped`.
    """

    name = "unified"
    summary = "ceiling, midpoint and slope all move with the rate"
    parameters = (*Capped.parameters, SHARPNESS_EXPONENT, BEND)
    expression = soft_minimum(
        bent(RATE, BEND.symbol),
        Named("p", SHARPNESS.symbol * exp(SHARPNESS_EXPONENT.symbol * RATE)),
    )

    def _moves(self, rate: Array, shape: Array) -> tuple[Array, Array | None, Array]:
        p0, q, bend = (shape[..., i, None] for i in range(5, 8))
        return *bent_and_slope(rate, bend), p0 * np.exp(q * rate)
