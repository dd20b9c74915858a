"""The layers of a network that give maps: found, read, and gone on from."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from semloss.errors import SemlossError
from semloss.text import meant

#: Side in pixels of the image by which layers are looked for.
LOOK_SIDE = 64


@torch.no_grad()
def sizes_of_maps(network: nn.Module, bands: int) -> dict[str, tuple[int, int]]:
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

    hooks = [
        module.register_forward_hook(partial(look, name))
        for name, module in network.named_modules()
    ]
    try:
        with _judging(network):
            network(next(network.parameters()).new_zeros(1, bands, LOOK_SIDE, LOOK_SIDE))
    finally:
        for hook in hooks:
            hook.remove()
    return found


def layers_of(
    network: nn.Module, bands: int, names: Sequence[str], key: str, task: str
) -> tuple[str, ...]:
    """The named layers; by default the last one at each size of maps, the network's stages.

    Parameters
    ----------
    network, bands
        A task model, and the bands of its images.
    names
        Of modules; none for the default.
    key, task
        The option that names them, and the model's label, for errors.

    Raises
    ------
    SemlossError
        When one is not there, or gives no maps.
    """
    sizes = sizes_of_maps(network, bands)
    stages = tuple({size: name for name, size in sizes.items()}.values())
    for name in names:
        if name not in sizes:
            otherwise = f"the last at each size are {', '.join(stages)}"
            raise SemlossError(
                f"{key}: task {task} has no layer {name} that gives maps; "
                f"{meant(name, sizes, otherwise)}"
            )
    return tuple(names) or stages


class _Reached(Exception):  # noqa: N818 - the end of the way, not a mistake
    def __init__(self, maps: Tensor) -> None:
        self.maps = maps


def maps_at(network: nn.Module, layer: str, images: Tensor) -> Tensor:
    """Maps (B, C, H, W) that a layer makes of images; what comes after it is not done."""

    def stop(_module: nn.Module, _given: object, maps: Tensor) -> None:
        raise _Reached(maps)

    hook = network.get_submodule(layer).register_forward_hook(stop)
    try:
        network(images)
    except _Reached as end:
        return end.maps
    finally:
        hook.remove()
    raise AssertionError(f"{layer} is not at work")


def going_on_from(network: nn.Module, layer: str, shape: tuple[int, int, int]) -> nn.Module:
    """Have a network take the maps of one of its layers in place of images of a shape (C, H, W).

    Its weights keep their names. What comes before the layer sees one black image, whose maps are
    dropped; it does not learn any more.

    Raises
    ------
    SemlossError
        When something of an image goes round the layer.
    """
    reached, before = network.get_submodule(layer), list[nn.Module]()

    def note(module: nn.Module, _given: object, _made: object) -> None:
        if reached not in before:
            before.append(module)

    noise = torch.rand(1, *shape, generator=torch.Generator().manual_seed(0))
    noise = noise.to(next(network.parameters()).device)
    hooks = [one.register_forward_hook(note) for one in network.modules()]
    with torch.no_grad(), _judging(network):
        whole = network(noise)
        for hook in hooks:
            hook.remove()
        maps = maps_at(network, layer, noise)
        given: list[Tensor] = []

        def take(_module: nn.Module, inputs: tuple[Tensor, ...]) -> Tensor:
            given[:] = inputs
            for module in before:
                module.training = False
            return inputs[0].new_zeros(1, *shape)

        network.register_forward_pre_hook(take)
        reached.register_forward_hook(lambda _module, _inputs, _made: given[0])
        if not torch.allclose(network(maps), whole, rtol=1e-3, atol=1e-6):
            raise SemlossError(
                f"layer {layer}: its maps are not all that the rest of the task model reads, "
                "something goes round it; name the end of a block, or a later layer"
            )
    for module in before:
        module.requires_grad_(False)
    return network


@contextmanager
def _judging(network: nn.Module) -> Iterator[None]:
    """Evaluation mode, for a while."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)
