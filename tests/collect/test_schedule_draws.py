"""Which CR an image gets while a codec is trained for many."""

import pytest
import torch

from semloss.collect.stages.codec import lower


@pytest.mark.parametrize("share", [0.3, 0.5, 0.65, 0.9])
def test_the_lower_half_gets_its_share_and_nothing_leaves_the_range(share):
    draws = torch.linspace(-4.0, -1.0, 100_001)
    moved = lower(draws, (-4.0, -1.0), share)
    assert (moved[0], moved[-1]) == (-4.0, -1.0)
    assert moved.diff().min() >= 0
    assert (moved < -2.5).float().mean() == pytest.approx(share, abs=1e-3)
