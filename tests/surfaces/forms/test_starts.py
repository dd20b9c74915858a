"""Where the search for a form's parameters begins, and in which order forms are tried."""

import numpy as np
import pytest
from known_surface import truth

from semloss.errors import SemlossError
from semloss.surfaces.forms import FORMS, ladder, register


def test_the_ladder_goes_from_few_parameters_to_many():
    counts = [len(form.names) for form in ladder().values()]
    assert counts == sorted(counts)
    assert counts[0] == 1
    assert next(iter(ladder())) == "constant"
    assert dict(ladder()) == FORMS
    assert list(ladder()) != list(FORMS)


class Halves:
    """Draws that are all one number."""

    def __init__(self, number):
        self.number = number

    def random(self, shape):
        return np.full(shape, self.number)


@pytest.mark.parametrize("form", FORMS)
def test_random_starts_lie_evenly_between_the_bounds(form):
    own = FORMS[form]
    for part in (0.0, 0.25, 1.0):
        starts = own.random_starts(3, Halves(part))
        assert starts.shape == (3, len(own.parameters))
        for column, p in zip(starts.T, own.parameters, strict=True):
            at = p.low ** (1 - part) * p.high**part if p.log else p.low + part * (p.high - p.low)
            assert column == pytest.approx([at] * 3)


def test_the_plain_start_is_half_gain_a_little_below_the_measured():
    cr, snr_db = np.array([1 / 24, 1 / 6, 1 / 12]), np.array([-5.0, 10.0, 0.0])
    plain = {
        "ln_cr_half": np.log(1 / 24) - 0.5, "rate_exponent": 1.5, "snr_half_db": -5.0,
        "slope_per_db": 3.0 / 15.0, "shift_db": 2.0, "sharpness": 1.0, "sharpness_exponent": 0.0,
        "bend": 0.0, "gap_db": 0.0, "mix": 0.5,
    }  # fmt: skip
    for form in ("capacity_unified", "pair", "additive"):
        own = FORMS[form]
        for p, value in zip(own.parameters, own.guess(cr, snr_db), strict=True):
            usual = np.sqrt(p.low * p.high) if p.log else np.clip(0.0, p.low, p.high)
            assert value == pytest.approx(plain.get(p.name, usual)), p.name
            assert p.low <= value <= p.high
    narrow = FORMS["additive"].guess(cr, np.array([4.0, 4.5, 4.2]))
    assert dict(zip(FORMS["additive"].names[2:], narrow, strict=True))["slope_per_db"] == 3.0


def test_levels_come_first_and_the_constant_has_one():
    assert FORMS["constant"].names == ("level",)
    assert not FORMS["constant"].has_range
    assert FORMS["capped"].names[:3] == ("floor", "ceiling", "ln_cr_half")
    assert FORMS["capped"].has_range
    value, jacobian = FORMS["constant"].value_and_jacobian(
        np.array([0.1, 0.2]), np.array([0.0, 1.0]), np.array([0.7])
    )
    assert value.tolist() == [0.7, 0.7]
    _, slopes = FORMS["constant"].slopes(np.zeros(2), np.zeros(2), np.empty(0))
    assert slopes.shape == (0, 2)
    assert jacobian.tolist() == [[1.0, 1.0]]


def test_the_derivatives_by_the_levels_are_what_is_left_of_the_gain():
    cr, snr_db, p = np.array([0.05, 0.1]), np.array([0.0, 5.0]), truth("capped")
    gain, slopes = FORMS["capped"].slopes(np.log(cr), snr_db, p[2:])
    value, jacobian = FORMS["capped"].value_and_jacobian(cr, snr_db, p)
    assert value == pytest.approx(0.1 + 0.8 * gain)
    assert jacobian[0] == pytest.approx(1 - gain)
    assert jacobian[1] == pytest.approx(gain)
    assert jacobian[2:] == pytest.approx(0.8 * slopes)
    assert FORMS["capped"].jacobian(cr, snr_db, p) == pytest.approx(jacobian.T)


def test_no_points_are_no_trouble():
    empty = np.array([])
    assert FORMS["capped"](empty, empty, truth("capped")).shape == (0,)


def test_a_name_that_is_taken_is_told_in_this_line():
    with pytest.raises(SemlossError) as caught:
        register(type(FORMS["capped"]))
    assert str(caught.value) == "form 'capped' is registered already; give yours another name"
