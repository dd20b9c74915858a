"""Pixels, weighted by how much the task's result depends on each."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from semloss.objectives.base import OBJECTIVES, Batch, Judge
from semloss.objectives.lean import lean
from semloss.objectives.reading import OfTasks, class_truth, own_logits


@OBJECTIVES.register("pixels")
class Pixels(OfTasks):
    """Squared difference of pixels, weighted by their importance; our reading of the idea.

    The weight of a pixel is the absolute gradient of the true class's logit by it, averaged over
    bands, for the image as it was sent; those of an image have the mean 1. Source of the idea:
    arXiv 2208.11375. A task reads textures of a few pixels, which such weights cut up: to keep
    what a task needs, `features` does far more.
    """

    def build(self, bands: int, tasks: Mapping[str, nn.Module], seed: int) -> "PixelsJudge":
        """Make the judge; it has no weights of its own."""
        return PixelsJudge(self, tasks, bands)

    @property
    def of_pixels(self) -> bool:
        """See `Objective.of_pixels`."""
        return True


class PixelsJudge(Judge):
    """Weighted squared difference, the weights averaged over task models."""

    def __init__(self, objective: Pixels, tasks: Mapping[str, nn.Module], bands: int) -> None:
        super().__init__()
        self._objective, self._labels = objective, tuple(tasks)
        self.networks = nn.ModuleList(lean(one, bands) for one in tasks.values())

    def forward(self, batch: Batch, arrived: Tensor) -> Tensor:
        """Weighted mean squared error (B,) of each image."""
        pairs = zip(self._labels, self.networks, strict=True)
        weights = torch.stack([self._weights(*one, batch) for one in pairs]).mean(0)
        return ((arrived - batch.images).square() * weights).mean(dim=(1, 2, 3))

    def _weights(self, label: str, network: nn.Module, batch: Batch) -> Tensor:
        """Weights (B, 1, H, W) by one task model."""
        truth = class_truth(batch, label, self._objective)
        with torch.enable_grad():
            images = batch.images.detach().requires_grad_()
            (slopes,) = torch.autograd.grad(own_logits(network(images), truth).sum(), images)
        weights = slopes.float().abs().mean(1, keepdim=True)
        mean = weights.mean(dim=(2, 3), keepdim=True)
        return weights / mean.clamp_min(torch.finfo(torch.float32).tiny)
