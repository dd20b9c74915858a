"""Source codecs over a digital link: the separation that learned codecs are judged against.

The sender knows the SNR and takes the most efficient MODCOD that closes there; its budget is k·η
information bits an image, framing counted in η and the file's headers in the file. The best file
within it is sent. The k symbols are points of the MODCOD's constellation, drawn from the file's
checksum: a scrambled, interleaved and coded stream looks like any other. They go through the
channel, and an ideal decoder, which knows what may have been sent, finds which codeword it was. It
has the file where the SNR that the codeword met is the MODCOD's threshold (quasi error free on
AWGN) or more: Es/N0 itself on AWGN; under fading, with the gains that the receiver knows, that of
equal mean capacity, log2(1 + |h|² SNR), over the codeword; and where the symbols came in worse
than noise can explain (an amplifier's distortion, a carrier that is lost), what they came in with.
Below it is a failed image: a uniform grey, measured as such and counted by the metric `delivered`.
So is an image whose smallest file is larger than its budget, and every image at an SNR where no
MODCOD closes: a grid that reaches there has cells that read chance, not an error.
"""

import math
import zlib
from abc import abstractmethod
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator
from torch import Tensor

from semloss.arrays import Array
from semloss.codecs.base import (
    CODECS,
    ChannelState,
    Codec,
    CodecNetwork,
    ImageShape,
    Realisation,
)  # fmt: skip
from semloss.codecs.constellations import constellation
from semloss.codecs.picture_files import check_codec, within
from semloss.errors import SemlossError
from semloss.modcods import DVB_S2, ModCod, best_modcod, shannon

#: What arrives of an image whose file does not: its middle grey.
GREY = 0.5
#: Codewords of an Es/N0 above this are told from others by their likeness to what was sent, which
#: is 0.5 there, and 1/sqrt(k) of others.
KNOWN_FROM_DB, ALIKE = -4.8, 0.3
#: So few symbols are too like to others by chance, and their errors tell too little.
KNOWN_FROM_K = 64
#: Standard errors by which the error of received symbols must exceed that of noise to count.
BEYOND_NOISE = 5.0
#: Most images that share a codestream: measurements send them in batches of as many.
MOST_TILES = 64


class DigitalCodec(Codec):
    """A source codec, a MODCOD, and what they make of a number of symbols.

    Attributes
    ----------
    link
        "dvb-s2": the MODCODs of EN 302 307-1. "shannon": capacity-achieving, η = log2(1 + SNR),
        with Gaussian symbols.
    planned_snr_db
        Es/N0 in dB for which the MODCOD is chosen, whatever the channel's turns out to be: below
        it is the cliff, above it nothing is gained. Without it, the sender follows the channel's.
    margin_db
        Kept between the SNR that the sender knows and the threshold.
    """

    training = "none"

    link: Literal["dvb-s2", "shannon"] = "dvb-s2"
    planned_snr_db: float | None = Field(default=None, ge=-30, le=60)
    margin_db: float = Field(default=0.0, ge=0, le=30)

    @model_validator(mode="after")
    def _closes(self) -> Self:
        if self.planned_snr_db is not None and self.scheme(self.planned_snr_db) is None:
            least = min(one.es_n0_db for one in DVB_S2.entries) + self.margin_db
            raise ValueError(
                f"planned_snr_db = {self.planned_snr_db:g}: no MODCOD of {DVB_S2.name} closes "
                f"there; the first does at {least:g} dB"
            )
        return self

    def scheme(self, snr_db: float) -> ModCod | None:
        """What is used where the sender knows an SNR, or at the planned one; None: none closes."""
        known = snr_db if self.planned_snr_db is None else self.planned_snr_db
        if self.link == "dvb-s2":
            return best_modcod(known, self.margin_db)
        threshold = known - self.margin_db
        return ModCod("Shannon", float(shannon(threshold)), threshold)


class PictureCodec(DigitalCodec):
    """A source codec of pictures over a digital link.

    Attributes
    ----------
    tiles
        Images that share one codestream, as a mosaic: no one sends a header with each small tile.
        They arrive or fail together. Neighbours in the mosaic are strangers, which costs JPEG 2000
        some bits at their seams; codecs of blocks have theirs at the same places.
    """

    file: ClassVar[str]

    tiles: int = Field(default=1, ge=1, le=MOST_TILES)

    def realise(self, cr: float, shape: ImageShape, where: str = "cr") -> Realisation:
        """Any whole number of symbols; see `Codec.realise`."""
        check_codec(self.file)
        n = math.prod(shape)
        k = max(1, round(cr * n))
        return Realisation(cr, k / n, k, {"symbols": k})

    def build(self, shape: ImageShape, realisation: Realisation, seed: int) -> "PictureNetwork":
        """Nothing is drawn and nothing learnt; see `Codec.build`."""
        return PictureNetwork(self, realisation.k)


