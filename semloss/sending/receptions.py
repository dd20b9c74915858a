"""The same tiles over several links, side by side: what arrives, and what is answered to it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from semloss.answers import Answer, laid_out
from semloss.collect.stages.reception import BATCH
from semloss.errors import SemlossError
from semloss.layout import columns
from semloss.metrics.distortion import Psnr
from semloss.objectives import importance_maps
from semloss.reports import look
from semloss.sending.cells import cells_of
from semloss.sending.loaded import LoadedCodec, load_codec
from semloss.sending.measured_on import images_of
from semloss.sources import ImageSet
from semloss.tables.cells import cell_is, cell_text
from semloss.text import meant

_TOLD_APART = ("codec_label", "objective", "channel")
"""Columns of the cells table by which links of a run are told apart, first come first."""
_CALLED = {"codec": "codec_label"}


@dataclass(frozen=True)
class ReceivedTiles:
    """What one link made of the tiles.

    Attributes
    ----------
    name, cell
        What the link is called, and its trained cell.
    images
        float32 (N, H, W, C) in [0, 1].
    psnr_db
        (N,).
    answers
        Class of each tile by task model ("clean", "matched"); empty without any.
    """

    name: str
    cell: str
    images: NDArray[np.float32]
    psnr_db: NDArray[np.float64]
    answers: Mapping[str, Sequence[str]]

    @property
    def receiver(self) -> str | None:
        """The task model whose answer is shown: the one asked, or matched where there is one."""
        return "matched" if "matched" in self.answers else next(iter(self.answers), None)


@dataclass(frozen=True)
class Receptions(Answer):
    """Tiles (N, H, W, C), their names and classes, and what each link made of them.

    `importance` tells where the tiles matter to a task model, (N, H, W), 1 on average, and `to`
    which it is; None where that was not asked.
    """

    tiles: NDArray[np.uint8]
    names: Sequence[str]
    labels: Sequence[str]
    at: str
    links: Sequence[ReceivedTiles]
    notes: Sequence[str] = ()
    importance: NDArray[np.float32] | None = None
    to: str = ""

    @property
    def assumed(self) -> dict[str, str]:
        """The cells."""
        told = {f"{one.name} is {one.cell}" for one in self.links}
        return {"links": "; ".join(sorted(told)), "channel": "the same seed over each link"}

    def rows(self) -> list[dict[str, Any]]:
        """A record for each tile over each link."""
        return [
            {
                "tile": name, "class": self.labels[at], "link": one.name, "cell": one.cell,
                "psnr_db": float(one.psnr_db[at]),
                **{f"answer_{who}": said[at] for who, said in one.answers.items()},
            }
            for at, name in enumerate(self.names) for one in self.links
        ]  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """The rows."""
        return {"at": self.at, "receptions": self.rows()}

    def text(self) -> str:
        """A line for each tile: PSNR and answer over each link."""
        body = []
        for at, name in enumerate(self.names):
            told = []
            for one in self.links:
                said = [one.answers[one.receiver][at]] if one.receiver else []
                told.append(", ".join([f"{one.psnr_db[at]:.1f} dB", *said]))
            body.append([name, self.labels[at], *told])
        head = ["tile", "class", *(one.name for one in self.links)]
        return laid_out(f"what arrives at {self.at}", self.assumed, columns(head, body))

    def plot(self, path: Path | str) -> None:
        """Draw a row for each tile: as it was sent, what matters in it, and as it arrives.

        Under each, PSNR and the task model's answer, in another colour where it is wrong. The
        figures lie beside the picture.
        """
        _gallery(self, path)


def receptions(
    runs: Sequence[Path],
    by: str | None = None,
    *,
    cr: float,
    snr_db: float,
    where: Mapping[str, str] | None = None,
    count: int = 6,
    seed: int = 0,
    receiver: str | None = None,
    importance: bool = False,
    path: Path | None = None,
) -> Receptions:
    """Send some test tiles over each link of a run, or of several runs.

    Parameters
    ----------
    runs
        Run folders; of several, each is a link.
    by
        What tells the links of one run apart: "codec", "objective", "channel" or a column of the
        cells table; by default the first of these that has several values, or the one link.
    cr, snr_db, where
        Which cell of each link: the nearest; see `choose_cell`.
    count
        Tiles: test images of the first run, of its classes in turn.
    seed
        Of the channel's draws, the same for each link.
    receiver
        The task model that answers, as `LoadedCodec.receivers` calls it: "matched vgg"; by default
        the first one, matched and clean.
    importance
        Also tell where the tiles matter to it, as it was trained on clean images
        (`importance_maps`).
    path
        Where the first run's images lie now, if they have moved.

    Raises
    ------
    SemlossError
        When no cell is asked for, the images are not there, or no link has the receiver.
    """
    chosen: list[tuple[str, LoadedCodec]] = []
    notes: list[str] = []
    for name, run, own in _links(runs, by, where or {}):
        codec = load_codec(run, cr=cr, snr_db=snr_db, where=own)
        if codec.delivers == "image":
            chosen.append((name, codec))
            notes += codec.notes
        else:
            notes.append(f"{name} sends no image and is left out: it delivers {codec.delivers}")
    there = dict.fromkeys(name for _, codec in chosen for name in codec.receivers)
    if receiver is not None and receiver not in there:
        raise SemlossError(f"--receiver {receiver}: no link has it; {meant(receiver, there)}")
    images, test = _tiles(Path(runs[0]), path)
    # as many as a measurement sends at once: codecs may have them share a codestream
    batch, some = images.images[test[: max(count, BATCH)]], test[:count]
    uses = [receiver] if receiver else ["clean", "matched"]
    links = [_received(name, codec, batch, snr_db, seed, count, uses) for name, codec in chosen]
    to = f"clean {(receiver or '').partition(' ')[2]}".strip()
    brain = next((one.receivers[to].network for _, one in chosen if to in one.receivers), None)
    if importance and brain is None:
        raise SemlossError("--importance: the run has no classifier that the tiles matter to")
    return Receptions(
        images.images[some], images.names(some), [images.classes[at] for at in images.labels[some]],
        chosen[0][1].cell.place if chosen else "", links, tuple(dict.fromkeys(notes)),
        _importance(brain, images, some) if importance and brain else None, to,
    )  # fmt: skip


def _importance(
    network: nn.Module, images: ImageSet, some: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Where some tiles matter to a classifier, (N, H, W)."""
    tiles = torch.from_numpy(images.images[some].astype(np.float32) / 255).permute(0, 3, 1, 2)
    truth = torch.from_numpy(np.asarray(images.labels[some], dtype=np.int64))
    maps: NDArray[np.float32] = importance_maps("first", network, tiles, truth).numpy()
    return maps


