"""The training loop, one for every network.

It is exact under interruption: a run that was stopped and resumed from its checkpoint ends
with the same weights, bit for bit, as one that was not (same machine, same thread count).
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from semloss.errors import Diverged
from semloss.interruption import look
from semloss.training.checkpoint import Learner, Trained, resume_training, save_training
from semloss.training.draws import Draws, batches
from semloss.training.recipe import Recipe

#: Seconds between two checkpoints of a training in progress: what an interruption may cost.
CHECKPOINT_EVERY_S = 15.0

#: Steps between two looks at the loss: each look waits for the device.
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


def train(
    network: nn.Module,
    loss_of: BatchLoss,
    n_items: int,
    recipe: Recipe,
    key: str,
    checkpoint: Path | None = None,
    companion: Companion | None = None,
) -> Trained:
    """Train a network in place and leave it in evaluation mode.

    Parameters
    ----------
    network
        Module on its device, in its memory format.
    loss_of
        Loss of a batch, given item positions and the random streams.
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

    Raises
    ------
    Diverged
        When the loss is no longer finite.
    SemlossError
        When the checkpoint cannot be written.
    """
    learner = _learner(network, recipe)
    learners = {"": learner}
    if companion is not None:
        learners["companion."] = _learner(companion.network, recipe)
    device = learner.parameters[0].device
    draws = Draws.seeded(key, device)
    done = Trained()
    if checkpoint is not None and checkpoint.exists():
        done = resume_training(checkpoint, learners, draws, key)
    window = max(1, recipe.steps // 20)
    total = torch.tensor(done.open_loss, dtype=torch.float64, device=device)
    started, saved_at = time.process_time() - done.cpu_s, time.monotonic()

    network.train()
    stream = batches(n_items, recipe.batch_size, key, done.steps)
    for step in range(done.steps, recipe.steps):
        look()
        loss = loss_of(next(stream), draws)
        learner.step(loss, recipe.lr_at(step))
        if companion is not None:
            learners["companion."].step(companion.loss(), recipe.lr_at(step))
        total += loss.detach()
        done.steps = step + 1
        if done.steps % window == 0:
            done.losses.append(total.item() / window)
            total.zero_()
        if done.steps % LOOK_EVERY == 0 or done.steps == recipe.steps:
            done.open_loss = total.item()
            if not all(map(math.isfinite, [done.open_loss, *done.losses[-1:]])):
                raise Diverged(f"the loss was no longer finite at step {done.steps}")
            due = time.monotonic() - saved_at > CHECKPOINT_EVERY_S or done.steps == recipe.steps
            if checkpoint is not None and due:
                done.cpu_s = time.process_time() - started
                save_training(checkpoint, learners, draws, key, done)
                saved_at = time.monotonic()
    done.cpu_s = time.process_time() - started
    network.eval()
    return done


def _learner(network: nn.Module, recipe: Recipe) -> Learner:
    parameters = [p for p in network.parameters() if p.requires_grad]
    return Learner(network, recipe.make_optimiser(parameters), recipe.clip_norm)
