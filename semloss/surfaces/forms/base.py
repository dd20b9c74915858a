"""What a form is: a gain in [0, 1] over (ln CR, SNR) between two levels, with its slopes.

Every form but the constant reads ``value = floor + (ceiling - floor) * gain``. The gain never
falls when CR or SNR rises; `floor` is the metric when nothing gets through and `ceiling` its best
value, so a metric of direction "lower" simply has ceiling < floor. Only numpy is used:
prediction must start fast.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from semloss.arrays import Array, Mask
from semloss.errors import SemlossError
from semloss.surfaces.forms.expression import Expression, Named, Number, Symbol, derivative
from semloss.surfaces.forms.rendering import compiled, latex

LN_CR_REF = float(np.log(1 / 12))
"""Reference rate, CR = 1/12, at which SNR midpoint, slope and sharpness are stated."""

X = Symbol("x", r"\ln CR")
S = Symbol("snr_db", "s")
"""The axes of an expression: ln CR and the SNR in dB."""
RATE = Named("r", X - Number(LN_CR_REF, r"\ln CR_{ref}"))
"""The rate against the reference, ln CR / CR_ref."""

BLOCK = 8192
"""Points evaluated at once: the intermediate arrays stay in the second-level cache."""


@dataclass(frozen=True)
class Parameter:
    """A parameter's name, unit, bounds, meaning in link terms, and how starts are drawn.

    `log` says that it is positive and searched on a logarithmic scale. `natural` says that
    resting on a bound is a meaningful limit of the form rather than a search that ran against
    its fence. `latex` is its symbol in equations.
    """

    name: str
    unit: str
    low: float
    high: float
    meaning: str
    log: bool = False
    natural: bool = False
    latex: str = ""

    @property
    def symbol(self) -> Symbol:
        """The parameter in an expression."""
        return Symbol(self.name, self.latex or rf"\mathrm{{{self.name}}}".replace("_", r"\_"))


FLOOR = Parameter(
    "floor", "metric", -np.inf, np.inf, "metric when nothing gets through", natural=True
)
CEILING = Parameter("ceiling", "metric", -np.inf, np.inf, "metric at its best", natural=True)


class Form:
    """A parametric family of surfaces; subclass it and register the class to add one.

    A subclass gives `name`, `summary` (one line), `parameters` (shape parameters, without floor
    and ceiling), and the `expression` of its gain in `X`, `S` and the parameters' symbols: 0 when
    nothing gets through, never falling in CR or SNR, 1 at most. Slopes follow from it; a subclass
    may give faster ones. `x` is ln CR and `snr_db` the SNR in dB, arrays (N,); `shape` has the
    shape parameters on its last axis, and its leading axes are a batch of problems: results are
    (..., N).
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]]
    expression: ClassVar[Expression]
    levels: ClassVar[tuple[Parameter, ...]] = (FLOOR, CEILING)

    @cached_property
    def _gain(self) -> Callable[..., Any]:
        return compiled([self.expression], self._arguments)

    @cached_property
    def _slopes(self) -> Callable[..., Any]:
        by_each = [derivative(self.expression, p.name) for p in self.parameters]
        return compiled([self.expression, *by_each], self._arguments)

    @property
    def _arguments(self) -> tuple[str, ...]:
        return (X.name, S.name, *(parameter.name for parameter in self.parameters))

    def gain(self, x: Array, snr_db: Array, shape: Array) -> Array:
        """Gain (..., N) in [0, 1]."""
        (gain,) = self._gain(x, snr_db, *_each(shape))
        return _whole(gain, x, shape)

    def slopes(self, x: Array, snr_db: Array, shape: Array) -> tuple[Array, Array]:
        """Gain (..., N) and its derivatives (..., Q, N) with respect to the Q parameters."""
        gain, *by_each = (_whole(one, x, shape) for one in self._slopes(x, snr_db, *_each(shape)))
        return gain, np.stack(by_each, axis=-2) if by_each else gain[..., None, :][..., :0, :]

    @property
    def equations(self) -> list[tuple[str, str]]:
        """LaTeX of the gain and of its named parts, as (left side, right side)."""
        (_, gain), *parts = latex(self.expression)
        return [("gain", gain), *parts]

    @property
    def all_parameters(self) -> tuple[Parameter, ...]:
        """Levels and shape parameters in the order of the full vector."""
        return (*self.levels, *self.parameters)

    @property
    def names(self) -> tuple[str, ...]:
        """Parameter names in the order of the full vector: levels first, then the shape."""
        return tuple(parameter.name for parameter in self.all_parameters)

    @cached_property
    def logs(self) -> Mask:
        """Mask (Q,) of the shape parameters that are searched on a logarithmic scale."""
        return np.array([parameter.log for parameter in self.parameters], dtype=bool)

    @property
    def has_range(self) -> bool:
        """Whether the form spans floor … ceiling (all but the constant)."""
        return len(self.levels) == 2

    def __call__(self, cr: Array, snr_db: Array, p: Array) -> Array:
        """Metric at `cr` and `snr_db` (dB), arrays (N,), for a parameter vector (..., P)."""
        value = np.empty((*p.shape[:-1], len(cr)))
        for block in blocks(len(cr)):
            gain = self.gain(_ln(cr[block]), snr_db[block], p[..., len(self.levels) :])
            floor, ceiling = p[..., 0, None], p[..., len(self.levels) - 1, None]
            value[..., block] = floor + (ceiling - floor) * gain
        return value

    def jacobian(self, cr: Array, snr_db: Array, p: Array) -> Array:
        """Derivatives (N, P) of the metric with respect to one parameter vector (P,)."""
        return self.value_and_jacobian(cr, snr_db, p)[1].T

    def value_and_jacobian(self, cr: Array, snr_db: Array, p: Array) -> tuple[Array, Array]:
        """Metric (..., N) and its derivatives (..., P, N) at once."""
        count = len(self.levels)
        gain, slopes = self.slopes(_ln(cr), snr_db, p[..., count:])
        floor, ceiling = p[..., 0, None], p[..., count - 1, None]
        jacobian = np.empty((*gain.shape[:-1], p.shape[-1], gain.shape[-1]))
        if self.has_range:
            jacobian[..., 0, :] = 1.0 - gain
            jacobian[..., 1, :] = gain
        else:
            jacobian[..., 0, :] = 1.0
        np.multiply((ceiling - floor)[..., None], slopes, out=jacobian[..., count:, :])
        return floor + (ceiling - floor) * gain, jacobian

    def guess(self, cr: Array, snr_db: Array) -> Array:
        """Plain first start (Q,) for the shape: half gain a little below the measured SNRs."""
        plain = {
            "ln_cr_half": float(np.log(cr.min()) - 0.5),
            "rate_exponent": 1.5,
            "snr_half_db": float(snr_db.min()),
            "slope_per_db": 3.0 / max(float(np.ptp(snr_db)), 1.0),
            "shift_db": 2.0,
            "sharpness": 1.0,
            "mix": 0.5,
        }
        middle = [
            np.sqrt(p.low * p.high) if p.log else np.clip(0.0, p.low, p.high)
            for p in self.parameters
        ]
        return np.array(
            [plain.get(p.name, m) for p, m in zip(self.parameters, middle, strict=True)]
        )

    def random_starts(self, count: int, rng: np.random.Generator) -> Array:
        """Random shapes (count, Q) within the bounds."""
        unit = rng.random((count, len(self.parameters)))
        starts = np.empty_like(unit)
        for i, p in enumerate(self.parameters):
            if p.log:
                starts[:, i] = p.low * (p.high / p.low) ** unit[:, i]
            else:
                starts[:, i] = p.low + (p.high - p.low) * unit[:, i]
        return starts


