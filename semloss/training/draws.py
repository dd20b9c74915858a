"""What is random in a training: the order of the data, its augmentation, the channel."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from semloss.identity import seed_for

#: Ways to turn or mirror a square.
SYMMETRIES = 8


@dataclass
class Draws:
    """Random streams of one training, apart so that none shifts another, and how far it is.

    Attributes
    ----------
    augment, channel
        Streams of the data's augmentation and of the channel.
    progress
        Share of the steps that are done, in [0, 1): a number on the device.
    """

    augment: torch.Generator
    channel: torch.Generator
    progress: Tensor

    @classmethod
    def seeded(cls, key: str, device: torch.device) -> "Draws":
        """Streams derived from a content key, drawn on the device."""
        return cls(
            torch.Generator(device).manual_seed(seed_for(key, "augment")),
            torch.Generator(device).manual_seed(seed_for(key, "channel")),
            torch.zeros((), device=device),
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
    draw = torch.randint(SYMMETRIES, (), generator=generator, device=generator.device)
    return partial(turned if draw.is_cuda else turned_at_once, draw)


def turned_at_once(draw: Tensor, maps: Tensor) -> Tensor:
    """Maps (..., H, W) turned by a draw that is looked at: views, which cost nothing."""
    which = int(draw)
    if which & 1:
        maps = maps.flip(-1)
    if which & 2:
        maps = maps.flip(-2)
    if which & 4 and maps.shape[-2] == maps.shape[-1]:
        maps = maps.transpose(-2, -1)
    return maps


def turned(draw: Tensor, maps: Tensor) -> Tensor:
    """The same by a draw that stays on the device."""
    maps = torch.where((draw & 1).bool(), maps.flip(-1), maps)
    maps = torch.where((draw & 2).bool(), maps.flip(-2), maps)
    if maps.shape[-2] == maps.shape[-1]:
        maps = torch.where((draw & 4).bool(), maps.transpose(-2, -1), maps)
    return maps
