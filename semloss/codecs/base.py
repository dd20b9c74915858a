"""What a codec is: images to complex channel symbols and back, at a realisable CR."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from semloss.errors import Diverged, SemlossError
from semloss.metrics import Delivery
from semloss.metrics.distortion import Psnr
from semloss.registry import Options, Registry
from semloss.units import format_cr

#: A realised CR may differ from the nominal one by this factor, either way.
MAX_CR_RATIO = 1.25

#: A codec whose validation PSNR is not this far above that of the mean image has collapsed.
COLLAPSE_MARGIN_DB = 1.0

#: Capacity in bits per image from which a link must do better than a mean image.
BITS_TO_TELL = 32.0

#: Channels, height, width of one image.
ImageShape = tuple[int, int, int]


#: What one training of a codec serves: nothing is trained; one SNR; all SNR; all SNR and CR.
Training = Literal["none", "cell", "range", "plane"]

#: SNR in dB at which a network is told zero, and how much further it is told one.
MIDDLE_DB, SCALE_DB = 6.0, 10.0


@dataclass(frozen=True)
class Realisation:
    """A compression ratio that a codec can really send.

    Attributes
    ----------
    cr_nominal
        CR = k/n as asked.
    cr
        CR = k/n as realised.
    k
        Complex channel symbols per image.
    setting
        What makes the codec send so many: plain values by name, the codec's own business.
    """

    cr_nominal: float
    cr: float
    k: int
    setting: Mapping[str, Any]

    @property
    def label(self) -> str:
        """The setting as text: "filters=8"."""
        return ", ".join(f"{name}={value}" for name, value in self.setting.items())


@dataclass(frozen=True)
class ChannelState:
    """What sender and receiver know of the link.

    Attributes
    ----------
    snr_db
        Es/N0 in dB: one for all images, or (B,).
    gain
        Gains h that the receiver has seen, complex64 (B, 1) or (B, k); None for the sender, and
        where the channel does not fade.
    cr
        CR = k/n (B,) at which each image is sent, while a codec is trained that serves all CR;
        None: that of the network's realisation.
    """

    snr_db: float | Tensor
    gain: Tensor | None = None
    cr: Tensor | None = None

    def level(self, device: torch.device) -> Tensor:
        """The SNR as networks are told it, of the order of one: a number, or (B,).

        A receiver that has seen the gains knows what of the mean SNR it has.
        """
        snr_db = torch.as_tensor(self.snr_db, dtype=torch.float32, device=device)
        if self.gain is not None:
            power = self.gain.abs().square().mean(dim=1)
            snr_db = snr_db + 10 * torch.log10(power.clamp_min(1e-3))
        return (snr_db - MIDDLE_DB) / SCALE_DB


class CodecNetwork(nn.Module, ABC):
    """An encoder and a decoder for one image shape and realisation.

    Attributes
    ----------
    delivered
        Which images of the last batch that was decoded arrived at all, bool (B,); None where
        something of every image does.
    """

    delivered: Tensor | None = None

    def attend(self, model: nn.Module) -> None:
        """Take the task model that the sender runs, in evaluation mode, where it runs one."""

    def aim(self, images: Tensor) -> Tensor:
        """What would be delivered of images if nothing were lost: themselves, usually."""
        return images

    @abstractmethod
    def encode(self, images: Tensor, state: ChannelState) -> Tensor:
        """Encode images (B, C, H, W) in [0, 1] to complex64 symbols (B, k).

        Each image's symbols have mean power exactly 1; where `state.cr` leaves some unused, those
        are zero and the others have it.
        """

    @abstractmethod
    def decode(self, symbols: Tensor, state: ChannelState, generator: torch.Generator) -> Tensor:
        """Decode complex64 symbols (B, k) to what the codec delivers.

        That is images (B, C, H, W) in [0, 1] where it delivers images. A decoder that draws
        takes its draws from `generator`.
        """


@dataclass(frozen=True)
class Trial:
    """What a trained codec made of the validation images.

    Attributes
    ----------
    batches
        What should arrive (B, C, H, W) and what did, batch by batch.
    mean
        Mean over training images (1, C, H, W) of what should: all that a receiver knows that
        hears nothing.
    bits
        Capacity of the link in bits per image, k·log2(1 + SNR).
    of_pixels
        Whether the codec was trained for pixels at all.
    """

    batches: Sequence[tuple[Tensor, Tensor]]
    mean: Tensor
    bits: float
    of_pixels: bool = True


class Codec(Options, ABC):
    """Options of a codec family; `build` makes the network for one image shape and CR."""

    training: ClassVar[Training] = "cell"
    delivers: ClassVar[Delivery] = "image"
    #: Whether it sends at the CR that is asked, rather than at what its message takes at each SNR.
    takes_cr: ClassVar[bool] = True

    @abstractmethod
    def realise(self, cr: float, shape: ImageShape, where: str = "cr") -> Realisation:
        """Find the realisation whose CR is nearest to the asked one, on a log scale.

        Parameters
        ----------
        cr
            Nominal CR = k/n in (0, 1].
        shape
            Channels, height and width of an image; n is their product.
        where
            The key to name in an error.

        Raises
        ------
        SemlossError
            When the nearest one is further than `MAX_CR_RATIO` away.
        """

    def at(self, realisation: Realisation, shape: ImageShape, snr_db: float) -> Realisation:
        """The realisation at a cell's Es/N0 in dB, where that decides what is sent."""
        return realisation

    @abstractmethod
    def build(self, shape: ImageShape, realisation: Realisation, seed: int) -> CodecNetwork:
        """Make the network, its weights drawn from `seed`."""

    def runs(self, tasks: Sequence[str]) -> str | None:
        """The task model that its sender runs, as trained on clean images; none, usually.

        Parameters
        ----------
        tasks
            Labels of the experiment's task models.

        Raises
        ------
        SemlossError
            When the one that it names is not there.
        """
        return None

    def listening(self, model: nn.Module, shape: ImageShape) -> nn.Module:
        """Have a task model listen to what is delivered of images of a shape.

        Where that is no image, only the one that the sender runs is asked to.

        Raises
        ------
        SemlossError
            When it cannot.
        """
        return model

    def tried_at(self, realisation: Realisation) -> tuple[Realisation, ...]:
        """Where its training is validated: at its own CR, and wherever else other weights serve."""
        return (realisation,)

    def check(self, trial: Trial) -> dict[str, Any]:
        """What the record says of a trained network.

        Raises
        ------
        Diverged
            When it learnt nothing: what that looks like is the codec's to say.
        """
        return check_images(trial) if self.delivers == "image" else {}

    @property
    def kind(self) -> str:
        """Name under which the family is registered."""
        return CODECS.kind_of(self)

    @property
    def label(self) -> str:
        """Kind and changed options: "deepjscc-width64"."""
        return CODECS.label(self)


