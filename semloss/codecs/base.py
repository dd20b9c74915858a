"""What a codec is: images to complex channel symbols and back, at a realisable CR."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from semloss.errors import SemlossError
from semloss.registry import Options, Registry
from semloss.units import format_cr

#: A realised CR may differ from the nominal one by this factor, either way.
MAX_CR_RATIO = 1.25

#: Channels, height, width of one image.
ImageShape = tuple[int, int, int]


@dataclass(frozen=True)
class Realisation:
    """A compression ratio that a codec can really send.

    Attributes
    ----------
    cr_nominal
        CR = k/n as asked.
    cr
        CR = k/n as realised.
    filters
        Output maps of the encoder.
    k
        Complex channel symbols per image.
    """

    cr_nominal: float
    cr: float
    filters: int
    k: int


class CodecNetwork(nn.Module, ABC):
    """An encoder and a decoder that are trained together."""

    @abstractmethod
    def encode(self, images: Tensor) -> Tensor:
        """Encode images (B, C, H, W) in [0, 1] to complex64 symbols (B, k).

        Each image's symbols have mean power exactly 1.
        """

    @abstractmethod
    def decode(self, symbols: Tensor) -> Tensor:
        """Decode complex64 symbols (B, k) to images (B, C, H, W) in [0, 1]."""


class Codec(Options, ABC):
    """Options of a codec family; `build` makes the network for one image shape and CR."""

    @abstractmethod
    def symbols_per_image(self, shape: ImageShape, filters: int) -> int:
        """Complex channel symbols k that `filters` encoder output maps give."""

    @abstractmethod
    def build(self, shape: ImageShape, filters: int, seed: int) -> CodecNetwork:
        """Make the network, its weights drawn from `seed`."""

    @property
    def label(self) -> str:
        """Kind and the options that differ from their defaults: "deepjscc-width64"."""
        changed = self.model_dump(exclude_defaults=True)
        return "-".join(
            [CODECS.kind_of(self), *(f"{key}{value}" for key, value in changed.items())]
        )

    def realise(self, cr: float, shape: ImageShape, where: str = "cr") -> Realisation:
        """Find the filter count whose CR is nearest to the asked one, on a log scale.

        Parameters
        ----------
        cr
            Nominal CR = k/n in (0, 1].
        shape
            Channels, height and width of an image; n is their product.
        where
            The key to name in an error.

        Raises
        ------
        SemlossError
            When the nearest realisable CR is further than `MAX_CR_RATIO` away.
        """
        n = math.prod(shape)
        per_filter = self.symbols_per_image(shape, 2) / 2
        below = max(1, math.floor(cr * n / per_filter))
        candidates = [
            Realisation(
                cr, self.symbols_per_image(shape, c) / n, c, self.symbols_per_image(shape, c)
            )
            for c in (below, below + 1)
        ]
        best = min(candidates, key=lambda one: abs(math.log(one.cr / cr)))
        if abs(math.log(best.cr / cr)) > math.log(MAX_CR_RATIO):
            choices = " and ".join(format_cr(one.cr) for one in candidates)
            raise SemlossError(
                f"{where} = {format_cr(cr)}: no filter count realises it on "
                f"{shape[1]}x{shape[2]}x{shape[0]} images; the nearest are {choices}"
            )
        return best


CODECS: Registry[Codec] = Registry("codec")


def transplant(weights: CodecNetwork, network: CodecNetwork) -> None:
    """Copy the weights of a codec into one of the same family at another CR.

    Where shapes differ, as at the encoder's last and the decoder's first layer, the overlapping
    block is copied and the rest of `network` stays as it was.
    """
    source = weights.state_dict()
    for name, target in network.state_dict().items():
        block = tuple(map(slice, map(min, source[name].shape, target.shape)))
        target[block].copy_(source[name][block])


def to_symbols(latent: Tensor) -> Tensor:
    """Pair real features into complex symbols of mean power exactly 1 per image.

    Parameters
    ----------
    latent
        Real features (B, ...), m per image. The first half become the real parts, the second
        half the imaginary parts; an odd m is completed with one zero.

    Returns
    -------
    Tensor
        complex64 (B, ceil(m / 2)).
    """
    flat = latent.float().flatten(1)
    if flat.shape[1] % 2:
        flat = nn.functional.pad(flat, (0, 1))
    k = flat.shape[1] // 2
    power = flat.square().sum(dim=1, keepdim=True) / k
    flat = flat * torch.rsqrt(power + 1e-12)
    return torch.complex(flat[:, :k], flat[:, k:])


def from_symbols(symbols: Tensor, latent_shape: tuple[int, int, int]) -> Tensor:
    """Undo the pairing of `to_symbols`: complex (B, k) to real (B, *latent_shape)."""
    flat = torch.cat([symbols.real, symbols.imag], dim=1)
    return flat[:, : math.prod(latent_shape)].reshape(-1, *latent_shape)
