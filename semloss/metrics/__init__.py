"""Metrics of received images, symbols and predictions; importing it registers the image metrics."""

from collections.abc import Iterable
from pathlib import Path

from semloss.errors import SemlossError
from semloss.metrics import distortion, similarity
from semloss.metrics.base import (
    IMAGE_METRICS,
    Delivery,
    ImageMetric,
    Measurement,
    mean_measurement,
)  # fmt: skip
from semloss.metrics.classification import measure_classification
from semloss.metrics.perceptual import Lpips
from semloss.metrics.risk import Asked, measure_risk
from semloss.metrics.segmentation import measure_segmentation
from semloss.metrics.waveform import papr_db
from semloss.registry import unknown_key

__all__ = [
    "IMAGE_METRICS", "Asked", "Delivery", "ImageMetric", "Lpips", "Measurement", "distortion",
    "image_metrics", "mean_measurement", "measure_classification", "measure_risk",
    "measure_segmentation", "papr_db", "similarity",
]  # fmt: skip


def image_metrics(
    names: Iterable[str], *, lpips_weights: Path | None = None, where: str = "metrics"
) -> list[ImageMetric]:
    """Make the image metrics of these names.

    Parameters
    ----------
    names
        Keys of `IMAGE_METRICS`; repeated names count once.
    lpips_weights
        Weights for `Lpips`; without them it is made, and says that it is unavailable.
    where
        Key to name in the error.

    Raises
    ------
    SemlossError
        When a name is unknown or the weights cannot be used.
    """
    made: list[ImageMetric] = []
    for name in dict.fromkeys(names):
        if name not in IMAGE_METRICS:
            raise SemlossError(unknown_key(f"{where}: {name}", name, IMAGE_METRICS))
        made.append(Lpips(lpips_weights) if name == Lpips.name else IMAGE_METRICS[name]())
    return made
