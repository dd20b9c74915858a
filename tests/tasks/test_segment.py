"""Segmentation of the built-in scenes: maps, a network that learns them, one run end to end."""

import numpy as np
import pytest
import torch
from collecting_case import collected
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_experiment import TINY

from semloss.errors import SemlossError
from semloss.sources import ImageSet, Scenes
from semloss.tasks import Segment
from semloss.training import Recipe, draw_symmetry, train


@settings(max_examples=10, deadline=None)
@given(bands=st.integers(1, 5), height=st.integers(16, 50), width=st.integers(16, 50))
def test_every_pixel_of_any_size_has_an_answer(bands, height, width):
    task = Segment(width=4)
    network = task.build(bands, 10, seed=0).eval()
    outputs = network(torch.rand(2, bands, height, width))
    assert outputs.shape == (2, 5, height, width)
    assert task.answers(outputs).shape == (2, height, width)


def test_it_learns_land_cover_and_what_is_turned_is_learnt_too():
    scenes = Scenes(per_class=12, size=32).load()
    images = torch.from_numpy(scenes.images).permute(0, 3, 1, 2).float() / 255
    truth, task = torch.from_numpy(np.array(scenes.maps)), Segment(width=8)
    known, new = torch.arange(120) % 3 > 0, torch.arange(120) % 3 == 0
    network = task.build(3, 10, seed=0)

    def loss(positions, draws):
        turn = draw_symmetry(draws.augment)
        return task.loss(network(turn(images[known][positions])), turn(truth[known][positions]))

    train(network, loss, int(known.sum()), Recipe(steps=100, batch_size=16, lr=0.03), "covers")
    with torch.inference_mode():
        said = task.answers(network(images[new])).numpy()
    right = truth[new].numpy()
    measured = {one.metric: one.value for one in task.measure(right, said, said, 10)}
    # the most frequent cover is 28 % of all pixels: an answer to all of them reads that
    assert measured["pixel_accuracy"] > 0.45
    assert measured["miou"] > 0.25


def test_a_run_end_to_end(tmp_path):
    experiment = TINY.replace("[task]", '[task]\nkind = "segment"\nwidth = 4')
    table = collected(tmp_path, experiment, "--set", "grid.cr=1/6")
    rows = table[table.task == "segment-width4"]
    assert set(rows.metric) == {"miou", "pixel_accuracy"}
    assert set(rows.receiver) == {"clean", "matched"}
    assert (rows.n == 40).all()
    assert rows.ceiling.between(0.05, 1).all()
    assert not set(table.metric) & {"accuracy", "ece"}
    told = (tmp_path / "run" / "README.md").read_text()
    assert "## Mean intersection over union of the task model fine-tuned on receptions" in told


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({}, "knows no land cover of single pixels"),
        ({"maps": np.zeros((2, 16, 16), np.uint8), "map_classes": ("a", "b")}, "task.classes = 5"),
    ],
)
def test_images_without_such_maps_are_refused_in_one_line(options, line):
    images = np.zeros((2, 16, 16, 3), np.uint8)
    labels, classes = np.array([0, 1]), ("a", "b")
    with pytest.raises(SemlossError, match=line) as error:
        Segment().check(ImageSet(images, labels, classes, ("r", "g", "b"), "mine", {}, **options))
    assert "\n" not in str(error.value)
