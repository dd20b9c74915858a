"""One pack at a time, in this process."""

from collections.abc import Sequence
from typing import Any

from semloss.collect.engines.base import ENGINES, pack_of
from semloss.collect.units import Job, Unit
from semloss.collect.work import Result, do_pack


class Serial:
    """One pack at a time, in this process."""

    jobs = 1

    def __init__(self, together: int = 1) -> None:
        self._together = together

    def take(self, ready: Sequence[Unit]) -> Sequence[Unit]:
        """The first unit; on a GPU those like it too."""
        return pack_of(ready, self._together)

    def submit(self, pack: Sequence[Job]) -> Sequence[Job]:
        """Keep the pack; it is done when its result is asked for."""
        return pack

    def wait_any(self, handles: list[Any], timeout_s: float) -> list[Any]:
        """The first pack is always ready to be done."""
        return handles[:1]

    def result(self, handle: Sequence[Job]) -> list[Result]:
        """Do the pack."""
        return do_pack(handle)

    def close(self) -> None:
        """Nothing runs between two packs."""


ENGINES["serial"] = lambda workers: Serial(workers.together)