def nearest(candidates: Sequence[Realisation], shape: ImageShape, where: str) -> Realisation:
    """The candidate whose CR is nearest to the one that all were asked for.

    Raises
    ------
    SemlossError
        When it is further than `MAX_CR_RATIO` away.
    """
    cr = candidates[0].cr_nominal
    best = min(candidates, key=lambda one: abs(math.log(one.cr / cr)))
    if abs(math.log(best.cr / cr)) > math.log(MAX_CR_RATIO):
        choices = " and ".join(format_cr(one.cr) for one in candidates)
        what = " and ".join(best.setting)
        raise SemlossError(
            f"{where} = {format_cr(cr)}: no number of {what} realises it on "
            f"{shape[1]}x{shape[2]}x{shape[0]} images; the nearest are {choices}"
        )
    return best


def check_images(trial: Trial) -> dict[str, Any]:
    """Validation PSNR of a codec that delivers images, if it learnt more than a mean image.

    Raises
    ------
    Diverged
        When sending the training set's mean image, which needs no channel, is about as good. A
        link of less than `BITS_TO_TELL` bits an image may well do no better, and passes if it
        does not do much worse. Of a codec that was not trained for pixels, they tell nothing.
    """
    psnr = Psnr()
    reached = torch.cat([psnr.per_image(sent, arrived) for sent, arrived in trial.batches])
    nothing = torch.cat(
        [psnr.per_image(sent, trial.mean.expand_as(sent)) for sent, _ in trial.batches]
    )
    psnr_db, nothing_db = float(reached.double().mean()), float(nothing.double().mean())
    margin = COLLAPSE_MARGIN_DB if trial.bits >= BITS_TO_TELL else -1.0
    if trial.of_pixels and not psnr_db > nothing_db + margin:
        raise Diverged(
            f"validation PSNR {psnr_db:.1f} dB where the mean image has {nothing_db:.1f} dB"
        )
    return {"validation_psnr_db": psnr_db}


CODECS: Registry[Codec] = Registry("codec")


def transplant(weights: CodecNetwork, network: CodecNetwork) -> None:
    """Copy the weights of a codec into one of the same family at another CR.

    Where shapes differ, as at the encoder's last and the decoder's first layer, the overlapping
    block is copied and the rest of `network` stays as it was.
    """
    source = weights.state_dict()
    for name, target in network.state_dict().items():
        block = tuple(map(slice, map(min, source[name].shape, target.shape)))
        target[block].copy_(source[name][block])


def to_symbols(latent: Tensor) -> Tensor:
    """Pair real features into complex symbols of mean power exactly 1 per image.

    Parameters
    ----------
    latent
        Real features (B, ...), m per image. The first half become the real parts, the second
        half the imaginary parts; an odd m is completed with one zero.

    Returns
    -------
    Tensor
        complex64 (B, ceil(m / 2)).
    """
    flat = latent.float().flatten(1)
    if flat.shape[1] % 2:
        flat = nn.functional.pad(flat, (0, 1))
    k = flat.shape[1] // 2
    power = flat.square().sum(dim=1, keepdim=True) / k
    flat = flat * torch.rsqrt(power + 1e-12)
    return torch.complex(flat[:, :k], flat[:, k:])


def from_symbols(symbols: Tensor, latent_shape: tuple[int, int, int]) -> Tensor:
    """Undo the pairing of `to_symbols`: complex (B, k) to real (B, *latent_shape)."""
    flat = torch.cat([symbols.real, symbols.imag], dim=1)
    return flat[:, : math.prod(latent_shape)].reshape(-1, *latent_shape)
