"""One DeepJSCC for every SNR and every CR: it is told both, and sends as many maps as fit."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from semloss.codecs.base import (
    CODECS,
    ChannelState,
    CodecNetwork,
    ImageShape,
    Realisation,
    nearest,
)  # fmt: skip
from semloss.codecs.deepjscc import maps_down
from semloss.codecs.prelu import PReLU
from semloss.codecs.sendable import Sendable
from semloss.networks.weights import drawn_from

#: CR at which a network is told zero.
MIDDLE_CR = 1 / 16

#: Hidden units of the small network that turns SNR and CR into scales and shifts.
CONTROL_WIDTH = 32


@CODECS.register("adaptive")
class Adaptive(Sendable):
    """DeepJSCC with a scale and a shift for every map, of which a prefix of its maps is sent.

    ::

        image ─ conv5/2 stem ─ conv5/2 width ─ [conv5 width] × depth ─ conv5 maps ─→ symbols
        image ← sigmoid ─ tconv5/2 C ─ tconv5/2 stem ─ [conv5 width] × (depth+1) ←──── symbols

    A small network is told the SNR, log CR and their product. It scales and shifts each map of a
    hidden layer, after its PReLU, and scales the maps that are sent, on either side; layers that
    keep their shape add to what they were given. Beside all that a linear path goes from the image
    to the maps, and back. The first maps are sent, as many as the CR allows, with unit mean power;
    the receiver takes the others for zero. While it is trained every image has an SNR and a CR of
    its own.

    The instantiation is ours. Conditioning on SNR is that of ADJSCC (Xu et al., arXiv
    2012.00533), on rate and SNR together that of SwinJSCC (Yang et al., arXiv 2308.09361),
    prefixes those of DeepJSCC-l++ (Bian et al., arXiv 2305.13161).

    Attributes
    ----------
    maps
        Maps that there are to send: all of them are its highest CR.
    low_maps
        So many or fewer maps are the matter of a network of its own, trained in the same training
        by the images that draw such a rate. What serves best where a map or two has to carry an
        image is unlike what serves elsewhere, and one network for both settles between. 0: none.
    stem, width, depth, kernel, stages, papr_db, constellation
        As in `DeepJSCC`.
    """

    training = "plane"
    layered: ClassVar[bool] = False

    maps: int = Field(default=16, ge=1, le=256)
    stem: int = Field(default=16, ge=1, le=1024)
    width: int = Field(default=32, ge=1, le=1024)
    depth: int = Field(default=2, ge=0, le=32)
    kernel: Literal[3, 5, 7, 9] = 5
    stages: int = Field(default=2, ge=1, le=5)
    low_maps: int = Field(default=0, ge=0, le=255)

    @model_validator(mode="after")
    def _some_above(self) -> Self:
        if self.low_maps and self.layered:
            raise ValueError("low_maps: layers have one encoder, whatever follows; leave it out")
        if self.low_maps >= self.maps:
            raise ValueError(f"low_maps = {self.low_maps} leaves none of {self.maps} maps above it")
        return self

    def side(self, shape: ImageShape) -> tuple[int, int]:
        """Height and width of a map that is sent."""
        step = 2**self.stages
        return math.ceil(shape[1] / step), math.ceil(shape[2] / step)

    def symbols_per_map(self, shape: ImageShape) -> int:
        """Complex channel symbols of a map: two of its numbers each, the last alone if odd."""
        return math.ceil(math.prod(self.side(shape)) / 2)

    def realise(self, cr: float, shape: ImageShape, where: str = "cr") -> Realisation:
        """Find how many of its maps are sent; see `Codec.realise`."""
        n, each = math.prod(shape), self.symbols_per_map(shape)
        below = min(max(1, math.floor(cr * n / each)), self.maps)
        counts = range(below, min(below + 1, self.maps) + 1)
        ways = [Realisation(cr, c * each / n, c * each, {"maps": c}) for c in counts]
        return nearest(ways, shape, where)

    def tried_at(self, realisation: Realisation) -> tuple[Realisation, ...]:
        """At its own CR, and at the highest one of the network of few maps where there is one."""
        own = realisation.setting["maps"]
        if not 0 < self.low_maps < own:
            return (realisation,)
        share, few = self.low_maps / own, {"maps": self.low_maps}
        cr, k = realisation.cr * share, realisation.k * self.low_maps // own
        return realisation, Realisation(cr, cr, k, few)

    def build(self, shape: ImageShape, realisation: Realisation, seed: int) -> CodecNetwork:
        """Make the network for (C, H, W) images, its weights drawn from `seed`."""
        network = ByRate if self.low_maps else AdaptiveNetwork
        with drawn_from(seed):
            return network(self, shape, realisation.setting["maps"])


@CODECS.register("layered")
class Layered(Adaptive):
    """`Adaptive` whose maps are layers: each has unit power, whatever follows it.

    The encoder is told the SNR and not how many maps will be sent, so one after another can be,
    until the receiver has enough: what a cell of more maps sends begins with what one of fewer
    does. The decoder knows how many it has heard. What that costs against one shot is the
    difference from `adaptive`. Options are those of `Adaptive`, the limit on peaks each layer's.

    Layers by successive refinement are those of DeepJSCC-l (Kurka and Gündüz, arXiv 2009.12480)
    and, with one encoder for any number of them, DeepJSCC-l++ (2305.13161); the instantiation is
    ours.
    """

    layered: ClassVar[bool] = True


class Stack(nn.Module):
    """Layers whose maps, after a PReLU, are scaled and shifted by what the stack is told.

    Parameters
    ----------
    layers
        Convolutions; the last is left as it is.
    maps
        Maps that each hidden layer gives.
    sent
        Maps between sender and receiver, which are scaled too.
    """

    def __init__(self, layers: list[nn.Module], maps: list[int], sent: int) -> None:
        super().__init__()
        *hidden, self.last = layers
        self.hidden = nn.ModuleList(hidden)
        self.bends = nn.ModuleList(PReLU(count) for count in maps)
        self.sizes = [*(2 * count for count in maps), sent]
        told = nn.Linear(CONTROL_WIDTH, sum(self.sizes))
        nn.init.zeros_(told.weight)  # at first no map is changed, whatever it is told
        nn.init.zeros_(told.bias)
        self.control = nn.Sequential(nn.Linear(3, CONTROL_WIDTH), nn.GELU(), told)

    def controls(self, told: Tensor) -> list[Tensor]:
        """Scales and shifts of each hidden layer, then scales of the maps that are sent.

        What is told of each image is (B, 3).
        """
        return list(self.control(told).split(self.sizes, dim=1))

    def forward(self, maps: Tensor, controls: list[Tensor]) -> Tensor:
        """Maps (B, C, H, W) through the layers."""
        for layer, bend, control in zip(self.hidden, self.bends, controls, strict=False):
            after = _scaled(bend(layer(maps)), control)
            maps = maps + after if after.shape == maps.shape else after
        result: Tensor = self.last(maps)
        return result


def _scaled(maps: Tensor, control: Tensor) -> Tensor:
    """Maps (B, C, H, W) times 1 + scale plus shift, control (B, 2 C) holding both.

    The numbers are tiled along image rows, so that every loop is long: see `prelu`.
    """
    batch, channels, height, width = maps.shape
    tiled = control.to(maps.dtype).view(batch, 2, channels).repeat(1, 1, width)
    rows = maps.permute(0, 2, 3, 1).reshape(batch, height, width * channels)
    rows = torch.addcmul(tiled[:, 1:], rows, 1 + tiled[:, :1])
    return rows.view(batch, height, width, channels).permute(0, 3, 1, 2)


def _unit_power(symbols: Tensor, used: Tensor | int) -> Tensor:
    """Symbols (B, k) of mean power one over those that are used, (B, 1)."""
    power = (symbols.real.square() + symbols.imag.square()).sum(1, True) / used
    return symbols * torch.rsqrt(power + 1e-12)


class AdaptiveNetwork(CodecNetwork):
    """The network of `Adaptive` for images of one shape, set to send so many of its maps."""

    def __init__(self, options: Adaptive, shape: ImageShape, sent: int) -> None:
        super().__init__()
        self.shape, self.sent, self.most = shape, sent, options.maps
        self.side, self.sendable = options.side(shape), options.sendable
        self.each = options.symbols_per_map(shape)
        self.layered = options.layered
        kernel, pad, width, count = options.kernel, options.kernel // 2, options.width, options.maps
        maps = maps_down(shape[0], options.stem, width, options.stages)
        flat = [width] * options.depth

        down: list[nn.Module] = [
            nn.Conv2d(before, after, kernel, stride=2, padding=pad)
            for before, after in pairwise(maps)
        ]
        down += [nn.Conv2d(width, after, kernel, padding=pad) for after in [*flat, count]]
        self.encoder = Stack(down, [*maps[1:], *flat], count)
        up: list[nn.Module] = [
            nn.Conv2d(before, width, kernel, padding=pad) for before in [count, *flat]
        ]
        up += [
            nn.ConvTranspose2d(before, after, kernel, stride=2, padding=pad, output_padding=1)
            for before, after in pairwise(maps[::-1])
        ]
        self.decoder = Stack(up, [width, *flat, *maps[-2:0:-1]], count)
        step = 2**options.stages
        lapped = (2 * step, step, step // 2)  # kernel, stride, padding
        self.straight_down = nn.Conv2d(shape[0], count, *lapped, bias=False)
        self.straight_up = nn.ConvTranspose2d(count, shape[0], *lapped, bias=False)
        self.step = step

    def encode(self, images: Tensor, state: ChannelState) -> Tensor:
        """Encode images (B, C, H, W) in [0, 1] to complex64 symbols (B, k); see `CodecNetwork`."""
        counts = self.counts(state, images)
        whole = torch.full_like(counts, float(self.most))
        controls = self.encoder.controls(self._told(state, whole if self.layered else counts))
        latent = (self.encoder(images, controls) + self._straight(images)).float()
        flat = latent.flatten(2) * self._weights(controls, counts)
        flat = nn.functional.pad(flat, (0, 2 * self.each - flat.shape[2]))
        symbols = torch.view_as_complex(flat.contiguous().view(*flat.shape[:2], -1, 2))
        if state.cr is None:
            symbols = symbols[:, : self.sent]
        if self.layered:  # each map by itself, whatever follows it
            layers = self.sendable(_unit_power(symbols.flatten(0, 1), self.each))
            sent = self._sent(counts)[:, : symbols.shape[1]]
            return (layers.view(symbols.shape) * sent).flatten(1)
        used = self.each * counts.unsqueeze(1)
        return self.sendable(_unit_power(symbols.flatten(1), used), used)

    def decode(self, symbols: Tensor, state: ChannelState, generator: torch.Generator) -> Tensor:
        """Decode complex64 symbols (B, k) to images (B, C, H, W) in [0, 1]."""
        counts = self.counts(state, symbols)
        flat = torch.view_as_real(symbols.view(len(symbols), -1, self.each)).flatten(2)
        flat = nn.functional.pad(flat, (0, 0, 0, self.most - flat.shape[1]))
        controls = self.decoder.controls(self._told(state, counts))
        heard = flat[:, :, : math.prod(self.side)] * self._weights(controls, counts)
        latent = heard.reshape(-1, self.most, *self.side)
        latent = latent.contiguous(memory_format=torch.channels_last)
        image: Tensor = self.decoder(latent, controls) + self.straight_up(latent)
        return torch.sigmoid(image[:, :, : self.shape[1], : self.shape[2]].float())

    def counts(self, state: ChannelState, like: Tensor) -> Tensor:
        """How many maps are sent of each image, (B,)."""
        if state.cr is None:
            return torch.full((len(like),), float(self.sent), device=like.device)
        return (state.cr * math.prod(self.shape) / self.each).round().clamp(1, self.most)

    def _sent(self, counts: Tensor) -> Tensor:
        """One for each map that is sent, else zero, (B, maps, 1)."""
        numbers = torch.arange(self.most, device=counts.device)
        return (numbers < counts.unsqueeze(1)).float().unsqueeze(2)

    def _weights(self, controls: list[Tensor], counts: Tensor) -> Tensor:
        """What each map is sent, or heard, with, (B, maps, 1)."""
        return self._sent(counts) * (1 + controls[-1].float().unsqueeze(2))

    def _told(self, state: ChannelState, counts: Tensor) -> Tensor:
        """SNR, log CR and their product, each of the order of one, (B, 3)."""
        link = state.level(counts.device).expand_as(counts)
        rate = torch.log(counts * (self.each / math.prod(self.shape) / MIDDLE_CR))
        return torch.stack([link, rate, link * rate], dim=1)

    def _straight(self, images: Tensor) -> Tensor:
        """The linear path down; the image is continued to a whole number of steps."""
        wanted = [self.step * side for side in self.side]
        pads = (0, wanted[1] - images.shape[3], 0, wanted[0] - images.shape[2])
        whole = nn.functional.pad(images, pads, mode="replicate") if any(pads) else images
        result: Tensor = self.straight_down(whole)
        return result


class ByRate(CodecNetwork):
    """Two networks of `Adaptive`: one where few maps are sent, one for all other rates.

    Images of a batch that is sent at many rates go to that of their own. On a GPU, where no number
    is looked at in the middle of a step, both take all of them.
    """

    def __init__(self, options: Adaptive, shape: ImageShape, sent: int) -> None:
        super().__init__()
        self.border = options.low_maps
        of_few = options.model_copy(update={"maps": self.border, "low_maps": 0})
        self.low = AdaptiveNetwork(of_few, shape, min(sent, self.border))
        self.high = AdaptiveNetwork(options, shape, sent)
        self.sent = sent

    @property
    def own(self) -> AdaptiveNetwork:
        """The one that sends as many maps as it is set to."""
        return self.low if self.sent <= self.border else self.high

    def encode(self, images: Tensor, state: ChannelState) -> Tensor:
        """Encode images (B, C, H, W) in [0, 1] to complex64 symbols (B, k); see `CodecNetwork`."""
        if state.cr is None:
            return self.own.encode(images, state)
        unused = self.high.each * (self.high.most - self.border)

        def low(some: Tensor, of: ChannelState) -> Tensor:
            return nn.functional.pad(self.low.encode(some, of), (0, unused))

        return self._by_rate(images, state, low, self.high.encode)

    def decode(self, symbols: Tensor, state: ChannelState, generator: torch.Generator) -> Tensor:
        """Decode complex64 symbols (B, k) to images (B, C, H, W) in [0, 1]."""
        if state.cr is None:
            return self.own.decode(symbols, state, generator)
        used = self.high.each * self.border

        def low(some: Tensor, of: ChannelState) -> Tensor:
            return self.low.decode(some[:, :used], of, generator)

        def high(some: Tensor, of: ChannelState) -> Tensor:
            return self.high.decode(some, of, generator)

        return self._by_rate(symbols, state, low, high)

    def _by_rate(
        self,
        batch: Tensor,
        state: ChannelState,
        low: Callable[[Tensor, ChannelState], Tensor],
        high: Callable[[Tensor, ChannelState], Tensor],
    ) -> Tensor:
        few = self.high.counts(state, batch) <= self.border
        if batch.is_cuda:
            both = low(batch, state), high(batch, state)
            return torch.where(few.view(-1, *[1] * (both[0].dim() - 1)), *both)
        parts = few.nonzero()[:, 0], (~few).nonzero()[:, 0]
        results = [
            network(batch[part], _some(state, part))
            for network, part in zip((low, high), parts, strict=True)
            if len(part)
        ]
        return torch.cat(results)[torch.cat(parts).argsort()]


def _some(state: ChannelState, part: Tensor) -> ChannelState:
    """What is known of the links of some of the images."""
    snr_db, gain, cr = state.snr_db, state.gain, state.cr
    return ChannelState(
        snr_db[part] if isinstance(snr_db, Tensor) and snr_db.dim() else snr_db,
        None if gain is None else gain[part],
        None if cr is None else cr[part],
    )
