"""Intervals of a difference: what they hold, how wide they are, and their ends by hand."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest, norm, t

from semloss.comparing.paired import discordant, of_errors, paired, unpaired

HITS = (0.0, 1.0)
TRIALS = 2_000


def answers(rng, n, difficulty, levels):
    """Right or wrong (2, n) of two classifiers that find the same images hard."""
    own, shared = rng.normal(size=(2, n)), rng.normal(size=n)
    latent = math.sqrt(difficulty) * shared + math.sqrt(1 - difficulty) * own
    return (latent < np.asarray(levels)[:, None]).astype(float)


@pytest.mark.parametrize("difficulty", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("levels", [(0.6, 0.6), (0.2, 0.5), (1.5, 1.8)])
def test_the_paired_interval_holds_the_difference_of_the_populations(difficulty, levels):
    rng, held = np.random.default_rng(1), 0
    truth = norm.cdf(levels[1]) - norm.cdf(levels[0])
    for _ in range(TRIALS):
        span = paired(*answers(rng, 200, difficulty, levels), 0.95, HITS)
        held += span.low <= truth <= span.high
    room = 5 * math.sqrt(0.95 * 0.05 / TRIALS)
    assert 0.95 - room < held / TRIALS < 0.985


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.95])
def test_numbers_are_held_and_known_better_by_what_is_shared(correlation):
    """Width of the unpaired interval over that of the paired: 1 / sqrt(1 - correlation)."""
    rng, held, ratios = np.random.default_rng(2), 0, []
    for _ in range(TRIALS):
        shared, own = rng.normal(30, 3, 60), rng.normal(0, 3, (2, 60))
        base, other = math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * own
        span = paired(base, other + 0.4, 0.9)
        held += span.low <= 0.4 <= span.high
        ratios.append(unpaired(base, other + 0.4, 0.9).width / span.width)
    assert held / TRIALS == pytest.approx(0.9, abs=5 * math.sqrt(0.9 * 0.1 / TRIALS))
    assert np.mean(ratios) == pytest.approx(1 / math.sqrt(1 - correlation), rel=0.03)


def test_an_interval_of_hits_by_hand():
    """10 images, 3 gained and 1 lost: Agresti and Min have 12, 3.5 and 1.5 of them."""
    base = np.array([0, 0, 0, 1, 1, 1, 1, 0, 0, 0], float)
    other = np.array([1, 1, 1, 0, 1, 1, 1, 0, 0, 0], float)
    span = paired(base, other, 0.95, HITS)
    middle = 2 / 12
    reach = t.ppf(0.975, 9) * math.sqrt((5 / 12 - middle**2) / 12)
    assert (span.low, span.high) == pytest.approx((middle - reach, middle + reach))
    apart = unpaired(base, other, 0.95, HITS)
    shares = [5 / 12, 7 / 12]
    reach = t.ppf(0.975, 9) * math.sqrt(sum(p * (1 - p) for p in shares) / 10)
    assert (apart.low, apart.high) == pytest.approx((0.2 - reach, 0.2 + reach))


def test_an_interval_of_numbers_by_hand():
    """Three images: 1, 2 and 6 better; variances 7 of the gains, 1 and 13 of the two sides."""
    base, other = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 9.0])
    quantile = t.ppf(0.975, 2)
    for span, variance in ((paired(base, other, 0.95), 7.0), (unpaired(base, other, 0.95), 14.0)):
        reach = quantile * math.sqrt(variance / 3)
        assert (span.low, span.high) == pytest.approx((3 - reach, 3 + reach))


def test_what_a_hit_counts_only_scales_the_interval():
    base, other = answers(np.random.default_rng(3), 50, 0.5, (0.2, 0.6))
    for how in (paired, unpaired):
        one, scaled = how(base, other, 0.95, HITS), how(2 - 3 * base, 2 - 3 * other, 0.95, (-1, 2))
        assert (scaled.low, scaled.high) == pytest.approx((-3 * one.high, -3 * one.low))


def test_equal_answers_are_not_a_sure_draw_and_equal_numbers_are():
    same = answers(np.random.default_rng(4), 100, 0.5, (0.2, 0.2))[0]
    span = paired(same, same, 0.95, HITS)
    assert span.low == -span.high
    assert 0.01 < span.high < 0.03  # about two images in a hundred
    assert paired(same, same, 0.95).width == 0


def test_images_that_only_one_gets_right_and_mcnemars_test():
    base, other = np.array([1, 1, 0, 0, 0, 0, 1, 0.0]), np.array([0, 1, 1, 1, 1, 1, 1, 0.0])
    found = discordant(base, other)
    assert (found.only_base, found.only_other) == (1, 4)
    assert found.p_value == pytest.approx(2 * (1 + 5) / 2**5)
    assert discordant(base, base).p_value == 1.0
    assert discordant(other, base).p_value == binomtest(4, 5).pvalue


def test_one_image_tells_no_interval_and_an_untold_error_neither():
    one = np.array([1.0])
    for span in (paired(one, one, 0.95, HITS), unpaired(one, one, 0.95),
                 of_errors(0.1, (0.0, 0.02), 0.95)):  # fmt: skip
        assert math.isnan(span.low)
        assert math.isnan(span.high)


def test_independent_errors_add_as_squares():
    span = of_errors(0.1, (0.03, 0.04), 0.95)
    assert (span.low, span.high) == pytest.approx((0.1 - 1.959964 * 0.05, 0.1 + 1.959964 * 0.05))
