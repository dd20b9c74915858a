"""Segmentation: what each pixel shows, from the maps that a source knows."""

from typing import ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from semloss.errors import SemlossError
from semloss.metrics import Measurement, measure_segmentation
from semloss.networks.weights import drawn_from
from semloss.sources import ImageSet
from semloss.tasks.base import TASKS, Answers, Task


@TASKS.register("segment")
class Segment(Task):
    """Land cover of every pixel, by a small encoder and decoder.

    The U-shape of Ronneberger, Fischer and Brox ("U-Net", MICCAI 2015) with two scales below that
    of the image, normalised, 120,000 weights at width 16 (an instantiation, ours)::

        image ─ 2 conv3 w ──────────────────────────────────────── + ─ conv3 w ─ conv1 ─ classes
                  └─ conv3/2 2w ─ conv3 ──────────── + ─ conv3 2w ─ up w ─┘
                        └─ conv3/2 4w ─ conv3 ─ up 2w ┘

    The truth is the source's map of what its pixels show, which the built-in scenes know and a
    folder may bring; a map turns with its image in training.

    Attributes
    ----------
    width
        Maps at the scale of the image.
    classes
        What a pixel can be: as many as the source's maps tell apart, 5 for the built-in scenes.
    """

    width: int = Field(default=16, ge=4, le=128)
    classes: int = Field(default=5, ge=2, le=255)

    reads_maps: ClassVar = True
    training: ClassVar = {
        "clean": {"steps": 600, "batch_size": 16},
        "adapted": {"batch_size": 16},
        "matched": {"batch_size": 16},
        "deployable": {"batch_size": 16},
    }

    def check(self, images: ImageSet) -> None:
        """Refuse images of which no map is known, or one of other classes."""
        if images.maps is None:
            raise SemlossError(
                f'task.kind = "segment": {images.name} knows no land cover of single pixels; '
                'source.kind = "scenes" does, and a folder with source.maps'
            )
        if len(images.map_classes) != self.classes:
            raise SemlossError(
                f"task.classes = {self.classes}: the maps of {images.name} tell "
                f"{len(images.map_classes)} apart: {', '.join(images.map_classes)}"
            )

    def truth(self, images: ImageSet) -> Answers:
        """The map of each image, (N, H, W)."""
        assert images.maps is not None
        return np.asarray(images.maps)

    def build(self, bands: int, n_classes: int, seed: int) -> "SegmentNetwork":
        """Make the network, its weights drawn from `seed`; see `Task.build`."""
        with drawn_from(seed):
            return SegmentNetwork(bands, self.classes, self.width)

    def loss(self, outputs: Tensor, truth: Tensor) -> Tensor:
        """Cross-entropy over all pixels."""
        return nn.functional.cross_entropy(outputs.float(), truth.long())

    def answers(self, outputs: Tensor) -> Tensor:
        """Class of the largest logit of each pixel, uint8 (B, H, W)."""
        return outputs.argmax(1).to(torch.uint8)

    def measure(
        self, truth: Answers, answers: Answers, clean: Answers, n_classes: int
    ) -> list[Measurement]:
        """Mean intersection over union and accuracy of pixels; see `Task.measure`."""
        return measure_segmentation(truth, answers, clean, self.classes)


class SegmentNetwork(nn.Module):
    """The network of `Segment`: float images (B, C, H, W) to float32 logits (B, classes, H, W)."""

    def __init__(self, bands: int, classes: int, width: int) -> None:
        super().__init__()
        w = width
        self.fine = nn.Sequential(_conv(bands, w), _conv(w, w))
        self.middle = nn.Sequential(_conv(w, 2 * w, 2), _conv(2 * w, 2 * w))
        self.coarse = nn.Sequential(_conv(2 * w, 4 * w, 2), _conv(4 * w, 4 * w))
        self.to_middle = nn.Conv2d(4 * w, 2 * w, 1)
        self.join_middle = _conv(2 * w, 2 * w)
        self.to_fine = nn.Conv2d(2 * w, w, 1)
        self.join_fine = _conv(w, w)
        self.head = nn.Conv2d(w, classes, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits in float32, also under autocast."""
        fine = self.fine(images)
        middle = self.middle(fine)
        middle = self.join_middle(middle + _as_large(self.to_middle(self.coarse(middle)), middle))
        logits: Tensor = self.head(self.join_fine(fine + _as_large(self.to_fine(middle), fine)))
        return logits.float()


def _as_large(maps: Tensor, like: Tensor) -> Tensor:
    return nn.functional.interpolate(maps, like.shape[2:], mode="nearest")


def _conv(before: int, after: int, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU())
