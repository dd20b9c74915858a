"""What an encoder costs on board: weights, multiplications, time."""

import time
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor, nn

from semloss.codecs.base import ChannelState, CodecNetwork

Layer = nn.Conv2d | nn.ConvTranspose2d | nn.Linear


@dataclass(frozen=True)
class EncoderCost:
    """What it takes to encode one image.

    Attributes
    ----------
    weights
        Learnt numbers of the modules that are at work while an image is encoded.
    macs
        Multiply-accumulates of their convolutions and linear layers, biases and everything
        element by element left out, as is usual.
    cpu_ms
        Processor time of an image encoded alone in float32, in ms: the median of some, on this
        machine and its load; None on a GPU.
    """

    weights: int
    macs: int
    cpu_ms: float | None


def encoder_cost(network: CodecNetwork, images: Tensor) -> EncoderCost:
    """Count what an encoder does with an image, and time it.

    Parameters
    ----------
    network
        The codec, on the images' device.
    images
        Some images (B, C, H, W), encoded one at a time; the first warms up.
    """
    at_work: set[nn.Parameter] = set()
    macs = 0

    def note(module: nn.Module, given: tuple[Tensor, ...], made: Tensor) -> None:
        nonlocal macs
        at_work.update(module.parameters(recurse=False))
        if isinstance(module, Layer):
            macs += _macs(module, given[0], made)

    def encode(image: Tensor) -> float:
        started = time.process_time()
        network.encode(image, ChannelState(snr_db=10.0))
        return 1e3 * (time.process_time() - started)

    hooks = [one.register_forward_hook(note) for one in network.modules()]
    with torch.inference_mode():
        first, *others = (one.unsqueeze(0) for one in images)
        encode(first)
        for hook in hooks:
            hook.remove()
        spent = [encode(one) for one in others] if images.device.type == "cpu" else []
    return EncoderCost(sum(p.numel() for p in at_work), macs, median(spent) if spent else None)


def _macs(layer: Layer, given: Tensor, made: Tensor) -> int:
    """Multiply-accumulates of one layer, from the sizes of what it was given and made."""
    if isinstance(layer, nn.Linear):
        return made.numel() * layer.in_features
    # each number that a convolution makes, or that a transposed one is given, meets one kernel
    kernel = layer.weight[0].numel()
    return (given if isinstance(layer, nn.ConvTranspose2d) else made).numel() * kernel
