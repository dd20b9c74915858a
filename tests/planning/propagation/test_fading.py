"""Fading: quantiles and shares of distributions whose values are in tables."""

import math

import numpy as np
import pytest
from planning_truth import faded_db

from semloss.errors import SemlossError
from semloss.planning.propagation.fading import Rayleigh, Rician, Shadowing, parse_fading


def test_the_margins_of_rayleigh_fading_are_those_of_an_exponential_power():
    # Below 1 % of the mean power in 1 % of the time, nearly: 10 log10(−ln 0.99) = −19.978 dB.
    assert Rayleigh().margin_db(99) == pytest.approx(19.9782, abs=1e-4)
    assert Rayleigh().margin_db(90) == pytest.approx(9.7732, abs=1e-4)
    assert Rayleigh().quantile_db(0.5) == pytest.approx(10 * math.log10(math.log(2)))
    assert Rayleigh().exceeded([0.0, 3.0, -10.0]) == pytest.approx(
        [math.exp(-1), math.exp(-1.9952623), math.exp(-0.1)]
    )


def test_the_margins_of_shadowing_are_those_of_a_normal():
    assert Shadowing(4.0).margin_db(95) == pytest.approx(4 * 1.644854, abs=1e-5)
    assert Shadowing(2.0).quantile_db([0.5, 0.841345, 0.977250]) == pytest.approx(
        [0, 2, 4], abs=1e-4
    )
    assert Shadowing(2.0).exceeded([-2.0, 0.0, 4.0]) == pytest.approx(
        [0.841345, 0.5, 0.022750], abs=1e-6
    )


def test_the_margins_of_rician_fading_follow_marcum():
    # Q1(√(2K), √(2(1+K))) at K = 1: 0.4093 above the mean; K = −40 dB is Rayleigh, nearly.
    power = np.linspace(0, 60, 600_001)
    pdf = 2 * np.exp(-1 - 2 * power) * np.i0(2 * np.sqrt(2 * power))
    above = float(np.trapezoid(np.where(power >= 1, pdf, 0.0), power))
    assert Rician(0.0).exceeded(0.0) == pytest.approx(above, abs=1e-4)
    assert Rician(-40.0).margin_db(99) == pytest.approx(Rayleigh().margin_db(99), abs=0.01)
    assert Rician(40.0).margin_db(99) == pytest.approx(20 / math.log(10) * 2.326 / 141.4, rel=0.02)


@pytest.mark.parametrize("fading", [Rayleigh(), Rician(0.0), Rician(10.0), Shadowing(3.0)])
def test_quantiles_shares_and_draws_are_of_one_distribution(fading):
    share = np.array([0.001, 0.1, 0.5, 0.9, 0.999])
    gain_db = fading.quantile_db(share)
    assert fading.exceeded(gain_db) == pytest.approx(1 - share, rel=1e-9)
    drawn = faded_db(fading, 200_000, np.random.default_rng(0))
    below = (drawn[:, None] < gain_db).mean(axis=0)
    assert np.all(abs(below - share) < 5 * np.sqrt(share * (1 - share) / 200_000))


@pytest.mark.parametrize("fading", [Rayleigh(), Rician(0.0), Rician(20.0)])
def test_the_mean_power_over_the_nodes_is_one(fading):
    gain_db, weight = fading.nodes()
    assert weight.sum() == pytest.approx(1)
    assert 10 ** (gain_db / 10) @ weight == pytest.approx(1, abs=1e-3)


def test_the_nodes_of_shadowing_have_its_mean_and_spread():
    gain_db, weight = Shadowing(3.0).nodes()
    assert gain_db @ weight == pytest.approx(0, abs=1e-9)
    assert gain_db**2 @ weight == pytest.approx(9, rel=1e-6)
    assert len(gain_db) < 41  # those that weigh nothing are left out
    assert weight.min() > 1e-12


def test_a_fading_is_read_as_it_is_labelled():
    for text in ("rayleigh", "rician:10", "rician:-40", "rician:40", "shadowing:2.5",
                 "shadowing:20"):  # fmt: skip
        assert parse_fading(text).label == text
    assert parse_fading(" Rician:3 ") == Rician(3.0)
    assert (Rician().label, Shadowing().label) == ("rician:20", "shadowing:3")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rayleigh:3", 'fading = \'rayleigh:3\': write "rayleigh", "rician:10" '),
        ("rician", "fading = 'rician': write"),
        ("shadowing:x", "fading = 'shadowing:x': write"),
        ("rician:41", "rician:41: the K factor in dB lies in -40 … 40"),
        ("rician:-41", "rician:-41: the K factor in dB lies in -40 … 40"),
        ("shadowing:0", "shadowing:0: the standard deviation in dB lies in 0 … 20, above 0"),
        ("shadowing:21", "shadowing:21: the standard deviation in dB lies in 0 … 20, above 0"),
    ],
)
def test_what_is_no_fading_is_refused_in_one_line(text, says):
    with pytest.raises(SemlossError) as error:
        parse_fading(text)
    assert str(error.value).startswith(says)


@pytest.mark.parametrize("percent", [0, 100, -1, 120])
def test_a_margin_holds_a_share_of_the_time(percent):
    with pytest.raises(SemlossError, match=f"^{percent} %: a share of the time lies between 0 and"):
        Rayleigh().margin_db(percent)
