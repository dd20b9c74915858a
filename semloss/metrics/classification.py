"""What a classifier at the receiver makes of the images: accuracy, macro-F1, semantic loss."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semloss.errors import SemlossError
from semloss.metrics.base import Measurement


def measure_classification(
    labels: ArrayLike,
    predictions: ArrayLike,
    *,
    n_classes: int,
    clean_accuracy: float,
    clean_macro_f1: float | None = None,
) -> list[Measurement]:
    """Accuracy, macro-F1 and semantic loss of one classifier on one test set.

    Parameters
    ----------
    labels, predictions
        Class indices 0 to `n_classes` - 1, each (n,).
    n_classes
        Number of classes of the source, whether or not all occur in `labels`.
    clean_accuracy
        Accuracy of the task model on the clean images of the same test set, in (0, 1]. Taken as
        known: its own sampling error is not in any standard error here.
    clean_macro_f1
        The same for macro-F1, its ceiling; None when unknown.

    Returns
    -------
    list of Measurement
        ``accuracy``, ``macro_f1``, ``semantic_loss``, in this order.

    Raises
    ------
    SemlossError
        When `clean_accuracy` is not in (0, 1], so that no loss can be stated against it.
    """
    if not 0.0 < clean_accuracy <= 1.0:
        raise SemlossError(
            f"clean accuracy {clean_accuracy}: semantic loss is stated against it, so the task "
            "model must get some clean test images right; train it longer or on more images"
        )
    truth = np.asarray(labels, dtype=np.int64)
    guess = np.asarray(predictions, dtype=np.int64)
    n = truth.size
    chance = 1.0 / n_classes
    right = truth == guess
    accuracy = float(np.mean(right))
    sd = math.sqrt(accuracy * (1.0 - accuracy))
    return [
        Measurement("accuracy", accuracy, sd, n, "higher", chance, clean_accuracy, right),
        _macro_f1(truth, guess, n_classes, clean_macro_f1),
        Measurement(
            "semantic_loss", (clean_accuracy - accuracy) / clean_accuracy, sd / clean_accuracy, n,
            "lower", (clean_accuracy - chance) / clean_accuracy, 0.0,
            ((clean_accuracy - right) / clean_accuracy).astype(np.float32),
        ),
    ]  # fmt: skip


def _macro_f1(
    truth: NDArray[np.int64], guess: NDArray[np.int64], n_classes: int, ceiling: float | None
) -> Measurement:
    """Mean F1 over the classes that occur in `truth`, with its standard error.

    A class with no test image has no recall and is left out of the mean; images mistaken for it
    still count against their true class. F1 of class c is 2 TP / (true + guessed), a ratio of
    sums over images, so the error follows from the images' influence on it (delta method).
    The floor is the score of one and the same answer to every image of balanced classes.
    """
    n = truth.size
    hits = np.bincount(truth[truth == guess], minlength=n_classes)
    true = np.bincount(truth, minlength=n_classes)
    size = true + np.bincount(guess, minlength=n_classes)
    present = true > 0
    f1 = np.divide(2.0 * hits, size, out=np.zeros(n_classes), where=present)
    value = float(f1[present].mean())
    share = np.divide(n, size, out=np.zeros(n_classes), where=present)
    influence = (
        2.0 * (truth == guess) * share[truth] - (f1 * share)[truth] - (f1 * share)[guess]
    ) / present.sum()
    sd = float(np.sqrt(np.mean(influence**2)))
    floor = 2.0 / (n_classes * (n_classes + 1))
    outcomes = (value + influence).astype(np.float32)
    return Measurement("macro_f1", value, sd, n, "higher", floor, ceiling, outcomes)
