"""What became of images that were sent: figures, answers, pictures."""

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semloss.answers import Answer, laid_out
from semloss.layout import columns, number
from semloss.storage import write_atomically
from semloss.units import format_cr


@dataclass(frozen=True)
class SentImage:
    """An image, and what arrived of it.

    Attributes
    ----------
    name
        The image's.
    sent
        (H, W, C) as it was given.
    received
        float32 (H, W, C) in [0, 1].
    snr_db
        Es/N0 in dB at which it was sent.
    tiles, symbols
        Tiles that it was sent in, and complex channel symbols of all together.
    psnr_db
        Of the whole image, for a data range of one.
    answers
        Class of each tile by who says it, "sent", the clean model before the link, "clean" and
        "matched", the task models after it, and by the name of its task, "" for the first one.
        Empty where nothing listens.
    """

    name: str
    sent: NDArray[Any]
    received: NDArray[np.float32]
    snr_db: float
    tiles: int
    symbols: int
    psnr_db: float
    answers: Mapping[tuple[str, str], Sequence[str]]

    @property
    def cr(self) -> float:
        """CR = k/n really used: all symbols over all samples."""
        return self.symbols / self.sent.size

    def row(self) -> dict[str, Any]:
        """The figures; of several tiles, the most frequent answer and the share that kept it."""
        height, width = self.sent.shape[:2]
        row: dict[str, Any] = {
            "image": self.name, "height_px": height, "width_px": width, "tiles": self.tiles,
            "symbols": self.symbols, "cr": self.cr, "snr_db": self.snr_db,
            "psnr_db": self.psnr_db,
        }  # fmt: skip
        for (use, task), said in self.answers.items():
            who = f"{use} {task}".strip()
            row[f"answer_{who}"] = Counter(said).most_common(1)[0][0]
            if use != "sent" and (before := self.answers.get(("sent", task))):
                pairs = zip(said, before, strict=True)
                row[f"kept_{who}"] = float(np.mean([one == other for one, other in pairs]))
        return row

    def write(self, folder: Path) -> list[Path]:
        """Write both, ``NAME.sent.png`` and ``NAME.received.png``; return where.

        One band is grey, three are RGB; of any other number the first is written.
        """
        written = []
        for what, pixels in (("sent", self.sent), ("received", self.received)):
            path = folder / f"{self.name}.{what}.png"
            write_atomically(path, _png(pixels))
            written.append(path)
        return written


@dataclass(frozen=True)
class SentImages(Answer):
    """Images over one trained link.

    Attributes
    ----------
    images
        Each of them.
    cell, trained
        Name of the trained cell, and its CR and SNR in words.
    told
        What it rests on.
    notes
        What a reader should know.
    """

    images: Sequence[SentImage]
    cell: str
    trained: str
    told: Mapping[str, str]
    notes: Sequence[str] = ()

    def rows(self) -> list[dict[str, Any]]:
        """One row for each image."""
        return [one.row() for one in self.images]

    def to_dict(self) -> dict[str, Any]:
        """The cell, and the rows."""
        return {"cell": self.cell, "images": self.rows()}

    def text(self) -> str:
        """A line for each image."""
        rows = self.rows()
        names = [name for name in rows[0] if name not in ("height_px", "width_px", "symbols")]
        written = {"cr": format_cr, "snr_db": "{:g}".format, "psnr_db": "{:.2f}".format,
                   "tiles": "{:d}".format}  # fmt: skip
        body = columns(
            [name.replace("_db", " dB").replace("_", " ") for name in names],
            [
                [written.get(name, lambda one: number(one, ".2f"))(row[name]) for name in names]
                for row in rows
            ],
        )
        return laid_out(f"{self.cell}, trained for {self.trained}", self.told, body)

    @property
    def assumed(self) -> dict[str, str]:
        """Codec, channel, tiles."""
        return dict(self.told)


def _png(pixels: NDArray[Any]) -> bytes:
    """An image (H, W, C) as PNG."""
    if pixels.dtype != np.uint8:
        pixels = np.round(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    shown = pixels if pixels.shape[2] == 3 else pixels[:, :, 0]
    file = io.BytesIO()
    Image.fromarray(shown).save(file, "PNG")
    return file.getvalue()
