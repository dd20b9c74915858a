"""What every channel promises, and the two draws all channels are made of.

Convention (the only one in semloss): SNR = Es/N0 in dB per complex symbol, for unit average
transmit power. Noise is circular complex Gaussian of power N0 = 10^(-SNR/10), that is N0/2 per
real dimension. Fading gains have E|h|^2 = 1, so SNR is the average received Es/N0.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Optional

import torch
from pydantic import BeforeValidator, field_serializer
from torch import Tensor

from semloss.registry import Options, Registry


@dataclass(frozen=True)
class Reception:
    """What a receiver has after a channel.

    Attributes
    ----------
    symbols
        complex64 (B, k) on the device of those sent, after the equaliser where there is one.
    gain
        The channel's gains h, complex64 (B, 1) or (B, k), where it fades; None where it does not.
    """

    symbols: Tensor
    gain: Tensor | None = None


def _parsed(table: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    if not isinstance(table, Mapping):
        return table
    if "trained_over" in table:
        raise ValueError("a channel that codecs are trained over has none of its own; drop it")
    return CHANNELS.parse_within(table, "channel")


class Channel(Options, ABC):
    """A link from the encoder's symbols to what the decoder is given.

    Subclasses are registered in `CHANNELS` under the `kind` that an experiment file names.

    Attributes
    ----------
    trained_over
        Another channel, over which the codecs are trained that are measured over this one, as one
        made for the other would fare here: with `amplifier`, a codec that was told of none.
        Receivers are trained on what arrives over this one. Left out, codecs know their channel.
        What signal this one is known to cost more, their sender is told (`told_db`).
    """

    trained_over: Annotated["Channel", BeforeValidator(_parsed)] | None = None

    @field_serializer("trained_over")
    def _dumped(self, channel: Optional["Channel"]) -> dict[str, Any] | None:
        return None if channel is None else CHANNELS.dump(channel)

    @property
    def of_training(self) -> "Channel":
        """The channel that codecs for this one are trained over."""
        return self if self.trained_over is None else self.trained_over

    @property
    def full_label(self) -> str:
        """Its label, and over what codecs were trained if not over it: "rapp-ibo4dB-from-awgn"."""
        over = self.trained_over
        return self.label if over is None else f"{self.label}-from-{over.label}"

    @abstractmethod
    def propagate(
        self, symbols: Tensor, snr_db: float | Tensor, generator: torch.Generator
    ) -> Reception:
        """Send symbols through the channel.

        Parameters
        ----------
        symbols
            complex64 (B, k), unit average power; left untouched. Differentiable.
        snr_db
            Es/N0 in dB: one for all images, or a tensor (B,) with one per image.
        generator
            Source of every random draw. Draws are made on the generator's device.
        """

    def transmit(
        self, symbols: Tensor, snr_db: float | Tensor, generator: torch.Generator
    ) -> Tensor:
        """Symbols of `propagate` alone, complex64 (B, k): what the decoder is given."""
        return self.propagate(symbols, snr_db, generator).symbols

    @property
    def loss_db(self) -> float:
        """Signal that it is known to cost, in dB of what SNR refers to."""
        return 0.0

    def told_db(self, snr_db: float | Tensor) -> float | Tensor:
        """SNR in dB that a sender is told: where it was trained over another channel, that there.

        It knows what the two cost, and what arrives is then as strong as it learnt to expect.
        """
        if self.trained_over is None:
            return snr_db
        return snr_db - (self.loss_db - self.trained_over.loss_db)

    def on_air(self, symbols: int) -> int:
        """Channel uses for so many symbols: with what the channel needs to send beside them."""
        return symbols

    def measures(self, symbols: Tensor) -> dict[str, Tensor]:
        """What a measurement tells of the symbols that were sent: metrics by name, each (B,)."""
        return {}

    @property
    @abstractmethod
    def label(self) -> str:
        """Short text that names the channel and its options in tables."""


CHANNELS: Registry[Channel] = Registry("channel")


def noise_power(snr_db: float | Tensor, symbols: Tensor) -> Tensor:
    """Noise power per complex symbol, N0 = 10^(-SNR/10), for unit symbol power.

    Parameters
    ----------
    snr_db
        Es/N0 in dB, a number or (B,).
    symbols
        (B, k): gives the batch size and the device.

    Returns
    -------
    Tensor
        float32 (B, 1).
    """
    if isinstance(snr_db, Tensor):
        per_image = snr_db.to(symbols.device, torch.float32)
    else:
        per_image = torch.full((), snr_db, dtype=torch.float32, device=symbols.device)
    # expand, unlike broadcasting, refuses a tensor that is not one value per image.
    return (10.0 ** (-per_image / 10.0)).expand(symbols.shape[0]).unsqueeze(1)


def complex_normal(
    shape: tuple[int, int], power: float | Tensor, generator: torch.Generator, device: torch.device
) -> Tensor:
    """Circular complex Gaussian samples: `power`/2 in each real dimension.

    Parameters
    ----------
    shape
        (B, m) of the result.
    power
        E|z|^2, a number or (B, 1).
    generator
        Source of the draw, made on its own device.
    device
        Where the result is wanted.

    Returns
    -------
    Tensor
        complex64 of `shape` on `device`.
    """
    normals = torch.randn((*shape, 2), generator=generator, device=generator.device).to(device)
    per_dimension = power / 2
    if isinstance(per_dimension, Tensor):
        return torch.view_as_complex(normals * per_dimension.sqrt().unsqueeze(-1))
    return torch.view_as_complex(normals * per_dimension**0.5)