def _links(
    runs: Sequence[Path], by: str | None, where: Mapping[str, str]
) -> list[tuple[str, Path, dict[str, str]]]:
    """Name, run and choice of each link."""
    if len(runs) > 1:
        return [(run.name, run, dict(where)) for run in runs]
    rows = [one.row for one in cells_of(runs[0]).values()]
    rows = [row for row in rows if all(cell_is(row.get(c), v) for c, v in where.items())]
    if not rows:
        asked = ", ".join(f"{column} = {value}" for column, value in where.items())
        raise SemlossError(f"{runs[0]} has no cell with {asked}")
    if by and _CALLED.get(by, by) not in rows[0]:
        raise SemlossError(f"--by {by}: {meant(by, [*_CALLED, *rows[0]])}")
    for column in [_CALLED.get(by, by)] if by else _TOLD_APART:
        values = list(dict.fromkeys(cell_text(row.get(column)) for row in rows))
        if by or len(values) > 1:
            return [(value, runs[0], {**where, column: value}) for value in values]
    return [(cell_text(rows[0]["codec_label"]), runs[0], dict(where))]


def _tiles(run: Path, path: Path | None) -> tuple[ImageSet, NDArray[np.int64]]:
    """The source's images, and positions of the test images, of its classes in turn."""
    images, split = images_of(run, path)
    test = np.array(split["test"], dtype=np.int64)
    order = np.zeros(len(test), dtype=np.int64)
    labels = images.labels[test]
    for label in np.unique(labels):
        own = labels == label
        order[own] = np.arange(own.sum())
    return images, test[np.lexsort((labels, order))]


