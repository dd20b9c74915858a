"""Codecs: CR is k/n, power is exactly one, any bands and sizes."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from semloss.codecs import CODECS, ChannelState, Realisation, Trial, transplant
from semloss.codecs.base import MAX_CR_RATIO, from_symbols, to_symbols
from semloss.codecs.prelu import PReLU
from semloss.codecs.sendable import on_points, peaks_limited
from semloss.errors import Diverged, SemlossError

RGB = (3, 64, 64)


STATE = ChannelState(snr_db=10.0)


def with_filters(options, shape, filters):
    k = options.symbols_per_image(shape, filters)
    return Realisation(k / math.prod(shape), k / math.prod(shape), k, {"filters": filters})


def built(filters, seed):
    return codec().build(RGB, with_filters(codec(), RGB, filters), seed)


def codec(**options):
    return CODECS.parse({"kind": "deepjscc", **options}, "codec")


@pytest.mark.parametrize("filters", [1, 2, 4, 8, 16, 24])
def test_filters_over_96_is_the_ratio_on_rgb(filters):
    # Bourtsoulatze et al. 2019: c maps of H/4 x W/4 are c*H*W/32 complex symbols over 3*H*W
    realised = codec().realise(filters / 96, RGB)
    assert realised.setting == {"filters": filters}
    assert realised.cr == filters / 96
    assert realised.k == filters * 64 * 64 // 32


def test_a_ratio_between_two_filter_counts_is_rounded_not_cut():
    # 96/20 = 4.8: the nearest is 5 filters (1/19.2); cutting would send 1/24
    realised = codec().realise(1 / 20, RGB)
    assert realised.label == "filters=5"
    assert realised.cr == pytest.approx(5 / 96)
    assert realised.cr_nominal == 1 / 20


def test_a_ratio_below_the_smallest_names_what_can_be_had():
    with pytest.raises(SemlossError, match=r"grid\.cr\[2\] = 1/500.*1/96 and 1/48"):
        codec().realise(1 / 500, RGB, where="grid.cr[2]")


@given(st.floats(0.008, 1.0), st.integers(1, 13), st.integers(9, 70), st.integers(9, 70))
def test_realised_ratio_is_near_the_nominal_or_refused(cr, bands, height, width):
    shape = (bands, height, width)
    try:
        realised = codec().realise(cr, shape)
    except SemlossError:
        return
    assert realised.cr == realised.k / math.prod(shape)
    assert 1 / MAX_CR_RATIO <= realised.cr / cr <= MAX_CR_RATIO


@settings(deadline=None, max_examples=15)
@given(
    bands=st.integers(1, 13),
    height=st.integers(8, 40),
    width=st.integers(8, 40),
    filters=st.integers(1, 7),
    stages=st.integers(1, 3),
    depth=st.integers(0, 2),
)
def test_any_bands_and_size_come_back_with_unit_power(bands, height, width, filters, stages, depth):
    options = codec(stages=stages, depth=depth, stem=4, width=6)
    shape = (bands, height, width)
    network = options.build(shape, with_filters(options, shape, filters), seed=0)
    images = torch.rand(3, bands, height, width)
    symbols = network.encode(images, STATE)
    assert symbols.dtype == torch.complex64
    assert symbols.shape == (3, options.symbols_per_image(shape, filters))
    power = symbols.abs().square().mean(dim=1)
    torch.testing.assert_close(power, torch.ones(3), rtol=1e-5, atol=1e-5)
    received = network.decode(symbols, STATE, torch.Generator())
    assert received.shape == images.shape
    assert received.min() >= 0
    assert received.max() <= 1


@pytest.mark.parametrize("m", [4, 5])
def test_symbols_carry_every_feature_back(m):
    latent = torch.randn(2, m, 3, 1)
    flat = latent.flatten(1)
    scale = flat.square().sum(1).div(math.ceil(flat.shape[1] / 2)).sqrt()
    back = from_symbols(to_symbols(latent), (m, 3, 1))
    torch.testing.assert_close(back * scale.view(-1, 1, 1, 1), latent)


def test_a_transplant_carries_what_both_have():
    wide, narrow = built(16, seed=0), built(4, seed=1)
    fresh = built(16, seed=2)
    transplant(wide, narrow)
    torch.testing.assert_close(narrow.encoder[0].weight, wide.encoder[0].weight)
    torch.testing.assert_close(narrow.encoder[-1].weight, wide.encoder[-1].weight[:4])
    torch.testing.assert_close(narrow.decoder[0].weight, wide.decoder[0].weight[:, :4])
    rest = fresh.encoder[-1].weight[4:].clone()
    transplant(narrow, fresh)
    torch.testing.assert_close(fresh.encoder[-1].weight[:4], wide.encoder[-1].weight[:4])
    assert torch.equal(fresh.encoder[-1].weight[4:], rest)


def test_the_network_is_the_papers():
    network = built(16, seed=0)
    layers = [m for m in network.modules() if hasattr(m, "stride")]
    sizes = [(m.in_channels, m.out_channels, m.kernel_size[0], m.stride[0]) for m in layers]
    assert sizes == [
        (3, 16, 5, 2), (16, 32, 5, 2), (32, 32, 5, 1), (32, 32, 5, 1), (32, 16, 5, 1),
        (16, 32, 5, 1), (32, 32, 5, 1), (32, 32, 5, 1), (32, 16, 5, 2), (16, 3, 5, 2),
    ]  # fmt: skip


def test_no_two_layers_share_an_activation():
    slopes = [p for m in built(8, seed=0).modules()
              if isinstance(m, torch.nn.PReLU) for p in m.parameters()]  # fmt: skip
    assert len({p.data_ptr() for p in slopes}) == len(slopes) == 8


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_prelu_is_torchs_prelu(layout):
    ours, theirs = PReLU(6), torch.nn.PReLU(6)
    with torch.no_grad():
        theirs.weight.copy_(ours.weight.uniform_(-1, 1))
    maps = torch.randn(3, 6, 5, 7).contiguous(memory_format=layout)
    pair = [maps.clone().requires_grad_() for _ in range(2)]
    results = [layer(x) for layer, x in zip((ours, theirs), pair, strict=True)]
    torch.testing.assert_close(*results)
    for result in results:
        (result.sin().sum()).backward()
    torch.testing.assert_close(pair[0].grad, pair[1].grad)
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad)


def test_weights_follow_the_seed_and_leave_the_global_stream_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one, same, other = (built(4, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.rand(1), expected)
    for name, value in one.state_dict().items():
        assert torch.equal(value, same.state_dict()[name])
    assert not torch.equal(one.encoder[0].weight, other.encoder[0].weight)


def test_a_codec_that_learnt_no_more_than_the_mean_image_has_diverged():
    sent = torch.rand(8, *RGB, generator=torch.Generator().manual_seed(0))
    mean = sent.mean(0, keepdim=True)
    near = sent + 0.05 * torch.randn(sent.shape, generator=torch.Generator().manual_seed(1))
    facts = codec().check(Trial([(sent[:4], near[:4]), (sent[4:], near[4:])], mean, bits=1e4))
    assert facts["validation_psnr_db"] == pytest.approx(26.0, abs=0.1)  # 20 log10(1 / 0.05)
    nothing = Trial([(sent, mean.expand_as(sent))], mean, bits=1e4)
    with pytest.raises(Diverged, match="where the mean image has"):
        codec().check(nothing)
    # a link of a few bits an image may do no better
    assert codec().check(Trial(nothing.batches, mean, bits=10.0))


def test_label_names_only_what_departs_from_the_paper():
    assert codec().label == "deepjscc"
    assert codec(width=64).label == "deepjscc-width64"


def test_unknown_codec_and_option_name_the_mend():
    with pytest.raises(SemlossError, match=r"codec\.kind = 'jpg'.*deepjscc"):
        CODECS.parse({"kind": "jpg"}, "codec")
    with pytest.raises(SemlossError, match=r"codec\.widht: unknown key; did you mean width\?"):
        codec(widht=3)
    with pytest.raises(SemlossError, match=r"codec\.kernel = 4"):
        codec(kernel=4)


@pytest.mark.parametrize("papr_db", [0.0, 1.0, 3.0, 6.0])
def test_peaks_are_kept_to_the_limit_and_power_to_one(papr_db):
    torch.manual_seed(0)
    symbols = to_symbols(torch.randn(20, 1000, 1)).requires_grad_()
    limited = peaks_limited(symbols, papr_db)
    power = limited.abs().square()
    torch.testing.assert_close(power.mean(1), torch.ones(20), atol=1e-4, rtol=0)
    assert float(power.detach().max()) <= 10 ** (papr_db / 10) * 1.0001
    torch.testing.assert_close(limited.angle(), symbols.angle(), atol=1e-4, rtol=0)
    # the larger stays the larger, or as large
    order = symbols.abs().argsort(dim=1)
    assert (limited.abs().gather(1, order).diff(dim=1) > -1e-4).all()
    (slope,) = torch.autograd.grad(limited.real.sum(), symbols)
    assert slope.isfinite().all()


def test_peaks_below_the_limit_are_left_alone():
    symbols = to_symbols(torch.randn(5, 200, 1))
    torch.testing.assert_close(peaks_limited(symbols, 20.0), symbols)
    assert peaks_limited(symbols, None) is symbols


@pytest.mark.parametrize("kind", ["deepjscc", "adaptive"])
def test_a_codec_keeps_its_peaks_below_what_is_asked(kind):
    options = CODECS.parse({"kind": kind, "papr_db": 2.0}, "codec")
    network = options.build(RGB, options.realise(1 / 12, RGB), seed=0)
    symbols = network.encode(torch.rand(2, *RGB), STATE)
    power = symbols.abs().square()
    assert float(power.detach().max()) <= 10**0.2 * 1.001
    torch.testing.assert_close(power.mean(1), torch.ones(2), atol=1e-3, rtol=0)
    with pytest.raises(SemlossError, match=r"codec\.papr_db = -1"):
        CODECS.parse({"kind": kind, "papr_db": -1}, "codec")
    assert "papr_db" not in CODECS.dump(CODECS.parse({"kind": kind}, "codec"))


@pytest.mark.parametrize("points", [4, 16, 64])
def test_a_constellation_has_no_other_points(points):
    torch.manual_seed(0)
    free = to_symbols(torch.randn(6, 4000, 1)).requires_grad_()
    sent = on_points(free, points)
    torch.testing.assert_close(sent.abs().square().mean(1), torch.ones(6), atol=1e-5, rtol=0)
    side = math.isqrt(points)
    for image, was in zip(sent.detach(), free.detach(), strict=True):
        levels = torch.unique((image.real / image.real.abs().min()).round())
        # odd multiples of half the distance between neighbours
        assert levels.tolist() == list(range(1 - side, side, 2))
        # Gaussian numbers of power one half in I: no level is nearer than the one that was taken
        grid = torch.tensor(levels.tolist()) * 1 / math.sqrt(2 * (points - 1) / 3)
        nearest = grid[(was.real[:, None] - grid).abs().argmin(1)]
        scale = image.real / nearest
        torch.testing.assert_close(scale, scale[:1].expand_as(scale), rtol=1e-4, atol=0)
    (slope,) = torch.autograd.grad((sent.real * torch.randn(6, 2000)).sum(), free)
    assert slope.isfinite().all()
    assert (slope.abs() > 0).any()


@pytest.mark.parametrize("kind", ["deepjscc", "adaptive", "layered"])
def test_a_codec_sends_points_of_its_constellation(kind):
    options = CODECS.parse({"kind": kind, "constellation": 16}, "codec")
    network = options.build(RGB, options.realise(1 / 12, RGB), seed=0)
    symbols = network.encode(torch.rand(2, *RGB), STATE)
    torch.testing.assert_close(symbols.abs().square().mean(1), torch.ones(2), atol=1e-3, rtol=0)
    if kind != "layered":  # there each layer has a scale of its own
        for image in symbols.detach():
            assert len(torch.unique(image.real.mul(1e4).round())) <= 4
    with pytest.raises(SemlossError, match=r"codec\.constellation = 32: .* 4, 16, 64 or 256"):
        CODECS.parse({"kind": kind, "constellation": 32}, "codec")
    with pytest.raises(SemlossError, match=r"leave out papr_db"):
        CODECS.parse({"kind": kind, "constellation": 16, "papr_db": 1}, "codec")
