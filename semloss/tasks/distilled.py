"""A small classifier that is taught by larger ones."""

from collections.abc import Mapping
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from semloss.errors import SemlossError
from semloss.registry import Names
from semloss.tasks.base import TASKS, Task
from semloss.tasks.classify import LABEL_SMOOTHING, Classifier
from semloss.tasks.resnet8 import ResNet8


@TASKS.register("distilled")
class Distilled(ResNet8):
    """A ResNet8 whose training on clean images listens to other task models of the experiment.

    Distillation of Hinton, Vinyals and Dean ("Distilling the knowledge in a neural network",
    2015), each teacher weighted image by image by how sure it is of the truth, in the manner of
    Zhang, Chen and Wang ("Confidence-aware multi-teacher knowledge distillation", ICASSP 2022;
    an instantiation, ours). With c the probability that a teacher gives to the true class, and q
    and p what teacher and student give to each class at temperature T::

        loss = (1 - share · c̄) · cross-entropy + share · c̄ · T² · KL(Σ c q / Σ c ‖ p)

    where c̄ is the largest c: where no teacher knows better, the label alone teaches. What a
    teacher says of an image is its mean over the eight symmetries of a square.

    Attributes
    ----------
    teachers
        Labels of task models that stand before it in the experiment; they need not judge
        anything themselves (``uses = []``).
    share
        Share of the teachers in the loss, where they are sure.
    temperature
        T: how much of what a teacher thinks of the other classes is heard.
    """

    teachers: Annotated[Names, Field(min_length=1, max_length=8)]
    share: float = Field(default=0.9, ge=0, le=1)
    temperature: float = Field(default=4.0, gt=0, le=100)

    @property
    def label(self) -> str:
        """Its teachers and changed options: "distilled-by-efficientnet-lite0"."""
        usual = Distilled.model_construct(teachers=self.teachers)
        changed = [f"{key}{value}" for key, value in self if getattr(usual, key) != value]
        return "-".join(["distilled", *changed, "by", "+".join(self.teachers)])

    def listens_to(self) -> tuple[str, ...]:
        """Labels of its teachers."""
        return self.teachers

    def accept(self, before: Mapping[str, Task]) -> None:
        """Refuse teachers that are not there, or that tell no classes; see `Task.accept`."""
        for name in self.teachers:
            if name not in before:
                there = f"there are {', '.join(before)}" if before else "there is none"
                raise SemlossError(
                    f"task {self.label}: its teacher {name} is no task model that stands before "
                    f"it; {there}"
                )
            if not isinstance(before[name], Classifier):
                raise SemlossError(f"task {self.label}: its teacher {name} classifies no images")

    def taught(self, outputs: Tensor, truth: Tensor, lore: Tensor) -> Tensor:
        """Loss of a batch from logits (B, classes), classes (B,) and teachers' logits (B, T, …)."""
        at_truth = truth[:, None, None].expand(-1, lore.shape[1], 1)
        sure = torch.softmax(lore, 2).gather(2, at_truth)  # (B, T, 1)
        soft = torch.softmax(lore / self.temperature, 2)
        wanted = (sure * soft).sum(1) / sure.sum(1)
        logits = outputs.float()
        thought = torch.log_softmax(logits / self.temperature, 1)
        away = nn.functional.kl_div(thought, wanted, reduction="none").sum(1)
        labels = nn.functional.cross_entropy(
            logits, truth, label_smoothing=LABEL_SMOOTHING, reduction="none"
        )
        heard = self.share * sure.amax(dim=(1, 2))
        return ((1 - heard) * labels + heard * self.temperature**2 * away).mean()
