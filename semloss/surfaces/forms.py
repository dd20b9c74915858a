"""Parametric forms of metric = f(CR, SNR): pure functions of arrays and a parameter vector.

Every form but the constant reads ``value = floor + (ceiling - floor) * gain`` with a gain in
[0, 1] that never falls when CR or SNR rises. `floor` is the metric when nothing gets through and
`ceiling` its best value, so a metric of direction "lower" simply has ceiling < floor.
The forms are semloss's own instantiations, not the equation of any paper. Only numpy is used:
prediction must start fast. A new form is one function and one entry of `FORMS`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LN_CR_REF = float(np.log(1 / 12))
"""Reference rate, CR = 1/12, at which SNR midpoint, slope and sharpness are stated."""


def constant(cr: Array, snr_db: Array, p: Array) -> Array:
    """Metric that neither CR nor SNR moves: ``value = level``.

    The yardstick: a form that does not beat it has learnt nothing.
    """
    (level,) = np.moveaxis(p, -1, 0)
    return np.asarray(level + 0.0 * (cr + snr_db))


def logistic(cr: Array, snr_db: Array, p: Array) -> Array:
    r"""Logistic in the plane (ln CR, SNR), ours.

    .. math::
        f = floor + (ceiling - floor) / (1 + e^{-\kappa (s - m + d \ln(CR / CR_{ref}))})

    m (`snr_half_db`) is the SNR of half gain at CR 1/12, kappa (`slope_per_db`) the steepness and
    d (`shift_db`) the dB that an e-fold of CR is worth. One ceiling serves every CR.
    Limits: floor as SNR -> -inf or CR -> 0, ceiling as SNR -> inf.
    """
    floor, ceiling, snr_half, slope, shift = np.moveaxis(p, -1, 0)
    z = slope * (snr_db - snr_half + shift * (np.log(cr) - LN_CR_REF))
    return np.asarray(floor + (ceiling - floor) * np.exp(-np.logaddexp(0.0, -z)))


def unified(cr: Array, snr_db: Array, p: Array) -> Array:
    r"""Rate-limited and channel-limited gain joined by a soft minimum, ours.

    .. math::
        f = floor + (ceiling - floor)\,[C^{-p} + R^{-p}]^{-1/p}, \qquad
        C = 1 / (1 + (CR_{half} / CR)^{\beta}), \qquad
        \ln R = \frac{\kappa}{p_0} (s - m + d \ln\tfrac{CR}{CR_{ref}}) + const, \qquad
        p = p_0 (CR / CR_{ref})^{q}

    C is what the rate allows: a saturating power of CR that is half at CR_half (`ln_cr_half`,
    natural log) with exponent beta (`rate_exponent`). R is what the channel allows: a power of
    the linear SNR. The constant is such that at CR 1/12 the gain is half of C at
    s = m (`snr_half_db`); kappa (`slope_per_db`) is the steepness there, d (`shift_db`) the dB
    that an e-fold of CR is worth to the channel, p_0 (`sharpness`) how abruptly one limit hands
    over to the other (p_0 -> 0 gives a Gompertz curve in SNR, 1 a logistic, large a corner) and
    q (`sharpness_exponent`) how that changes with CR. So ceiling, midpoint and slope all move
    with CR. A soft minimum rises with C, with R and with p, and d >= 0, q >= 0: the form is
    monotone in CR and SNR everywhere, by construction.
    Limits: floor as SNR -> -inf or CR -> 0, the rate-limited ceiling as SNR -> inf.
    """
    floor, ceiling, ln_cr_half, beta, snr_half, slope, shift, p0, q = np.moveaxis(p, -1, 0)
    x = np.log(cr)
    ln_c = -np.logaddexp(0.0, -beta * (x - ln_cr_half))
    ln_c_ref = -np.logaddexp(0.0, -beta * (LN_CR_REF - ln_cr_half))
    sharpness = p0 * np.exp(q * (x - LN_CR_REF))
    ln_r = (
        slope * (snr_db - snr_half + shift * (x - LN_CR_REF)) - np.log(np.expm1(p0 * np.log(2)))
    ) / p0 + ln_c_ref
    gain = np.exp(ln_c - np.logaddexp(0.0, -sharpness * (ln_r - ln_c)) / sharpness)
    return np.asarray(floor + (ceiling - floor) * gain)


def capped(cr: Array, snr_db: Array, p: Array) -> Array:
    """`unified` with one sharpness for every CR (q = 0), ours: one parameter less."""
    return unified(cr, snr_db, np.concatenate([p, np.zeros_like(p[..., :1])], axis=-1))


@dataclass(frozen=True)
class Parameter:
    """A parameter's name, unit, bounds, and how its random starts are drawn.

    `natural` says that resting on a bound is a meaningful limit of the form rather than a search
    that ran against its fence.
    """

    name: str
    unit: str
    low: float
    high: float
    log: bool = False
    natural: bool = False


@dataclass(frozen=True)
class Form:
    """A form with its parameters' names, units and bounds.

    `floor` and `ceiling`, where the form has them, come first; their bounds depend on the data.
    """

    name: str
    function: Callable[[Array, Array, Array], Array]
    parameters: tuple[Parameter, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Parameter names in the order of the vector."""
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def has_range(self) -> bool:
        """Whether the form spans floor … ceiling (all but the constant)."""
        return self.names[0] == "floor"

    def __call__(self, cr: Array, snr_db: Array, p: Array) -> Array:
        """Metric at `cr` and `snr_db` (dB), which broadcast with the leading axes of `p`."""
        with np.errstate(over="ignore", under="ignore"):
            return self.function(cr, snr_db, p)

    def jacobian(self, cr: Array, snr_db: Array, p: Array) -> Array:
        """Derivatives (N, P) of the metric with respect to the parameters, at N points.

        Central differences with all parameters moved in one batch: exact to about 1e-9, and a
        form needs no second formula that could disagree with the first.
        """
        step = 6e-6 * np.maximum(np.abs(p), 1e-2)
        moves = np.concatenate([p + np.diag(step), p - np.diag(step)])[:, None, :]
        up, down = np.split(self(cr, snr_db, moves), 2)
        return np.asarray(((up - down) / (2 * step[:, None])).T)

    def guess(self, cr: Array, snr_db: Array) -> Array:
        """Plain first start for the shape: half gain a little below the measured SNRs."""
        plain = {
            "ln_cr_half": float(np.log(cr.min()) - 0.5),
            "rate_exponent": 1.5,
            "snr_half_db": float(snr_db.min()),
            "slope_per_db": 3.0 / max(float(np.ptp(snr_db)), 1.0),
            "shift_db": 2.0,
            "sharpness": 1.0,
        }
        return np.array([plain.get(name, 0.0) for name in self.names])

    def random_starts(self, count: int, rng: np.random.Generator) -> Array:
        """Random shapes (count, P) within the bounds; floor and ceiling are left 0 and 1."""
        unit = rng.random((count, len(self.parameters)))
        starts = np.empty_like(unit)
        for i, parameter in enumerate(self.parameters):
            low, high = parameter.low, parameter.high
            if parameter.log:
                starts[:, i] = low * (high / low) ** unit[:, i]
            elif np.isfinite(high - low):
                starts[:, i] = low + (high - low) * unit[:, i]
        if self.has_range:
            starts[:, :2] = 0.0, 1.0
        return starts


