"""Objectives that read task models, and how the maps of a model's layers are read."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, NamedTuple

import torch
from pydantic import BeforeValidator
from torch import Tensor, nn

from semloss.errors import SemlossError
from semloss.objectives.base import Batch, Objective

#: Side in pixels of the image by which layers are looked for.
LOOK_SIDE = 64

#: Most layers that an error lists.
MOST_LISTED = 40


def listed(value: object) -> object:
    """A name, or names between commas, as a list."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(listed)]


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
        self.network = network
        sizes = _sizes_of_maps(network, bands)
        stages = list({size: name for name, size in sizes.items()}.values())
        for name in layers:
            if name not in sizes:
                shown = list(sizes) if len(sizes) <= MOST_LISTED else [*stages, "…"]
                raise SemlossError(
                    f"objective.layers: task {label} has no layer {name} that gives maps; there "
                    f"are {', '.join(shown)}"
                )
        self.layers = tuple(layers) or tuple(stages)

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


@torch.no_grad()
def _sizes_of_maps(network: nn.Module, bands: int) -> dict[str, tuple[int, int]]:
    """Height and width of the maps of each layer that gives some, in the order of their work.

    What only hands on the maps of another one is left out.
    """
    found: dict[str, tuple[int, int]] = {}
    last: list[Tensor] = []

    def look(name: str, _module: nn.Module, _given: object, out: object) -> None:
        maps = isinstance(out, Tensor) and out.ndim == 4 and out.shape[2] * out.shape[3] > 1
        if name and maps and not any(out is one for one in last):
            assert isinstance(out, Tensor)
            found[name] = (out.shape[2], out.shape[3])
            last[:] = [out]

    was_training = network.training
    network.eval()
    hooks = [
        module.register_forward_hook(partial(look, name))
        for name, module in network.named_modules()
    ]
    try:
        network(next(network.parameters()).new_zeros(1, bands, LOOK_SIDE, LOOK_SIDE))
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    return found
