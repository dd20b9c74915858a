"""Encoder, channel and decoder as one: what is sent, and what arrives."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semloss.channels import Channel
from semloss.codecs import ChannelState, CodecNetwork
from semloss.metrics import papr_db
from semloss.sources import ImageSet
from semloss.training import Streamed, autocast

#: All images of a source, uint8 (N, H, W, C): a file that is mapped, or on a GPU, or there in part.
Pixels = NDArray[np.uint8] | Tensor | Streamed

#: Share of a GPU's free memory that images may take; what is larger is streamed.
SHARE = 0.5

#: The images that lie on this process's GPU, by their content.
_RESIDENT: dict[str, Tensor | Streamed] = {}


def pixels_of(images: ImageSet, device: torch.device) -> Pixels:
    """Where the images of a source are read from.

    On a GPU all of them lie in its memory, or, where they would take more than half of what is
    free, those of the next steps of training.
    """
    if device.type == "cpu":
        return images.images
    if images.content_hash not in _RESIDENT:
        _RESIDENT.clear()
        rows = images.images
        room = int(SHARE * torch.cuda.mem_get_info(device)[0]) // max(1, rows[:1].nbytes)
        _RESIDENT[images.content_hash] = (
            torch.from_numpy(np.array(rows)).to(device)
            if len(rows) <= room
            else Streamed(rows, room, device)
        )
    return _RESIDENT[images.content_hash]


def images_at(
    pixels: Pixels, positions: NDArray[np.int64] | Tensor, device: torch.device
) -> Tensor:
    """Images at these positions: uint8 (N, H, W, C) to float32 (B, C, H, W) in [0, 1].

    Only the chosen images are read; the result is channels-last in memory. Of streamed images a
    tensor of positions finds those that were brought, an array of them any.
    """
    if isinstance(pixels, Tensor):
        chosen = pixels.index_select(0, torch.as_tensor(positions, device=device))
    elif isinstance(pixels, Streamed) and isinstance(positions, Tensor):
        chosen = pixels.at(positions)
    else:
        rows = pixels.rows if isinstance(pixels, Streamed) else pixels
        chosen = torch.from_numpy(rows[np.asarray(positions)]).to(device, non_blocking=True)
    return chosen.permute(0, 3, 1, 2).float().div_(255.0)


@dataclass(frozen=True)
class Chain:
    """A codec's network and the channel between its halves; `bf16` for mixed precision."""

    codec: CodecNetwork
    channel: Channel
    bf16: bool = False

    def send(
        self,
        images: Tensor,
        snr_db: float | Tensor,
        generator: torch.Generator,
        cr: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Send images through encoder, channel and decoder; `cr` as in `ChannelState`.

        Returns
        -------
        tuple of Tensor
            What arrives, images (B, C, H, W) in [0, 1] where the codec delivers images, and the
            symbols sent, complex64 (B, k).
        """
        with autocast(images.device, self.bf16):
            known = ChannelState(self.channel.told_db(snr_db), cr=cr)
            symbols = self.codec.encode(images, known)
        received = self.channel.propagate(symbols, snr_db, generator)
        state = ChannelState(snr_db, received.gain, cr)
        with autocast(images.device, self.bf16):
            return self.codec.decode(received.symbols, state, generator), symbols

    def told(self, symbols: Tensor) -> dict[str, Tensor]:
        """What is measured of the symbols sent: metrics by name, each (B,)."""
        told = {"papr_db": papr_db(symbols), **self.channel.measures(symbols)}
        if self.codec.delivered is not None:
            told["delivered"] = self.codec.delivered
        return told
