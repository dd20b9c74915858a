"""What a receiver's task model is: a network that answers from what a codec delivers."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from semloss.metrics import Asked, Delivery, Measurement
from semloss.registry import Options, Registry
from semloss.sources import ImageSet

#: Side in pixels of the smallest image that a task model has to accept.
MIN_SIDE = 16

#: Answers of a task model, one for each item: (n,) or (n, ...).
Answers = NDArray[np.int64] | NDArray[np.float32] | NDArray[np.uint8]


@dataclass(frozen=True)
class Said:
    """What a task model said of some images.

    Attributes
    ----------
    answers
        Its answer to each image, (n, ...).
    confidence
        Probability (n,) that it gives to each of them, float32; None where it tells none.
    """

    answers: Answers
    confidence: NDArray[np.float32] | None = None


class Task(Options, ABC):
    """Options of a task model: its network, what it is trained by, and how it is judged.

    Attributes
    ----------
    reads
        What a codec must deliver for it.
    reads_maps
        Whether its truth is the source's maps, so that it depends on them.
    training
        Recipes of its own, in place of the usual ones of ``[task]`` (`collect.sections`): what
        an experiment says goes first.
    """

    reads: ClassVar[Delivery | None] = "image"
    reads_maps: ClassVar[bool] = False
    training: ClassVar[Mapping[str, Any]] = {}

    @property
    def label(self) -> str:
        """Kind and changed options: "resnet8"."""
        return TASKS.label(self)

    def identity(self) -> dict[str, Any]:
        """What decides what it is, as JSON: its options, and the content of files that they name.

        Raises
        ------
        SemlossError
            When one of these cannot be read.
        """
        return TASKS.dump(self)

    def check(self, images: ImageSet) -> None:
        """Refuse images that the task has no truth for.

        Raises
        ------
        SemlossError
            Saying what is missing.
        """

    def truth(self, images: ImageSet) -> Answers:
        """What should be answered for each image of the source: its class, (N,).

        It may be several numbers (N, m), or a map (N, H, W), which is turned with its image in
        training.
        """
        return images.labels

    @abstractmethod
    def build(self, bands: int, n_classes: int, seed: int) -> nn.Module:
        """Make the network.

        Parameters
        ----------
        bands
            Bands of the images, at least 1.
        n_classes
            Classes of the source.
        seed
            The initial weights follow from it; the global random state is left as it was.

        Returns
        -------
        nn.Module
            Takes float images (B, bands, H, W) in [0, 1], of any H and W from `MIN_SIDE` up. In
            evaluation mode what it gives for an image depends on that image alone.
        """

    def start(self, network: nn.Module) -> None:
        """Put in the weights that the training on clean images starts from: its own, usually.

        Raises
        ------
        SemlossError
            When they are not there, or not for this network.
        """

    @abstractmethod
    def loss(self, outputs: Tensor, truth: Tensor) -> Tensor:
        """Loss of a batch from the network's float32 outputs and the truth."""

    def listens_to(self) -> tuple[str, ...]:
        """Labels of the task models that teach it on clean images: none, usually."""
        return ()

    def accept(self, before: "Mapping[str, Task]") -> None:
        """Refuse teachers that are not among the tasks before it, or that it cannot learn from.

        Raises
        ------
        SemlossError
            Saying why.
        """

    def taught(self, outputs: Tensor, truth: Tensor, lore: Tensor) -> Tensor:
        """Loss of a batch where teachers speak too: their outputs (B, teachers, ...)."""
        raise NotImplementedError(f"{type(self).__name__} listens to teachers and has no loss")

    @abstractmethod
    def answers(self, outputs: Tensor) -> Tensor:
        """What the model says, from the network's outputs."""

    def confidence(self, outputs: Tensor) -> Tensor | None:
        """Probability (B,) that the model gives to each of its answers; None: it gives none."""
        return None

    @abstractmethod
    def measure(
        self, truth: Answers, answers: Answers, clean: Answers, n_classes: int
    ) -> list[Measurement]:
        """Judge answers to what a link delivered.

        Parameters
        ----------
        truth, answers
            What is right, and what the model said, for each test image.
        clean
            What the model that was trained on clean images says of the clean test images: the
            ceiling.
        n_classes
            Classes of the source.

        Returns
        -------
        list of Measurement
            The headline first; with the outcome of each image where it has one.
        """

    def risk(self, truth: Answers, said: Said, clean: Said, asked: Asked) -> list[Measurement]:
        """Further measures of what a link delivered, which need more than the answers.

        Parameters
        ----------
        truth, said, clean
            As in `measure`, with the models' confidence.
        asked
            Which of them.
        """
        return []


TASKS: Registry[Task] = Registry("task model")


def say(task: Task, network: nn.Module, batches: Iterable[Tensor]) -> Said:
    """What a task model says of images in [0, 1], given in batches (B, C, H, W) on its device.

    It works in evaluation mode here and is left in the mode it was in.
    """
    was_training = network.training
    network.eval()
    heard = Hearing(task, network)
    try:
        with torch.inference_mode():
            for images in batches:
                heard.take(images)
    finally:
        network.train(was_training)
    return heard.said()


class Hearing:
    """Gathers what a task model, in evaluation mode, says of images as they come."""

    def __init__(self, task: Task, network: nn.Module) -> None:
        self._task, self._network = task, network
        self._answers: list[Tensor] = []
        self._confidence: list[Tensor] = []

    def take(self, images: Tensor) -> None:
        """Hear what it says of images (B, C, H, W)."""
        outputs = self._network(images)
        self._answers.append(self._task.answers(outputs).cpu())
        confidence = self._task.confidence(outputs)
        if confidence is not None:
            self._confidence.append(confidence.float().cpu())

    def said(self) -> Said:
        """What it said of all of them."""
        answers = torch.cat(self._answers).numpy()
        return Said(answers, torch.cat(self._confidence).numpy() if self._confidence else None)