FORMS: dict[str, Form] = {}
"""Every form by name, in the order of registration."""


def ladder() -> dict[str, Form]:
    """Every form by name, those of fewest parameters first."""
    return dict(sorted(FORMS.items(), key=lambda item: len(item[1].names)))


def register(cls: type[Form]) -> type[Form]:
    """Class decorator that adds a form to the ladder.

    Raises
    ------
    SemlossError
        When the name is taken.
    """
    if cls.name in FORMS:
        raise SemlossError(f"form {cls.name!r} is registered already; give yours another name")
    FORMS[cls.name] = cls()
    return cls


def _each(shape: Array) -> list[Array]:
    """Parameters (..., 1) of a shape (..., Q)."""
    return [shape[..., i, None] for i in range(shape.shape[-1])]


def _whole(value: Any, x: Array, shape: Array) -> Array:  # noqa: ANN401 - an array or a number
    """Array (..., N), also of a term that does not depend on every axis."""
    full = (*shape.shape[:-1], len(x))
    return value if np.shape(value) == full else np.array(np.broadcast_to(value, full), float)


def _ln(cr: Array) -> Array:
    """Logarithm of the CR; a CR of 0 is the limit in which nothing gets through."""
    return np.log(np.maximum(cr, 1e-12))


def blocks(count: int) -> list[slice]:
    """Points 0 … count in blocks that stay in the cache."""
    return [slice(i, i + BLOCK) for i in range(0, count, BLOCK)]
