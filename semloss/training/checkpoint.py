"""A training in progress as one file, from which it goes on to the same bits."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from semloss.storage import write_atomically
from semloss.training.draws import Draws
from semloss.training.recipe import Recipe


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
    failure
        How it diverged; empty where it did not.
    """

    steps: int = 0
    cpu_s: float = 0.0
    losses: list[float] = field(default_factory=list)
    open_loss: float = 0.0
    failure: str = ""


@dataclass(frozen=True)
class Learner:
    """A network, what moves its weights, and the bound on the norm of its gradient."""

    network: nn.Module
    optimiser: torch.optim.Optimizer
    clip_norm: float

    @classmethod
    def of(cls, network: nn.Module, recipe: Recipe) -> "Learner":
        """A network on its device, to be trained in this manner."""
        parameters = [p for p in network.parameters() if p.requires_grad]
        return cls(network, recipe.make_optimiser(parameters), recipe.clip_norm)

    @property
    def parameters(self) -> list[nn.Parameter]:
        """What is learnt."""
        parameters: list[nn.Parameter] = self.optimiser.param_groups[0]["params"]
        return parameters

    def step(self, loss: Tensor, lr: float | Tensor) -> None:
        """Move the weights against the gradient of a loss.

        A learning rate on the device (a tensor) comes with a step that a graph can replay: then
        gradients stay where they are in memory.
        """
        self.optimiser.param_groups[0]["lr"] = lr
        self.optimiser.zero_grad(set_to_none=not isinstance(lr, Tensor))
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.parameters, self.clip_norm)
        self.optimiser.step()

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """All that a resumed training needs, by name."""
        for name, value in self.network.state_dict().items():
            yield f"network.{name}", value
        for index, parameter in enumerate(self.parameters):
            for name, value in self.optimiser.state[parameter].items():
                yield f"optimiser.{index}.{name}", value

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Undo `tensors`."""
        prefix = "network."
        self.network.load_state_dict(
            {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
        )
        for name, value in tensors.items():
            kind, *rest = name.split(".")
            if kind == "optimiser":
                parameter = self.parameters[int(rest[0])]
                # the moments keep the parameter's memory format: the arithmetic stays the same
                like = torch.empty_like(parameter) if value.ndim else parameter.new_empty(())
                self.optimiser.state[parameter][rest[1]] = like.copy_(value).detach()


def save_training(
    path: Path, learners: Mapping[str, Learner], draws: Draws, key: str, done: Trained
) -> None:
    """Write a training in progress; `learners` by the start of their tensors' names."""
    tensors = {
        f"{start}{name}": value
        for start, learner in learners.items()
        for name, value in learner.tensors()
    }
    tensors["draws.augment"] = draws.augment.get_state()
    tensors["draws.channel"] = draws.channel.get_state()
    note = json.dumps({"key": key, **asdict(done)})
    write_atomically(path, save({n: t.contiguous() for n, t in tensors.items()}, {"done": note}))


def resume_training(path: Path, learners: Mapping[str, Learner], draws: Draws, key: str) -> Trained:
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
    for start, learner in learners.items():
        own = {n.removeprefix(start): t for n, t in tensors.items() if n.startswith(start)}
        learner.restore(own)
    draws.augment.set_state(tensors["draws.augment"])
    draws.channel.set_state(tensors["draws.channel"])
    return Trained(**note)
