"""One network on its way through a training: what it is taught by, and where it stands."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from semloss.training.checkpoint import Learner, Trained, resume_training, save_training
from semloss.training.draws import Draws, batches
from semloss.training.recipe import Recipe
from semloss.training.streamed import Reading

#: Seconds between two checkpoints of a training in progress: what an interruption may cost.
CHECKPOINT_EVERY_S = 15.0

#: Steps between two looks at the loss, whether it is finite.
LOOK_EVERY = 25

#: Loss of one batch, given the positions (B,) of its items and the random streams.
BatchLoss = Callable[[Tensor, Draws], Tensor]


@dataclass(frozen=True)
class Companion:
    """A second network that is trained beside the first, by a loss of its own.

    Attributes
    ----------
    network
        Module on its device.
    loss
        Its loss for the batch that the first network's loss was just taken of.
    """

    network: nn.Module
    loss: Callable[[], Tensor]


@dataclass(frozen=True)
class Member:
    """A network of a pack, with all that its training depends on.

    Attributes
    ----------
    network
        Module on its device, in its memory format. It is trained in place.
    loss_of
        Loss of a batch, given item positions and the random streams. On a GPU it is called a few
        times in all and then replayed: what it does may not depend on the values of tensors.
    n_items
        Number of training items.
    recipe
        Length and manner of the training.
    key
        Content key: data order, augmentation and channel noise are derived from it.
    checkpoint
        File that carries the training across interruptions. It is there at the end too, until
        the caller has stored the network and removes it.
    companion
        Further network, which takes a step of the same recipe after each of the first.
    reading
        Where the items come from that its device does not hold all at once.
    """

    network: nn.Module
    loss_of: BatchLoss
    n_items: int
    recipe: Recipe
    key: str
    checkpoint: Path | None = None
    companion: Companion | None = None
    reading: Reading | None = None


class Training:
    """A member with its optimisers and random streams, taken up where its checkpoint left it."""

    def __init__(self, member: Member) -> None:
        self.member = member
        recipe = member.recipe
        self.learners = {"": Learner.of(member.network, recipe)}
        if member.companion is not None:
            self.learners["companion."] = Learner.of(member.companion.network, recipe)
        self.device = self.learners[""].parameters[0].device
        self.draws = Draws.seeded(member.key, self.device)
        self.done = Trained()
        if member.checkpoint is not None and member.checkpoint.exists():
            self.done = resume_training(member.checkpoint, self.learners, self.draws, member.key)
        self._order = batches(member.n_items, recipe.batch_size, member.key, self.done.steps)
        self._saved_at = time.monotonic()
        member.network.train()

    @property
    def left(self) -> int:
        """Steps that are left; none once it has diverged."""
        return 0 if self.done.failure else self.member.recipe.steps - self.done.steps

    @property
    def until_look(self) -> int:
        """Steps until the loss is looked at."""
        return min(LOOK_EVERY - self.done.steps % LOOK_EVERY, self.left)

    def lessons(self, n: int) -> Iterator[tuple[Tensor, float, float]]:
        """Positions (B,), learning rate and progress in [0, 1) of the next n steps."""
        recipe = self.member.recipe
        for step in range(self.done.steps, self.done.steps + n):
            yield next(self._order), recipe.lr_at(step), step / recipe.steps

    def step(self, positions: Tensor, lr: float | Tensor, progress: float | Tensor) -> Tensor:
        """Take one step; return its loss, which nobody has looked at yet."""
        self.draws.progress.fill_(progress)
        loss = self.member.loss_of(positions, self.draws)
        self.learners[""].step(loss, lr)
        if self.member.companion is not None:
            self.learners["companion."].step(self.member.companion.loss(), lr)
        return loss.detach()

    def take_in(self, losses: Sequence[float], cpu_s: float) -> None:
        """Note what some steps gave and cost, keep a checkpoint when one is due.

        Raises
        ------
        SemlossError
            When the checkpoint cannot be written.
        """
        done, steps = self.done, self.member.recipe.steps
        window = max(1, steps // 20)
        done.cpu_s += cpu_s
        for loss in losses:
            done.steps += 1
            done.open_loss += loss
            if done.steps % window == 0:
                done.losses.append(done.open_loss / window)
                done.open_loss = 0.0
            looked_at = done.steps % LOOK_EVERY == 0 or done.steps == steps
            if looked_at and not all(map(math.isfinite, [done.open_loss, *done.losses[-1:]])):
                done.failure = f"the loss was no longer finite at step {done.steps}"
                return
        due = time.monotonic() - self._saved_at > CHECKPOINT_EVERY_S or done.steps == steps
        if self.member.checkpoint is not None and due:
            save_training(self.member.checkpoint, self.learners, self.draws, self.member.key, done)
            self._saved_at = time.monotonic()

    def snapshot(self) -> Callable[[], None]:
        """Remember all that a step changes; the result puts it back, where it lies in memory."""
        before = {
            start + name: value.clone()
            for start, learner in self.learners.items()
            for name, value in learner.tensors()
        }
        streams = self.draws.augment.get_state(), self.draws.channel.get_state()

        @torch.no_grad()
        def put_back() -> None:
            for start, learner in self.learners.items():
                for name, value in learner.tensors():
                    if start + name in before:
                        value.copy_(before[start + name])
                    else:  # a momentum that there was none of yet
                        value.zero_()
            # new ones: those of a capture that failed are of no use any more
            self.draws.augment, self.draws.channel = (
                torch.Generator(self.device).set_state(state) for state in streams
            )

        return put_back
