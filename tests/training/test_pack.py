"""Packs: a member's result is its own, whatever it is packed with and however it is driven."""

import pytest
import torch
from training_case import ITEMS, RECIPE, loss_of, network, weights

from semloss.training import Member, graph, loop, train, train_pack
from semloss.training import member as member_of
from semloss.training.draws import turned, turned_at_once
from semloss.training.graph import Branch
from semloss.training.member import Training
from semloss.training.muon import Muon

CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
ON = [torch.device("cpu"), pytest.param(torch.device("cuda"), marks=CUDA)]


def members(device=ON[0], checkpoint=None):
    """Three of another start, key, length and optimiser."""
    found = []
    for at, changes in enumerate([{}, {"steps": 45}, {"optimiser": "adam", "batch_size": 4}]):
        net = network(at).to(device)
        recipe = RECIPE.model_copy(update=changes)
        kept = checkpoint / str(at) if checkpoint else None
        found.append(Member(net, loss_of(net), ITEMS, recipe, f"key {at}", kept))
    return found


def close(device):
    """How close results must be: to the bit on a CPU; a GPU chooses algorithms as it goes."""
    return {"rtol": 0, "atol": 0} if device.type == "cpu" else {"rtol": 1e-3, "atol": 1e-4}


@pytest.mark.parametrize("device", ON, ids=str)
def test_a_member_does_not_depend_on_its_pack(device):
    together, alone = members(device), members(device)
    done = train_pack(together)
    for one, other, told in zip(together, alone, done, strict=True):
        (own,) = train_pack([other])
        assert own.steps == told.steps == one.recipe.steps
        torch.testing.assert_close(weights(one.network), weights(other.network), **close(device))
        assert told.losses == pytest.approx(own.losses, rel=close(device)["rtol"])
        assert not one.network.training


@pytest.mark.parametrize("device", ON, ids=str)
def test_a_member_that_diverges_leaves_the_others_alone(device):
    pack, alone = members(device), members(device)
    broken = pack[1].loss_of
    pack[1] = Member(pack[1].network, lambda p, d: broken(p, d) / 0, ITEMS, RECIPE, "key")
    done = train_pack(pack)
    assert [bool(one.failure) for one in done] == [False, True, False]
    assert done[1].failure == "the loss was no longer finite at step 25"
    for at in (0, 2):
        train_pack([alone[at]])
        torch.testing.assert_close(
            weights(pack[at].network), weights(alone[at].network), **close(device)
        )


@pytest.mark.parametrize("device", ON, ids=str)
def test_a_stopped_pack_is_taken_up_where_each_member_was(tmp_path, monkeypatch, device):
    monkeypatch.setattr(member_of, "CHECKPOINT_EVERY_S", -1.0)
    whole = members(device)
    train_pack(whole)
    looked, last = [], 80 if device.type == "cpu" else 55

    def stop():
        looked.append(1)
        if len(looked) == last:
            raise KeyboardInterrupt

    monkeypatch.setattr(loop, "look", stop)
    monkeypatch.setattr(graph, "look", stop)
    monkeypatch.setattr(graph, "BLOCK", 20)
    with pytest.raises(KeyboardInterrupt):
        train_pack(members(device, tmp_path))
    assert list(tmp_path.iterdir())
    again = members(device, tmp_path)
    train_pack(again)
    for one, other in zip(whole, again, strict=True):
        torch.testing.assert_close(weights(one.network), weights(other.network), **close(device))


def test_a_pack_that_memory_does_not_hold_is_halved_and_that_is_said_once(monkeypatch, capfd):
    monkeypatch.setattr(loop._Memory, "members", 8)
    eager, sizes = loop._steps, []

    def small(pack):
        sizes.append(len(pack))
        if len(pack) > 1:
            raise torch.OutOfMemoryError("full")
        return eager(pack)

    monkeypatch.setattr(loop, "_steps", small)
    monkeypatch.setattr(loop, "_size", lambda trainings: len(trainings))
    pack, alone = members(), members()
    train_pack(pack)
    assert sizes == [3, 1, 1, 1]
    for one, other in zip(pack, alone, strict=True):
        train(other.network, other.loss_of, ITEMS, other.recipe, other.key)
        assert torch.equal(weights(one.network), weights(other.network))
    assert capfd.readouterr().err.count("memory") == 1


def test_steps_from_the_device_are_those_of_the_plain_loop():
    """What a graph replays: blocks of positions and learning rates that lie on the device."""
    (plain, *_), (blocks, *_) = members(), members()
    (done,) = train_pack([plain])
    training = Training(blocks)
    put_back = training.snapshot()
    for _ in range(2):  # as before a capture
        training.step(torch.zeros(8, dtype=torch.int64), torch.tensor(0.1), 0.0)
    put_back()
    branch, at = Branch(training), torch.zeros(1, dtype=torch.int64)
    while training.left:
        n = min(25, training.left)
        branch.fill(n)
        for step in range(n):
            branch.step(at.fill_(step))
        training.take_in(branch.losses(n), 0.0)
    torch.testing.assert_close(
        weights(blocks.network), weights(plain.network), rtol=1e-4, atol=1e-5
    )
    assert training.done.losses == pytest.approx(done.losses, rel=1e-4)


def test_a_learning_rate_on_the_device_gives_the_same_steps():
    nets = network(), network()
    makers = [Muon(net.parameters(), lr=0.01) for net in nets]
    generator = torch.Generator().manual_seed(0)
    for step in range(20):
        x, lr = torch.randn(8, 2, 6, 6, generator=generator), 0.01 / (1 + step)
        for net, maker, rate in zip(nets, makers, (lr, torch.tensor(lr)), strict=True):
            maker.param_groups[0]["lr"] = rate
            maker.zero_grad()
            net(x).square().mean().backward()
            maker.step()
    torch.testing.assert_close(weights(nets[0]), weights(nets[1]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(3, 2, 5, 5), (3, 5, 5), (3, 2, 4, 6)])
def test_a_draw_on_the_device_turns_as_one_that_is_looked_at(shape):
    maps = torch.arange(float(torch.Size(shape).numel())).view(shape)
    for which in range(8):
        draw = torch.tensor(which)
        assert torch.equal(turned(draw, maps), turned_at_once(draw, maps))
