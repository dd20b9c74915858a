"""Objectives that read task models, and how the maps of a model's layers are read."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from semloss.errors import SemlossError
from semloss.networks.layers import layers_of
from semloss.objectives.base import Batch, Objective
from semloss.objectives.lean import lean
from semloss.registry import Names


class OfTasks(Objective):
    """An objective that reads task models.

    Attributes
    ----------
    tasks
        Labels of those that it reads; by default all that are there for objectives.
    """

    reads_tasks = True
    tasks: Names = ()

    def tasks_read(self, there: Sequence[str]) -> list[str]:
        """See `Objective.tasks_read`."""
        every = super().tasks_read(there)
        for label in self.tasks:
            if label not in there:
                raise SemlossError(
                    f"objective.tasks: {label} is no task model that objectives may read; there "
                    f"are {', '.join(there)}"
                )
        return list(self.tasks) or every

    @property
    def of_pixels(self) -> bool:
        """See `Objective.of_pixels`."""
        return False


#: What is kept of maps (B, C, H, W), and what the network goes on with.
Kept = Callable[[Tensor], tuple[Tensor, Tensor]]


class Reading(NamedTuple):
    """What a task model makes of images.

    Attributes
    ----------
    outputs
        Of the network.
    maps
        (B, C, H, W) of each layer that is read.
    """

    outputs: Tensor
    maps: list[Tensor]


class Reader(nn.Module):
    """A frozen task model whose layers are looked at.

    Parameters
    ----------
    label, network
        The task model.
    bands
        Bands of an image.
    layers
        Names of the modules whose outputs are read; by default the last one at each size of maps,
        the stages of the network.

    Raises
    ------
    SemlossError
        When a layer is not there, or gives no maps.
    """

    def __init__(
        self, label: str, network: nn.Module, bands: int, layers: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self.label = label
        self.layers = layers_of(network, bands, layers, "objective.layers", label)
        self.network = lean(network, bands, self.layers)

    def forward(self, images: Tensor) -> Reading:
        """What the model makes of images (B, C, H, W)."""
        return self._read(images, _as_it_is)

    def slopes(self, images: Tensor, truth: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Maps of images, and the gradient of the true classes' logits by them; neither learns."""
        with torch.enable_grad():
            outputs, maps = self._read(images, _as_variable)
            slopes = torch.autograd.grad(own_logits(outputs, truth).sum(), maps)
        return [one.detach() for one in maps], list(slopes)

    def _read(self, images: Tensor, kept: Kept) -> Reading:
        found: dict[str, Tensor] = {}

        def keep(name: str, _module: nn.Module, _given: object, maps: Tensor) -> Tensor:
            found[name], goes_on = kept(maps)
            return goes_on

        modules = dict(self.network.named_modules())
        hooks = [modules[name].register_forward_hook(partial(keep, name)) for name in self.layers]
        try:
            outputs = self.network(images)
        finally:
            for hook in hooks:
                hook.remove()
        return Reading(outputs, [found[name] for name in self.layers])


def _as_it_is(maps: Tensor) -> tuple[Tensor, Tensor]:
    return maps, maps


def _as_variable(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Maps that a gradient can be taken by; what came before the first of them is left out."""
    if maps.requires_grad:
        return maps, maps
    maps = maps.detach().requires_grad_()
    return maps, maps.clone()  # the network may work in place


def own_logits(outputs: Tensor, truth: Tensor) -> Tensor:
    """Logit of the true class (B, ...), of outputs (B, classes, ...)."""
    return outputs.float().gather(1, truth.unsqueeze(1)).squeeze(1)


def class_truth(batch: Batch, label: str, objective: Objective) -> Tensor:
    """The true classes (B, ...) of a task model.

    Raises
    ------
    SemlossError
        When it answers with something else.
    """
    truth = batch.truths[label]
    if truth.is_floating_point():
        raise SemlossError(
            f"objective {objective.label} reads classes, and task {label} answers with numbers; "
            "name others by objective.tasks, or say unseen of that task"
        )
    return truth


def readers_of(
    tasks: Mapping[str, nn.Module], bands: int, layers: Sequence[str] = ()
) -> nn.ModuleList:
    """A `Reader` of each task model."""
    return nn.ModuleList(Reader(label, one, bands, layers) for label, one in tasks.items())


def mean_over_items(values: Tensor) -> Tensor:
    """Mean (B,) of what each image has (B, ...)."""
    return values.flatten(1).mean(1) if values.ndim > 1 else values
