"""Bracketing: to the last digit on monotone curves, the first crossing on others."""

import numpy as np
import pytest

from semloss.roots import first_met, halve


def test_halving_closes_in_on_each_problem_s_own_point():
    wanted = np.array([0.25, 1.0, 3.7])
    short, enough = halve(lambda x: x >= wanted, np.zeros(3), np.full(3, 4.0), 60)
    assert np.all(short <= wanted)
    np.testing.assert_allclose(enough, wanted, rtol=1e-12)


def test_the_first_of_several_crossings_is_the_answer():
    ways = first_met(lambda x: np.sin(x), np.array([-2.0, -8.0]), np.array([9.0, 9.0]),
                     (257, *[33] * 8))  # fmt: skip
    np.testing.assert_allclose(ways, [0.0, -2 * np.pi], atol=1e-12)


@pytest.mark.parametrize(("offset", "answer"), [(5.0, -1.0), (-5.0, np.nan)])
def test_the_start_may_be_enough_and_the_end_may_not(offset, answer):
    found = first_met(lambda x: x + offset, np.array([-1.0]), np.array([1.0]), (9, 5))
    np.testing.assert_equal(found, [answer])


def test_slack_forgives_rounding_in_the_first_round():
    def surplus(x):
        return np.where(x >= 1.0, -1e-15, -1.0)

    assert np.isnan(first_met(surplus, np.array([0.0]), np.array([1.0]), (3, 3)))[0]
    assert first_met(surplus, np.array([0.0]), np.array([1.0]), (3, 3), 1e-12)[0] == 1.0


def test_each_round_halves_the_bracket():
    for rounds, bracket in ((0, (0, 4)), (1, (0, 2)), (2, (0, 1)), (3, (0.5, 1)), (4, (0.75, 1))):
        short, enough = halve(lambda x: x >= 1.0, 0.0, 4.0, rounds)
        assert (short, enough) == bracket


def test_the_walk_closes_in_by_its_counts():
    # 0, 1 … 8, then 2, 2.25 … 3: the first point at or above the target answers.
    for counts, answer in (((9,), 3.0), ((9, 5), 2.75), ((9, 5, 6), 2.7), ((2,), 8.0)):
        found = first_met(lambda x: x - 2.7, np.array([0.0]), np.array([8.0]), counts)
        assert found == pytest.approx([answer])
