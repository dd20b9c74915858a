"""A cell's codec with its weights: encode, transmit, decode, classify on arrays."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from semloss.channels import CHANNELS, Channel
from semloss.codecs import CODECS, ChannelState, Codec, CodecNetwork, Realisation
from semloss.collect.sections import Use
from semloss.errors import SemlossError
from semloss.identity import seed_for
from semloss.metrics import Delivery
from semloss.sending.cells import Cell, choose_cell
from semloss.tasks import TASKS, Classifier

Images = NDArray[Any]
Symbols = NDArray[np.complex64]


@dataclass(frozen=True)
class Heard:
    """What the receiver has of N images.

    Attributes
    ----------
    symbols
        complex64 (N, k) after the channel, and its equaliser where there is one.
    snr_db
        Es/N0 in dB at which they were sent.
    gain
        Gains h that the receiver knows, complex64 (N, 1) or (N, k); None without fading.
    """

    symbols: Symbols
    snr_db: float
    gain: Symbols | None = None


@dataclass(frozen=True)
class LoadedReceiver:
    """A classifier: what it was trained on ("clean"), and its task's name, "" of the first."""

    use: str
    task: str
    network: nn.Module


@dataclass(frozen=True)
class LoadedCodec:
    """A trained codec over its channel, and the task models that listen to it.

    Images are arrays (N, H, W, C) of the shape that the codec was trained for (`shape`, C, H, W):
    uint8, or floating point in [0, 1]. Symbols are complex64 (N, k) of unit mean power.

    Attributes
    ----------
    cell
        Where it is from.
    codec, channel, realisation
        Its options, channel and CR.
    network
        The codec's network.
    receivers
        Classifiers by what they were trained on ("clean", "matched", "deployable"); after the
        first one's those of others, with their names ("matched resnet8-width32").
    notes
        What a reader should know of the choice of the cell.
    """

    cell: Cell
    codec: Codec
    channel: Channel
    realisation: Realisation
    network: CodecNetwork
    receivers: Mapping[str, LoadedReceiver]
    device: torch.device
    notes: tuple[str, ...] = field(default=())

    @property
    def shape(self) -> tuple[int, int, int]:
        """Bands, height and width of an image."""
        bands, height, width = self.cell.rebuild["shape"]
        return bands, height, width

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that the task models know."""
        return tuple(self.cell.rebuild["classes"])

    @property
    def delivers(self) -> Delivery:
        """What comes out: "image", "maps" or "answer"."""
        return self.codec.delivers

    def encode(self, images: Images, snr_db: float | None = None) -> Symbols:
        """Encode images to symbols (N, k) for a link of `snr_db`, by default the cell's."""
        with torch.inference_mode():
            state = ChannelState(self.channel.told_db(self._snr_db(snr_db)))
            symbols: Symbols = self.network.encode(self._tensor(images), state).cpu().numpy()
        return symbols

    def transmit(self, symbols: Symbols, snr_db: float | None = None, seed: int = 0) -> Heard:
        """Send symbols (N, k) over the channel at an Es/N0 in dB, by default the cell's.

        Noise and gains follow from `seed`; where the channel fades slowly, each image has a gain
        of its own.
        """
        symbols = np.asarray(symbols)
        if symbols.ndim != 2 or symbols.shape[1] != self.realisation.k:
            raise SemlossError(
                f"symbols = {symbols.dtype} {symbols.shape}: this codec sends complex64 "
                f"(N, {self.realisation.k})"
            )
        level = self._snr_db(snr_db)
        generator = self._generator(seed, "channel")
        sent = torch.from_numpy(symbols.astype(np.complex64)).to(self.device)
        with torch.inference_mode():
            received = self.channel.propagate(sent, level, generator)
        gain = None if received.gain is None else received.gain.cpu().numpy()
        return Heard(received.symbols.cpu().numpy(), level, gain)

    def decode(self, heard: Heard, seed: int = 0) -> Images:
        """Decode what was received to float32 images (N, H, W, C) in [0, 1].

        A decoder that draws takes its draws from `seed`.

        Raises
        ------
        SemlossError
            When the codec sends no image.
        """
        self._refuse_other_than_images()
        images = self._delivered(heard, seed)
        return np.ascontiguousarray(images.float().permute(0, 2, 3, 1).cpu().numpy())

    def answer(
        self, heard: Heard, receiver: str = "matched", seed: int = 0
    ) -> tuple[list[str], NDArray[np.float32]]:
        """Answers of a task model to what was received, be it images, maps or answers.

        Parameters and result are those of `decode` and `classify`.
        """
        return self._said(self._delivered(heard, seed), receiver)

    def classify(
        self, images: Images, receiver: str = "matched"
    ) -> tuple[list[str], NDArray[np.float32]]:
        """Answers of a task model to images as they are, and how sure it is of each.

        Parameters
        ----------
        images
            (N, H, W, C), sent or received.
        receiver
            "clean": trained on clean images; "matched": on what this cell delivers.

        Returns
        -------
        tuple
            Class names, and the share of certainty (N,) that the model gives them.

        Raises
        ------
        SemlossError
            When the run has no such classifier, or the codec's read no images.
        """
        self._refuse_other_than_images()
        return self._said(self._tensor(images), receiver)

    def _refuse_other_than_images(self) -> None:
        if self.delivers != "image":
            raise SemlossError(
                f"codec {self.codec.label} sends no image: it delivers {self.delivers}; choose "
                "the cell of another codec (in Python, answer() tells what is made of that)"
            )

    def _delivered(self, heard: Heard, seed: int) -> Tensor:
        """What the decoder makes of what was received."""
        gain = None if heard.gain is None else torch.from_numpy(heard.gain).to(self.device)
        state = ChannelState(heard.snr_db, gain)
        with torch.inference_mode():
            symbols = torch.from_numpy(heard.symbols).to(self.device)
            return self.network.decode(symbols, state, self._generator(seed, "decoder"))

    def _said(self, delivered: Tensor, receiver: str) -> tuple[list[str], NDArray[np.float32]]:
        """Classes, and how sure a task model is of each."""
        if receiver not in self.receivers:
            there = ", ".join(self.receivers) or "none"
            raise SemlossError(
                f"receiver = {receiver!r}: this cell has no such classifier; there are {there}"
            )
        with torch.inference_mode():
            outputs = self.receivers[receiver].network(delivered).float()
        sure, said = outputs.softmax(1).max(1)
        return [self.classes[at] for at in said.tolist()], sure.cpu().numpy()

    def _snr_db(self, snr_db: float | None) -> float:
        return self.cell.snr_db if snr_db is None else float(snr_db)

    def _generator(self, seed: int, purpose: str) -> torch.Generator:
        return torch.Generator(self.device).manual_seed(seed_for(f"{seed}", f"send/{purpose}"))

    def _tensor(self, images: Images) -> Tensor:
        """float32 (N, C, H, W) in [0, 1], checked."""
        array = np.asarray(images)
        bands, height, width = self.shape
        number = array.dtype == np.uint8 or np.issubdtype(array.dtype, np.floating)
        if not number or array.ndim != 4 or array.shape[1:] != (height, width, bands):
            raise SemlossError(
                f"images = {array.dtype} {array.shape}: this codec takes uint8, or floating point "
                f"in [0, 1], of (N, {height}, {width}, {bands}); semloss.send_scene cuts larger "
                "ones into tiles"
            )
        scale = 255.0 if array.dtype == np.uint8 else 1.0
        pixels = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)) / scale
        if not bool(((pixels >= 0) & (pixels <= 1)).all()):
            raise SemlossError("images: floating-point values lie in [0, 1]; divide by their range")
        return pixels.permute(0, 3, 1, 2).to(self.device, memory_format=torch.channels_last)


