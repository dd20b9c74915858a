"""Spellings of an expression: numpy code, LaTeX, a formula of a spreadsheet, JavaScript."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from semloss.surfaces.forms.expression import (
    Call,
    Expression,
    Function,
    Infix,
    Named,
    Negative,
    Number,
    Symbol,
)

_BINDS = {"+": 1, "-": 1, "*": 2, "/": 2}


def compiled(expressions: Sequence[Expression], arguments: Sequence[str]) -> Callable[..., Any]:
    """Function of numpy arrays that returns the expressions' values, in a tuple.

    The operations are those of the expressions, in their order; what stands several times is
    computed once.
    """
    program = _Program()
    tops = [program.add(expression) for expression in expressions]
    for top in tops:
        program.uses[top] += 1
    results = [program.text(top) for top in tops]
    code = "\n    ".join([*program.lines, f"return ({', '.join(results)},)"])
    scope: dict[str, Any] = {name: one.numpy for name, one in program.functions.items()}
    exec(f"def values({', '.join(arguments)}):\n    {code}", scope)
    values: Callable[..., Any] = scope["values"]
    return values


class _Program:
    """Terms numbered so that equal ones are one, and the lines that compute them."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[Any, ...], int] = {}
        self.terms: list[tuple[Any, ...]] = []
        self.uses: list[int] = []
        self.functions: dict[str, Function] = {}
        self.lines: list[str] = []
        self.names: dict[int, str] = {}

    def add(self, term: Expression) -> int:
        """Number of a term."""
        key: tuple[Any, ...]
        match term:
            case Named(body=body):
                return self.add(body)
            case Number(value=value):
                key = ("leaf", repr(value))
            case Symbol(name=name):
                key = ("leaf", name)
            case Negative(body):
                key = ("-", self.add(body))
            case Infix(operator, left, right):
                key = (operator, self.add(left), self.add(right))
            case Call(function, arguments):
                self.functions[f"_{function.name}"] = function
                key = (f"_{function.name}", *(self.add(one) for one in arguments))
        if key not in self.numbers:
            self.numbers[key] = len(self.terms)
            self.terms.append(key)
            self.uses.append(0)
            for child in key[1:] if key[0] != "leaf" else ():
                self.uses[child] += 1
        return self.numbers[key]

    def text(self, number: int) -> str:
        """Code of a term; one that is used again gets a line and a name."""
        if number in self.names:
            return self.names[number]
        kind, *children = self.terms[number]
        if kind == "leaf":
            return str(children[0])
        parts = [self.text(child) for child in children]
        if kind.startswith("_"):
            text = f"{kind}({', '.join(parts)})"
        else:
            text = f"(-{parts[0]})" if len(parts) == 1 else f"({parts[0]} {kind} {parts[1]})"
        if self.uses[number] > 1:
            self.names[number] = f"_{number}"
            self.lines.append(f"_{number} = {text}")
            return self.names[number]
        return text


def latex(expression: Expression) -> list[tuple[str, str]]:
    """Equation of an expression and of every named part in it, as (left side, right side).

    The expression itself comes first, with an empty left side; parts follow in the order in which
    they are met.
    """
    known: dict[str, str] = {}
    waiting = [expression]

    def show(term: Expression, binds: int = 0) -> str:
        match term:
            case Number(value=value, latex=name):
                return name or f"{value:g}"
            case Symbol(latex=name):
                return name
            case Named(latex=name):
                waiting.append(term)
                return name
            case Negative(body):
                return _bracketed(f"-{show(body, 2)}", binds > 1)
            case Infix("/", left, right):
                return rf"\frac{{{show(left)}}}{{{show(right)}}}"
            case Infix(operator, left, right):
                own = _BINDS[operator]
                sign = r" \, " if operator == "*" else f" {operator} "
                text = f"{show(left, own)}{sign}{show(right, own + (operator == '-'))}"
                return _bracketed(text, own < binds)
            case Call(function, arguments):
                text = function.latex.format(*(show(one) for one in arguments))
                return _bracketed(text, function.is_sum and binds > 1)
        raise AssertionError(term)

    while waiting:
        term = waiting.pop(0)
        if isinstance(term, Named):
            if term.latex not in known:
                known[term.latex] = show(term.body)
        else:
            known[""] = show(term)
    return list(known.items())


def _bracketed(text: str, needed: bool) -> str:
    return rf"\left({text}\right)" if needed else text


def spreadsheet(expression: Expression, cells: Mapping[str, str]) -> str:
    """Formula of an expression, without the leading =, for any common spreadsheet.

    Parameters
    ----------
    cells
        What stands for each symbol, by name: a cell or a number.
    """

    def call(function: Function, arguments: list[str]) -> str:
        atoms = [one if one.isalnum() else f"({one})" for one in arguments]
        return function.spreadsheet.format(*atoms)

    return _infix(expression, cells, call)


def javascript(expression: Expression, arguments: Sequence[str]) -> str:
    """Arrow function of an expression: plain numbers in, a plain number out."""
    used: dict[str, str] = {}

    def call(function: Function, parts: list[str]) -> str:
        used[function.name] = function.javascript
        return f"{function.name}({', '.join(parts)})"

    text = _infix(expression, {}, call)
    helpers = "".join(f"  const {name} = {code};\n" for name, code in used.items())
    return f"({', '.join(arguments)}) => {{\n{helpers}  return {text};\n}}"


def _infix(
    expression: Expression,
    names: Mapping[str, str],
    call: Callable[[Function, list[str]], str],
) -> str:
    """Code with the common operators; `call` spells a function of its arguments."""

    def show(term: Expression, binds: int = 0) -> str:
        match term:
            case Number(value=value):
                return repr(value) if value >= 0 else f"({value!r})"
            case Symbol(name=name):
                return names.get(name, name)
            case Named(body=body):
                return show(body, binds)
            case Negative(body):
                return f"(-{show(body, 3)})"
            case Infix(operator, left, right):
                own = _BINDS[operator]
                text = f"{show(left, own)}{operator}{show(right, own + 1)}"
                return f"({text})" if own < binds else text
            case Call(function, arguments):
                return call(function, [show(one) for one in arguments])
        raise AssertionError(term)

    return show(expression)
