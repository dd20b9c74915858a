"""Pixel distortion: MSE and the two averages of PSNR, for images in [0, 1].

The mean of per-image PSNR (`psnr_db`) and the PSNR of the dataset-mean MSE (`psnr_mean_mse_db`)
are both in use and differ by 1 to 3 dB; papers on DeepJSCC mostly print the second.
"""

import math

from torch import Tensor

from semloss.metrics.base import ImageMetric, Measurement, image_metric

# 100 dB. Without it one flat tile that arrives exactly would make a mean PSNR infinite.
SMALLEST_MSE = 1e-10


def mse_per_image(reference: Tensor, received: Tensor) -> Tensor:
    """Mean squared error over bands and pixels of each image: (B, C, H, W) twice to (B,)."""
    return (received - reference).square().mean(dim=(1, 2, 3))


@image_metric
class Mse(ImageMetric):
    """Mean squared error, images in [0, 1]."""

    name = "mse"

    def per_image(self, reference: Tensor, received: Tensor) -> Tensor:
        """Mean squared error of each image."""
        return mse_per_image(reference, received)


@image_metric
class Psnr(ImageMetric):
    """Mean of per-image PSNR in dB, -10 log10(MSE) for a data range of one, at most 100 dB."""

    name = "psnr_db"

    def per_image(self, reference: Tensor, received: Tensor) -> Tensor:
        """PSNR of each image in dB."""
        return -10.0 * mse_per_image(reference, received).clamp_min(SMALLEST_MSE).log10()


@image_metric
class PsnrOfMeanMse(ImageMetric):
    """PSNR in dB of the MSE averaged over the test set, at most 100 dB."""

    name = "psnr_mean_mse_db"

    def per_image(self, reference: Tensor, received: Tensor) -> Tensor:
        """Mean squared error of each image, *not* in dB: the average comes before the logarithm."""
        return mse_per_image(reference, received)

    def summarise(self, values: Tensor) -> Measurement:
        """PSNR of the mean; standard error by the delta method, |d PSNR / d MSE| sd(MSE)."""
        exact = values.double()
        n = exact.numel()
        mse = max(float(exact.mean()), SMALLEST_MSE)
        slope_db = 10.0 / (math.log(10.0) * mse)
        sd = slope_db * float(exact.std()) if n > 1 else float("nan")
        value = -10.0 * math.log10(mse)
        outcomes = (value - slope_db * (exact - exact.mean())).float().cpu().numpy()
        return Measurement(self.name, value, sd, n, "higher", outcomes=outcomes)
