"""The training loop: exact resume, derived data order, divergence."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from training_case import ITEMS, RECIPE, loss_of, network, weights

from semloss.errors import Diverged
from semloss.identity import digest, seed_for
from semloss.training import Companion, Recipe, batches, train
from semloss.training import member as training


@pytest.mark.parametrize("optimiser", ["muon", "adam"])
def test_training_learns(optimiser):
    net = network()
    recipe = RECIPE.model_copy(update={"optimiser": optimiser})
    done = train(net, loss_of(net), ITEMS, recipe, "key")
    assert done.steps == 60
    assert done.losses[-1] < 0.3 * done.losses[0]
    assert not net.training


@pytest.mark.parametrize("optimiser", ["muon", "adam"])
@pytest.mark.parametrize("stop_at", [4, 31, 59])
def test_a_stopped_training_resumes_to_the_same_bits(tmp_path, monkeypatch, stop_at, optimiser):
    recipe = RECIPE.model_copy(update={"optimiser": optimiser})
    monkeypatch.setattr(training, "CHECKPOINT_EVERY_S", -1.0)
    monkeypatch.setattr(training, "LOOK_EVERY", 1)
    whole = network()
    record = train(whole, loss_of(whole), ITEMS, recipe, "key")

    net, checkpoint = network(), tmp_path / "training.safetensors"
    loss, steps = loss_of(net), itertools.count()

    def interrupted(positions, draws):
        if next(steps) == stop_at:
            raise KeyboardInterrupt
        return loss(positions, draws)

    with pytest.raises(KeyboardInterrupt):
        train(net, interrupted, ITEMS, recipe, "key", checkpoint)
    assert checkpoint.exists()

    again = network(seed=9)  # what it starts from must not matter
    resumed = train(again, loss_of(again), ITEMS, recipe, "key", checkpoint)
    assert torch.equal(weights(again), weights(whole))
    assert resumed.losses == record.losses

    # the caller has not stored the network yet: a last checkpoint holds the finished training
    once_more = network(seed=7)
    train(once_more, loss_of(once_more), ITEMS, recipe, "key", checkpoint)
    assert torch.equal(weights(once_more), weights(whole))


def test_a_stopped_training_takes_its_companion_up_too(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_EVERY_S", -1.0)
    monkeypatch.setattr(training, "LOOK_EVERY", 1)

    def pair(seed=0):
        """A network that follows a second one, which follows it."""
        first, second = network(seed), network(seed + 1)
        own, probe = loss_of(first), torch.ones(1, 2, 6, 6)

        def gap():
            return first[0].bias.mean(), second(probe).mean()

        def loss(positions, draws):
            here, there = gap()
            return own(positions, draws) + (here - there.detach()).square()

        def second_loss():
            here, there = gap()
            return (here.detach() - there).square()

        return first, second, loss, Companion(second, second_loss)

    whole, beside, loss, companion = pair()
    train(whole, loss, ITEMS, RECIPE, "key", companion=companion)
    first, _, loss, companion = pair()
    checkpoint, steps = tmp_path / "training.safetensors", itertools.count()

    def interrupted(positions, draws):
        if next(steps) == 31:
            raise KeyboardInterrupt
        return loss(positions, draws)

    with pytest.raises(KeyboardInterrupt):
        train(first, interrupted, ITEMS, RECIPE, "key", checkpoint, companion)
    again, second, loss, companion = pair(seed=5)
    train(again, loss, ITEMS, RECIPE, "key", checkpoint, companion)
    assert torch.equal(weights(again), weights(whole))
    assert torch.equal(weights(second), weights(beside))


@pytest.mark.parametrize("damage", ["cut", "noise", "other key"])
def test_a_damaged_checkpoint_only_costs_the_work_in_it(tmp_path, monkeypatch, damage):
    monkeypatch.setattr(training, "CHECKPOINT_EVERY_S", -1.0)
    monkeypatch.setattr(training, "LOOK_EVERY", 1)
    whole = network()
    train(whole, loss_of(whole), ITEMS, RECIPE, "key")
    net, checkpoint = network(), tmp_path / "training.safetensors"
    loss, steps = loss_of(net), itertools.count()

    def interrupted(positions, draws):
        if next(steps) == 30:
            raise KeyboardInterrupt
        return loss(positions, draws)

    key = "another" if damage == "other key" else "key"
    with pytest.raises(KeyboardInterrupt):
        train(net, interrupted, ITEMS, RECIPE, key, checkpoint)
    if damage == "cut":
        checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    if damage == "noise":
        checkpoint.write_bytes(b"\x00" * 500)
    again = network()
    train(again, loss_of(again), ITEMS, RECIPE, "key", checkpoint)
    assert torch.equal(weights(again), weights(whole))


def test_another_key_is_another_run_of_the_dice():
    one, other = network(), network()
    train(one, loss_of(one), ITEMS, RECIPE, "one")
    train(other, loss_of(other), ITEMS, RECIPE, "other")
    assert not torch.equal(weights(one), weights(other))


def test_an_infinite_loss_is_divergence_not_a_result():
    net = network()
    with pytest.raises(Diverged, match="no longer finite"):
        train(net, lambda p, d: loss_of(net)(p, d) * float("inf"), ITEMS, RECIPE, "key")


@given(st.integers(1, 30), st.integers(1, 40), st.integers(0, 50))
def test_every_epoch_sees_every_item_once_wherever_it_starts(n, size, start):
    per_epoch = n // min(size, n)
    fresh = list(itertools.islice(batches(n, size, "k", 0), start + per_epoch))
    later = list(itertools.islice(batches(n, size, "k", start), per_epoch))
    assert all(torch.equal(a, b) for a, b in zip(fresh[start:], later, strict=True))
    epoch = torch.cat(fresh[:per_epoch]) if start == 0 else torch.cat(fresh)[:0]
    assert len(epoch.unique()) == len(epoch)


def test_rate_rises_to_its_peak_and_ends_at_zero():
    recipe = Recipe(steps=100, lr=1e-3, warmup=0.1)
    rates = [recipe.lr_at(step) for step in range(100)]
    assert max(rates) == pytest.approx(1e-3)
    assert rates.index(max(rates)) == 10
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 1e-6


def test_streams_of_one_key_are_independent():
    key = digest({"cell": 1})
    assert len({seed_for(key, purpose) for purpose in ("weights", "augment", "channel")}) == 3
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
