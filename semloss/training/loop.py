"""The training loop, one for codecs and task models.

It is exact under interruption: a run that was stopped and resumed from its checkpoint ends
with the same weights, bit for bit, as one that was not (same machine, same thread count).
"""

import ctypes
import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import torch
from pydantic import Field
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from semloss.identity import seed_for
from semloss.registry import Options
from semloss.storage import write_atomically
from semloss.training.muon import Muon

#: Seconds between two checkpoints of a training in progress: what an interruption may cost.
CHECKPOINT_EVERY_S = 15.0

#: Steps between two looks at the loss: each look waits for the device.
LOOK_EVERY = 25


class Recipe(Options):
    """How long and how a network is trained.

    Attributes
    ----------
    steps
        Optimiser steps.
    batch_size
        Images per step.
    optimiser
        "muon" (`semloss.training.muon`) or "adam".
    lr
        Peak learning rate, reached after `warmup` and lowered to zero by half a cosine.
    warmup
        Fraction of the steps over which the learning rate rises from zero.
    clip_norm
        Bound on the norm of the whole gradient.
    """

    steps: int = Field(ge=0)
    batch_size: int = Field(default=16, ge=1)
    optimiser: Literal["muon", "adam"] = "muon"
    lr: float = Field(default=0.012, gt=0)
    warmup: float = Field(default=0.05, ge=0, lt=1)
    clip_norm: float = Field(default=0.1, gt=0)

    def make_optimiser(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        """The optimiser of a network's parameters."""
        if self.optimiser == "muon":
            return Muon(parameters, lr=self.lr)
        return torch.optim.Adam(parameters, lr=self.lr, fused=True)

    def lr_at(self, step: int) -> float:
        """Learning rate of one step: linear warm-up, then half a cosine down to zero."""
        rise = self.warmup * self.steps
        if step < rise:
            return self.lr * (step + 1) / (rise + 1)
        return self.lr * 0.5 * (1 + math.cos(math.pi * (step - rise) / (self.steps - rise)))


class Diverged(Exception):  # noqa: N818 - an outcome that callers retry, not a mistake
    """Training did not converge; the message says how that showed."""


@dataclass
class Draws:
    """Random streams of one training, apart so that none shifts another."""

    augment: torch.Generator
    channel: torch.Generator

    @classmethod
    def seeded(cls, key: str, device: torch.device) -> "Draws":
        """Streams derived from a content key; channel noise is drawn on the device."""
        return cls(
            torch.Generator().manual_seed(seed_for(key, "augment")),
            torch.Generator(device).manual_seed(seed_for(key, "channel")),
        )


#: Loss of one batch, given the positions (B,) of its items and the random streams.
BatchLoss = Callable[[Tensor, Draws], Tensor]


@dataclass
class Trained:
    """What a training cost and how it went.

    Attributes
    ----------
    steps
        Steps done in all, before and after any interruption.
    cpu_s
        CPU seconds of the process, likewise.
    losses
        Mean loss of every twentieth of the run.
    open_loss
        Sum of the losses since the last of those.
    """

    steps: int = 0
    cpu_s: float = 0.0
    losses: list[float] = field(default_factory=list)
    open_loss: float = 0.0


def batches(n_items: int, batch_size: int, key: str, start: int) -> Iterator[Tensor]:
    """Positions of each batch from step `start` on, forever.

    Every epoch is a fresh permutation that depends on the key and the epoch alone, so that a
    resumed run sees the data in the same order. The incomplete last batch is dropped.
    """
    size = min(batch_size, n_items)
    per_epoch = n_items // size
    epoch, batch = divmod(start, per_epoch)
    while True:
        generator = torch.Generator().manual_seed(seed_for(key, f"order/{epoch}"))
        order = torch.randperm(n_items, generator=generator)
        for at in range(batch, per_epoch):
            yield order[at * size : (at + 1) * size]
        epoch, batch = epoch + 1, 0


def train(
    network: nn.Module,
    loss_of: BatchLoss,
    n_items: int,
    recipe: Recipe,
    key: str,
    checkpoint: Path | None = None,
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

    Raises
    ------
    Diverged
        When the loss is no longer finite.
    SemlossError
        When the checkpoint cannot be written.
    """
    parameters = [p for p in network.parameters() if p.requires_grad]
    optimiser = recipe.make_optimiser(parameters)
    device = parameters[0].device
    draws = Draws.seeded(key, device)
    done = Trained()
    if checkpoint is not None and checkpoint.exists():
        done = _resume(checkpoint, network, optimiser, draws, key)
    window = max(1, recipe.steps // 20)
    total = torch.tensor(done.open_loss, dtype=torch.float64, device=device)
    started, saved_at = time.process_time() - done.cpu_s, time.monotonic()

    network.train()
    stream = batches(n_items, recipe.batch_size, key, done.steps)
    for step in range(done.steps, recipe.steps):
        for group in optimiser.param_groups:
            group["lr"] = recipe.lr_at(step)
        loss = loss_of(next(stream), draws)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, recipe.clip_norm)
        optimiser.step()
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
                _save(checkpoint, network, optimiser, draws, key, done)
                saved_at = time.monotonic()
    done.cpu_s = time.process_time() - started
    network.eval()
    return done


def _save(
    path: Path,
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    draws: Draws,
    key: str,
    done: Trained,
) -> None:
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    for index, parameter in enumerate(optimiser.param_groups[0]["params"]):
        for name, value in optimiser.state[parameter].items():
            tensors[f"optimiser.{index}.{name}"] = value
    tensors["draws.augment"] = draws.augment.get_state()
    tensors["draws.channel"] = draws.channel.get_state()
    note = json.dumps({"key": key, **asdict(done)})
    write_atomically(path, save({n: t.contiguous() for n, t in tensors.items()}, {"done": note}))


def _resume(
    path: Path, network: nn.Module, optimiser: torch.optim.Optimizer, draws: Draws, key: str
) -> Trained:
    """Take up a checkpoint; one that is damaged or of another key is dropped: start anew."""
    try:
        with safe_open(path, "pt") as file:
            note = json.loads(file.metadata()["done"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        note = {}
    if note.pop("key", None) != key:
        path.unlink(missing_ok=True)
        return Trained()
    prefix = "network."
    network.load_state_dict(
        {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
    )
    for name, value in tensors.items():
        kind, *rest = name.split(".")
        if kind == "optimiser":
            parameter = optimiser.param_groups[0]["params"][int(rest[0])]
            # the moments keep the parameter's memory format: the arithmetic stays the same
            like = torch.empty_like(parameter) if value.ndim else torch.empty_like(value)
            if isinstance(optimiser, torch.optim.Adam):  # fused: it counts steps on the device
                like = like.to(parameter.device)
            optimiser.state[parameter][rest[1]] = like.copy_(value).detach()
    draws.augment.set_state(tensors["draws.augment"])
    draws.channel.set_state(tensors["draws.channel"])
    return Trained(**note)


def keep_freed_memory() -> None:
    """Have the C library reuse freed memory instead of giving it back to the system each step.

    Every training step otherwise pays hundreds of page faults for the same few megabytes. Only
    glibc has the call; elsewhere nothing is changed.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of malloc.h
    mallopt(mmap_threshold, 32 << 20)
    mallopt(trim_threshold, 1 << 30)


def native_bf16(device: torch.device) -> bool:
    """Whether bfloat16 is arithmetic on this device rather than emulation."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported())


def autocast(device: torch.device, bf16: bool) -> AbstractContextManager[None]:
    """Mixed precision for a network's layers; the channel stays outside, in float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=bf16)


def augment_dihedral(images: Tensor, generator: torch.Generator) -> Tensor:
    """Turn and flip a batch (B, C, H, W) as a whole by one of the eight symmetries of a square.

    Land seen from above has no preferred orientation. Non-square images are flipped only.
    """
    draw = int(torch.randint(8, (), generator=generator))
    if draw & 1:
        images = images.flip(3)
    if draw & 2:
        images = images.flip(2)
    if draw & 4 and images.shape[2] == images.shape[3]:
        images = images.transpose(2, 3)
    return images
