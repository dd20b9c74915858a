"""Items too many for a GPU's memory: those of the next steps lie there, brought in blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

#: Bytes that are read and copied at a time: while one part is copied the next is read.
PART = 1 << 26


class Streamed:
    """Rows of an array on the host, of which a device holds what was brought last.

    Parameters
    ----------
    rows
        (N, ...), in memory or mapped from a file.
    room
        Rows that the device holds at a time.
    device
        Where they are brought.
    """

    def __init__(self, rows: NDArray[Any], room: int, device: torch.device) -> None:
        self.rows, self.room = rows, min(room, len(rows))
        empty = torch.from_numpy(rows[:0].copy())
        self._held = torch.empty(self.room, *rows.shape[1:], dtype=empty.dtype, device=device)
        #: Where each row lies; -1, which no tensor can be asked for, where it is not here.
        self._place = torch.full((len(rows),), -1, device=device)

    def bring(self, wanted: Tensor) -> None:
        """Put rows (M,) onto the device, `room` different ones at most, in place of the last.

        Tensors stay where they are in memory, so that a captured step finds the new rows.
        """
        which = np.unique(wanted.cpu().numpy())
        size = max(1, PART // max(1, self.rows[:1].nbytes))
        for first in range(0, len(which), size):
            part = torch.from_numpy(self.rows[which[first : first + size]])
            if self._held.is_cuda:
                part = part.pin_memory()
            self._held[first : first + len(part)].copy_(part, non_blocking=True)
        self._place.fill_(-1)
        here = torch.from_numpy(which).to(self._place.device)
        self._place[here] = torch.arange(len(which), device=self._place.device)

    def at(self, which: Tensor) -> Tensor:
        """Rows (B, ...) that were brought, at places (B,) on the device."""
        return self._held.index_select(0, self._place.index_select(0, which))


@dataclass(frozen=True)
class Reading:
    """What a training reads: the stream, and the row of each of its items (n_items,)."""

    stream: Streamed
    rows: Tensor


def bring(wanted: Sequence[tuple[Reading | None, Tensor]]) -> None:
    """Bring the next items (M,) of each training of a pack; they may share a stream."""
    own: dict[Streamed, list[Tensor]] = {}
    for reading, items in wanted:
        if reading is not None:
            own.setdefault(reading.stream, []).append(reading.rows[items.cpu()])
    for stream, rows in own.items():
        stream.bring(torch.cat(rows))
