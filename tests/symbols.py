"""Symbols that channels are tested with."""

import math

import torch

from semloss.channels.base import complex_normal


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def qpsk(images: int, length: int, seed: int = 1) -> torch.Tensor:
    """Unit-power QPSK (B, k)."""
    bits = torch.randint(0, 2, (images, length, 2), generator=seeded(seed)).float()
    return torch.view_as_complex((2 * bits - 1) / math.sqrt(2))


def gaussian(images: int, length: int, seed: int = 3) -> torch.Tensor:
    """Circular complex Gaussian symbols of unit power (B, k), as a linear codec's nearly are."""
    return complex_normal((images, length), 1.0, seeded(seed), torch.device("cpu"))
