"""What is random in a training: the order of the data, its augmentation, the channel."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from semloss.identity import seed_for


@dataclass
class Draws:
    """Random streams of one training, apart so that none shifts another."""

    augment: torch.Generator
    channel: torch.Generator

    @classmethod
    def seeded(cls, key: str, device: torch.device) -> "Draws":
        """Streams derived from a content key; channel noise is drawn on the device."""
        return cls(
            torch.Generator().manual_seed(seed_for(key, "augment")),
            torch.Generator(device).manual_seed(seed_for(key, "channel")),
        )


def batches(n_items: int, batch_size: int, key: str, start: int) -> Iterator[Tensor]:
    """Positions of each batch from step `start` on, forever.

    Every epoch is a fresh permutation that depends on the key and the epoch alone, so that a
    resumed run sees the data in the same order. The incomplete last batch is dropped.
    """
    size = min(batch_size, n_items)
    per_epoch = n_items // size
    epoch, batch = divmod(start, per_epoch)
    while True:
        generator = torch.Generator().manual_seed(seed_for(key, f"order/{epoch}"))
        order = torch.randperm(n_items, generator=generator)
        for at in range(batch, per_epoch):
            yield order[at * size : (at + 1) * size]
        epoch, batch = epoch + 1, 0


def draw_symmetry(generator: torch.Generator) -> Callable[[Tensor], Tensor]:
    """One of the eight symmetries of a square, for all maps (..., H, W) of a batch alike.

    Land seen from above has no preferred orientation. Maps that are not square are flipped only.
    """
    draw = int(torch.randint(8, (), generator=generator))

    def turn(maps: Tensor) -> Tensor:
        if draw & 1:
            maps = maps.flip(-1)
        if draw & 2:
            maps = maps.flip(-2)
        if draw & 4 and maps.shape[-2] == maps.shape[-1]:
            maps = maps.transpose(-2, -1)
        return maps

    return turn
