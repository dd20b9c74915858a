"""Additive white Gaussian noise."""

import torch
from torch import Tensor

from semloss.channels.base import CHANNELS, Channel, Reception, complex_normal, noise_power


@CHANNELS.register("awgn")
class Awgn(Channel):
    """y = x + n: the gain is one, and the receiver is synchronised in phase and time."""

    def propagate(
        self, symbols: Tensor, snr_db: float | Tensor, generator: torch.Generator
    ) -> Reception:
        """Add noise of power 10^(-SNR/10) per complex symbol; see `Channel.propagate`."""
        batch, length = symbols.shape
        power = noise_power(snr_db, symbols)
        return Reception(
            symbols + complex_normal((batch, length), power, generator, symbols.device)
        )

    @property
    def label(self) -> str:
        """Always "awgn"."""
        return "awgn"
