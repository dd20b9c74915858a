"""Encoder, channel and decoder as one: what is sent, and what arrives."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semloss.channels import Channel
from semloss.codecs import ChannelState, CodecNetwork
from semloss.training import autocast


def images_at(
    images: NDArray[np.uint8], positions: NDArray[np.int64], device: torch.device
) -> Tensor:
    """Images at these positions: uint8 (N, H, W, C) to float32 (B, C, H, W) in [0, 1].

    Only the chosen images are read; the result is channels-last in memory.
    """
    chosen = torch.from_numpy(images[positions]).to(device, non_blocking=True)
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
            symbols = self.codec.encode(images, ChannelState(snr_db, cr=cr))
        received = self.channel.propagate(symbols, snr_db, generator)
        state = ChannelState(snr_db, received.gain, cr)
        with autocast(images.device, self.bf16):
            return self.codec.decode(received.symbols, state, generator), symbols