_LEVELS = (
    Parameter("floor", "metric", -np.inf, np.inf, natural=True),
    Parameter("ceiling", "metric", -np.inf, np.inf, natural=True),
)
_SNR = (
    Parameter("snr_half_db", "dB", -60.0, 60.0),
    Parameter("slope_per_db", "1/dB", 2e-3, 5.0, log=True),
)
_CAPPED = (
    *_LEVELS,
    Parameter("ln_cr_half", "ln CR", -12.0, 3.0),
    Parameter("rate_exponent", "1", 0.05, 12.0, log=True),
    *_SNR,
    Parameter("shift_db", "dB per e-fold of CR", 0.0, 40.0, natural=True),
    Parameter("sharpness", "1", 0.05, 20.0, log=True, natural=True),
)

FORMS: dict[str, Form] = {
    form.name: form
    for form in (
        Form("constant", constant, (Parameter("level", "metric", -np.inf, np.inf),)),
        Form(
            "logistic",
            logistic,
            (
                *_LEVELS,
                *_SNR,
                Parameter("shift_db", "dB per e-fold of CR", 0.0, 400.0, natural=True),
            ),
        ),
        Form("capped", capped, _CAPPED),
        Form(
            "unified",
            unified,
            (*_CAPPED, Parameter("sharpness_exponent", "1", 0.0, 2.0, natural=True)),
        ),
    )
}
"""The ladder, simplest first."""
