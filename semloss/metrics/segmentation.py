"""What a segmentation at the receiver makes of the images: mIoU, accuracy of pixels."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semloss.arrays import Array
from semloss.metrics.base import Measurement

Labels = NDArray[np.integer[Any]]


def measure_segmentation(
    truth: ArrayLike, answers: ArrayLike, clean: ArrayLike, n_classes: int
) -> list[Measurement]:
    """Mean intersection over union, and accuracy of pixels, of one model on one test set.

    Parameters
    ----------
    truth, answers
        Class of each pixel, (n, H, W), and what the model says of the image that was delivered.
    clean
        What the model that was trained on clean images says of the images as they were sent.
    n_classes
        Classes that a pixel can be of.

    Returns
    -------
    list of Measurement
        ``miou``: intersections and unions are summed over all test images (Everingham et al.,
        "The PASCAL visual object classes challenge: a retrospective", IJCV 111, 2015) and their
        ratios averaged over the classes that occur; its error is that of ratios of sums over
        images (delta method). ``pixel_accuracy``: share of pixels, a mean over images, whose own
        spread is its error: the pixels of one image share their luck. The floor is what one and
        the same answer to every pixel gets of balanced classes.
    """
    right, said, best = np.asarray(truth), np.asarray(answers), np.asarray(clean)
    before = _miou(right, best, n_classes)[0], float(np.mean(right == best))
    value, outcomes = _miou(right, said, n_classes)
    shares = np.mean(right == said, axis=(1, 2))
    return [
        _measurement("miou", value, outcomes, n_classes**-2.0, before[0]),
        _measurement("pixel_accuracy", float(shares.mean()), shares, 1.0 / n_classes, before[1]),
    ]


def _measurement(
    metric: str, value: float, outcomes: Array, floor: float, ceiling: float
) -> Measurement:
    sd, n = float(outcomes.std()), len(outcomes)
    told = outcomes.astype(np.float32)
    return Measurement(metric, value, sd, n, "higher", floor, ceiling, told)


def _miou(truth: Labels, answers: Labels, n_classes: int) -> tuple[float, Array]:
    """Value, and each image's influence on it added to it, (n,)."""
    n = len(truth)
    image = np.arange(n)[:, None, None] * n_classes

    def counted(which: Labels) -> Array:
        counts = np.bincount(which.ravel(), minlength=n * n_classes)
        return counts.reshape(n, n_classes).astype(np.float64)

    of_truth, of_answers = counted(image + truth), counted(image + answers)
    both = counted((image + truth)[truth == answers])
    either = of_truth + of_answers - both
    occurs = of_truth.sum(0) > 0
    both, either = both[:, occurs], either[:, occurs]
    ratios = both.sum(0) / either.sum(0)
    influence = ((both - ratios * either) / either.mean(0)).mean(1)
    value = float(ratios.mean())
    return value, value + influence
