"""Items that a device does not hold all at once are brought in blocks, and nothing is changed."""

import numpy as np
import pytest
import torch
from training_case import RECIPE, network, weights

from semloss.training import Member, Reading, Streamed, train_pack
from semloss.training.graph import BLOCK, steps_held
from semloss.training.member import Training

CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
ON = [torch.device("cpu"), pytest.param(torch.device("cuda"), marks=CUDA)]
ROWS = np.random.default_rng(0).integers(0, 256, (500, 6, 6, 2), dtype=np.uint8)
TRAINED_ON = torch.arange(499, 99, -1)  # items of the training are rows from the end


@pytest.mark.parametrize("device", ON, ids=str)
def test_what_was_brought_last_is_there_and_nothing_else(device):
    stream = Streamed(ROWS, 100, device)
    for seed in range(3):
        wanted = torch.from_numpy(np.random.default_rng(seed).integers(0, 500, 90))
        stream.bring(wanted)
        np.testing.assert_array_equal(stream.at(wanted.to(device)).cpu(), ROWS[wanted])
    if device.type == "cpu":  # on a GPU the process would be lost
        absent = torch.tensor([next(i for i in range(500) if i not in wanted)])
        with pytest.raises((IndexError, RuntimeError)):
            stream.at(absent)


def test_parts_that_are_copied_while_the_next_is_read_lie_side_by_side(monkeypatch):
    monkeypatch.setattr("semloss.training.streamed.PART", 7 * ROWS[:1].nbytes)
    stream, wanted = Streamed(ROWS, 500, ON[0]), torch.arange(0, 500, 3)
    stream.bring(wanted)
    np.testing.assert_array_equal(stream.at(wanted), ROWS[::3])


def trained(device, room, changes):
    """Networks that were trained together on rows that lie on the device, or are streamed."""
    whole = torch.from_numpy(ROWS).to(device)
    stream = Streamed(ROWS, room, device) if room else None
    reading = None if stream is None else Reading(stream, TRAINED_ON)
    rows = TRAINED_ON.to(device)

    def member(at, change):
        net = network(at).to(device)

        def loss(positions, draws):
            which = rows.index_select(0, positions)
            found = whole.index_select(0, which) if stream is None else stream.at(which)
            x = found.permute(0, 3, 1, 2).float() / 255
            return (net(x) - x.mean(dim=(1, 2, 3)).unsqueeze(1)).square().mean()

        recipe = RECIPE.model_copy(update=change)
        return Member(net, loss, len(rows), recipe, f"key {at}", reading=reading)

    pack = [member(at, change) for at, change in enumerate(changes)]
    assert not any(one.failure for one in train_pack(pack))
    return pack


@pytest.mark.parametrize("device", ON, ids=str)
def test_a_training_that_is_streamed_is_the_same(device):
    changes = [{}, {"batch_size": 4}]
    room = 5 * (8 + 4)  # a block of five steps of both
    close = {"rtol": 0, "atol": 0} if device.type == "cpu" else {"rtol": 1e-3, "atol": 1e-4}
    for one, other in zip(
        trained(device, room, changes), trained(device, None, changes), strict=True
    ):
        torch.testing.assert_close(weights(one.network), weights(other.network), **close)


def test_a_block_has_as_many_steps_as_the_device_holds_items():
    pack = [Training(one) for one in trained(ON[0], 60, [{}, {"batch_size": 4}])]
    assert steps_held(pack) == 5
    assert steps_held(pack[:1]) == 60 // 8
    assert steps_held([Training(one) for one in trained(ON[0], None, [{}])]) == BLOCK
