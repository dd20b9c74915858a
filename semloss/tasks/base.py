"""What a receiver's task model is: a classifier that is given the delivered images."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from semloss.registry import Options, Registry

#: Side in pixels of the smallest image that a task model has to accept.
MIN_SIDE = 16


class Task(Options, ABC):
    """Options of a task model; `build` makes the network for a number of bands and classes."""

    @abstractmethod
    def build(self, bands: int, n_classes: int, seed: int) -> nn.Module:
        """Make the network.

        Parameters
        ----------
        bands
            Bands of the images, at least 1.
        n_classes
            Classes to tell apart, at least 2.
        seed
            The initial weights follow from it; the global random state is left as it was.

        Returns
        -------
        nn.Module
            Maps float images (B, bands, H, W) in [0, 1], of any H and W from `MIN_SIDE` up, to
            float32 logits (B, n_classes). In evaluation mode an image's logits depend on that
            image alone.
        """


TASKS: Registry[Task] = Registry("task model")


def predict(network: nn.Module, images: Tensor, batch_size: int = 128) -> Tensor:
    """Give each image the class of its largest logit.

    Parameters
    ----------
    network
        A task model; it works in evaluation mode here and is left in the mode it was in.
    images
        Float (N, C, H, W) in [0, 1], on the network's device.
    batch_size
        Images per pass: bounds the memory.

    Returns
    -------
    Tensor
        int64 (N,).
    """
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            answers = [network(part).argmax(1) for part in torch.split(images, batch_size)]
    finally:
        network.train(was_training)
    return torch.cat(answers)
