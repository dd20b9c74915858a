"""Frozen task models rewritten to say the same in less time.

A codec that learns from a task model runs it twice in each step and once backward, down to the
image. Two things of that are avoidable where the model does not learn: batch normalisation, which
is then part of the convolution before it; and half the way back through a first convolution of
stride 2, which on a CPU takes five times as long as its way forward. With the neighbours of a row
side by side it strides along columns only, over twice as many bands.
"""

from collections.abc import Collection
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d
from torch.nn.utils.fusion import fuse_conv_bn_eval

from semloss.networks.layers import LOOK_SIDE

#: Most bands of a convolution that is done on pairs of pixels.
FEW_BANDS = 4

#: How much two ways to say the same differ, in shares of the largest number said.
ROUNDING = 1e-4


def lean(network: nn.Module, bands: int, kept: Collection[str] = ()) -> nn.Module:
    """A copy of a frozen network in evaluation mode that gives the same but for rounding.

    Parameters
    ----------
    network
        Takes images (B, bands, H, W). It is left as it is.
    bands
        Bands of an image.
    kept
        Names of modules whose own outputs are read: they, and what follows them, stay.

    Returns
    -------
    nn.Module
        With modules of the same names; `network` itself where its parts are used in a way that
        cannot be told from their order, so that the copy would give something else.
    """
    modules, copy = dict(network.named_modules()), deepcopy(network)
    weight = next(network.parameters())
    images = torch.rand(2, bands, LOOK_SIDE, LOOK_SIDE, generator=torch.Generator())
    images = images.to(weight.device, memory_format=torch.channels_last)
    said, pairs = _look(network, images)
    for before, norm in pairs.items():
        if before not in kept:
            conv = fuse_conv_bn_eval(modules[before], modules[norm])
            copy.set_submodule(before, conv)
            copy.set_submodule(norm, nn.Identity())
    for name, conv in list(copy.named_modules()):
        if _suits(conv):
            copy.set_submodule(name, _InPairs(conv))
    with torch.no_grad():
        away = (copy(images) - said).abs().max()
    same = bool(away <= ROUNDING * said.abs().max())
    return copy.requires_grad_(False) if same else network


@torch.no_grad()
def _look(network: nn.Module, images: Tensor) -> tuple[Tensor, dict[str, str]]:
    """What a network says of images, and the normalisation that follows each convolution."""
    maps: dict[str, Tensor] = {}
    pairs: dict[str, str] = {}

    def look(name: str, module: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> None:
        if type(module) is nn.Conv2d:
            maps[name] = out
        elif type(module) is nn.BatchNorm2d and module.track_running_stats:
            pairs.update({before: name for before, one in maps.items() if one is given[0]})

    hooks = [
        module.register_forward_hook(lambda *of, name=name: look(name, *of))
        for name, module in network.named_modules()
    ]
    try:
        said: Tensor = network(images)
    finally:
        for hook in hooks:
            hook.remove()
    return said, pairs


def _suits(conv: nn.Module) -> bool:
    """Whether a module is a convolution that can be done so."""
    return (
        type(conv) is nn.Conv2d
        and conv.in_channels <= FEW_BANDS
        and conv.stride == (2, 2)
        and conv.dilation == (1, 1)
        and conv.groups == 1
        and conv.padding_mode == "zeros"
        and not isinstance(conv.padding, str)
        and not any(one % 2 for one in (conv.padding[1], conv.kernel_size[1]))
    )


class _InPairs(nn.Module):
    """A convolution of stride 2, done on the pixels of each row two by two: a view, no copy."""

    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        assert isinstance(conv, nn.Conv2d)
        self.conv = conv
        # (out, bands, rows, columns, 2): of two neighbours the bands stand one after the other
        weight = (
            torch.unflatten(conv.weight.detach(), 3, (-1, 2)).permute(0, 4, 1, 2, 3).flatten(1, 2)
        )
        self.register_buffer("weight", weight.contiguous(memory_format=torch.channels_last))
        self.padding = int(conv.padding[0]), int(conv.padding[1]) // 2

    def forward(self, images: Tensor) -> Tensor:
        """What `conv` gives for images (B, C, H, W)."""
        if images.shape[3] % 2:
            odd: Tensor = self.conv(images)
            return odd
        assert isinstance(self.weight, Tensor)
        batch, bands, height, width = images.shape
        pairs = images.permute(0, 2, 3, 1).reshape(batch, height, width // 2, 2 * bands)
        return conv2d(pairs.permute(0, 3, 1, 2), self.weight, self.conv.bias, (2, 1), self.padding)
