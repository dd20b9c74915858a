"""Compression ratios as text and number."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semloss.errors import SemlossError
from semloss.units import format_cr, parse_cr


def test_fraction_and_number_are_the_same_ratio():
    assert parse_cr("1/12") == parse_cr(" 1 / 12 ".replace(" ", "")) == 1 / 12
    assert parse_cr("0.25") == parse_cr(0.25) == 0.25


@pytest.mark.parametrize("text", ["0", "-1/6", "3/2", 0, -0.1, 1.5, "nan", "inf", "1/0", "six", ""])
def test_what_is_no_ratio_is_refused_in_one_line(text):
    with pytest.raises(SemlossError, match=r"^grid\.cr = .*1/12") as caught:
        parse_cr(text, "grid.cr")
    assert "\n" not in str(caught.value)


@given(st.integers(1, 5000))
def test_reciprocals_read_back(inverse):
    assert Fraction(format_cr(1 / inverse)) == Fraction(1, inverse)
