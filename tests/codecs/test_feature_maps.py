"""Maps of a backbone over the channel: how many symbols, who learns, what the receiver knows."""

import math

import pytest
import torch

from semloss.codecs import CODECS, ChannelState, Trial
from semloss.errors import Diverged, SemlossError
from semloss.tasks import TASKS

SHAPE = (3, 48, 48)


def network_of(cr=1 / 24, seed=0, **options):
    codec = CODECS.parse({"kind": "feature_maps", "width": 8, **options}, "codec")
    network = codec.build(SHAPE, codec.realise(cr, SHAPE), seed)
    network.attend(TASKS.parse({"kind": "resnet8", "width": 4}, "task").build(3, 5, 0).eval())
    return network.eval()


@pytest.mark.parametrize("k", [1, 17, 18, 19, 500])
def test_any_number_of_symbols_is_sent_at_unit_power(k):
    network = network_of(k / math.prod(SHAPE))
    with torch.no_grad():
        symbols = network.encode(torch.rand(4, *SHAPE), ChannelState(5.0))
        assert symbols.shape == (4, k)
        assert symbols.dtype == torch.complex64
        torch.testing.assert_close(symbols.abs().square().mean(1), torch.ones(4))
        maps = network.decode(symbols, ChannelState(5.0), torch.Generator())
    assert maps.shape == network.aim(torch.rand(4, *SHAPE)).shape == (4, 16, 6, 6)


def test_symbols_keep_to_what_can_be_sent():
    symbols = network_of(papr_db=1.0).encode(torch.rand(2, *SHAPE), ChannelState(5.0)).detach()
    peaks = symbols.abs().square().amax(1)
    assert (peaks <= 10**0.1 * (1 + 1e-4)).all()


def test_a_gain_that_the_receiver_knows_is_snr():
    network = network_of()
    symbols = torch.randn(3, network.k, dtype=torch.complex64)
    gain = torch.full((3, 1), 0.1**0.5, dtype=torch.complex64)
    faded = network.decode(symbols, ChannelState(10.0, gain), torch.Generator())
    weaker = network.decode(symbols, ChannelState(torch.zeros(3)), torch.Generator())
    torch.testing.assert_close(faded, weaker)
    clear = network.decode(symbols, ChannelState(10.0), torch.Generator())
    assert not torch.allclose(faded, clear)


def test_the_backbone_is_not_trained():
    network = network_of().train()
    before = {name: one.clone() for name, one in network.front.state_dict().items()}
    images = torch.rand(4, *SHAPE)
    step = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.1)
    state = ChannelState(5.0)
    arrived = network.decode(network.encode(images, state), state, torch.Generator())
    (arrived - network.aim(images)).square().mean().backward()
    step.step()
    after = network.front.state_dict()
    assert all(one.equal(before[name]) for name, one in after.items())
    assert not network.front.training
    assert network.encoder.training


def test_what_learnt_nothing_has_diverged():
    codec = CODECS.parse({"kind": "feature_maps"}, "codec")
    aim, mean = torch.randn(6, 2, 3, 3), torch.zeros(1, 2, 3, 3)
    told = codec.check(Trial([(aim, 0.5 * aim)], mean, 100.0))
    assert told["validation_map_error"] == pytest.approx(0.25)
    for arrived in (torch.zeros_like(aim), 2.5 * aim, torch.full_like(aim, math.nan)):
        with pytest.raises(Diverged, match="times as much as the mean maps"):
            codec.check(Trial([(aim, arrived)], mean, 100.0))


def test_a_task_model_that_is_not_there():
    codec = CODECS.parse({"kind": "feature_maps", "task": "resnet8-widht4"}, "codec")
    with pytest.raises(SemlossError, match="did you mean resnet8-width4"):
        codec.runs(["vgg", "resnet8-width4"])
    with pytest.raises(SemlossError, match=r"codec\.layer: .* no layer stages\.9 that gives maps"):
        network_of(layer="stages.9")
