"""DeepJSCC of Bourtsoulatze, Kurka and Gündüz (2019), "Deep joint source-channel coding"."""

import math
from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from semloss.codecs.base import (
    CODECS,
    ChannelState,
    CodecNetwork,
    ImageShape,
    Realisation,
    from_symbols,
    nearest,
    to_symbols,
)  # fmt: skip
from semloss.codecs.doubling import Doubling
from semloss.codecs.prelu import PReLU
from semloss.codecs.sendable import Sendable
from semloss.networks.weights import drawn_from


@CODECS.register("deepjscc")
class DeepJSCC(Sendable):
    """Convolutional autoencoder around the channel (IEEE TCCN 5(3), 2019, Fig. 2).

    ::

        image ─ conv5/2 stem ─ conv5/2 width ─ conv5 width × depth ─ conv5 c ─ power ─→ symbols
        image ← sigmoid ─ tconv5/2 C ─ tconv5/2 stem ─ tconv5 width × (depth+1) ←───── symbols

    with a PReLU of its own, one slope per map, after every hidden layer. The defaults are the
    paper's: stem 16, width 32, depth 2.

    Attributes
    ----------
    stem
        Maps of the first layer.
    width
        Maps of the layers at the latent resolution.
    depth
        Stride-1 hidden layers of the encoder.
    kernel
        Side of every kernel, odd.
    stages
        Stride-2 layers; each halves height and width (rounding up).
    papr_db, constellation
        How its symbols are kept to what can be sent; see `Sendable`.
    """

    stem: int = Field(default=16, ge=1, le=1024)
    width: int = Field(default=32, ge=1, le=1024)
    depth: int = Field(default=2, ge=0, le=32)
    kernel: Literal[3, 5, 7, 9] = 5
    stages: int = Field(default=2, ge=1, le=5)

    def latent_shape(self, shape: ImageShape, filters: int) -> tuple[int, int, int]:
        """Maps, height and width of what the encoder sends."""
        _, height, width = shape
        for _ in range(self.stages):
            height, width = math.ceil(height / 2), math.ceil(width / 2)
        return filters, height, width

    def symbols_per_image(self, shape: ImageShape, filters: int) -> int:
        """Complex channel symbols k; c/(2·16)·H·W for c filters and two stages."""
        return math.ceil(math.prod(self.latent_shape(shape, filters)) / 2)

    def realise(self, cr: float, shape: ImageShape, where: str = "cr") -> Realisation:
        """Find the number of filters, output maps of the encoder; see `Codec.realise`."""
        n = math.prod(shape)
        per_filter = self.symbols_per_image(shape, 2) / 2
        below = max(1, math.floor(cr * n / per_filter))
        ways = ((c, self.symbols_per_image(shape, c)) for c in (below, below + 1))
        return nearest([Realisation(cr, k / n, k, {"filters": c}) for c, k in ways], shape, where)

    def build(self, shape: ImageShape, realisation: Realisation, seed: int) -> "DeepJSCCNetwork":
        """Make the network for (C, H, W) images, its weights drawn from `seed`."""
        with drawn_from(seed):
            return DeepJSCCNetwork(self, shape, realisation.setting["filters"])


def maps_down(bands: int, stem: int, width: int, stages: int) -> list[int]:
    """Maps at each resolution, from the image down: bands, stem, width, width, ..."""
    return [*[bands, stem, *([width] * stages)][:stages], width]


class DeepJSCCNetwork(CodecNetwork):
    """The network of `DeepJSCC` for images of one shape and one filter count."""

    def __init__(self, options: DeepJSCC, shape: ImageShape, filters: int) -> None:
        super().__init__()
        self.shape, self.sendable = shape, options.sendable
        self.latent_shape = options.latent_shape(shape, filters)
        kernel, pad, width = options.kernel, options.kernel // 2, options.width
        maps = maps_down(shape[0], options.stem, width, options.stages)

        down: list[nn.Module] = []
        for before, after in pairwise(maps):
            down += [nn.Conv2d(before, after, kernel, stride=2, padding=pad), PReLU(after)]
        for _ in range(options.depth):
            down += [nn.Conv2d(width, width, kernel, padding=pad), PReLU(width)]
        self.encoder = nn.Sequential(*down, nn.Conv2d(width, filters, kernel, padding=pad))

        up: list[nn.Module] = []
        for before in [filters, *([width] * options.depth)]:
            # a stride-1 transposed convolution is a convolution, and faster written as one
            up += [nn.Conv2d(before, width, kernel, padding=pad), PReLU(width)]
        for before, after in pairwise(maps[::-1]):
            up += [Doubling(before, after, kernel), PReLU(after)]
        self.decoder = nn.Sequential(*up[:-1])  # the image itself has no PReLU

    def encode(self, images: Tensor, state: ChannelState) -> Tensor:
        """Encode images (B, C, H, W) in [0, 1] to complex64 symbols (B, k), mean power 1."""
        return self.sendable(to_symbols(self.encoder(images)))

    def decode(self, symbols: Tensor, state: ChannelState, generator: torch.Generator) -> Tensor:
        """Decode complex64 symbols (B, k) to images (B, C, H, W) in [0, 1]."""
        latent = from_symbols(symbols, self.latent_shape)
        latent = latent.contiguous(memory_format=torch.channels_last)
        image: Tensor = self.decoder(latent)
        # an odd side was rounded up on the way down; the surplus row or column is cut here
        return torch.sigmoid(image[:, :, : self.shape[1], : self.shape[2]].float())
