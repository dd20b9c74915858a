"""What a measurement is, and what every image metric promises."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from semloss.facts import metric_facts
from semloss.facts.metric import Direction

#: What comes out of a decoder; metrics, task models and objectives say which of these they read.
Delivery = Literal["image", "maps", "answer"]


@dataclass(frozen=True)
class Measurement:
    """One metric over a test set: the metric's columns of a row of the metrics table.

    Attributes
    ----------
    metric
        Name of the metric, with its unit where it has one ("psnr_db").
    value
        Its value over the test set.
    sd
        Spread over test items; of what is no mean over them, that of their influences on it.
    n
        Number of test items.
    se
        Standard error of `value` from the choice of test items, ``sd / sqrt(n)``.
    direction
        Which way is better.
    floor, ceiling
        Value when nothing gets through, and value on clean images; None when unknown.
    outcomes
        What became of each test image (n,), bool or float32, with mean `value` and spread `sd`:
        its own value where the metric is a mean over images, else `value` plus the image's
        influence on it (delta method). Of an image that is sent several times, the mean over the
        repetitions. NaN for images that the value is not about (those of other classes), which are
        not among the `n`. None where the items are no images.
    """

    metric: str
    value: float
    sd: float
    n: int
    se: float = field(init=False)
    direction: Direction
    floor: float | None = None
    ceiling: float | None = None
    outcomes: NDArray[np.bool_] | NDArray[np.float32] | None = field(
        default=None, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "se", self.sd / math.sqrt(self.n))


def mean_measurement(
    metric: str,
    values: Tensor,
    floor: float | None = None,
    ceiling: float | None = None,
) -> Measurement:
    """Mean over items with its sample spread.

    Parameters
    ----------
    metric, floor, ceiling
        As in `Measurement`; levels that every test set shares are known (`semloss.facts`).
    values
        (n,), one value per item. The spread of a single item is nan.
    """
    exact = values.double()
    n = exact.numel()
    sd = float(exact.std()) if n > 1 else float("nan")
    facts = metric_facts(metric)
    return Measurement(
        metric, float(exact.mean()), sd, n, facts.direction or "higher",
        facts.floor if floor is None else floor, facts.ceiling if ceiling is None else ceiling,
        values.float().cpu().numpy(),
    )  # fmt: skip


class ImageMetric(ABC):
    """A metric that compares each received image with its original.

    Subclasses set `name`, under which `image_metric` files them in `IMAGE_METRICS` and
    `semloss.facts` knows what the metric is.
    """

    name: ClassVar[str]
    reads: ClassVar[Delivery] = "image"

    @abstractmethod
    def per_image(self, reference: Tensor, received: Tensor) -> Tensor:
        """Compare images pairwise.

        Parameters
        ----------
        reference, received
            float32 (B, C, H, W) in [0, 1], any number of bands.

        Returns
        -------
        Tensor
            float32 (B,).
        """

    def summarise(self, values: Tensor) -> Measurement:
        """Measurement of a test set from the `per_image` values (n,) of all its images."""
        return mean_measurement(self.name, values)

    def unavailable(self, channels: int, height: int, width: int) -> str | None:
        """Reason, in a sentence, why images of this shape cannot be measured; None if they can."""
        return None


IMAGE_METRICS: dict[str, type[ImageMetric]] = {}

T = TypeVar("T", bound=type[ImageMetric])


def image_metric(metric: T) -> T:
    """Class decorator that files an image metric under its name."""
    IMAGE_METRICS[metric.name] = metric
    return metric
