"""Objectives: a loss for each image, and how those of a batch become one."""

import pytest
import torch

from semloss.errors import SemlossError
from semloss.objectives import OBJECTIVES, Batch, Mse


@pytest.fixture
def pair():
    generator = torch.Generator().manual_seed(0)
    sent, arrived = torch.rand(2, 5, 3, 8, 8, generator=generator)
    return Batch(sent, {}), arrived


def test_the_mean_over_a_batch_is_that_of_its_images(pair):
    judge = Mse().build(3, {}, 0)
    losses = judge(*pair)
    assert losses.shape == (5,)
    torch.testing.assert_close(Mse().loss(judge, *pair), losses.mean())
    assert Mse().loss(judge, *pair) == torch.nn.functional.mse_loss(pair[1], pair[0].images)


def test_the_mean_of_logs_counts_every_image_alike(pair):
    logs = OBJECTIVES.parse({"kind": "mse", "reduce": "log"}, "objective")
    batch, arrived = pair
    arrived = arrived.clone().requires_grad_()
    logs.loss(logs.build(3, {}, 0), batch, arrived).backward()
    # d log(mse) has the length 2 / |difference|, whatever the difference: ten times worse, a tenth
    away = (arrived - batch.images).detach().flatten(1).norm(dim=1)
    torch.testing.assert_close(arrived.grad.flatten(1).norm(dim=1) * away, torch.full((5,), 0.4))
    assert logs.label == "mse-reducelog"


def test_a_wrong_objective_names_the_mend():
    with pytest.raises(SemlossError, match=r"objective\.kind = 'psnr': no such objective.*mse"):
        OBJECTIVES.parse({"kind": "psnr"}, "objective")
