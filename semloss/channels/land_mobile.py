"""Fading of a satellite seen between trees and houses: shadowed Rician, and two states."""

import math

import torch
from pydantic import Field, FiniteFloat
from torch import Tensor

from semloss.channels.base import CHANNELS, complex_normal
from semloss.channels.fading import FadingChannel


def _linear(db: float) -> float:
    ratio: float = 10.0 ** (db / 10.0)
    return ratio


@CHANNELS.register("shadowed_rician")
class ShadowedRician(FadingChannel):
    """A line of sight of Nakagami amplitude, and scatter: h = L + CN(0, 1/(K+1)).

    L² is Gamma distributed, of mean K/(K+1) and shape m; the carrier is locked to its phase.
    E|h|^2 = 1, E|h|^4 = (2 + 4K + K² (1 + 1/m)) / (K+1)². As m grows it is Rician, as m falls to
    zero Rayleigh. Source: A. Abdi, W. C. Lau, M.-S. Alouini, M. Kaveh, IEEE Trans. Wireless
    Commun. 2(3), 2003, there with b0 = 1/(2(K+1)), Ω = K/(K+1), before scaling to mean power one.

    Attributes
    ----------
    k_db
        Mean power of the line of sight over that of the scatter, K = Ω/(2 b0), in dB.
    m
        Shape: the smaller, the more the line of sight is shadowed. The defaults are their average
        shadowing; theirs of light shadowing is m = 19.4, K = 6.1 dB, of heavy shadowing m = 0.739,
        K = -21.5 dB.
    """

    k_db: FiniteFloat = Field(default=5.2, ge=-100.0, le=100.0)
    m: float = Field(default=10.1, ge=0.05, le=1e4)

    def gains(
        self, shape: tuple[int, int], generator: torch.Generator, device: torch.device
    ) -> Tensor:
        """Shadowed line of sight plus scatter, complex64 of `shape`."""
        k = _linear(self.k_db)
        shapes = torch.full(shape, self.m, device=generator.device)
        line = (torch._standard_gamma(shapes, generator) / self.m * (k / (k + 1))).sqrt()
        return complex_normal(shape, 1 / (k + 1), generator, device) + line.to(device)

    @property
    def distribution(self) -> str:
        """Name with K and shape: "shadowed-k5.2dB-m10.1"."""
        return f"shadowed-k{self.k_db:g}dB-m{self.m:g}"


@CHANNELS.register("land_mobile")
class LandMobile(FadingChannel):
    """Two states: in view it is Rician, in shadow Rayleigh of a lognormal mean power.

    Each image is in one state, drawn for itself: how long a state lasts is not modelled. A share A
    of the images is shadowed. Their mean power over that of the line of sight is lognormal with
    mean mu and spread sigma in dB; in view the line of sight has power one and scatter 1/K. All
    is scaled to E|h|^2 = 1 over both states, so the SNR is the average, not that in view. Source:
    E. Lutz, D. Cygan, M. Dippold, F. Dolainsky, W. Papke, IEEE Trans. Veh. Technol. 40(2), 1991;
    the defaults are ours, of the order that they found on open roads.

    Attributes
    ----------
    shadowed
        A, in [0, 1].
    k_db
        Line of sight over scatter while in view, in dB.
    shadow_db, shadow_spread_db
        mu, and sigma, in dB.
    """

    shadowed: float = Field(default=0.25, ge=0.0, le=1.0)
    k_db: FiniteFloat = Field(default=10.0, ge=-100.0, le=100.0)
    shadow_db: FiniteFloat = Field(default=-9.0, ge=-60.0, le=0.0)
    shadow_spread_db: FiniteFloat = Field(default=5.0, ge=0.0, le=20.0)

    @property
    def mean_power(self) -> float:
        """E|h|^2 over both states where the line of sight has power one."""
        nepers = self.shadow_spread_db * math.log(10) / 10
        dark = _linear(self.shadow_db) * math.exp(nepers**2 / 2)
        return (1 - self.shadowed) * (1 + 1 / _linear(self.k_db)) + self.shadowed * dark

    def gains(
        self, shape: tuple[int, int], generator: torch.Generator, device: torch.device
    ) -> Tensor:
        """Gains of images, each in a state of its own, complex64 of `shape`."""
        one = (shape[0], 1)
        dark = torch.rand(one, generator=generator, device=generator.device) < self.shadowed
        spread = torch.randn(one, generator=generator, device=generator.device)
        power = 10 ** ((self.shadow_db + self.shadow_spread_db * spread) / 10)
        scatter = torch.where(dark, power, 1 / _linear(self.k_db)).sqrt().to(device)
        h = scatter * complex_normal(shape, 1.0, generator, device) + (~dark).float().to(device)
        return h / math.sqrt(self.mean_power)

    @property
    def distribution(self) -> str:
        """Name with its parameters: "lutz-a0.25-k10dB-mu-9dB-s5dB"."""
        return (
            f"lutz-a{self.shadowed:g}-k{self.k_db:g}dB-mu{self.shadow_db:g}dB"
            f"-s{self.shadow_spread_db:g}dB"
        )