@CODECS.register("jpeg2000")
class Jpeg2000(PictureCodec):
    """JPEG 2000 (ISO/IEC 15444-1): bare codestream, irreversible wavelet, one quality layer."""

    file = "jpeg2000"


@CODECS.register("webp")
class WebP(PictureCodec):
    """WebP, lossy (RFC 9649)."""

    file = "webp"


@CODECS.register("avif")
class Avif(PictureCodec):
    """AVIF: a still picture of AV1, as libavif makes it by default."""

    file = "avif"


@CODECS.register("jpeg")
class Jpeg(PictureCodec):
    """JPEG (ISO/IEC 10918-1) with Huffman tables made for each picture."""

    file = "jpeg"


@dataclass(frozen=True)
class _Codeword:
    """What one message became: its rows of the batch, its need, and what arrives above it.

    `needed_db` is the Es/N0 of the threshold, infinite where nothing was sent.
    """

    rows: slice
    needed_db: float
    content: NDArray[Any]


class DigitalNetwork(CodecNetwork):
    """Sender and ideal decoder of a `DigitalCodec`: remembers the batch that it sent last.

    Parameters
    ----------
    options
        The codec.
    k
        Symbols of an image.
    together
        Images that share a message.
    """

    def __init__(self, options: DigitalCodec, k: int, together: int = 1) -> None:
        super().__init__()
        self._options, self._k, self._together = options, k, together
        self._sent: list[_Codeword] = []
        self._symbols = torch.zeros(0, k, dtype=torch.complex64)

    @abstractmethod
    def prepared(self, images: Tensor) -> NDArray[Any]:
        """What is to be sent of images (B, C, H, W), row by row."""

    @abstractmethod
    def message(self, items: NDArray[Any], bits: int) -> tuple[bytes, NDArray[Any]] | None:
        """The message of some rows within a number of bits, and what arrives of it; None: none."""

    @abstractmethod
    def lost(self, items: NDArray[Any]) -> NDArray[Any]:
        """What the receiver takes in place of rows, prepared or arrived, when nothing arrives."""

    @abstractmethod
    def given(self, content: NDArray[Any]) -> Tensor:
        """What is delivered of rows as they arrive."""

    def encode(self, images: Tensor, state: ChannelState) -> Tensor:
        """Send images (B, C, H, W) within their budget; see `CodecNetwork.encode`."""
        items = self.prepared(images)
        capacity = _capacity(state, len(items))
        ends = [*range(0, len(items), self._together), len(items)]
        self._sent, symbols = [], []
        for begin, end in pairwise(ends):
            rows = slice(begin, end)
            word, points = self._coded(items[rows], rows, _as_snr_db(capacity[rows].mean()))
            self._sent.append(word)
            symbols.append(points)
        self._symbols = torch.from_numpy(np.concatenate(symbols)).to(images.device)
        return self._symbols

    def decode(self, symbols: Tensor, state: ChannelState, generator: torch.Generator) -> Tensor:
        """What arrives of the codewords sent last that meet enough SNR, else what is lost.

        Raises
        ------
        SemlossError
            When the symbols (B, k) are not those that were sent last.
        """
        if symbols.shape != self._symbols.shape:
            raise self._others()
        promised = _capacity(state, len(symbols))
        capacity = _met(symbols, self._symbols, state.gain, promised)
        content, arrived, sure = [], [], []
        for word in self._sent:
            known, met = (_as_snr_db(one[word.rows].mean()) for one in (promised, capacity))
            good = met >= word.needed_db - 1e-6
            content.append(word.content if good else self.lost(word.content))
            arrived += [good] * len(word.content)
            sure += [known > max(word.needed_db, KNOWN_FROM_DB)] * len(word.content)
        alike = _alike(symbols, self._symbols, state.gain).cpu()[torch.tensor(sure)].mean()
        if self._k >= KNOWN_FROM_K and alike < ALIKE:  # nan is not: no image is sure to be known
            raise self._others()
        self.delivered = torch.tensor(arrived)
        return self.given(np.concatenate(content)).to(symbols.device)

    def _coded(
        self, items: NDArray[Any], rows: slice, snr_db: float
    ) -> tuple[_Codeword, NDArray[np.complex64]]:
        """The codeword of some rows, and its symbols (m, k)."""
        count, modcod, found = len(items), self._options.scheme(snr_db), None
        if modcod is not None:
            found = self.message(items, math.floor(count * self._k * modcod.efficiency))
        file, content = found or (items.tobytes(), self.lost(items))
        rng = np.random.default_rng(zlib.crc32(file))
        symbols = _points(modcod, count * self._k, rng).reshape(count, self._k)
        symbols /= np.sqrt(np.mean(np.abs(symbols) ** 2, axis=1, keepdims=True))
        needed = math.inf if found is None or modcod is None else modcod.es_n0_db
        return _Codeword(rows, needed, content), symbols.astype(np.complex64)

    def _others(self) -> SemlossError:
        return SemlossError(
            f"{self._options.label} decodes the symbols that it encoded last, and these are others"
        )


