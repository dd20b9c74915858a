"""What a task model's layers make of an image: kept, whatever becomes of the pixels."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from semloss.objectives.base import OBJECTIVES, Batch, Judge
from semloss.objectives.reading import OfTasks, Reader, readers_of
from semloss.registry import Names


@OBJECTIVES.register("features")
class Features(OfTasks):
    """Squared difference of a task model's maps, each layer over its variance, averaged.

    The variance is that of a layer's maps of the batch as it was sent, so that every layer counts
    alike and a loss of 1 is that of maps that tell nothing. The perceptual loss of Johnson, Alahi
    and Fei-Fei, "Perceptual losses for real-time style transfer and super-resolution" (ECCV
    2016), with the receiver's own task models in place of a VGG of ImageNet.

    Attributes
    ----------
    layers
        Names of the modules whose maps are compared, in every task model that is read; by
        default the last one at each size of maps.
    """

    layers: Names = ()

    def build(self, bands: int, tasks: Mapping[str, nn.Module], seed: int) -> "FeaturesJudge":
        """Make the judge; it has no weights of its own."""
        return FeaturesJudge(readers_of(tasks, bands, self.layers))


class FeaturesJudge(Judge):
    """Difference of maps, averaged over task models and their layers."""

    def __init__(self, readers: nn.ModuleList) -> None:
        super().__init__()
        self.readers = readers

    def forward(self, batch: Batch, arrived: Tensor) -> Tensor:
        """Relative squared difference (B,) of each image's maps."""
        parts: list[Tensor] = []
        for reader in self.readers:
            assert isinstance(reader, Reader)
            sent, weights = self.sent(reader, batch)
            for at, (maps, like) in enumerate(zip(reader(arrived).maps, sent, strict=True)):
                exact = like.float()
                away = squared_difference(maps, exact)
                if weights is not None:
                    away = away * weights[at]
                parts.append(away.mean(1) / variance(exact))
        return torch.stack(parts).mean(0)

    def sent(self, reader: Reader, batch: Batch) -> tuple[list[Tensor], list[Tensor] | None]:
        """Maps of the images as they were sent, and the weight (B, C) of each, if any."""
        with torch.no_grad():
            return reader(batch.images).maps, None


def squared_difference(maps: Tensor, exact: Tensor) -> Tensor:
    """Mean over space (B, C) of the squared difference of maps (B, C, H, W), in float32.

    Its slope is by `maps` alone. Fastest where they are channels-last in memory: the slope then is
    so too, and all loops are as long as a row of the maps.
    """
    found: Tensor = _SquaredDifference.apply(maps, exact)  # type: ignore[no-untyped-call]
    return found


class _SquaredDifference(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, exact: Tensor) -> Tensor:  # noqa: ANN401
        batch, channels, height, width = maps.shape
        ctx.shape, ctx.dtype = (batch, height, width, channels), maps.dtype
        away = (_rows(maps) - _rows(exact)).view(batch, height, width * channels)
        ctx.save_for_backward(away)
        return away.square().sum(1).view(batch, width, channels).sum(1) / (height * width)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        (away,) = ctx.saved_tensors
        _, height, width, _ = ctx.shape
        share = (slope * (2 / (height * width))).repeat(1, width).unsqueeze(1)
        return (away * share).to(ctx.dtype).view(ctx.shape).permute(0, 3, 1, 2), None


def variance(maps: Tensor) -> Tensor:
    """Variance of all numbers of maps (B, C, H, W), in float32."""
    numbers = _rows(maps).view(-1)
    away = numbers - numbers.mean()
    return away @ away / (len(away) - 1)


def _rows(maps: Tensor) -> Tensor:
    """Maps (B, C, H, W) as they best lie in memory, (B, H, W, C), in float32."""
    return maps.permute(0, 2, 3, 1).float().contiguous()
