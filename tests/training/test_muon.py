"""Muon: the update of a kernel is orthogonal; everything else is Adam."""

import pytest
import torch
from torch import nn

from semloss.training.muon import Muon, orthogonalised

SHAPES = [(16, 3, 6, 6), (64, 32, 3, 3), (64, 16, 1, 1), (3, 16, 5, 5)]


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e6])
def test_updates_are_made_orthogonal_whatever_their_scale(scale):
    """Singular values spread over two decades come out near one; the singular vectors stay."""
    generator = torch.Generator().manual_seed(0)
    updates, bases = [], []
    for shape in SHAPES:
        matrix = torch.randn(shape, generator=generator).flatten(1)
        u, _, vh = torch.linalg.svd(matrix, full_matrices=False)
        spread = torch.logspace(-2, 0, len(vh)) * scale
        updates.append((u @ torch.diag(spread) @ vh).reshape(shape))
        bases.append((u, vh))
    for update, result, (u, vh) in zip(updates, orthogonalised(updates), bases, strict=True):
        assert result.shape == update.shape
        in_its_own_basis = u.T @ result.flatten(1) @ vh.T
        values = in_its_own_basis.diagonal()
        assert values.min() > 0.4
        assert values.max() < 1.3
        torch.testing.assert_close(
            in_its_own_basis, torch.diag(values), rtol=0, atol=0.02, check_stride=False
        )


def test_the_first_step_of_a_kernel_has_the_length_of_the_learning_rate():
    torch.manual_seed(0)
    layer = nn.Conv2d(8, 8, 3, bias=False)
    before = layer.weight.detach().clone()
    layer(torch.randn(4, 8, 8, 8)).square().sum().backward()
    Muon(layer.parameters(), lr=0.01).step()
    values = torch.linalg.svdvals((layer.weight.detach() - before).flatten(1))
    assert values.max() == pytest.approx(0.01, rel=0.3)


def test_a_parameter_that_is_no_kernel_follows_adam():
    torch.manual_seed(0)
    mine, theirs = nn.Linear(5, 3), nn.Linear(5, 3)
    theirs.load_state_dict(mine.state_dict())
    muon = Muon(mine.parameters(), lr=0.05, adam_factor=0.2)
    adam = torch.optim.Adam(theirs.parameters(), lr=0.01)
    for _ in range(5):
        x = torch.randn(8, 5)
        for network, optimiser in ((mine, muon), (theirs, adam)):
            optimiser.zero_grad()
            network(x).square().sum().backward()
            optimiser.step()
    torch.testing.assert_close(mine.weight, theirs.weight)
    torch.testing.assert_close(mine.bias, theirs.bias)
