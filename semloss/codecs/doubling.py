"""A transposed convolution of stride 2 that gives few maps, faster on a CPU in float32.

A codec's last layer gives three bands, which fill no register: forward it takes as long as a
layer of five times its work. Done for two neighbours of a row at once it gives twice as many maps
at half the width, which lie in memory as the bands of both do. Read on DeepJSCC's last layer in
float32, forward and back, with the instructions of AVX-512: 3.8 → 3.1 ms; of AVX2: 3.9 → 3.1 ms.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv_transpose2d, pad

#: Most maps that are given two by two.
FEW_MAPS = 4


class Doubling(nn.ConvTranspose2d):
    """Transposed convolution (B, C, H, W) to (B, maps, 2H, 2W), `kernel` odd.

    In bfloat16, on a GPU and outside training it is torch's own, so that trainings of before end
    where they did. Elsewhere only the slope of the biases differs, in its last digits.
    """

    def __init__(self, before: int, maps: int, kernel: int) -> None:
        half = kernel // 2
        super().__init__(before, maps, kernel, stride=2, padding=half, output_padding=1)
        #: Two neighbours have the same taps where their middle stands at an even place.
        self._pairs = maps <= FEW_MAPS and half % 2 == 0

    def forward(self, maps: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Apply to (B, C, H, W); fastest when channels-last in memory."""
        mixed = torch.is_autocast_enabled("cpu") or maps.dtype != torch.float32
        if not (self.training and self._pairs) or mixed or maps.is_cuda:
            return super().forward(maps, output_size)
        assert self.bias is not None
        half = self.kernel_size[0] // 2
        # (before, maps, rows, columns + 1): columns become taps, two by two of both neighbours
        taps = torch.unflatten(pad(self.weight, (0, 1)), 3, (-1, 2)).permute(0, 4, 1, 2, 3)
        biases, padding = self.bias.repeat(2), (half, half // 2)
        pairs = conv_transpose2d(maps, taps.flatten(1, 2), biases, (2, 1), padding, (1, 0))
        batch, both, height, width = pairs.shape
        rows = pairs.permute(0, 2, 3, 1).reshape(batch, height, 2 * width, both // 2)
        return rows.permute(0, 3, 1, 2)
