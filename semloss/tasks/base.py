"""What a receiver's task model is: a network that answers from what a codec delivers."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from semloss.metrics import Delivery, Measurement
from semloss.registry import Options, Registry
from semloss.sources import ImageSet

#: Side in pixels of the smallest image that a task model has to accept.
MIN_SIDE = 16

#: Answers of a task model, one for each item: (n,) or (n, ...).
Answers = NDArray[np.int64] | NDArray[np.float32]


class Task(Options, ABC):
    """Options of a task model: its network, what it is trained by, and how it is judged."""

    reads: ClassVar[Delivery | None] = "image"

    @property
    def label(self) -> str:
        """Kind and changed options: "resnet8"."""
        return TASKS.label(self)

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

    @abstractmethod
    def loss(self, outputs: Tensor, truth: Tensor) -> Tensor:
        """Loss of a batch from the network's float32 outputs and the truth."""

    @abstractmethod
    def answers(self, outputs: Tensor) -> Tensor:
        """What the model says, from the network's outputs."""

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


TASKS: Registry[Task] = Registry("task model")


def answer(task: Task, network: nn.Module, images: Tensor, batch_size: int = 128) -> Tensor:
    """Answers of a task model to images.

    Parameters
    ----------
    task, network
        A task model; it works in evaluation mode here and is left in the mode it was in.
    images
        Float (N, C, H, W) in [0, 1], on the network's device.
    batch_size
        Images per pass: bounds the memory.
    """
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            parts = [task.answers(network(part)) for part in torch.split(images, batch_size)]
    finally:
        network.train(was_training)
    return torch.cat(parts)
