"""LPIPS, the learned perceptual distance, from weights that the user provides."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from semloss.errors import SemlossError
from semloss.metrics.base import ImageMetric, image_metric

# Convolutions of AlexNet as torchvision numbers them: index, (out, in, kernel), stride, padding.
CONVOLUTIONS = (
    (0, (64, 3, 11), 4, 2),
    (3, (192, 64, 5), 1, 2),
    (6, (384, 192, 3), 1, 1),
    (8, (256, 384, 3), 1, 1),
    (10, (256, 256, 3), 1, 1),
)
POOLED_BEFORE = (3, 6)
# Mean and standard deviation of natural images on the scale [-1, 1].
SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)
SMALLEST_SIDE = 31


def weight_shapes() -> dict[str, tuple[int, ...]]:
    """Keys and shapes that a weights file must hold."""
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, (index, (outputs, inputs, kernel), _, _) in enumerate(CONVOLUTIONS):
        shapes[f"features.{index}.weight"] = (outputs, inputs, kernel, kernel)
        shapes[f"features.{index}.bias"] = (outputs,)
        shapes[f"lin{layer}.weight"] = (1, outputs, 1, 1)
    return shapes


@image_metric
class Lpips(ImageMetric):
    """LPIPS v0.1 with AlexNet features (Zhang et al., CVPR 2018, section 3.1). RGB only.

    Features of the five ReLU layers, scaled to unit length at each position; squared differences
    weighted per feature by the linear heads, averaged over positions, summed over layers. The
    images are measured at their own size.

    Parameters
    ----------
    weights
        A .safetensors file with the keys and shapes of `weight_shapes`: the convolutions of
        torchvision's AlexNet under their own names, ``features.N.weight`` and
        ``features.N.bias``, and the linear heads as ``lin0.weight`` to ``lin4.weight``. To make
        one, on a machine that has both files of the official release: load the state dicts of
        torchvision's ``alexnet`` and of lpips' ``weights/v0.1/alex.pth``, rename
        ``linN.model.1.weight`` to ``linN.weight``, keep the keys above, and write them with
        ``safetensors.torch.save_file``. Other keys are ignored. None: the metric is unavailable.

    Raises
    ------
    SemlossError
        When the file is missing or is no safetensors file, or when a key is missing or has
        another shape.
    """

    name = "lpips"

    def __init__(self, weights: Path | None = None) -> None:
        self._weights = None if weights is None else _load_weights(weights)

    def per_image(self, reference: Tensor, received: Tensor) -> Tensor:
        """LPIPS distance of each image, 0 for equal ones."""
        if self._weights is None:
            raise SemlossError(NO_WEIGHTS)
        weights = {key: value.to(reference.device) for key, value in self._weights.items()}
        distance = torch.zeros(reference.shape[0], device=reference.device)
        both = torch.cat((reference, received))
        for layer, features in enumerate(_alexnet_features(both, weights)):
            length = features.square().sum(dim=1, keepdim=True).sqrt()
            first, second = (features / (length + 1e-10)).chunk(2)
            head = weights[f"lin{layer}.weight"]
            distance = distance + ((first - second).square() * head).sum(dim=1).mean(dim=(1, 2))
        return distance

    def unavailable(self, channels: int, height: int, width: int) -> str | None:
        """Reason when weights are absent, bands are not three, or AlexNet pools the image away."""
        if self._weights is None:
            return NO_WEIGHTS
        if channels != 3:
            return f"lpips is defined for 3-band RGB images; these have {channels} band(s)."
        if min(height, width) < SMALLEST_SIDE:
            return (
                f"lpips needs sides of at least {SMALLEST_SIDE} pixels for AlexNet's pooling; "
                f"these images are {height}x{width}."
            )
        return None


NO_WEIGHTS = "lpips needs the weights of its network: give a .safetensors file."


def _alexnet_features(images: Tensor, weights: dict[str, Tensor]) -> list[Tensor]:
    """Return the outputs of AlexNet's five ReLU layers for (B, 3, H, W) in [0, 1]."""
    shift = torch.tensor(SHIFT, device=images.device).view(1, 3, 1, 1)
    scale = torch.tensor(SCALE, device=images.device).view(1, 3, 1, 1)
    features = (2.0 * images - 1.0 - shift) / scale
    outputs = []
    for index, _, stride, padding in CONVOLUTIONS:
        if index in POOLED_BEFORE:
            features = functional.max_pool2d(features, kernel_size=3, stride=2)
        weight, bias = weights[f"features.{index}.weight"], weights[f"features.{index}.bias"]
        features = functional.conv2d(features, weight, bias, stride, padding).relu()
        outputs.append(features)
    return outputs


def _load_weights(path: Path) -> dict[str, Tensor]:
    """Read and check the weights file; safetensors holds plain arrays, so nothing in it can run."""
    if not path.is_file():
        raise SemlossError(f"lpips weights {path}: no such file")
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise SemlossError(
            f"lpips weights {path}: not a readable safetensors file ({error}); "
            "convert the state dict with safetensors.torch.save_file"
        ) from None
    weights = {}
    for key, shape in weight_shapes().items():
        if key not in tensors:
            raise SemlossError(f"lpips weights {path}: key {key} is missing")
        if tuple(tensors[key].shape) != shape:
            found = tuple(tensors[key].shape)
            raise SemlossError(f"lpips weights {path}: {key} has shape {found}, not {shape}")
        weights[key] = tensors[key].float()
    return weights
