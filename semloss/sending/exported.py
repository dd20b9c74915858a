"""A trained encoder as one ONNX file: what an on-board processor is given."""

import io
import warnings
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from semloss.answers import Answer
from semloss.codecs import ChannelState, CodecNetwork
from semloss.codecs.cost import EncoderCost, encoder_cost
from semloss.errors import SemlossError
from semloss.extras import optional
from semloss.sending.loaded import LoadedCodec
from semloss.storage import write_atomically

#: Numbers of a symbol may differ by so much between torch and the exported file.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class ExportedEncoder(Answer):
    """An encoder that was written as ONNX.

    Attributes
    ----------
    path, cell
        Where it is, and the cell that it is from.
    shape, k
        Bands, height and width of the image that it takes; complex symbols that it gives.
    difference
        Largest difference of a real or imaginary part from torch's, on images drawn at random.
    cost
        Weights, multiply-accumulates and time of an image.
    """

    path: Path
    cell: str
    shape: tuple[int, int, int]
    k: int
    difference: float
    cost: EncoderCost

    def rows(self) -> Sequence[Mapping[str, Any]]:
        """One record."""
        return [self.to_dict()]

    def to_dict(self) -> dict[str, Any]:
        """Plain content for JSON."""
        told = {"file": str(self.path), "cell": self.cell, "shape": list(self.shape), "k": self.k}
        cost = {f"encoder_{name}": value for name, value in asdict(self.cost).items()}
        return told | {"largest_difference": self.difference} | cost

    def text(self) -> str:
        """Few lines for a reader."""
        return (
            f"{self.path}: the encoder of {self.cell}\n"
            f"takes      image (1, {', '.join(map(str, self.shape))}) float32 in [0, 1], "
            "snr_db (1,) float32\n"
            f"gives      symbols (1, {self.k}, 2) float32, I and Q, mean power 1\n"
            f"costs      {self.cost.weights:,} weights, {self.cost.macs / 1e6:.4g} million "
            f"multiply-accumulates, {self.cost.cpu_ms or 0:.2g} ms of this processor an image\n"
            f"differs    from torch by at most {self.difference:.1g}"
        )


class _Encoder(nn.Module):
    """An encoder of one image whose symbols are pairs of real numbers."""

    def __init__(self, network: CodecNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, snr_db: Tensor) -> Tensor:
        """Symbols (1, k, 2) of an image (1, C, H, W)."""
        return torch.view_as_real(self.network.encode(image, ChannelState(snr_db)))


def export_encoder(codec: LoadedCodec, path: Path) -> ExportedEncoder:
    """Write a codec's encoder as ONNX, for one image at a time, and compare what it gives.

    Parameters
    ----------
    codec
        A trained codec; it is told the SNR as an input, whether it uses it or not.
    path
        The file, ``*.onnx``.

    Raises
    ------
    SemlossError
        When the extra is not installed, the encoder has operations that ONNX lacks, or gives other
        symbols there than in torch.
    """
    if path.suffix != ".onnx":
        raise SemlossError(f"--out {path}: the file is ONNX; name it *.onnx")
    if codec.codec.training == "none":
        raise SemlossError(f"{codec.codec.label} is no network: there is nothing to write as ONNX")
    missing = "an encoder as ONNX needs onnx and onnxscript: pip install 'semloss[onnx]'"
    reference = optional("onnx.reference", missing)
    optional("onnxscript", missing)  # torch exports with it
    encoder = _Encoder(codec.network).eval()
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(3, *codec.shape, generator=generator)
    told = torch.tensor([[codec.cell.snr_db - 5], [codec.cell.snr_db], [codec.cell.snr_db + 5]])
    inputs = ("image", "snr_db")
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            program = torch.onnx.export(
                encoder, (images[:1], told[0]), input_names=inputs, output_names=["symbols"],
                dynamo=True, verbose=False,
            )  # fmt: skip
        except torch.onnx.errors.OnnxExporterError as error:
            reason = str(error).splitlines()[0]
            raise SemlossError(f"{codec.codec.label} cannot be written as ONNX: {reason}") from None
    assert program is not None
    model = program.model_proto
    other = reference.ReferenceEvaluator(model)
    difference = 0.0
    with torch.inference_mode():
        for image, snr_db in zip(images, told, strict=True):
            here = encoder(image[None], snr_db).numpy()
            (there,) = other.run(
                None, dict(zip(inputs, (image[None].numpy(), snr_db.numpy()), strict=True))
            )
            difference = max(difference, float(np.abs(here - there).max()))
    if not difference <= TOLERANCE:
        raise SemlossError(
            f"{codec.codec.label}: as ONNX its symbols differ by {difference:.2g}, more than "
            f"{TOLERANCE:g}; nothing was written"
        )
    write_atomically(path, model.SerializeToString())
    cost = encoder_cost(codec.network, images)
    return ExportedEncoder(
        path, codec.cell.name, codec.shape, codec.realisation.k, difference, cost
    )
