"""What a task model's layers make of an image: kept, whatever becomes of the pixels."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from semloss.objectives.base import OBJECTIVES, Batch, Judge
from semloss.objectives.reading import Names, OfTasks, Reader, readers_of


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
                away = (maps - exact).square().mean(dim=(2, 3))
                if weights is not None:
                    away = away * weights[at]
                parts.append(away.mean(1) / exact.var())
        return torch.stack(parts).mean(0)

    def sent(self, reader: Reader, batch: Batch) -> tuple[list[Tensor], list[Tensor] | None]:
        """Maps of the images as they were sent, and the weight (B, C) of each, if any."""
        with torch.no_grad():
            return reader(batch.images).maps, None
