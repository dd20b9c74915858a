"""One expression, one meaning: numpy, a spreadsheet and JavaScript agree; LaTeX is whole."""

import json
import math
import re
import shutil
import subprocess

import numpy as np
import pytest
from known_surface import truth
from surface_truth import CURVED, grid

from semloss.surfaces.forms import FORMS
from semloss.surfaces.forms.expression import Named, Number, Symbol, bent, ln, sigmoid
from semloss.surfaces.forms.rendering import compiled, javascript, latex, spreadsheet

A, B = Symbol("a", "a"), Symbol("b", r"\beta")


def cases(form):
    """Grid, far points, and shapes: the truth and three drawn ones."""
    cr, snr_db = grid()
    x = np.concatenate([np.log(cr), [-7.0, -7.0, 0.0, 0.0]])
    snr_db = np.concatenate([snr_db, [-60.0, 60.0, -60.0, 60.0]])
    near = np.random.default_rng(1).uniform(0.7, 1.3, (3, len(FORMS[form].parameters)))
    return x, snr_db, np.vstack([truth(form)[2:], truth(form)[2:] * near])


def evaluated(formula):
    """What a spreadsheet makes of a formula: its functions, its lazy IF, ^ for powers."""

    def if_to_python(text):
        while "IF(" in text:
            start = text.rindex("IF(")
            depth, parts, begin = 0, [], start + 3
            for at in range(start + 3, len(text)):
                depth += {"(": 1, ")": -1}.get(text[at], 0)
                if (text[at] == "," and depth == 0) or depth < 0:
                    parts.append(text[begin:at])
                    begin = at + 1
                if depth < 0:
                    break
            test, yes, no = parts
            text = f"{text[:start]}(({yes}) if ({test}) else ({no})){text[begin:]}"
        return text

    names = {
        "EXP": math.exp, "LN": math.log, "LOG10": math.log10, "TANH": math.tanh, "MIN": min,
        "ABS": abs,
    }  # fmt: skip
    assert set(re.findall(r"[A-Z][A-Z0-9]+(?=\()", formula)) <= {*names, "IF"}
    return eval(if_to_python(formula).replace("^", "**"), names)


@pytest.mark.parametrize("form", CURVED)
def test_a_spreadsheet_computes_the_gain(form):
    own = FORMS[form]
    x, snr_db, shapes = cases(form)
    gain = own.gain(x, snr_db, shapes)
    for i, shape in enumerate(shapes):
        for j in range(0, len(x), 5):
            numbers = dict(zip((p.name for p in own.parameters), shape, strict=True))
            cells = {name: f"({value!r})" for name, value in
                     {"x": float(x[j]), "snr_db": float(snr_db[j]),
                      **{k: float(v) for k, v in numbers.items()}}.items()}  # fmt: skip
            assert evaluated(spreadsheet(own.expression, cells)) == pytest.approx(
                gain[i, j], rel=0, abs=1e-12
            )


@pytest.mark.parametrize("form", CURVED)
def test_a_formula_fits_into_a_cell(form):
    cells = {p.name: f"$B${i}" for i, p in enumerate(FORMS[form].parameters)}
    formula = spreadsheet(FORMS[form].expression, cells | {"x": "LN($A1)", "snr_db": "B$1"})
    assert len(formula) < 8192


@pytest.mark.parametrize("form", CURVED)
def test_javascript_computes_the_gain(form):
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on this machine")
    own = FORMS[form]
    x, snr_db, shapes = cases(form)
    names = ["x", "snr_db", *(p.name for p in own.parameters)]
    points = [[xi, si, *shape] for shape in shapes.tolist() for xi, si in zip(x, snr_db)]  # noqa: B905
    script = (
        f"const gain = {javascript(own.expression, names)};"
        f"console.log(JSON.stringify({json.dumps(points)}.map(p => gain(...p))))"
    )
    done = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True)
    found = np.array(json.loads(done.stdout)).reshape(len(shapes), len(x))
    np.testing.assert_allclose(found, own.gain(x, snr_db, shapes), rtol=0, atol=1e-12)


@pytest.mark.parametrize("form", CURVED)
def test_equations_define_every_symbol_that_they_use(form):
    own = FORMS[form]
    assert own.equations[0][0] == "gain"
    text = " ".join(right for _, right in own.equations)
    assert all(parameter.latex and parameter.latex in text for parameter in own.parameters)
    assert text.count("{") == text.count("}")
    assert text.count(r"\left(") == text.count(r"\right)")
    assert all(left in text for left, _ in own.equations[1:])


def test_brackets_stand_where_an_operation_needs_them_and_nowhere_else():
    expression = A * (A - (B - 2.0)) / (A + B) - (A - B) * -A
    assert spreadsheet(expression, {}) == "a*(a-(b-2.0))/(a+b)-(a-b)*(-a)"
    assert latex((A - B) * sigmoid(A + B)) == [
        ("", r"\left(a - \beta\right) \, \sigma\left(a + \beta\right)")
    ]  # fmt: skip
    assert eval(spreadsheet(expression, {}), {"a": 3.0, "b": 5.0}) == pytest.approx(-6.0)


def test_a_part_that_stands_twice_is_computed_once_and_defined_once():
    calls = []

    def counted(z):
        calls.append(z)
        return np.log(z)

    part = Named("L", ln(A + B))
    expression = part * part + ln(A + B)
    assert latex(expression)[1:] == [("L", r"\ln\left(a + \beta\right)")]
    values = compiled([expression, expression * 2.0], ["a", "b"])
    values.__globals__["_ln"] = counted
    one, two = values(1.0, 2.0)
    assert len(calls) == 1
    assert (one, two) == (math.log(3.0) ** 2 + math.log(3.0), 2 * one)


def test_the_bent_term_is_straight_in_the_limit():
    (value,) = compiled([bent(A, Number(0.0))], ["a"])(np.array([-2.0, 1.5]))
    np.testing.assert_array_equal(value, [-2.0, 1.5])