def load_codec(
    run: Path | str,
    cell: str | None = None,
    *,
    cr: float | None = None,
    snr_db: float | None = None,
    where: Mapping[str, str] | None = None,
    device: str = "cpu",
) -> LoadedCodec:
    """Load the trained codec of a cell, with its channel and task models.

    Parameters
    ----------
    run, cell, cr, snr_db, where
        Which cell; see `choose_cell`. What is not the cell asked for is told in `notes`.
    device
        "cpu" or "cuda".

    Raises
    ------
    SemlossError
        When there is no such cell, several are as near, or its weights are not whole.
    """
    chosen, notes = choose_cell(run, cell, cr=cr, snr_db=snr_db, where=where)
    told = chosen.rebuild
    place = torch.device(device)
    codec = CODECS.parse(told["codec"], "codec")
    realisation = Realisation(**told["realisation"])
    shape = (told["shape"][0], told["shape"][1], told["shape"][2])
    network = codec.build(shape, realisation, 0)
    weights = {role: chosen.run / f"{name}.safetensors" for role, name in told["weights"].items()}
    tasks = {label: TASKS.parse(options, "task") for label, options in told["tasks"].items()}

    def model_of(role: str) -> nn.Module:
        model = tasks[role.partition(" ")[2]].build(shape[0], len(told["classes"]), 0)
        _load(weights[role], model)
        return model

    on_board = codec.runs(list(tasks))
    if on_board is not None:
        network.attend(_placed(model_of(f"clean {on_board}"), torch.device("cpu")))
    if "codec" in weights:
        _load(weights["codec"], network)
    receivers: dict[str, LoadedReceiver] = {}
    hear = [
        label
        for label, task in tasks.items()
        if isinstance(task, Classifier) and (task.reads == codec.delivers or label == on_board)
    ]
    for label, use in product(hear, get_args(Use)):
        if (role := f"{use} {label}") in weights:
            model = codec.listening(model_of(role), shape)
            own = "" if label == hear[0] else label
            receivers[f"{use} {own}".strip()] = LoadedReceiver(use, own, _placed(model, place))
    return LoadedCodec(
        chosen,
        codec,
        CHANNELS.parse(told["channel"], "channel"),
        realisation,
        _placed(network, place),
        receivers,
        place,
        tuple(notes),
    )


def _load(path: Path, network: nn.Module) -> None:
    try:
        network.load_state_dict(load_file(path))
    except (SafetensorError, OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise SemlossError(f"{path}: no whole weights ({reason}); collect the run again") from None


def _placed(network: nn.Module, device: torch.device) -> Any:  # noqa: ANN401 - what it was given
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.eval()
