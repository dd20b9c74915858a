"""Mean squared error: images that look alike."""

from collections.abc import Mapping

from torch import Tensor, nn

from semloss.objectives.base import OBJECTIVES, Batch, Judge, Objective


@OBJECTIVES.register("mse")
class Mse(Objective):
    """Squared difference of pixels in [0, 1], averaged over each image."""

    def build(self, bands: int, tasks: Mapping[str, nn.Module], seed: int) -> "MseJudge":
        """Make the judge; it has no weights."""
        return MseJudge()

    def loss(self, judge: Judge, batch: Batch, arrived: Tensor) -> Tensor:
        """The mean over a batch is taken at once; see `Objective.loss`."""
        if self.reduce == "log":
            return super().loss(judge, batch, arrived)
        return nn.functional.mse_loss(arrived, batch.images)


class MseJudge(Judge):
    """Squared difference of pixels."""

    def forward(self, batch: Batch, arrived: Tensor) -> Tensor:
        """Mean squared error (B,) of each image."""
        return (arrived - batch.images).square().mean(dim=(1, 2, 3))
