"""One network for the plane: any prefix has unit power, and is what training sent of it."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from semloss.codecs import CODECS, ChannelState
from semloss.codecs.cost import encoder_cost
from semloss.errors import SemlossError

RGB = (3, 64, 64)


def codec(kind="adaptive", **options):
    return CODECS.parse({"kind": kind, "stem": 4, "width": 6, "depth": 1, **options}, "codec")


def network(options, shape, cr, seed=0):
    built = options.build(shape, options.realise(cr, shape), seed)
    for parameter in built.parameters():  # the controls start at zero: told things change nothing
        torch.manual_seed(seed)
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    return built.eval()


@settings(deadline=None, max_examples=15)
@given(
    bands=st.integers(1, 5),
    height=st.integers(8, 30),
    width=st.integers(8, 30),
    stages=st.integers(1, 3),
    maps=st.integers(1, 5),
    kind=st.sampled_from(["adaptive", "layered"]),
)
def test_any_bands_and_size_come_back_with_unit_power(bands, height, width, stages, maps, kind):
    shape = (bands, height, width)
    options = codec(kind, stages=stages, maps=maps)
    k = maps * math.ceil(math.prod(options.side(shape)) / 2)
    try:
        realised = options.realise(k / math.prod(shape), shape)
    except SemlossError:  # more symbols than samples
        return
    built = options.build(shape, realised, seed=0)
    images = torch.rand(3, *shape)
    state = ChannelState(snr_db=10.0)
    symbols = built.encode(images, state)
    assert symbols.shape == (3, k)
    torch.testing.assert_close(symbols.abs().square().mean(1), torch.ones(3), rtol=1e-4, atol=1e-4)
    assert built.decode(symbols, state, torch.Generator()).shape == images.shape


@pytest.mark.parametrize(("kind", "low_maps"), [("adaptive", 0), ("adaptive", 2), ("layered", 0)])
@pytest.mark.parametrize("shape", [RGB, (3, 20, 12), (2, 9, 11)])
def test_training_sends_of_each_image_what_measuring_sends(shape, kind, low_maps):
    options = codec(kind, maps=6, low_maps=low_maps)
    crs = [options.symbols_per_map(shape) * count / math.prod(shape) for count in (2, 3, 6)]
    images = torch.rand(3, *shape)
    snr_db = torch.tensor([-3.0, 4.0, 15.0])
    whole = network(options, shape, crs[-1])
    sent = whole.encode(images, ChannelState(snr_db, cr=torch.tensor(crs)))
    arrived = whole.decode(sent, ChannelState(snr_db, cr=torch.tensor(crs)), torch.Generator())
    for at, cr in enumerate(crs):
        one = network(options, shape, cr)
        state = ChannelState(float(snr_db[at]))
        symbols = one.encode(images[at : at + 1], state)
        assert torch.all(sent[at, symbols.shape[1] :] == 0)
        torch.testing.assert_close(sent[at, : symbols.shape[1]], symbols[0])
        alone = one.decode(symbols, state, torch.Generator())
        torch.testing.assert_close(arrived[at], alone[0])


def test_the_network_hears_what_it_is_told():
    options = codec()
    one = network(options, RGB, 1 / 12)
    images = torch.rand(2, *RGB)
    low, high = (one.encode(images, ChannelState(snr_db)) for snr_db in (-5.0, 15.0))
    assert (low - high).abs().max() > 1e-3
    # a fade of 20 dB is, to the receiver, an SNR that is 20 dB lower
    gain = torch.full((2, 1), 0.1 + 0j)
    faded = one.decode(low, ChannelState(15.0, gain), torch.Generator())
    told = one.decode(low, ChannelState(-5.0), torch.Generator())
    torch.testing.assert_close(faded, told)


def test_layers_go_one_after_another():
    options = codec("layered", maps=6, papr_db=4.0)
    images, state = torch.rand(2, *RGB), ChannelState(snr_db=3.0)
    each = options.symbols_per_map(RGB)
    crs = [each * count / math.prod(RGB) for count in (1, 4, 6)]
    few, more, all_of_them = (network(options, RGB, cr).encode(images, state) for cr in crs)
    torch.testing.assert_close(more[:, :each], few)
    torch.testing.assert_close(all_of_them[:, : 4 * each], more)
    power = all_of_them.abs().square().view(2, 6, each)
    torch.testing.assert_close(power.mean(2), torch.ones(2, 6), atol=1e-3, rtol=0)
    assert float(power.detach().max()) <= 10**0.4 * 1.001
    # one shot spreads its power over what is sent: there the first map is sent otherwise
    adaptive = codec(maps=6)
    one, two = (network(adaptive, RGB, cr).encode(images, state) for cr in crs[:2])
    assert (two[:, :each] - one).abs().max() > 1e-2


def test_a_rate_beyond_its_maps_is_one_line():
    with pytest.raises(SemlossError, match=r"grid\.cr\[1\] = 1/3: no number of maps .* 1/6$"):
        codec().realise(1 / 3, RGB, where="grid.cr[1]")


def test_few_maps_have_a_network_of_their_own_or_none():
    images = torch.rand(4, *RGB)
    options = codec(maps=6, low_maps=2)
    each = options.symbols_per_map(RGB) / math.prod(RGB)
    for counts in ([1, 2, 2, 1], [3, 6, 4, 3]):
        built = options.build(RGB, options.realise(6 * each, RGB), 0)
        state = ChannelState(3.0, cr=torch.tensor(counts) * each)
        sent = built.encode(images, state)
        built.decode(sent, state, torch.Generator()).sum().backward()
        taught = {
            name.split(".")[0] for name, one in built.named_parameters() if one.grad is not None
        }
        assert taught == {"low" if max(counts) <= 2 else "high"}
    for wrong, said in [({"maps": 3, "low_maps": 3}, "leaves none"), ({"kind": "layered"}, "one")]:
        with pytest.raises(SemlossError, match=said):
            codec(**({"low_maps": 2} | wrong))


def test_a_training_is_validated_at_a_rate_of_either_network():
    options = codec(maps=6, low_maps=2)
    each = options.symbols_per_map(RGB)
    realised = options.realise(6 * each / math.prod(RGB), RGB)
    own, low = options.tried_at(realised)
    assert own is realised
    state = ChannelState(3.0, cr=torch.full((2,), low.cr))
    sent = options.build(RGB, realised, 0).encode(torch.rand(2, *RGB), state)
    assert (sent != 0).sum(1).tolist() == [low.k] * 2 == [2 * each] * 2
    few = options.realise(2 * each / math.prod(RGB), RGB)
    assert options.tried_at(few) == (few,)
    assert codec(maps=6).tried_at(realised) == (realised,)


def test_the_encoder_of_the_paper_has_the_weights_and_products_of_its_layers():
    # layers by hand: maps in, maps out, side of what they make
    layers = [(3, 16, 32), (16, 32, 16), (32, 32, 16), (32, 32, 16), (32, 8, 16)]
    options = CODECS.parse({"kind": "deepjscc"}, "codec")
    built = options.build(RGB, options.realise(1 / 12, RGB), seed=0)
    cost = encoder_cost(built, torch.rand(3, *RGB))
    assert cost.macs == sum(25 * a * b * side**2 for a, b, side in layers)
    slopes = 16 + 3 * 32
    assert cost.weights == sum(25 * a * b + b for a, b, _ in layers) + slopes
    assert 0 < cost.cpu_ms < 1000


def test_the_decoder_is_no_part_of_the_encoders_cost():
    options = codec()
    built = network(options, RGB, 1 / 12)
    cost = encoder_cost(built, torch.rand(2, *RGB))
    parts = [built.encoder, built.straight_down]
    assert cost.weights == sum(p.numel() for part in parts for p in part.parameters())
