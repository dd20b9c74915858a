"""The training loop, one for every network: packs of them, on a CPU or a GPU.

It is exact under interruption: a run that was stopped and resumed from its checkpoint ends
with the same weights, bit for bit, as one that was not (same machine, same thread count). What
becomes of a member does not depend on the others of its pack.
"""

import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import nn

from semloss.errors import Diverged
from semloss.interruption import look
from semloss.training.checkpoint import Trained
from semloss.training.graph import Graph, steps_held
from semloss.training.member import BatchLoss, Companion, Member, Training
from semloss.training.recipe import Recipe
from semloss.training.streamed import Reading, bring

#: Takes some steps with every member of a pack; gives the loss of each step, by member.
Steps = Callable[[], list[list[float]]]


def train(
    network: nn.Module,
    loss_of: BatchLoss,
    n_items: int,
    recipe: Recipe,
    key: str,
    checkpoint: Path | None = None,
    companion: Companion | None = None,
    reading: Reading | None = None,
) -> Trained:
    """Train one network, a pack of one; the parameters are those of `Member`.

    Raises
    ------
    Diverged
        When the loss is no longer finite.
    SemlossError
        When the checkpoint cannot be written.
    """
    member = Member(network, loss_of, n_items, recipe, key, checkpoint, companion, reading)
    (done,) = train_pack([member])
    if done.failure:
        raise Diverged(done.failure)
    return done


def train_pack(members: Sequence[Member]) -> list[Trained]:
    """Train networks in place and leave those in evaluation mode that did not diverge.

    On a CPU one follows the other. On a GPU they go together, as many as its memory holds.

    Returns
    -------
    list of Trained
        One for each member; `failure` says of one that diverged how.

    Raises
    ------
    SemlossError
        When a checkpoint cannot be written.
    torch.OutOfMemoryError
        When the GPU's memory does not hold a single member.
    """
    trainings = [Training(member) for member in members]
    waiting = trainings
    while waiting:
        together = min(_size(waiting), _Memory.members)
        try:
            _finish(waiting[:together])
        except torch.OutOfMemoryError:
            if together == 1:
                raise
            _Memory.members = together // 2
            _say(f"GPU memory does not hold {together} trainings; {_Memory.members} at a time")
        else:
            waiting = waiting[together:]
    for one in trainings:
        if not one.done.failure:
            one.member.network.eval()
    return [one.done for one in trainings]


class _Memory:
    """What has shown so far of the GPU's."""

    members = sys.maxsize


def _size(trainings: Sequence[Training]) -> int:
    """How many go together: all on a GPU; a core has nothing to gain."""
    return len(trainings) if trainings[0].device.type == "cuda" else 1


def _finish(pack: Sequence[Training]) -> None:
    """Take steps with a pack until none of its members has one left."""
    while left := [one for one in pack if one.left]:
        steps = _steps(left)
        while all(one.left for one in left):
            started = time.process_time()
            losses = steps()
            cpu_s = (time.process_time() - started) / len(left)
            for one, own in zip(left, losses, strict=True):
                one.take_in(own, cpu_s)
        del steps  # a graph's memory goes before the next is captured


def _steps(pack: Sequence[Training]) -> Steps:
    """What takes the steps of a pack: one graph on a GPU, else step by step."""
    if pack[0].device.type == "cuda":
        try:
            return Graph(pack)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:  # a network or a loss that looks at its tensors
            reason = str(error).splitlines()[0]
            _say(f"a training cannot be captured as a graph and is slow ({reason})")
    return partial(_eager, pack)


def _eager(pack: Sequence[Training]) -> list[list[float]]:
    """Steps of each member until the next look, one by one."""
    n = min(steps_held(pack), *(one.until_look for one in pack))
    losses = []
    for one in pack:
        own, lessons = [], list(one.lessons(n))
        bring([(one.member.reading, torch.cat([positions for positions, *_ in lessons]))])
        for positions, lr, progress in lessons:
            look()
            own.append(one.step(positions.to(one.device), lr, progress))
        losses.append([float(loss) for loss in own])
    return losses


def _say(line: str) -> None:
    print(f"semloss: {line}", file=sys.stderr, flush=True)
