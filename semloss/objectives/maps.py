"""Maps that arrive as they were sent: what a codec learns that rebuilds no image."""

from collections.abc import Mapping

from torch import Tensor, nn

from semloss.objectives.base import OBJECTIVES, Batch, Judge, Objective


@OBJECTIVES.register("maps")
class Maps(Objective):
    """Squared difference of the delivered maps from what they should be, over their variance.

    The variance is that of the batch's maps as they should be, as in `features`; a loss of 1 is
    that of maps that tell nothing. It is what codecs that deliver maps are trained for where no
    other objective reads these.
    """

    reads = "maps"

    @property
    def of_pixels(self) -> bool:
        """See `Objective.of_pixels`."""
        return False

    def build(self, bands: int, tasks: Mapping[str, nn.Module], seed: int) -> "MapsJudge":
        """Make the judge; it has no weights."""
        return MapsJudge()


class MapsJudge(Judge):
    """Relative squared difference of maps."""

    def forward(self, batch: Batch, arrived: Tensor) -> Tensor:
        """Loss (B,) of each image's maps."""
        assert batch.aim is not None
        return (arrived - batch.aim).square().mean(dim=(1, 2, 3)) / batch.aim.var()
