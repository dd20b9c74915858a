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


@pytest.mark.parametrize(
    ("cr", "text"),
    [(1.0, "1"), (1 / 12 * 1.0009, "1/12"), (1 / 12 * 1.0012, "0.08343"), (0.3, "0.3"),
     (0.9, "0.9"), (1 / 3 * 0.9992, "1/3"), (0.123456, "0.1235")],
)  # fmt: skip
def test_a_ratio_within_a_thousandth_of_a_reciprocal_is_written_as_that(cr, text):
    assert format_cr(cr) == text


def test_a_ratio_too_small_is_told_the_smallest():
    assert parse_cr(1e-9) == 1e-9
    for bad, told in ((1e-10, True), (-0.1, False), (0, False), (1.5, False)):
        with pytest.raises(SemlossError) as caught:
            parse_cr(bad)
        assert str(caught.value).startswith(f"cr = {bad}: CR is k/n")
        assert ("(0, 1], from 1e-09;" in str(caught.value)) == told
