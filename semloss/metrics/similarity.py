"""Structural similarity: SSIM and multi-scale SSIM.

SSIM after Wang, Bovik, Sheikh and Simoncelli (IEEE Trans. Image Processing 13(4), 2004):
11x11 Gaussian window of sigma 1.5, K1 = 0.01, K2 = 0.03, averaged over the positions where the
window lies wholly inside the image. MS-SSIM after Wang, Simoncelli and Bovik (Asilomar, 2003).
Both are computed band by band and averaged over bands.
"""

import math
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from semloss.metrics.base import ImageMetric, image_metric

WINDOW = 11
SIGMA = 1.5
C1 = 0.01**2
C2 = 0.03**2
BETAS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def _blur_matrix(side: int, device: torch.device) -> Tensor:
    """Matrix (side - 10, side) that slides the Gaussian window along one axis.

    Two products with it blur an image an order of magnitude faster than a depthwise convolution
    of so few channels on a CPU, and as fast even at 768 pixels a side.
    """
    starts = torch.arange(side - WINDOW + 1, device=device).unsqueeze(1)
    offset = torch.arange(side, device=device) - starts - WINDOW // 2
    weights = torch.exp(-offset.square() / (2 * SIGMA**2)) * (offset.abs() <= WINDOW // 2)
    return weights / weights.sum(dim=1, keepdim=True)


def ssim_and_contrast(reference: Tensor, received: Tensor) -> tuple[Tensor, Tensor]:
    """SSIM and its contrast-structure factor, each averaged over positions.

    Parameters
    ----------
    reference, received
        (B, C, H, W) in [0, 1], both sides at least 11.

    Returns
    -------
    tuple of Tensor
        Two (B, C), in [-1, 1].
    """
    height, width = reference.shape[-2:]
    down = _blur_matrix(height, reference.device)
    across = _blur_matrix(width, reference.device).T
    moments = torch.stack(
        (reference, received, reference.square(), received.square(), reference * received)
    )
    mean_x, mean_y, square_x, square_y, product = down @ moments @ across
    variances = square_x - mean_x.square() + square_y - mean_y.square()
    contrast = (2 * (product - mean_x * mean_y) + C2) / (variances + C2)
    luminance = (2 * mean_x * mean_y + C1) / (mean_x.square() + mean_y.square() + C1)
    return (luminance * contrast).mean(dim=(2, 3)), contrast.mean(dim=(2, 3))


@image_metric
class Ssim(ImageMetric):
    """Mean SSIM over positions and bands; 0 for unrelated images, 1 for equal ones."""

    name = "ssim"

    def per_image(self, reference: Tensor, received: Tensor) -> Tensor:
        """SSIM of each image."""
        return ssim_and_contrast(reference, received)[0].mean(dim=1)

    def unavailable(self, channels: int, height: int, width: int) -> str | None:
        """Reason when a side does not hold the 11-pixel window."""
        return _too_small(self.name, "the 11-pixel window", WINDOW, height, width)


@image_metric
class MsSsim(ImageMetric):
    """Standard MS-SSIM: product over five scales, each half the size of the one before.

    Contrast-structure enters at every scale but the last, full SSIM at the last, each to the
    power of its beta; a negative factor counts as zero.
    """

    name = "ms_ssim"
    betas: ClassVar[tuple[float, ...]] = BETAS

    def per_image(self, reference: Tensor, received: Tensor) -> Tensor:
        """MS-SSIM of each image."""
        similarity = torch.ones(reference.shape[:2], device=reference.device)
        last = len(self.betas) - 1
        for scale, beta in enumerate(self.betas):
            ssim, contrast = ssim_and_contrast(reference, received)
            similarity = similarity * (ssim if scale == last else contrast).clamp_min(0.0) ** beta
            if scale < last:
                reference = functional.avg_pool2d(reference, 2, ceil_mode=True)
                received = functional.avg_pool2d(received, 2, ceil_mode=True)
        return similarity.mean(dim=1)

    def unavailable(self, channels: int, height: int, width: int) -> str | None:
        """Reason when the window does not fit at the coarsest scale."""
        scales = len(self.betas)
        smallest = (WINDOW - 1) * 2 ** (scales - 1) + 1
        return _too_small(self.name, f"{scales} scales", smallest, height, width)


@image_metric
class MsSsim3(MsSsim):
    """Three-scale MS-SSIM for images too small for five: sides from 41 pixels.

    The first three standard betas divided by their sum (0.0711, 0.4530, 0.4760). Its values are
    not comparable with those of `ms_ssim`, hence the name of its own.
    """

    name = "ms_ssim_3"
    betas: ClassVar[tuple[float, ...]] = tuple(beta / math.fsum(BETAS[:3]) for beta in BETAS[:3])


def _too_small(name: str, needs: str, smallest: int, height: int, width: int) -> str | None:
    """Reason in a sentence when the shorter side is below `smallest`, else None."""
    if min(height, width) >= smallest:
        return None
    return (
        f"{name} needs sides of at least {smallest} pixels for {needs}; "
        f"these images are {height}x{width}."
    )
