"""Classified on board: the satellite runs the task model and sends what it says."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from semloss.codecs.base import CODECS, ImageShape, Realisation
from semloss.codecs.digital import DigitalCodec, DigitalNetwork
from semloss.errors import SemlossError
from semloss.modcods import DVB_S2


@CODECS.register("onboard")
class Onboard(DigitalCodec):
    """Label and confidence of each image, over the best feasible MODCOD.

    The question that every engineer asks first: why send an image at all? The sender runs the
    experiment's first task model, as trained on clean images; its multiply-accumulates are the
    price (``encoder_macs`` of the cells table). CR is what the message takes at each SNR, symbols
    of the frame rounded up to whole ones; the grid's CRs do not apply. Where no MODCOD closes, or
    the codeword does not meet its threshold, the receiver has no answer: it takes the first class,
    without confidence. Other tasks learn nothing from it. Instantiation ours.

    Attributes
    ----------
    label_bits
        Of the class; as many classes as they can tell.
    confidence_bits
        Of the probability that the model gives its answer, in equal steps from 0 to 1.
    """

    delivers = "answer"
    takes_cr = False

    label_bits: int = Field(default=8, ge=1, le=16)
    confidence_bits: int = Field(default=8, ge=1, le=16)

    def runs(self, tasks: Sequence[str]) -> str | None:
        """The first."""
        return tasks[0]

    def listening(self, model: nn.Module, shape: ImageShape) -> nn.Module:
        """What was answered is the answer."""
        return nn.Identity()

    def realise(self, cr: float, shape: ImageShape, where: str = "cr") -> Realisation:
        """What the most robust MODCOD takes, whatever CR is asked."""
        return self._taking(shape, min(one.efficiency for one in DVB_S2.entries))

    def at(self, realisation: Realisation, shape: ImageShape, snr_db: float) -> Realisation:
        """What the message takes at an SNR; where none closes, that of the most robust MODCOD."""
        modcod = self.scheme(snr_db)
        return realisation if modcod is None else self._taking(shape, modcod.efficiency)

    def build(self, shape: ImageShape, realisation: Realisation, seed: int) -> "OnboardNetwork":
        """Without the task model, which `CodecNetwork.attend` brings."""
        return OnboardNetwork(self, realisation.k)

    def _taking(self, shape: ImageShape, efficiency: float) -> Realisation:
        k = math.ceil((self.label_bits + self.confidence_bits) / efficiency)
        cr = k / math.prod(shape)
        return Realisation(cr, cr, k, {"symbols": k})


class OnboardNetwork(DigitalNetwork):
    """Network of `Onboard`: rows are (B, 3), class and confidence as sent, number of classes.

    What it gives are logits (B, classes) of which that class has that probability, and all others
    share the rest.
    """

    model: nn.Module

    def __init__(self, options: Onboard, k: int) -> None:
        super().__init__(options, k)
        self._label_bits, self._steps = options.label_bits, 2**options.confidence_bits - 1
        self._bits = options.label_bits + options.confidence_bits

    def attend(self, model: nn.Module) -> None:
        """Take the classifier."""
        self.model = model.requires_grad_(False)

    def prepared(self, images: Tensor) -> NDArray[Any]:
        """Class and confidence of each image."""
        outputs = self.model(images)
        if outputs.ndim != 2:
            raise SemlossError(
                "codec onboard sends the class of an image, and the first task model gives none; "
                "put a classifier first"
            )
        if outputs.shape[1] > 2**self._label_bits:
            raise SemlossError(
                f"codec.label_bits = {self._label_bits}: too few for {outputs.shape[1]} classes"
            )
        sure, said = outputs.float().softmax(1).max(1)
        steps = (sure * self._steps).round().long()
        return torch.stack([said, steps, torch.full_like(said, outputs.shape[1])], 1).cpu().numpy()

    def message(self, items: NDArray[Any], bits: int) -> tuple[bytes, NDArray[Any]] | None:
        """The same in bits, which fit or do not."""
        return None if bits < self._bits * len(items) else (items.tobytes(), items)

    def lost(self, items: NDArray[Any]) -> NDArray[Any]:
        """The first class, as probable as any other."""
        none = np.zeros_like(items)
        none[:, 2] = items[:, 2]
        return none

    def given(self, content: NDArray[Any]) -> Tensor:
        """Logits (B, classes)."""
        said, steps, classes = torch.from_numpy(content).T
        count = int(classes[0])
        # a lost one has confidence 0, and no class can have less than its equal share
        sure = (steps / self._steps).clamp(1 / count, 1 - 1e-6)[:, None]
        rest = ((1 - sure) / (count - 1)).expand(len(said), count)
        return torch.scatter(rest, 1, said[:, None], sure + 1e-9).log()
