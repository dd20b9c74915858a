"""The steps of a pack as one CUDA graph, every member's on a stream of its own.

A step of a small network is some three hundred launches, which take longer to be made than to be
done. Captured once, they are replayed as one; and members on streams of their own fill the card
together. Whatever changes from step to step lies on the device: a block of the next steps'
positions and learning rates, and the number of the step within the block.
"""

import time
import warnings
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from semloss.interruption import look
from semloss.training.member import Training
from semloss.training.streamed import Streamed, bring

#: Most steps of a block, after which losses are looked at and checkpoints kept.
BLOCK = 250

#: Seconds that a block takes at most, about.
BLOCK_S = 3.0

#: Steps before a capture: they allocate gradients and momenta and choose algorithms.
WARM_UP = 2


class Branch:
    """One member's steps of a block, whose data it reads from the device."""

    def __init__(self, training: Training) -> None:
        self.training = training
        member, device = training.member, training.device
        size = min(member.recipe.batch_size, member.n_items)
        self._positions = torch.zeros(BLOCK, size, dtype=torch.int64, device=device)
        self._rates = torch.zeros(BLOCK, device=device)
        self._progress = torch.zeros(BLOCK, device=device)
        self._lr = torch.zeros((), device=device)
        self._losses = torch.zeros(BLOCK, device=device)

    def fill(self, n: int) -> Tensor:
        """Put the next n steps onto the device; the positions (n, B) that they read."""
        positions, rates, progress = zip(*self.training.lessons(n), strict=True)
        self._positions[:n].copy_(torch.stack(positions))
        self._rates[:n].copy_(torch.tensor(rates))
        self._progress[:n].copy_(torch.tensor(progress))
        return torch.stack(positions)

    def step(self, at: Tensor) -> None:
        """Take the step of the block that `at` (1,) says."""
        self._lr.copy_(self._rates.index_select(0, at).view(()))
        positions = self._positions.index_select(0, at).view(-1)
        progress = self._progress.index_select(0, at).view(())
        loss = self.training.step(positions, self._lr, progress)
        self._losses.index_copy_(0, at, loss.float().view(1))

    def losses(self, n: int) -> list[float]:
        """Losses of the first n steps; waits for the device."""
        found: list[float] = self._losses[:n].tolist()
        return found


class Graph:
    """The captured step of a pack; a call replays a block of steps.

    Raises
    ------
    torch.OutOfMemoryError
        When the pack is too large.
    RuntimeError
        When a step cannot be captured. The members are as they were.
    """

    def __init__(self, pack: Sequence[Training]) -> None:
        self._pack = pack
        self._at = torch.zeros(1, dtype=torch.int64, device=pack[0].device)
        self._branches = [Branch(one) for one in pack]
        self._streams = [torch.cuda.Stream() for _ in pack]  # type: ignore[no-untyped-call]
        self._block, self._held = WARM_UP, steps_held(pack)
        self._graph = torch.cuda.CUDAGraph()
        before = [one.snapshot() for one in pack]
        try:
            first = torch.zeros(
                1, dtype=torch.int64
            )  # which all steps read before a block is filled
            bring([(one.member.reading, first) for one in pack])
            with warnings.catch_warnings():  # Adam's, that its step is not captured
                warnings.simplefilter("ignore")
                for _ in range(WARM_UP):
                    self._fork()
            _put_back(before)
            self._capture()
        except RuntimeError:
            _put_back(before)
            raise

    def _capture(self) -> None:
        for one in self._pack:
            for stream in (one.draws.augment, one.draws.channel):
                self._graph.register_generator_state(stream)
        # the outer context brings the stream back where a capture fails
        with torch.cuda.stream(torch.cuda.current_stream()), torch.cuda.graph(self._graph):
            self._fork()
            self._at += 1

    def _fork(self) -> None:
        """A step of every member, each on its own stream."""
        trunk = torch.cuda.current_stream()
        for branch, stream in zip(self._branches, self._streams, strict=True):
            stream.wait_stream(trunk)
            with torch.cuda.stream(stream):
                branch.step(self._at)
        for stream in self._streams:
            trunk.wait_stream(stream)

    def __call__(self) -> list[list[float]]:
        """Take the steps of a block; the losses of each member."""
        n = min(self._block, self._held, *(one.left for one in self._pack))
        filled = [(one.training.member.reading, one.fill(n).flatten()) for one in self._branches]
        bring(filled)
        self._at.zero_()
        started = time.monotonic()
        for _ in range(n):
            look()
            self._graph.replay()
        losses = [branch.losses(n) for branch in self._branches]
        a_step_s = (time.monotonic() - started) / n
        self._block = max(1, min(BLOCK, int(BLOCK_S / a_step_s)))
        return losses


def steps_held(pack: Sequence[Training]) -> int:
    """Steps of a pack whose items the device holds at once, where they are streamed."""
    sizes: dict[Streamed, int] = {}
    for one in pack:
        member = one.member
        if member.reading is not None:
            size = min(member.recipe.batch_size, member.n_items)
            sizes[member.reading.stream] = sizes.get(member.reading.stream, 0) + size
    return min((max(1, stream.room // size) for stream, size in sizes.items()), default=BLOCK)


def _put_back(before: Sequence[Callable[[], None]]) -> None:
    torch.cuda.synchronize()
    for put_back in before:
        put_back()
