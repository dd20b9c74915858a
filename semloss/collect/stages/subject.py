"""A task of the experiment on the images of a job: what is right, and networks for it."""

from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from semloss.collect.experiment import TaskEntry
from semloss.sources import ImageSet
from semloss.tasks import Task


class Subject:
    """A task model's options with the truth of a source's images."""

    def __init__(self, entry: TaskEntry, images: ImageSet, device: torch.device) -> None:
        self.task: Task = entry.task
        self.label = entry.label
        self._images, self._device = images, device

    @cached_property
    def truth(self) -> Tensor:
        """What should be answered for each image of the source, (N, ...)."""
        return torch.from_numpy(np.array(self.task.truth(self._images)))

    @cached_property
    def truth_here(self) -> Tensor:
        """The same, on the device."""
        return self.truth.to(self._device)

    def network(self, seed: int = 0) -> nn.Module:
        """A network with weights drawn from `seed`, channels-last on the device."""
        images = self._images
        network = self.task.build(images.images.shape[3], len(images.classes), seed)
        network.to(device=self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return network
