"""Risk: known answers, limits, and errors that resampling the images shows."""

import math

import numpy as np
import pytest

from semloss.facts import metric_facts
from semloss.metrics import Asked, measure_risk

CLASSES = ("a", "b", "c", "d")


def risk(labels, said, clean, sure=None, was=None, **asked):
    found = measure_risk(labels, said, clean, sure, was, Asked(CLASSES, **asked))
    return {one.metric: one for one in found}


def a_classifier(n, seed, sharp=1.0):
    """Labels, answers and confidence: right as often as it says where `sharp` is 1."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, n)
    sure = 0.3 + 0.7 * rng.random(n)
    hit = rng.random(n) < sure**sharp
    return labels, np.where(hit, labels, (labels + 1) % 4), sure


def test_known_answers():
    labels = np.array([0, 0, 1, 1, 1, 2, 2, 3])
    clean = np.array([0, 0, 1, 1, 0, 2, 1, 3])
    said = np.array([0, 1, 1, 0, 1, 2, 2, 3])
    found = risk(labels, said, clean, per_class=True)
    assert found["worst_class_accuracy"].value == 0.5
    assert found["worst_class_accuracy"].n == 2
    assert found["worst_class_accuracy"].ceiling == 0.5  # of the clean answers: class c
    assert found["flip_rate"].value == 2 / 8  # the second a and the second b
    assert found["flip_rate"].floor == pytest.approx(6 / 8 * 3 / 4)
    assert [found[f"accuracy_of_{name}"].value for name in CLASSES] == [1 / 2, 2 / 3, 1, 1]
    assert found["accuracy_of_b"].n == 3
    assert np.isnan(found["accuracy_of_b"].outcomes).sum() == 5
    assert np.nanmean(found["accuracy_of_b"].outcomes) == pytest.approx(2 / 3)
    assert not {"ece", "accuracy_at_coverage_90"} & set(found)  # nobody told how sure it was


def test_calibration_by_hand():
    """Two bins: of four answers at .8 two are right, of two at .5 both are."""
    labels = np.zeros(6, dtype=int)
    said, sure = np.array([0, 0, 1, 1, 0, 0]), np.array([0.8] * 4 + [0.5] * 2)
    assert risk(labels, said, labels, sure)["ece"].value == pytest.approx(
        (4 * abs(0.5 - 0.8) + 2 * abs(1 - 0.5)) / 6
    )


def test_who_is_as_right_as_he_says_is_calibrated():
    labels, said, sure = a_classifier(200_000, 0)
    honest = risk(labels, said, labels, sure)["ece"]
    # 15 bins of some 19,000: each is off by about .4 / sqrt(19,000)
    assert honest.value < 5 * 0.4 / math.sqrt(200_000 / 15)
    labels, said, sure = a_classifier(200_000, 1, sharp=2.0)
    boasting = risk(labels, said, labels, sure)["ece"]
    # the mean of p - p^2 over p uniform in .3 … 1
    expected = (1 - 0.3**2) / 2 / 0.7 - (1 - 0.3**3) / 3 / 0.7
    assert boasting.value == pytest.approx(expected, abs=0.005)


def test_accuracy_rises_as_the_unsure_are_declined_and_ends_at_the_mean():
    labels, said, sure = a_classifier(20_000, 2)
    shares = (0.2, 0.5, 0.8, 1.0)
    found = risk(labels, said, labels, sure, coverage=shares)
    values = [found[f"accuracy_at_coverage_{100 * share:g}"].value for share in shares]
    assert values == sorted(values, reverse=True)
    assert values[-1] == pytest.approx(np.mean(said == labels))
    # right as often as it says: the mean of p over the upper share of .3 … 1
    assert values[1] == pytest.approx((0.65 + 1) / 2, abs=0.02)


@pytest.mark.parametrize("metric", ["ece", "flip_rate", "accuracy_at_coverage_80"])
def test_errors_are_those_of_resampling(metric):
    labels, said, sure = a_classifier(700, 3, sharp=1.6)
    clean = np.where(np.random.default_rng(4).random(700) < 0.9, labels, (labels + 2) % 4)

    def found(which):
        one = labels[which], said[which], clean[which], sure[which]
        return risk(*one, coverage=(0.8,))[metric]

    rng = np.random.default_rng(5)
    draws = [found(rng.integers(0, 700, 700)).value for _ in range(500)]
    told = found(np.arange(700))
    assert told.se == pytest.approx(np.std(draws), rel=0.2)
    assert told.outcomes.mean() == pytest.approx(told.value, abs=1e-6)
    assert told.outcomes.std() == pytest.approx(told.sd, abs=1e-6)


def test_the_ceiling_is_what_the_clean_answers_read():
    labels, said, sure = a_classifier(500, 6)
    best = risk(labels, said, said, sure, sure, coverage=(0.9,), per_class=True)
    for name, one in best.items():
        assert one.value == pytest.approx(one.ceiling), name
    assert best["flip_rate"].value == 0.0


def test_the_facts_say_what_a_risk_is():
    assert metric_facts("flip_rate").direction == metric_facts("ece").direction == "lower"
    assert metric_facts("accuracy_of_SeaLake").noise == "binomial"
    assert metric_facts("accuracy_of_SeaLake").title == "accuracy of SeaLake"
    for name in ("worst_class_accuracy", "accuracy_at_coverage_85", "accuracy_of_SeaLake"):
        assert metric_facts(name).direction == "higher"
        assert metric_facts(name).level_range == (0.0, 1.0)
