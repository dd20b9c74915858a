"""Flat fading, y = h x + n: Rayleigh and Rician, slow or fast, with or without equalisation.

Satellites in motion add the shadowed and the two-state kinds (`land_mobile`).

E|h|^2 = 1, so the SNR of a cell is the average over fades (Goldsmith, Wireless Communications,
2005, sections 3.2 and 6.3). Block fading per image is the model of Bourtsoulatze et al. 2019.
"""

import math
from abc import abstractmethod
from typing import Literal

import torch
from pydantic import Field, FiniteFloat
from torch import Tensor

from semloss.channels.base import CHANNELS, Channel, Reception, complex_normal, noise_power


class FadingChannel(Channel):
    """What Rayleigh and Rician share: how often h changes and what the receiver does about it.

    Attributes
    ----------
    fading
        "slow": one h per image, independent between images; "fast": one h per symbol.
    equaliser
        What the decoder is given.

        - "none": h x + n. The receiver knows nothing of h beyond its distribution.
        - "zf": (h x + n) / h = x + n/h. The receiver knows h of every symbol exactly. Unbiased,
          but under Rayleigh the noise after it has no finite variance.
        - "mmse": h* (h x + n) / (|h|^2 + N0). The receiver knows h of every symbol and N0
          exactly. Smallest mean squared error for unit-power symbols; biased: x comes back
          scaled by |h|^2 / (|h|^2 + N0) < 1, and the decoder is not told by how much.

        The decoder network itself is given neither h nor N0, unless it asks for them.
    csi_error_db
        Power of the error of the h that the receiver believes in, over E|h|^2 = 1, in dB: it
        equalises by h + e, e circular Gaussian and as slow as h, and takes it for exact. Left
        out, it knows h exactly.
    """

    fading: Literal["slow", "fast"] = "slow"
    # MMSE by default: a zero-forced deep fade would dominate the gradient of a whole batch.
    equaliser: Literal["none", "zf", "mmse"] = "mmse"
    csi_error_db: float | None = Field(default=None, ge=-100.0, le=20.0, allow_inf_nan=False)

    def propagate(
        self, symbols: Tensor, snr_db: float | Tensor, generator: torch.Generator
    ) -> Reception:
        """Fade, add noise, equalise; see `Channel.propagate`. The gain is drawn first."""
        batch, length = symbols.shape
        power = noise_power(snr_db, symbols)
        draws = length if self.fading == "fast" else 1
        gain = self.gains((batch, draws), generator, symbols.device)
        noise = complex_normal((batch, length), power, generator, symbols.device)
        received = gain * symbols + noise
        if self.csi_error_db is not None:
            error = 10.0 ** (self.csi_error_db / 10.0)
            gain = gain + complex_normal((batch, draws), error, generator, symbols.device)
        if self.equaliser == "zf":
            received = received / gain
        elif self.equaliser == "mmse":
            received = received * (gain.conj() / (gain.abs().square() + power))
        return Reception(received, gain)

    @abstractmethod
    def gains(
        self, shape: tuple[int, int], generator: torch.Generator, device: torch.device
    ) -> Tensor:
        """Independent channel gains h, complex64 of `shape`, with E|h|^2 = 1."""

    @property
    @abstractmethod
    def distribution(self) -> str:
        """How the label names the distribution of h."""

    @property
    def label(self) -> str:
        """Distribution, speed and equaliser: "rician-k20dB-slow-mmse"."""
        told = "" if self.csi_error_db is None else f"-csi{self.csi_error_db:g}dB"
        return f"{self.distribution}-{self.fading}-{self.equaliser}{told}"


@CHANNELS.register("rayleigh")
class Rayleigh(FadingChannel):
    """No line of sight: h is circular complex Gaussian of unit power."""

    def gains(
        self, shape: tuple[int, int], generator: torch.Generator, device: torch.device
    ) -> Tensor:
        """Scatter alone: CN(0, 1), complex64 of `shape`."""
        return complex_normal(shape, 1.0, generator, device)

    @property
    def distribution(self) -> str:
        """Always "rayleigh"."""
        return "rayleigh"


@CHANNELS.register("rician")
class Rician(FadingChannel):
    """A line of sight and scatter: h = sqrt(K/(K+1)) + sqrt(1/(K+1)) CN(0, 1).

    The line-of-sight part has phase zero in every image: the receiver's carrier is locked to it,
    so only the scatter turns the symbols. Mean of h sqrt(K/(K+1)), variance 1/(K+1).

    Attributes
    ----------
    k_db
        Rician factor K, power of the line of sight over power of the scatter, in dB. The
        default, K = 100, is a satellite link with a clear view.
    """

    k_db: FiniteFloat = Field(default=20.0, ge=-100.0, le=100.0)

    def gains(
        self, shape: tuple[int, int], generator: torch.Generator, device: torch.device
    ) -> Tensor:
        """Line of sight plus scatter, complex64 of `shape`."""
        k: float = 10.0 ** (self.k_db / 10.0)
        line_of_sight = math.sqrt(k / (k + 1))
        return complex_normal(shape, 1 / (k + 1), generator, device) + line_of_sight

    @property
    def distribution(self) -> str:
        """Name with the K factor: "rician-k20dB"."""
        return f"rician-k{self.k_db:g}dB"
