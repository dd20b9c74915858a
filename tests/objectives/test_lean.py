"""Frozen task models in fewer operations: what they say, and its slope, is the same."""

import pytest
import torch
from torch import nn

from semloss.objectives import Features
from semloss.objectives.features import squared_difference, variance
from semloss.objectives.lean import lean
from semloss.tasks import TASKS


def trained_like(network, seed=0):
    """A network whose normalisation is none of ones and zeros."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.3, generator=generator)
            module.running_var.uniform_(0.3, 2, generator=generator)
            nn.init.uniform_(module.weight, 0.5, 2, generator=generator)
            nn.init.normal_(module.bias, 0, 0.3, generator=generator)
    return network.eval().requires_grad_(False)


def count(network, kind):
    return sum(type(module) is kind for module in network.modules())


def said_and_slope(network, images):
    images = images.clone().requires_grad_()
    outputs = network(images)
    generator = torch.Generator().manual_seed(2)
    way = torch.randn(outputs.shape, generator=generator)
    (slope,) = torch.autograd.grad((outputs * way).sum(), images)
    return outputs.detach(), slope


@pytest.mark.parametrize("kind", ["resnet8", "vgg", "segment"])
@pytest.mark.parametrize("side", [32, 33])
def test_the_same_is_said_without_normalisation(kind, side):
    made = trained_like(TASKS.parse({"kind": kind}, "task").build(3, 5, 0))
    copy = lean(made, 3)
    assert count(made, nn.BatchNorm2d) > 0
    assert count(copy, nn.BatchNorm2d) == 0
    assert not any(one.requires_grad for one in copy.parameters())
    images = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    for own, other in zip(said_and_slope(made, images), said_and_slope(copy, images), strict=True):
        torch.testing.assert_close(own, other, rtol=1e-4, atol=1e-4 * float(own.abs().max()))


def test_a_layer_that_is_read_stays():
    made = trained_like(TASKS.parse({"kind": "resnet8", "width": 4}, "task").build(3, 5, 0))
    copy = lean(made, 3, kept=("stages.1.conv1",))
    assert type(copy.get_submodule("stages.1.norm1")) is nn.BatchNorm2d
    assert count(copy, nn.BatchNorm2d) == 1
    judge = Features(layers=("stages.1.conv1",)).build(3, {"resnet8": made}, 0)
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    found = judge.readers[0](images).maps[0]
    stages = made.stages
    before = stages[0](torch.relu(made.stem_norm(made.stem(images))))
    torch.testing.assert_close(found, stages[1].conv1(before), rtol=1e-4, atol=1e-4)


class Twice(nn.Module):
    """Maps that are read before and after their normalisation."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, images):
        maps = self.conv(images)
        return (self.norm(maps) + maps.square()).mean(dim=(2, 3))


def test_a_network_that_cannot_be_told_is_left_as_it_is():
    made = trained_like(Twice())
    assert lean(made, 3) is made


def test_differences_and_variances_are_those_of_textbooks():
    generator = torch.Generator().manual_seed(0)
    for layout in (torch.contiguous_format, torch.channels_last):
        maps, exact = torch.randn(2, 3, 5, 4, 6, generator=generator, dtype=torch.float32)
        maps = maps.to(memory_format=layout).requires_grad_()
        weights = torch.rand(3, 5, generator=generator)
        slopes = []
        for found in (squared_difference(maps, exact), (maps - exact).square().mean(dim=(2, 3))):
            slopes.append(torch.autograd.grad((found * weights).sum(), maps)[0])
        torch.testing.assert_close(*slopes)
        torch.testing.assert_close(variance(exact + 10), exact.var(), rtol=1e-4, atol=1e-5)
