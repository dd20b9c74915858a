"""No task: images alone are measured."""

from torch import Tensor, nn

from semloss.metrics import Measurement
from semloss.tasks.base import TASKS, Answers, Task


@TASKS.register("none")
class NoTask(Task):
    """Reads nothing that any codec delivers, so that nothing is trained or asked for it.

    For images without labels, or of one class.
    """

    reads = None

    def build(self, bands: int, n_classes: int, seed: int) -> nn.Module:
        """A network that hands on what it is given."""
        return nn.Identity()

    def loss(self, outputs: Tensor, truth: Tensor) -> Tensor:
        """Nothing is lost."""
        return outputs.new_zeros(())

    def answers(self, outputs: Tensor) -> Tensor:
        """What was handed on."""
        return outputs

    def measure(
        self, truth: Answers, answers: Answers, clean: Answers, n_classes: int
    ) -> list[Measurement]:
        """Nothing is measured."""
        return []
