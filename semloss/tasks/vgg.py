"""A plain stack of convolutions: a classifier of another architecture than residual networks."""

from pydantic import Field
from torch import Tensor, nn

from semloss.networks.weights import drawn_from
from semloss.tasks.base import TASKS
from semloss.tasks.classify import Classifier


@TASKS.register("vgg")
class Vgg(Classifier):
    """VGG-like classifier, about 61,000 weights at width 16.

    The first four convolutions of configuration A of Simonyan and Zisserman, "Very deep
    convolutional networks for large-scale image recognition" (ICLR 2015), at a quarter of its
    maps, with batch normalisation, and a mean over space with one linear layer in place of the
    three large ones::

        image ─ conv w ─ pool ─ conv 2w ─ pool ─ conv 4w ─ conv 4w ─ mean over space ─ linear

    Convolutions are 3×3, each with BN and ReLU; pools take the largest of 2×2. No map skips a
    layer: beside `resnet8` it is the judge of another architecture.

    Attributes
    ----------
    width
        Maps of the first convolution.
    """

    width: int = Field(default=16, ge=4, le=256)

    def build(self, bands: int, n_classes: int, seed: int) -> "VggNetwork":
        """Make the network, its weights drawn from `seed`; see `Task.build`."""
        with drawn_from(seed):
            return VggNetwork(bands, n_classes, self.width)


class VggNetwork(nn.Module):
    """The network of `Vgg`: float images (B, C, H, W) to float32 logits (B, classes)."""

    def __init__(self, bands: int, n_classes: int, width: int) -> None:
        super().__init__()
        self.stages = nn.Sequential(
            _convolved(bands, width),
            nn.Sequential(nn.MaxPool2d(2), _convolved(width, 2 * width)),
            nn.Sequential(
                nn.MaxPool2d(2),
                _convolved(2 * width, 4 * width),
                _convolved(4 * width, 4 * width),
            ),
        )
        self.head = nn.Linear(4 * width, n_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, classes) in float32, also under autocast."""
        logits: Tensor = self.head(self.stages(images).float().mean(dim=(2, 3)))
        return logits.float()


def _convolved(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()
    )
