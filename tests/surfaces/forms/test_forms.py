"""Forms: limits, monotony, equations, slopes; and adding one's own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_surface import NAMED, truth
from surface_truth import CURVED, grid

from semloss.errors import SemlossError
from semloss.surfaces.forms import FORMS, Form, Parameter, register
from semloss.surfaces.forms.base import S
from semloss.surfaces.forms.capacity import capacity_db
from semloss.surfaces.forms.expression import pow10

RATED = [name for name in CURVED if name != "logistic_snr"]
CAPPED = ["separable", "hill", "capped", "unified", "capacity_capped", "capacity_unified"]
REFERENCE = 1 / 12


def shapes(form):
    """Any shape parameters within their bounds."""
    draws = (
        st.floats(np.log(p.low), np.log(p.high)).map(np.exp) if p.log else st.floats(p.low, p.high)
        for p in FORMS[form].parameters
    )
    return st.tuples(*draws).map(np.array)


@pytest.mark.parametrize("form", CURVED)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_gain_never_falls_when_cr_or_snr_rises_whatever_the_parameters(form, data):
    shape = data.draw(shapes(form))
    x, snr_db = np.log(np.geomspace(1e-3, 1.0, 25)), np.linspace(-30.0, 40.0, 30)
    gain = np.array([FORMS[form].gain(np.full(30, xi), snr_db, shape) for xi in x])
    assert np.all(np.isfinite(gain))
    assert np.all((gain >= 0) & (gain <= 1 + 1e-12))
    assert np.all(np.diff(gain, axis=0) >= -1e-9)
    assert np.all(np.diff(gain, axis=1) >= -1e-9)


@pytest.mark.parametrize("form", CURVED)
def test_without_signal_nothing_gets_through(form):
    value = FORMS[form](np.array([REFERENCE]), np.array([-600.0]), truth(form))
    assert value[0] == pytest.approx(NAMED["floor"], abs=1e-4)


@pytest.mark.parametrize("form", RATED)
def test_without_rate_nothing_gets_through(form):
    # Where rate and SNR only trade, a perfect channel must not make good for it.
    value = FORMS[form](np.array([0.0]), np.array([-5.0]), truth(form))
    assert value[0] == pytest.approx(NAMED["floor"], abs=1e-3)


@pytest.mark.parametrize("form", CURVED)
def test_a_perfect_channel_leaves_the_ceiling_of_the_rate(form):
    cr = np.array([1 / 40, REFERENCE, 1 / 4])
    value = FORMS[form](cr, np.full(3, 900.0), truth(form))
    u = NAMED["rate_exponent"] * (np.log(cr) - NAMED["ln_cr_half"])
    allowed = 1 / (1 + np.exp(-u)) if form == "separable" else 1 - 0.5 ** np.exp(u)
    if form == "pair":
        allowed = NAMED["mix"] * allowed + 1 - NAMED["mix"]
    elif form not in CAPPED:
        allowed = np.ones(3)
    expected = NAMED["floor"] + (NAMED["ceiling"] - NAMED["floor"]) * allowed
    # A logistic in the capacity nears its end as slowly as the capacity grows.
    np.testing.assert_allclose(value, expected, rtol=1e-2 if "capacity" in form else 1e-6)


@pytest.mark.parametrize("form", ["capped", "unified", "capacity_capped", "capacity_unified"])
def test_at_the_midpoint_snr_the_reference_rate_has_half_its_ceiling(form):
    cr, p = np.array([REFERENCE]), truth(form)
    half = FORMS[form](cr, np.array([NAMED["snr_half_db"]]), p) - NAMED["floor"]
    full = FORMS[form](cr, np.array([900.0]), p) - NAMED["floor"]
    assert half[0] == pytest.approx(full[0] / 2, rel=1e-3 if "capacity" in form else 1e-6)


@pytest.mark.parametrize("form", ["logistic_snr", "additive", "capacity_additive"])
def test_at_the_midpoint_snr_the_gain_is_half(form):
    shape = truth(form)[2:]
    gain = FORMS[form].gain(np.log([REFERENCE]), np.array([NAMED["snr_half_db"]]), shape)
    assert gain[0] == pytest.approx(0.5)


def test_rich_forms_hold_the_simpler_ones():
    cr, snr_db = grid()
    capped = FORMS["capped"](cr, snr_db, truth("capped"))
    straight = np.concatenate([truth("capped"), [0.0, 0.0]])
    np.testing.assert_allclose(FORMS["unified"](cr, snr_db, straight), capped, rtol=1e-12)
    alone = np.concatenate([straight, [1.0, 0.0, 0.1, 1.0]])
    np.testing.assert_allclose(FORMS["pair"](cr, snr_db, alone), capped, rtol=1e-12)
    # Far below its gap a channel's capacity is its SNR.
    wide = np.concatenate([truth("capped"), [45.0]])
    np.testing.assert_allclose(FORMS["capacity_capped"](cr, snr_db, wide), capped, atol=1e-3)


def test_a_logistic_in_decibels_is_a_hill_curve_in_the_linear_snr():
    snr_db = np.linspace(-10.0, 20.0, 7)
    half, slope = 3.0, 0.3
    gain = FORMS["logistic_snr"].gain(np.zeros(7), snr_db, np.array([half, slope]))
    power = (10 ** ((snr_db - half) / 10)) ** (slope * 10 / np.log(10))
    np.testing.assert_allclose(gain, power / (1 + power))


def test_capacity_is_shannons():
    value, slope = capacity_db(np.array([-60.0, 0.0, 20.0]), 0.0)
    bits = np.log2(1 + 10 ** np.array([-6.0, 0.0, 2.0]))
    np.testing.assert_allclose(value, 10 * np.log10(bits * np.log(2)))
    assert slope[0] == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("form", CURVED)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_the_analytic_slopes_are_the_derivatives_of_the_expression(form, data):
    own = FORMS[form]
    inner = truth(form)[2:] * np.exp(data.draw(st.floats(-0.2, 0.2)))
    cr, snr_db = grid()
    gain, slopes = own.slopes(np.log(cr), snr_db, inner)
    plain, derivatives = Form.slopes(own, np.log(cr), snr_db, inner)
    np.testing.assert_allclose(gain, plain, rtol=1e-12)
    np.testing.assert_allclose(slopes, derivatives, atol=1e-12, rtol=1e-9)


@pytest.mark.parametrize("form", CURVED)
def test_the_derivatives_of_the_expression_are_those_of_central_differences(form):
    own, shape = FORMS[form], truth(form)[2:]
    cr, snr_db = grid()
    _, derivatives = Form.slopes(own, np.log(cr), snr_db, shape)
    for i, step in enumerate(6e-6 * np.maximum(np.abs(shape), 1e-2)):
        move = step * np.eye(len(shape))[i]
        rise = [own.gain(np.log(cr), snr_db, shape + sign * move) for sign in (1, -1)]
        difference = (rise[0] - rise[1]) / (2 * step)
        np.testing.assert_allclose(derivatives[i], difference, atol=2e-7, rtol=2e-5)


@pytest.mark.parametrize("form", FORMS)
def test_a_batch_of_parameter_vectors_gives_what_each_gives_alone(form):
    cr, snr_db = grid()
    p = np.stack([truth(form), truth(form) * 1.01])
    together = FORMS[form](cr, snr_db, p)
    for row, one in zip(together, p, strict=True):
        np.testing.assert_array_equal(row, FORMS[form](cr, snr_db, one))
    value, jacobian = FORMS[form].value_and_jacobian(cr, snr_db, p)
    np.testing.assert_allclose(value, together)
    assert jacobian.shape == (2, len(FORMS[form].names), len(cr))


@pytest.mark.parametrize("form", FORMS)
def test_a_form_explains_itself(form):
    own = FORMS[form]
    assert own.summary
    assert len(set(own.names)) == len(own.names)
    assert all(p.unit and p.meaning and p.low < p.high for p in own.all_parameters)
    assert "ours" in type(own).__doc__ or form in ("constant", "logistic_snr")


HALF = Parameter("snr_half_db", "dB", -60.0, 60.0, "SNR of half gain")


def test_a_form_of_ones_own_is_one_class_and_one_registration():
    class Step(Form):
        """Half a power of the linear SNR, no rate; ours."""

        name = "test_step"
        summary = "for this test"
        parameters = (HALF,)
        expression = 1.0 / (1.0 + pow10(-(S - HALF.symbol) / 10.0))

    try:
        register(Step)
        cr, snr_db = grid()
        jacobian = FORMS["test_step"].jacobian(cr, snr_db, np.array([0.1, 0.9, 2.0]))
        gain = FORMS["test_step"].gain(np.log(cr), snr_db, np.array([2.0]))
        slope = -0.8 * gain * (1 - gain) * np.log(10) / 10
        np.testing.assert_allclose(jacobian[:, 2], slope, rtol=1e-12)
        with pytest.raises(SemlossError, match="registered already"):
            register(Step)
    finally:
        del FORMS["test_step"]
