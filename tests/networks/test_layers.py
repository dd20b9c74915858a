"""A network cut at a layer: what makes the maps, and what goes on from them."""

import copy

import pytest
import torch

from semloss.errors import SemlossError
from semloss.networks.layers import going_on_from, layers_of, maps_at, sizes_of_maps
from semloss.tasks import TASKS

SHAPE = (3, 48, 48)
CUTS = [
    ("resnet8", "stem"), ("resnet8", "stages.1"), ("resnet8", "stages.2"),
    ("vgg", "stages.0"), ("vgg", "stages.2.1"), ("segment", "join_fine"),
]  # fmt: skip


def network_of(kind, seed=0):
    network = TASKS.parse({"kind": kind, "width": 4}, "task").build(3, 5, seed)
    images = torch.rand(16, *SHAPE, generator=torch.Generator().manual_seed(seed))
    for _ in range(3):
        network(images)  # statistics of its normalisations that are no defaults
    return network.eval()


@pytest.mark.parametrize(("kind", "layer"), CUTS)
def test_the_halves_together_are_the_whole(kind, layer):
    network, images = network_of(kind), torch.rand(5, *SHAPE)
    with torch.no_grad():
        whole, maps = network(images), maps_at(network, layer, images)
        assert maps.shape[2:] == (24, 24) if layer == "stem" else maps.ndim == 4
        rest = going_on_from(network, layer, SHAPE)
        torch.testing.assert_close(rest(maps), whole)
        # nothing else is read: other maps, another answer
        assert not torch.allclose(rest(maps.flip(0)), whole)


@pytest.mark.parametrize(("kind", "layer"), [("resnet8", "stages.1.conv1"), ("segment", "middle")])
def test_a_layer_that_something_goes_round_is_refused(kind, layer):
    with pytest.raises(SemlossError, match=f"layer {layer}: its maps are not all"):
        going_on_from(network_of(kind), layer, SHAPE)


def test_what_comes_before_the_layer_does_not_learn():
    network = network_of("resnet8")
    maps = maps_at(network, "stages.1", torch.rand(8, *SHAPE)).detach()
    rest = going_on_from(network, "stages.1", SHAPE).train()
    before = copy.deepcopy(rest.state_dict())
    step = torch.optim.SGD(rest.parameters(), lr=0.1)
    rest(maps).square().sum().backward()
    step.step()
    changed = {name for name, one in rest.state_dict().items() if not one.equal(before[name])}
    assert {name.split(".conv")[0].split(".norm")[0] for name in changed} >= {"stages.2"}
    assert "head.weight" in changed
    assert not {name for name in changed if name.startswith(("stem", "stages.0", "stages.1"))}
    # weights keep their names
    TASKS.parse({"kind": "resnet8", "width": 4}, "task").build(3, 5, 1).load_state_dict(before)


def test_layers_are_found_by_name():
    network = network_of("resnet8")
    assert next(iter(sizes_of_maps(network, 3))) == "stem"
    assert layers_of(network, 3, [], "k", "t") == ("stages.0", "stages.1", "stages.2")
    assert layers_of(network, 3, ["stem"], "k", "t") == ("stem",)
    for name, near in (("stages.1.conv3", "did you mean stages.1.conv"), ("zzz", "are stages.0, ")):
        with pytest.raises(SemlossError, match=f"k: task t has no layer {name} that.*{near}"):
            layers_of(network, 3, [name], "k", "t")
