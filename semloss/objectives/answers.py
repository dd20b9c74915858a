"""What a task model answers: kept, or brought to the truth."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from semloss.objectives.base import OBJECTIVES, Batch, Judge
from semloss.objectives.lean import lean
from semloss.objectives.reading import OfTasks, class_truth, mean_over_items


@OBJECTIVES.register("answers")
class Answers(OfTasks):
    """Divergence of a task model's answer to what arrived from its answer to what was sent.

    Kullback-Leibler divergence in nats of the classes' probabilities, as in the distillation of
    Hinton, Vinyals and Dean (arXiv 1503.02531) at temperature 1; the truth is not needed. Of an
    answer that is a map, the mean over its places.
    """

    def build(self, bands: int, tasks: Mapping[str, nn.Module], seed: int) -> "AnswersJudge":
        """Make the judge; it has no weights of its own."""
        return AnswersJudge(self, tasks, bands)


@OBJECTIVES.register("cross_entropy")
class CrossEntropy(Answers):
    """Cross-entropy of the truth and a task model's answer to what arrived, in nats."""

    def build(self, bands: int, tasks: Mapping[str, nn.Module], seed: int) -> "TruthJudge":
        """Make the judge; it has no weights of its own."""
        return TruthJudge(self, tasks, bands)


class AnswersJudge(Judge):
    """Divergence of answers, averaged over task models."""

    def __init__(self, objective: OfTasks, tasks: Mapping[str, nn.Module], bands: int) -> None:
        super().__init__()
        self._objective, self._labels = objective, tuple(tasks)
        self.networks = nn.ModuleList(lean(one, bands) for one in tasks.values())

    def forward(self, batch: Batch, arrived: Tensor) -> Tensor:
        """Loss (B,) of each image."""
        pairs = zip(self._labels, self.networks, strict=True)
        return torch.stack([self.loss(name, net, batch, arrived) for name, net in pairs]).mean(0)

    def loss(self, label: str, network: nn.Module, batch: Batch, arrived: Tensor) -> Tensor:
        """Loss (B,) by one task model."""
        class_truth(batch, label, self._objective)
        with torch.no_grad():
            sent = network(batch.images).float().log_softmax(1)
        got = network(arrived).float().log_softmax(1)
        return mean_over_items((sent.exp() * (sent - got)).sum(1))


class TruthJudge(AnswersJudge):
    """Cross-entropy, averaged over task models."""

    def loss(self, label: str, network: nn.Module, batch: Batch, arrived: Tensor) -> Tensor:
        """Loss (B,) by one task model."""
        truth = class_truth(batch, label, self._objective)
        outputs = network(arrived).float()
        return mean_over_items(nn.functional.cross_entropy(outputs, truth, reduction="none"))
