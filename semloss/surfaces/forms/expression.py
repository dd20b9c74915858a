r"""A form's gain as data: symbols, operations and functions, from which all spellings come.

An expression is written once, with Python's operators, and read as numpy code, LaTeX, a formula of
a spreadsheet or JavaScript (`rendering`); `derivative` gives its slopes. Only what the forms need
is here: sums, products, quotients and the functions below, each of which says how it is spelled
everywhere and what its slopes are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from semloss.arrays import Array

LN2 = float(np.log(2.0))


class Expression:
    """A term; the operators build further ones."""

    def __add__(self, other: "Expression | float") -> "Expression":
        return Infix("+", self, _term(other))

    def __radd__(self, other: float) -> "Expression":
        return Infix("+", _term(other), self)

    def __sub__(self, other: "Expression | float") -> "Expression":
        return Infix("-", self, _term(other))

    def __rsub__(self, other: float) -> "Expression":
        return Infix("-", _term(other), self)

    def __mul__(self, other: "Expression | float") -> "Expression":
        return Infix("*", self, _term(other))

    def __rmul__(self, other: float) -> "Expression":
        return Infix("*", _term(other), self)

    def __truediv__(self, other: "Expression | float") -> "Expression":
        return Infix("/", self, _term(other))

    def __rtruediv__(self, other: float) -> "Expression":
        return Infix("/", _term(other), self)

    def __neg__(self) -> "Expression":
        return Negative(self)


@dataclass(eq=False, repr=False)
class Number(Expression):
    """A constant; `latex` where it has a name of its own."""

    value: float
    latex: str = ""


@dataclass(eq=False, repr=False)
class Symbol(Expression):
    """An axis or a parameter: the same name is the same thing."""

    name: str
    latex: str


@dataclass(eq=False, repr=False)
class Named(Expression):
    """A part with a name, which equations show in its place and define beside them."""

    latex: str
    body: Expression


@dataclass(eq=False, repr=False)
class Infix(Expression):
    """Two terms with ``+ - *`` or ``/`` between."""

    operator: str
    left: Expression
    right: Expression


@dataclass(eq=False, repr=False)
class Negative(Expression):
    """Minus a term."""

    body: Expression


@dataclass(eq=False, repr=False)
class Call(Expression):
    """A function of terms."""

    function: "Function"
    arguments: tuple[Expression, ...]


@dataclass(eq=False, repr=False)
class Function:
    """A function, its spellings with ``{0}``, ``{1}`` for the arguments, and its slopes.

    `javascript` is the arrow function; `slopes` gives the derivatives by each argument. A
    function that only slopes use has neither, and numpy is its one spelling. `is_sum` says that
    equations spell it as a sum, which a product puts in brackets.
    """

    name: str
    numpy: Callable[..., Any]
    latex: str = ""
    spreadsheet: str = ""
    javascript: str = ""
    slopes: Callable[..., tuple[Expression, ...]] | None = None
    is_sum: bool = False

    def __call__(self, *arguments: Expression) -> Call:
        """Term of the function at its arguments."""
        return Call(self, arguments)


def substitute(expression: Expression, by: Mapping[str, Expression]) -> Expression:
    """Put terms in the places of symbols, by name."""
    match expression:
        case Symbol(name=name):
            return by.get(name, expression)
        case Infix(operator, left, right):
            return Infix(operator, substitute(left, by), substitute(right, by))
        case Negative(body):
            return Negative(substitute(body, by))
        case Named(latex, body):
            return Named(latex, substitute(body, by))
        case Call(function, arguments):
            return Call(function, tuple(substitute(one, by) for one in arguments))
    return expression


def derivative(expression: Expression, name: str) -> Expression:
    """Slope of an expression by the symbol of a name."""
    match expression:
        case Symbol():
            return Number(float(expression.name == name))
        case Named(body=body):
            return derivative(body, name)
        case Negative(body):
            return _times(Number(-1.0), derivative(body, name))
        case Infix(operator, left, right):
            a, b = derivative(left, name), derivative(right, name)
            if operator in "+-":
                return _plus(a, b if operator == "+" else _times(Number(-1.0), b))
            if operator == "*":
                return _plus(_times(a, right), _times(left, b))
            moved = _times(Number(-1.0), _times(expression / right, b))
            return _plus(_times(a, 1.0 / right), moved)
        case Call(function, arguments):
            slopes = [derivative(one, name) for one in arguments]
            total: Expression = Number(0.0)
            if any(not _is(slope, 0.0) for slope in slopes):
                assert function.slopes is not None, function.name
                for outer, inner in zip(function.slopes(*arguments), slopes, strict=True):
                    total = _plus(total, _times(outer, inner))
            return total
    return Number(0.0)


def _term(value: "Expression | float") -> Expression:
    return value if isinstance(value, Expression) else Number(value)


def _is(term: Expression, value: float) -> bool:
    return isinstance(term, Number) and term.value == value


def _plus(a: Expression, b: Expression) -> Expression:
    return b if _is(a, 0.0) else a if _is(b, 0.0) else a + b


def _times(a: Expression, b: Expression) -> Expression:
    if _is(a, 0.0) or _is(b, 0.0):
        return Number(0.0)
    return b if _is(a, 1.0) else a if _is(b, 1.0) else a * b


# ------------------------------------------------------------------------------- functions


def sigmoid_of(z: Array) -> Array:
    """Logistic function, safe for any finite or infinite z."""
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * z))


def log_sigmoid_of(z: Array) -> Array:
    """Logarithm of the logistic function, exact far below zero too."""
    return np.asarray(np.minimum(z, 0.0) - np.log1p(np.exp(-np.abs(z))))


def saturation_and_slope(u: Array) -> tuple[Array, Array]:
    """Exponential saturation ``1 - 2^(-e^u)``, half at u = 0, and its derivative by u."""
    power = LN2 * np.exp(np.minimum(u, 30.0))
    return -np.expm1(-power), power * np.exp(-power)


def ln_saturation_and_slope(u: Array) -> tuple[Array, Array]:
    """Logarithm of ``1 - 2^(-e^u)`` and its derivative by u."""
    power = LN2 * np.exp(np.minimum(u, 6.0))
    return np.log(-np.expm1(-power)), power / np.expm1(power)


def bent_and_slope(rate: Array, bend: Array) -> tuple[Array, Array]:
    """``(e^(b r) - 1) / b`` and its derivative by b; r and r^2 / 2 as b -> 0."""
    z = bend * rate
    near = np.abs(z) < 1e-4
    safe = np.where(near, 1.0, bend)
    value = np.where(near, rate * (1.0 + z / 2.0 + z * z / 6.0), np.expm1(z) / safe)
    far = (rate * (1.0 + bend * value) - value) / safe
    return value, np.where(near, rate * rate * (0.5 + z / 3.0), far)


_SERIES = "{0}*(1-{0}*(1/2-{0}*(1/3-{0}*(1/4-{0}/5))))"
_POWER = f"({LN2!r}*EXP(MIN({{0}},6)))"
_BENT_SERIES = "*".join(f"(1+{{1}}*{{0}}/{n}" for n in range(2, 9)) + ")" * 7

exp: Function = Function(
    "exp", np.exp, r"\exp\left({0}\right)", "EXP({0})", "z => Math.exp(z)", lambda z: (exp(z),)
)
ln: Function = Function("ln", np.log, r"\ln\left({0}\right)", "LN({0})", "z => Math.log(z)",
              lambda z: (1.0 / z,))  # fmt: skip
log10: Function = Function(
    "log10", np.log10, r"\log_{{10}}\left({0}\right)", "LOG10({0})", "z => Math.log10(z)",
    lambda z: (1.0 / (z * float(np.log(10.0))),),
)  # fmt: skip
pow10: Function = Function("pow10", lambda z: 10.0**z, r"10^{{{0}}}", "(10^({0}))",
                 "z => Math.pow(10, z)", lambda z: (float(np.log(10.0)) * pow10(z),))  # fmt: skip
log1p: Function = Function(
    "log1p", np.log1p, r"\ln\left(1 + {0}\right)", f"IF({{0}}<1E-3,{_SERIES},LN(1+{{0}}))",
    "z => Math.log1p(z)", lambda z: (1.0 / (1.0 + z),),
)  # fmt: skip
expm1: Function = Function("expm1", np.expm1, r"e^{{{0}}} - 1", "(EXP({0})-1)",
                 "z => Math.expm1(z)", lambda z: (exp(z),), is_sum=True)  # fmt: skip
sigmoid: Function = Function(
    "sigmoid", sigmoid_of, r"\sigma\left({0}\right)", "(0.5+0.5*TANH(0.5*{0}))",
    "z => 0.5 + 0.5 * Math.tanh(0.5 * z)", lambda z: (sigmoid(z) * sigmoid(-z),),
)  # fmt: skip
log_sigmoid: Function = Function(
    "log_sigmoid", log_sigmoid_of, r"\ln\sigma\left({0}\right)",
    "(MIN({0},0)-LN(1+EXP(-ABS({0}))))",
    "z => Math.min(z, 0) - Math.log1p(Math.exp(-Math.abs(z)))", lambda z: (sigmoid(-z),),
)  # fmt: skip
saturation_slope: Function = Function("saturation_slope", lambda u: saturation_and_slope(u)[1])
saturation: Function = Function(
    "saturation", lambda u: -np.expm1(-LN2 * np.exp(np.minimum(u, 30.0))),
    r"1 - 2^{{-e^{{{0}}}}}",
    f"(1-EXP(-{LN2!r}*EXP(MIN({{0}},30))))",
    f"u => -Math.expm1(-{LN2!r} * Math.exp(Math.min(u, 30)))", lambda u: (saturation_slope(u),),
    is_sum=True,
)  # fmt: skip
ln_saturation_slope: Function = Function(
    "ln_saturation_slope", lambda u: ln_saturation_and_slope(u)[1]
)
ln_saturation: Function = Function(
    "ln_saturation", lambda u: np.log(-np.expm1(-LN2 * np.exp(np.minimum(u, 6.0)))),
    r"\ln\left(1 - 2^{{-e^{{{0}}}}}\right)",
    f"IF({{0}}<-7,{{0}}-{-float(np.log(LN2))!r}-{_POWER}/2+{_POWER}*{_POWER}/24,"
    f"LN(1-EXP(-{_POWER})))",
    f"u => Math.log(-Math.expm1(-{LN2!r} * Math.exp(Math.min(u, 6))))",
    lambda u: (ln_saturation_slope(u),),
)  # fmt: skip
bent_slope: Function = Function("bent_slope", lambda r, b: bent_and_slope(r, b)[1])
bent: Function = Function(
    "bent", lambda r, b: bent_and_slope(r, b)[0], r"\frac{{e^{{{1}\,{0}}} - 1}}{{{1}}}",
    f"IF(ABS({{1}}*{{0}})<0.05,{{0}}*{_BENT_SERIES},(EXP({{1}}*{{0}})-1)/{{1}})",
    "(r, b) => Math.abs(b * r) < 1e-4 ? r * (1 + b * r / 2 + b * r * b * r / 6)"
    " : Math.expm1(b * r) / b",
    lambda r, b: (exp(b * r), bent_slope(r, b)),
)  # fmt: skip
