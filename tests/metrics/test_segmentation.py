"""Segmentation: known answers, limits, errors that resampling the images shows."""

import numpy as np
import pytest
from sklearn.metrics import jaccard_score

from semloss.metrics import measure_segmentation


def found(truth, answers, clean=None, n_classes=4):
    measured = measure_segmentation(truth, answers, truth if clean is None else clean, n_classes)
    return {one.metric: one for one in measured}


def maps(n, seed, right=0.7):
    """Maps whose images differ in difficulty, and answers to them."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(rng.integers(0, 4, (n, 4, 8)), 2, axis=1).astype(np.uint8)
    hard = rng.uniform(right - 0.3, right + 0.3, (n, 1, 1))
    wrong = rng.integers(0, 4, truth.shape).astype(np.uint8)
    return truth, np.where(rng.random(truth.shape) < hard, truth, wrong)


def test_by_hand():
    truth = np.array([[[0, 0], [1, 1]]], dtype=np.uint8)
    said = np.array([[[0, 1], [1, 1]]], dtype=np.uint8)
    measured = found(truth, said, n_classes=3)
    assert measured["miou"].value == pytest.approx((1 / 2 + 2 / 3) / 2)  # class 2 does not occur
    assert measured["pixel_accuracy"].value == 3 / 4


def test_it_agrees_with_scikit_learn_over_all_pixels():
    truth, said = maps(40, 0)
    expected = jaccard_score(truth.ravel(), said.ravel(), average="macro")
    assert found(truth, said)["miou"].value == pytest.approx(expected)


def test_right_everywhere_is_one_and_one_answer_is_the_floor():
    truth = np.repeat(np.arange(4, dtype=np.uint8), 16).reshape(1, 8, 8).repeat(5, 0)
    for name, one in found(truth, truth).items():
        assert (one.value, one.sd) == (1.0, 0.0), name
    for name, one in found(truth, np.full_like(truth, 2)).items():
        assert one.value == pytest.approx(one.floor), name


@pytest.mark.parametrize("metric", ["miou", "pixel_accuracy"])
def test_errors_are_those_of_resampling_images(metric):
    truth, said = maps(300, 1)
    told = found(truth, said)[metric]
    rng = np.random.default_rng(2)
    draws = []
    for _ in range(400):
        which = rng.integers(0, 300, 300)
        draws.append(found(truth[which], said[which])[metric].value)
    assert told.se == pytest.approx(np.std(draws), rel=0.2)
    assert told.outcomes.mean() == pytest.approx(told.value, abs=1e-6)


def test_the_ceiling_is_what_the_clean_answers_read():
    truth, said = maps(20, 3)
    for name, one in found(truth, said, clean=said).items():
        assert one.value == pytest.approx(one.ceiling), name