def _received(
    name: str,
    codec: LoadedCodec,
    batch: NDArray[np.uint8],
    snr_db: float,
    seed: int,
    count: int,
    uses: Sequence[str],
) -> ReceivedTiles:
    """The first tiles of a batch over one link."""
    heard = codec.transmit(codec.encode(batch, snr_db), snr_db, seed)
    tiles, arrived = batch[:count], codec.decode(heard, seed)[:count]
    sent, got = (torch.from_numpy(one).permute(0, 3, 1, 2)
                 for one in (tiles.astype(np.float32) / 255, arrived))  # fmt: skip
    answers = {use: codec.classify(arrived, use)[0] for use in uses if use in codec.receivers}
    return ReceivedTiles(
        name, codec.cell.name, arrived, Psnr().per_image(sent, got).double().numpy(), answers
    )


def _gallery(answer: Receptions, path: Path | str) -> None:
    """The picture of `Receptions`."""
    links, tiles = answer.links, answer.tiles
    title = f"What arrives of the same tiles at {answer.at}"
    heard = sorted({one.receiver for one in links if one.receiver})
    about = f"PSNR, and the answer of the {' or '.join(heard)} task model" if heard else "PSNR"
    maps = answer.importance
    most = 0.0 if maps is None else float(maps.max())
    if maps is not None:
        about += (
            f"; importance to the {answer.to} one: dark 0, bright {most:.2g} times a tile's mean"
        )
    names = ["sent", *["importance"] * (maps is not None), *(one.name for one in links)]
    width = min(look.PAGE, 1.6 * len(names))
    height = len(tiles) * (width / len(names) + 0.3) + 0.3
    table = pd.DataFrame(answer.rows())
    with look.picture(path, width, height, title, about, table) as figure:
        grid = figure.subplots(len(tiles), len(names), squeeze=False)
        for row, tile in enumerate(tiles):
            _show(grid[row][0], tile, answer.labels[row], look.INK)
            if maps is not None:
                grey = tile.mean(axis=2, keepdims=True).astype(np.uint8)
                _show(grid[row][1], grey, "", look.INK)
                grid[row][1].imshow(maps[row], cmap="magma", vmin=0, vmax=most, alpha=0.6)
            for axes, one in zip(grid[row][-len(links) :], links, strict=True):
                said = one.answers[one.receiver][row] if one.receiver else ""
                right = said in ("", answer.labels[row])
                caption = f"{one.psnr_db[row]:.1f} dB" + (f"\n{said}" if said else "")
                _show(axes, one.images[row], caption, look.INK if right else look.ACCENT)
        for axes, name in zip(grid[0], names, strict=True):
            axes.set_title(name, fontsize=7)


def _show(axes: Any, pixels: NDArray[Any], caption: str, color: str) -> None:  # noqa: ANN401
    """One tile with its caption; of other than three bands, the first as grey."""
    shown = pixels if pixels.shape[2] == 3 else np.repeat(pixels[:, :, :1], 3, axis=2)
    axes.imshow(shown, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    broken = re.sub(r"(?<=[a-z]{4})(?=[A-Z])", "\n", caption) if len(caption) > 19 else caption
    axes.set_xlabel(broken, fontsize=6.5, color=color)
