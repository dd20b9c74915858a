"""No image is rebuilt: the maps of a task model's backbone are sent, and its heads read them."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from semloss.codecs.base import (
    CODECS,
    ChannelState,
    CodecNetwork,
    ImageShape,
    Realisation,
    Trial,
    to_symbols,
)  # fmt: skip
from semloss.codecs.prelu import PReLU
from semloss.codecs.sendable import Sendable
from semloss.errors import Diverged, SemlossError
from semloss.networks.layers import going_on_from, layers_of, maps_at
from semloss.networks.weights import drawn_from
from semloss.text import meant


@CODECS.register("feature_maps")
class FeatureMaps(Sendable):
    """Maps of a frozen backbone, squeezed through the channel and restored for the heads.

    ::

        image ─ task model to `layer` ─ conv3 width × (depth+1) ─ conv3 c ─ power ─→ symbols
        answer ← rest of the model ← conv3 maps ─ conv3 width × (depth+1) ←───────── symbols

    The sender runs one of the experiment's task models up to a layer; that and the small encoder
    are its price on board (``encoder_macs`` of the cells table). The receiver goes on from the maps
    that it restores with the rest of the same model, as it is ("clean") or fine-tuned on such maps.
    Other task models can read nothing of it, nor can an eye. Encoder and decoder are told the SNR
    by a constant map beside the others, and each image is trained at one of its own
    (``train.range_snr_db``), so that one training serves all SNR at a CR. They are trained for what
    `objectives.maps` says.

    Any number of symbols can be sent: c = ⌈2k/HW⌉ maps of the size H×W of the backbone's, of the
    last of them the first numbers.

    Task-oriented transmission of features for Earth observation is that of arXiv 2609.20150 and of
    SpaceRipple (2606.26559), the constant map that of FFDNet (1710.04026); the instantiation is
    ours. On EuroSAT tiles at CR 1/48, after 1,500 steps for all SNR, a ResNet8 as it is read 0.875,
    0.906 and 0.920 of them at -8, 0 and 10 dB, of 0.929 on clean tiles (673 tiles, one seed).

    Attributes
    ----------
    task
        Label of the task model; by default the first.
    layer
        Name of the module whose maps are sent; by default the last at the smallest size of maps.
    width, depth
        Maps of the hidden layers on either side of the channel, and how many follow the first.
    papr_db, constellation
        How its symbols are kept to what can be sent; see `Sendable`.
    """

    training = "range"
    delivers = "maps"

    task: str = ""
    layer: str = ""
    width: int = Field(default=64, ge=1, le=1024)
    depth: int = Field(default=1, ge=0, le=32)

    def runs(self, tasks: Sequence[str]) -> str | None:
        """The task model that is named, or the first."""
        if self.task and self.task not in tasks:
            raise SemlossError(
                f"codec.task = {self.task!r}: no such task model; {meant(self.task, tasks)}"
            )
        return self.task or tasks[0]

    def listening(self, model: nn.Module, shape: ImageShape) -> nn.Module:
        """The model from the layer on."""
        return going_on_from(model, self.layer_of(model, shape), shape)

    def layer_of(self, model: nn.Module, shape: ImageShape) -> str:
        """The layer of a task model whose maps are sent."""
        named = [self.layer] if self.layer else []
        return layers_of(model, shape[0], named, "codec.layer", self.task or "model")[-1]

    def realise(self, cr: float, shape: ImageShape, where: str = "cr") -> Realisation:
        """The nearest whole number of symbols; see `Codec.realise`."""
        n = math.prod(shape)
        k = max(1, round(cr * n))
        return Realisation(cr, k / n, k, {"symbols": k})

    def build(self, shape: ImageShape, realisation: Realisation, seed: int) -> "FeatureMapsNetwork":
        """Without its layers, which follow from the model that `CodecNetwork.attend` brings."""
        return FeatureMapsNetwork(self, shape, realisation.k, seed)

    def check(self, trial: Trial) -> dict[str, Any]:
        """Squared error of the validation maps over that of the mean maps.

        Raises
        ------
        Diverged
            When that is no better.
        """
        lost = sum(float((got - aim).square().sum()) for aim, got in trial.batches)
        nothing = sum(float((trial.mean - aim).square().sum()) for aim, _ in trial.batches)
        if not lost < nothing:
            raise Diverged(f"maps err {lost / nothing:.3g} times as much as the mean maps")
        return {"validation_map_error": lost / nothing}


class FeatureMapsNetwork(CodecNetwork):
    """The network of `FeatureMaps`; its weights hold those of the frozen task model too."""

    front: nn.Module

    def __init__(self, options: FeatureMaps, shape: ImageShape, k: int, seed: int) -> None:
        super().__init__()
        self.options, self.shape, self.k, self.seed = options, shape, k, seed

    def attend(self, model: nn.Module) -> None:
        """Take the task model; encoder and decoder are made for its maps."""
        self.front = model.requires_grad_(False)
        self.layer = self.options.layer_of(model, self.shape)
        black = next(model.parameters()).new_zeros(1, *self.shape)
        _, count, *self.side = self.aim(black).shape
        self.filters = math.ceil(2 * self.k / math.prod(self.side))
        with drawn_from(self.seed):
            self.standard = nn.BatchNorm2d(count, affine=False)
            self.encoder = self._layers(count, self.filters)
            self.decoder = self._layers(self.filters, count)

    def train(self, mode: bool = True) -> "FeatureMapsNetwork":
        """The task model stays in evaluation mode."""
        super().train(mode)
        self.front.eval()
        return self

    @torch.no_grad()
    def aim(self, images: Tensor) -> Tensor:
        """The backbone's maps (B, C, H, W) of images."""
        return maps_at(self.front, self.layer, images).float()

    def encode(self, images: Tensor, state: ChannelState) -> Tensor:
        """Encode images (B, C, H, W) in [0, 1] to complex64 symbols (B, k), mean power 1."""
        latent = self.encoder(_told(self.standard(self.aim(images)), state))
        return self.options.sendable(to_symbols(latent.flatten(1)[:, : 2 * self.k]))

    def decode(self, symbols: Tensor, state: ChannelState, generator: torch.Generator) -> Tensor:
        """Decode complex64 symbols (B, k) to the backbone's maps (B, C, H, W)."""
        flat = torch.cat([symbols.real, symbols.imag], 1)
        unsent = self.filters * math.prod(self.side) - 2 * self.k
        latent = nn.functional.pad(flat, (0, unsent)).view(-1, self.filters, *self.side)
        latent = latent.contiguous(memory_format=torch.channels_last)
        maps: Tensor = self.decoder(_told(latent, state)).float()
        spread, mean = self.standard.running_var, self.standard.running_mean
        assert spread is not None
        assert mean is not None
        return maps * (spread + self.standard.eps).sqrt().view(-1, 1, 1) + mean.view(-1, 1, 1)

    def _layers(self, before: int, after: int) -> nn.Sequential:
        """Convolutions from maps, and one that tells the SNR, to maps."""
        width, layers = self.options.width, list[nn.Module]()
        for given in [before + 1, *[width] * self.options.depth]:
            layers += [nn.Conv2d(given, width, 3, padding=1), PReLU(width)]
        return nn.Sequential(*layers, nn.Conv2d(width, after, 3, padding=1))


def _told(maps: Tensor, state: ChannelState) -> Tensor:
    """Maps with a constant one beside them: the SNR, of the receiver that of its own gains."""
    level = state.level(maps.device).reshape(-1, 1, 1, 1)
    return torch.cat([maps, level.expand(len(maps), 1, *maps.shape[2:]).to(maps.dtype)], 1)
