"""Risk of a classifier at the receiver: what the mean over all images does not show."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from semloss.arrays import Array, Integers, Mask
from semloss.metrics.base import Measurement

#: Bins of confidence that calibration is read in.
BINS = 15


@dataclass(frozen=True)
class Asked:
    """What a task is judged by beside its own measures.

    Attributes
    ----------
    classes
        Names of the source's classes, in order of label.
    coverage
        Shares of the images, each in (0, 1], that a model answers where it may decline the others.
    per_class
        Whether each class has a row of its own.
    """

    classes: tuple[str, ...]
    coverage: tuple[float, ...] = ()
    per_class: bool = False


def measure_risk(
    labels: ArrayLike,
    predictions: ArrayLike,
    clean: ArrayLike,
    confidence: ArrayLike | None,
    clean_confidence: ArrayLike | None,
    asked: Asked,
) -> list[Measurement]:
    """What a classifier's mean accuracy does not show.

    Parameters
    ----------
    labels, predictions
        Class of each image, and what the model says of the image that was delivered; (n,).
    clean
        What the model that was trained on clean images says of the image as it was sent, (n,).
    confidence, clean_confidence
        Probability (n,) that either gives to its answer; None where it tells none.
    asked
        Which of the following.

    Returns
    -------
    list of Measurement
        ``worst_class_accuracy``
            Accuracy of the class that is hit least. The least of several noisy shares reads low:
            by about one of its standard errors where classes are equally hard.
        ``flip_rate``
            Share of all images whose clean answer was right and whose delivered one is wrong:
            what the link breaks, not made up for by what it puts right.
        ``ece``
            Expected calibration error (Guo et al., "On calibration of modern neural networks",
            ICML 2017): images in 15 bins of equal width by the confidence of their answer; mean
            over images of the distance between their bin's accuracy and its mean confidence. Of
            few images it reads high, as noise has no sign.
        ``accuracy_at_coverage_90``
            Accuracy on the 90 % of the images whose answers are most confident (Geifman and
            El-Yaniv, "Selective classification for deep neural networks", NeurIPS 2017).
        ``accuracy_of_NAME``
            Accuracy on the images of one class.

        Outcomes of ``worst_class_accuracy`` and ``accuracy_of_NAME`` are NaN for images of other
        classes; `n` are the images of the class.
    """
    truth = np.asarray(labels)
    right, before = np.asarray(predictions) == truth, np.asarray(clean) == truth
    of_class = [truth == c for c in range(len(asked.classes))]
    shares = [_share(right, which) if which.any() else 2.0 for which in of_class]
    ceilings = [_share(before, which) if which.any() else 2.0 for which in of_class]
    chance = 1.0 / len(asked.classes)
    worst = int(np.argmin(shares))
    found = [
        _of_class("worst_class_accuracy", right, of_class[worst], chance, min(ceilings)),
        _flips(before & ~right, float(np.mean(before)) * (1.0 - chance)),
    ]
    if confidence is not None:
        sure = np.asarray(confidence, dtype=np.float64)
        was = None if clean_confidence is None else np.asarray(clean_confidence, dtype=np.float64)
        found.append(_calibration(right, sure, before, was))
        for share in asked.coverage:
            found.append(_covered(share, right, sure, before, was, chance))
    if asked.per_class:
        for name, which, ceiling in zip(asked.classes, of_class, ceilings, strict=True):
            if which.any():
                found.append(_of_class(f"accuracy_of_{name}", right, which, chance, ceiling))
    return found


def _share(right: Mask, which: Mask) -> float:
    return float(np.mean(right[which]))


def _of_class(metric: str, right: Mask, which: Mask, chance: float, ceiling: float) -> Measurement:
    """Share of hits among some of the images."""
    value, n = _share(right, which), int(which.sum())
    sd = math.sqrt(value * (1.0 - value))
    outcomes = np.where(which, right, np.nan).astype(np.float32)
    return Measurement(metric, value, sd, n, "higher", chance, ceiling, outcomes)


def _flips(flipped: Mask, floor: float) -> Measurement:
    value, n = float(np.mean(flipped)), flipped.size
    sd = math.sqrt(value * (1.0 - value))
    return Measurement("flip_rate", value, sd, n, "lower", floor, 0.0, flipped)


def _calibration(
    right: Mask, confidence: Array, before: Mask, clean_confidence: Array | None
) -> Measurement:
    """Calibration error: the mean of each image's own gap, signed as that of its bin."""
    gaps = _signed_gaps(right, confidence)
    sd, n = float(gaps.std()), gaps.size
    ceiling = None
    if clean_confidence is not None:
        ceiling = float(_signed_gaps(before, clean_confidence).mean())
    value = float(gaps.mean())
    outcomes = gaps.astype(np.float32)
    return Measurement("ece", value, sd, n, "lower", None, ceiling, outcomes)


def _signed_gaps(right: Mask, confidence: Array) -> Array:
    gap = right - confidence
    place = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    sign = np.sign(np.bincount(place, gap, minlength=BINS))
    return np.asarray(sign[place] * gap)


def _covered(
    share: float,
    right: Mask,
    confidence: Array,
    before: Mask,
    clean_confidence: Array | None,
    chance: float,
) -> Measurement:
    """Accuracy on the most confident images, with its error.

    Which confidence is enough depends on the images too, so the error is more than that of the
    hits among the answered: by the delta method an image moves the value by (right - m) answered /
    share - (value - m), where m is the accuracy of the images next to the limit.
    """
    n = right.size
    order, kept = _most_confident(confidence, share)
    value = float(np.mean(right[order[:kept]]))
    reach = max(1, n // 20)
    edge = float(np.mean(right[order[max(0, kept - reach) : kept + reach]]))
    influence = np.full(n, edge - value)
    influence[order[:kept]] += (right[order[:kept]] - edge) * n / kept
    sd = float(np.sqrt(np.mean(influence**2)))
    ceiling = None
    if clean_confidence is not None:
        best, count = _most_confident(clean_confidence, share)
        ceiling = float(np.mean(before[best[:count]]))
    outcomes = (value + influence).astype(np.float32)
    metric = f"accuracy_at_coverage_{100 * share:g}"
    return Measurement(metric, value, sd, n, "higher", chance, ceiling, outcomes)


def _most_confident(confidence: Array, share: float) -> tuple[Integers, int]:
    """Images in order of falling confidence, and how many of them are answered."""
    order = np.argsort(-confidence, kind="stable")
    return order, max(1, round(share * len(order)))
