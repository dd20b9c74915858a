"""ResNet8, the small residual network of edge and satellite work, for land-cover tiles."""

import torch
from pydantic import Field
from torch import Tensor, nn

from semloss.networks.weights import drawn_from
from semloss.tasks.base import TASKS
from semloss.tasks.classify import Classifier


@TASKS.register("resnet8")
class ResNet8(Classifier):
    """Residual classifier with three basic blocks, about 78,000 weights at width 16.

    The CIFAR ResNet of He, Zhang, Ren and Sun, "Deep residual learning for image recognition"
    (CVPR 2016, section 4.2: 6n + 2 layers) at n = 1, with its three stages of 16, 32 and 64 maps,
    global average pooling and one linear layer::

        image ─ conv6/2 w ─ block w ─ block/2 2w ─ block/2 4w ─ mean over space ─ linear ─ logits

    A block is conv3 - BN - ReLU - conv3 - BN, added to its input, then ReLU. It departs from the
    paper in two places:

    - the stem is a 6×6 convolution of stride 2 (the paper's is 3×3 of stride 1). That is a 3×3
      convolution after a 2×2 space-to-depth: all pixels are seen, at a quarter of the cost, as
      the paper's 32×32 images have become 64×64 here;
    - shortcuts that change shape are projections, a strided 1×1 convolution and BN (the paper's
      option B); its CIFAR networks pad with zeros (option A).

    Attributes
    ----------
    width
        Maps of the first stage; the second has twice, the third four times as many.
    """

    width: int = Field(default=16, ge=4, le=256)

    def build(self, bands: int, n_classes: int, seed: int) -> "ResNet8Network":
        """Make the network, its weights drawn from `seed`; see `Task.build`."""
        with drawn_from(seed):
            return ResNet8Network(bands, n_classes, self.width)


class ResNet8Network(nn.Module):
    """The network of `ResNet8`: float images (B, C, H, W) to float32 logits (B, classes)."""

    def __init__(self, bands: int, n_classes: int, width: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(bands, width, 6, stride=2, padding=2, bias=False)
        self.stem_norm = nn.BatchNorm2d(width)
        self.stages = nn.Sequential(
            _Block(width, width, 1), _Block(width, 2 * width, 2), _Block(2 * width, 4 * width, 2)
        )
        self.head = nn.Linear(4 * width, n_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, classes) in float32, also under autocast."""
        features = self.stages(torch.relu(self.stem_norm(self.stem(images))))
        # the mean over space loses what bfloat16 cannot hold, so it is taken in float32
        logits: Tensor = self.head(features.float().mean(dim=(2, 3)))
        return logits.float()


#: Channels below which the strided 1×1 convolution of oneDNN writes past its workspace in the
#: backward pass, on CPUs whose vectors are as wide as this (oneDNN, issue 6035).
_FEW = 16


class _Block(nn.Module):
    """Basic block: two 3×3 convolutions around a shortcut."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(after)
        self.shortcut: nn.Module = nn.Identity()
        self.thinned = stride if before < _FEW else 1
        if stride != 1 or before != after:
            rest = stride // self.thinned
            self.shortcut = nn.Sequential(
                nn.Conv2d(before, after, 1, stride=rest, bias=False), nn.BatchNorm2d(after)
            )

    def forward(self, x: Tensor) -> Tensor:
        inner = torch.relu(self.norm1(self.conv1(x)))
        passed = self.shortcut(x[:, :, :: self.thinned, :: self.thinned])
        return torch.relu(self.norm2(self.conv2(inner)) + passed)