class PictureNetwork(DigitalNetwork):
    """Network of a `PictureCodec`: rows are images, uint8 (B, H, W, C)."""

    def __init__(self, options: PictureCodec, k: int) -> None:
        super().__init__(options, k, options.tiles)
        self._file = options.file

    def prepared(self, images: Tensor) -> NDArray[Any]:
        """Images in whole levels."""
        pixels = (images.float() * 255).round().clamp(0, 255).byte()
        array: NDArray[np.uint8] = pixels.permute(0, 2, 3, 1).cpu().numpy()
        return array

    def message(self, items: NDArray[Any], bits: int) -> tuple[bytes, NDArray[Any]] | None:
        """The best file of their mosaic."""
        found = within(mosaic(items), self._file, bits)
        return None if found is None else (found[0], cut(found[1], items.shape))

    def lost(self, items: NDArray[Any]) -> NDArray[Any]:
        """Grey images."""
        return np.full_like(items, round(GREY * 255))

    def given(self, content: NDArray[Any]) -> Tensor:
        """Images (B, C, H, W) in [0, 1]."""
        return torch.from_numpy(content).permute(0, 3, 1, 2).float() / 255


def _alike(symbols: Tensor, known: Tensor, gain: Tensor | None) -> Tensor:
    """Likeness (B,) in 0 … 1 of symbols (B, k), equalised or not, to those that were sent."""
    ways = [symbols] if gain is None else [symbols, symbols * gain.conj()]
    return torch.stack(
        [(one * known.conj()).sum(1).abs() / (one.norm(dim=1) * known.norm(dim=1)) for one in ways]
    ).amax(0)


def mosaic(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images (m, H, W, C) side by side as one, about square; what is left over is their mean."""
    count, height, width, bands = images.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    empty = rows * columns - count
    mean = images.mean(axis=(0, 1, 2)).round().astype(np.uint8)
    filled = np.concatenate([images, np.broadcast_to(mean, (empty, height, width, bands))])
    grid = filled.reshape(rows, columns, height, width, bands).swapaxes(1, 2)
    return np.ascontiguousarray(grid.reshape(rows * height, columns * width, bands))


def cut(image: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Undo `mosaic`: the images of a shape (m, H, W, C)."""
    count, height, width, bands = shape
    rows, columns = image.shape[0] // height, image.shape[1] // width
    grid = image.reshape(rows, height, columns, width, bands).swapaxes(1, 2)
    return grid.reshape(-1, height, width, bands)[:count]


def _points(modcod: ModCod | None, count: int, rng: np.random.Generator) -> NDArray[np.complex128]:
    """Symbols of a stream: of the most robust constellation where no MODCOD closes."""
    if modcod is not None and modcod.name == "Shannon":
        return rng.normal(size=count) + 1j * rng.normal(size=count)
    points = np.array(constellation("QPSK 1/4" if modcod is None else modcod.name))
    return np.asarray(points[rng.integers(len(points), size=count)])


def _capacity(state: ChannelState, count: int) -> Array:
    """Bits per symbol (B,) that each image's symbols can carry, as far as is known of the link."""
    snr_db = torch.as_tensor(state.snr_db, dtype=torch.float64).cpu().expand(count)
    snr = (10 ** (snr_db / 10))[:, None]
    if state.gain is not None:
        snr = snr * state.gain.detach().cpu().abs().double().square()
    return np.asarray(torch.log2(1 + snr).mean(dim=1))


def _met(symbols: Tensor, sent: Tensor, gain: Tensor | None, promised: Array) -> Array:
    """Bits per symbol (B,) that each image's symbols came in with: as promised, or less.

    Less where the error that is left after the best complex gain is more than noise explains; its
    power over k symbols is known to 1/sqrt(k). Gains that change from symbol to symbol hide it.
    """
    k = symbols.shape[1]
    if k < KNOWN_FROM_K or (gain is not None and gain.shape[1] > 1):
        return promised
    best = (symbols * sent.conj()).mean(1, True) / sent.abs().square().mean(1, True)
    error = (symbols - best * sent).abs().square().mean(1).double().clamp_min(1e-30)
    snr = (best[:, 0].abs().double().square() / error).cpu().numpy()
    worse = snr * (1 + BEYOND_NOISE / math.sqrt(k)) < 2**promised - 1
    return np.where(worse, np.log2(1 + snr), promised)


def _as_snr_db(capacity: float) -> float:
    """Es/N0 in dB at which AWGN has this capacity in bits per symbol."""
    snr = 2.0 ** float(capacity) - 1
    # there and back is the same to the last digits, which must not decide at a threshold
    return round(10 * math.log10(snr), 9) if snr > 0 else -math.inf
