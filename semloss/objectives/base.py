"""What a codec is trained for."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor, nn

from semloss.errors import SemlossError
from semloss.metrics import Delivery
from semloss.registry import Options, Registry


@dataclass(frozen=True)
class Batch:
    """Training images and what is known of them.

    Attributes
    ----------
    images
        float32 (B, C, H, W) in [0, 1], as they are sent.
    truths
        What each task model that learns from them should say, (B, ...) by the model's label:
        class indices for a classifier.
    progress
        Share of the training that is done, in [0, 1]; 1 where a training takes up another.
    aim
        What a codec would deliver of them if nothing were lost: the images, or maps (B, ...).
    """

    images: Tensor
    truths: Mapping[str, Tensor]
    progress: float | Tensor = 1.0
    aim: Tensor | None = None


class Judge(nn.Module, ABC):
    """An objective at work on images of one shape, under the mixed precision of the codec.

    Parameters that it holds are a second network: the trainer moves them by `own_loss`, with an
    optimiser of their own, after each step of the codec. What must not learn is frozen.
    """

    @abstractmethod
    def forward(self, batch: Batch, arrived: Tensor) -> Tensor:
        """Loss (B,) of each image: what was sent, and what the codec delivered of it."""

    def own_loss(self, batch: Batch, arrived: Tensor) -> Tensor:
        """Loss of the judge's own network; `arrived` is cut off from the codec."""
        raise NotImplementedError(f"{type(self).__name__} has weights and no own_loss")


class Objective(Options, ABC):
    """Options of an objective; `build` makes its judge.

    Attributes
    ----------
    reads
        What a codec must deliver for it.
    reads_tasks
        Whether the judge is given clean task models of the experiment.
    reduce
        How the losses of the images of a batch become one: their mean, or the mean of their
        logarithms, for which every image counts alike whatever its difficulty.
    """

    reads: ClassVar[Delivery] = "image"
    reads_tasks: ClassVar[bool] = False
    reduce: Literal["mean", "log"] = "mean"

    def tasks_read(self, there: Sequence[str]) -> list[str]:
        """Labels of the task models that it reads, of those that objectives may read.

        Raises
        ------
        SemlossError
            When there is none that it needs.
        """
        if self.reads_tasks and not there:
            raise SemlossError(
                f"objective {self.label} reads a task model, and the experiment has none for "
                'objectives (task.kind = "none", or unseen): choose another of either'
            )
        return list(there) if self.reads_tasks else []

    @property
    def of_pixels(self) -> bool:
        """Whether it looks at pixels themselves, so that an image like none is a failure."""
        return True

    @abstractmethod
    def build(self, bands: int, tasks: Mapping[str, nn.Module], seed: int) -> Judge:
        """Make the judge.

        Parameters
        ----------
        bands
            Bands of the images.
        tasks
            Trained clean task models by their label, frozen and in evaluation mode: those of
            `tasks_read`.
        seed
            Seed of weights of its own.
        """

    def loss(self, judge: Judge, batch: Batch, arrived: Tensor) -> Tensor:
        """Loss of a batch from those of its images; one that has a shorter way to it takes that."""
        losses: Tensor = judge(batch, arrived)
        return losses.log().mean() if self.reduce == "log" else losses.mean()

    @property
    def label(self) -> str:
        """Kind and changed options: "mse"."""
        return OBJECTIVES.label(self)


OBJECTIVES: Registry[Objective] = Registry("objective")
