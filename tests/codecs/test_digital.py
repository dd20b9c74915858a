"""Source codecs over MODCODs: what fits arrives above the threshold, and nothing below it."""

import io
import math

import numpy as np
import pytest
import torch
from PIL import Image

from semloss.channels import CHANNELS
from semloss.codecs import CODECS, ChannelState
from semloss.codecs.constellations import constellation
from semloss.codecs.digital import cut, mosaic
from semloss.codecs.picture_files import CODECS as FILES
from semloss.codecs.picture_files import coded, within
from semloss.errors import SemlossError
from semloss.modcods import DVB_S2, modcod
from semloss.sources.scenes import draw_tile

SHAPE = (3, 64, 64)


@pytest.fixture(scope="module")
def tiles():
    covers = ("Forest", "Highway", "Industrial", "River")
    return np.stack([draw_tile(cover, 0, i)[0] for cover in covers for i in range(2)])


def as_tensor(tiles):
    return torch.from_numpy(tiles).permute(0, 3, 1, 2).float() / 255


def network_of(cr=1 / 6, kind="jpeg2000", **options):
    codec = CODECS.parse({"kind": kind, **options}, "codec")
    return codec, codec.build(SHAPE, codec.realise(cr, SHAPE), 0)


def sent(network, images, snr_db, channel="awgn", at_db=None, **options):
    """What arrives of images that are sent at an SNR, or planned there and received at another."""
    at_db = snr_db if at_db is None else at_db
    generator = torch.Generator().manual_seed(0)
    symbols = network.encode(images, ChannelState(snr_db))
    over = CHANNELS.parse({"kind": channel, **options}, "channel")
    heard = over.propagate(symbols, at_db, generator)
    return network.decode(heard.symbols, ChannelState(at_db, heard.gain), generator)


# -- files -------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", FILES)
def test_the_best_file_within_a_budget(tiles, codec):
    errors = []
    for bits in (4500, 6500, 9000):
        file, back = within(tiles[2], codec, bits)
        assert 0.5 * bits < 8 * len(file) <= bits
        again = np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))
        assert (again == back).all()
        errors.append(np.mean((back / 255.0 - tiles[2] / 255.0) ** 2))
    assert errors[0] > errors[1] > errors[2]
    assert within(tiles[2], codec, 400) is None


def test_a_better_quality_would_not_fit(tiles):
    file, _ = within(tiles[2], "webp", 6000)
    sizes = [8 * len(coded(tiles[2], "webp", quality)) for quality in range(101)]
    best = max(quality for quality in range(101) if sizes[quality] == 8 * len(file))
    assert sizes[best] <= 6000 < sizes[best + 1]


def test_other_numbers_of_bands_share_the_budget(tiles):
    five = np.concatenate([tiles[0], tiles[1][..., :2]], axis=2)
    file, back = within(five, "jpeg2000", 40000)
    assert back.shape == five.shape
    assert 0.9 * 40000 < 8 * len(file) <= 40000
    grey, back = within(five[..., :1], "jpeg2000", 8000)
    assert back.shape == (64, 64, 1)
    assert 8 * len(grey) <= 8000


# -- symbols -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [one.name for one in DVB_S2.entries])
def test_constellations(name):
    points = np.array(constellation(name))
    bits = {"QPSK": 2, "8PSK": 3, "16APSK": 4, "32APSK": 5}[name.split()[0]]
    assert len(np.unique(points.round(9))) == 2**bits
    assert np.mean(np.abs(points) ** 2) == pytest.approx(1)
    assert np.mean(points) == pytest.approx(0)
    # no more information than points could hold
    assert modcod(name).efficiency < bits


@pytest.mark.parametrize(("link", "snr_db"), [("dvb-s2", 1.0), ("dvb-s2", 14.0), ("shannon", 3.0)])
def test_symbols_have_unit_power_and_follow_from_the_image(tiles, link, snr_db):
    codec, network = network_of(link=link)
    images = as_tensor(tiles)
    symbols = network.encode(images, ChannelState(snr_db))
    assert symbols.shape == (8, codec.realise(1 / 6, SHAPE).k)
    assert symbols.abs().square().mean(1) == pytest.approx(1, rel=1e-5)
    assert (network.encode(images, ChannelState(snr_db)) == symbols).all()
    if link == "dvb-s2":
        scheme = codec.scheme(snr_db)
        levels = len(np.unique(np.abs(constellation(scheme.name)).round(6)))
        assert len(np.unique(symbols[0].abs().numpy().round(5))) == levels
    # strangers: of k symbols the likeness is within 5 / sqrt(k)
    alike = (symbols[0] * symbols[1].conj()).mean().abs()
    assert alike < 5 / symbols.shape[1] ** 0.5


# -- the cliff ---------------------------------------------------------------------------------


def test_what_arrives_is_the_best_file_of_the_budget(tiles):
    codec, network = network_of()
    got = sent(network, as_tensor(tiles), 5.0)
    k, best = 2048, codec.scheme(5.0)
    assert best.name == "QPSK 4/5"  # 4.68 dB; 5/6 needs 5.18, 8PSK 3/5 5.5
    for image, back in zip(tiles, got, strict=True):
        file, truth = within(image, "jpeg2000", math.floor(k * best.efficiency))
        assert (back.permute(1, 2, 0) * 255).round().byte().numpy() == pytest.approx(truth)
        assert 8 * len(file) <= k * best.efficiency
    assert network.delivered.all()


@pytest.mark.parametrize(("at_db", "arrives"), [(10.3, True), (10.21, True), (10.2, False)])
def test_planned_for_one_snr_and_received_at_another(tiles, at_db, arrives):
    """16APSK 3/4 closes at 10.21 dB: above it nothing is gained, below it nothing is left."""
    codec, network = network_of(planned_snr_db=10.5)
    assert codec.scheme(-3.0).name == "16APSK 3/4"
    images = as_tensor(tiles)
    got = sent(network, images, 0.0, at_db=at_db)
    assert network.delivered.tolist() == [arrives] * 8
    if arrives:
        assert (got == sent(network, images, 0.0, at_db=30.0)).all()
    else:
        assert (got == got[0, 0, 0, 0]).all()
        assert float(got[0, 0, 0, 0]) == pytest.approx(0.5, abs=0.51 / 255)


def test_a_margin_is_kept_and_is_what_the_snr_may_fall_by(tiles):
    codec, network = network_of(margin_db=1.0)
    assert codec.scheme(5.1).name == "QPSK 3/4"  # 4.03 dB
    sent(network, as_tensor(tiles), 5.1, at_db=4.1)
    assert network.delivered.all()
    sent(network, as_tensor(tiles), 5.1, at_db=4.0)
    assert not network.delivered.any()


def test_capacity_is_no_less_than_any_modcod(tiles):
    images = as_tensor(tiles)
    for snr_db in (1.0, 5.0, 13.0):
        real, bound = network_of()[1], network_of(link="shannon")[1]
        mse = [(sent(one, images, snr_db) - images).square().mean() for one in (real, bound)]
        assert mse[1] < mse[0]
        assert bound.delivered.all()
    sent(bound, images, 5.0, at_db=4.99)
    assert not bound.delivered.any()


def test_a_budget_below_the_smallest_file_is_a_failed_image(tiles):
    _, network = network_of(cr=1 / 100)
    got = sent(network, as_tensor(tiles), 5.0)
    assert not network.delivered.any()
    assert got.shape == (8, *SHAPE)


def test_below_every_modcod_nothing_arrives_and_symbols_still_go_out(tiles):
    _, network = network_of()
    sent(network, as_tensor(tiles), -3.0)
    assert not network.delivered.any()
    assert network.encode(as_tensor(tiles), ChannelState(-3.0)).abs() == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("equaliser", ["none", "mmse", "zf"])
def test_slow_fading_takes_the_images_whose_gain_is_too_small(tiles, equaliser):
    """P(|h|² SNR >= threshold) = exp(-threshold / SNR) under Rayleigh fading."""
    codec, network = network_of(cr=1 / 6, planned_snr_db=1.0)
    images = as_tensor(np.full((400, 64, 64, 3), 90, np.uint8))  # flat: its file fits
    sent(network, images, 1.0, at_db=3.0, channel="rayleigh", equaliser=equaliser)
    arrived = network.delivered.float().mean()
    truth = math.exp(-(10 ** (0.1 * (codec.scheme(1.0).es_n0_db - 3.0))))
    assert float(arrived) == pytest.approx(truth, abs=5 * (truth * (1 - truth) / 400) ** 0.5)


def test_fast_fading_is_averaged_by_the_code(tiles):
    """Mean capacity under Rayleigh at 10 dB is 2.9 bits a symbol: that of AWGN at 8.1 dB."""
    for planned, arrives in ((8.0, True), (9.0, False)):
        _, network = network_of(planned_snr_db=planned)
        sent(network, as_tensor(tiles), 10.0, channel="rayleigh", fading="fast")
        assert network.delivered.all() == arrives


@pytest.mark.parametrize(("snr_db", "arrives"), [(7.0, True), (20.0, False)])
def test_an_amplifier_near_saturation_takes_what_it_distorts(tiles, snr_db, arrives):
    """PSK stands a saturated amplifier; 32APSK comes in with less than its 16 dB."""
    codec, network = network_of(kind="jpeg", planned_snr_db=5.0 if arrives else 16.1)
    assert codec.scheme(0.0).name.split()[0] == ("QPSK" if arrives else "32APSK")
    sent(network, as_tensor(tiles), snr_db, channel="amplifier", input_back_off_db=0.0)
    assert network.delivered.all() == arrives
    assert network.delivered.any() == arrives
    # backed off far enough, the same SNR at the receiver carries both
    sent(network, as_tensor(tiles), snr_db + 14, channel="amplifier", input_back_off_db=14.0)
    assert network.delivered.all()


# -- many tiles, one codestream ----------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8])
def test_a_mosaic_gives_its_images_back(tiles, count):
    whole = mosaic(tiles[:count])
    assert whole.shape[0] * whole.shape[1] < 64**2 * (count + math.ceil(math.sqrt(count)))
    assert (cut(whole, tiles[:count].shape) == tiles[:count]).all()


def test_one_codestream_over_many_tiles_needs_one_header(tiles):
    images = as_tensor(np.concatenate([tiles, tiles[:3]]))
    alone, together = network_of(cr=1 / 24)[1], network_of(cr=1 / 24, tiles=8)[1]
    sent(alone, images, 5.0)
    assert alone.delivered.sum() < 4
    got = sent(together, images, 5.0)
    assert together.delivered.all()  # eight, and the three that are left
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    assert (got - images).square().mean() < (mean - images).square().mean()


# -- what cannot be ----------------------------------------------------------------------------


def test_one_line_for_what_cannot_be(tiles, monkeypatch):
    with pytest.raises(SemlossError, match="no MODCOD of DVB-S2 closes there; the first does at"):
        network_of(planned_snr_db=-5.0)
    with pytest.raises(SemlossError, match="tiles = 65"):
        network_of(tiles=65)
    _, network = network_of()
    images = as_tensor(tiles)
    symbols = network.encode(images, ChannelState(5.0))
    network.encode(images.flip(0), ChannelState(5.0))
    with pytest.raises(SemlossError, match="decodes the symbols that it encoded last"):
        network.decode(symbols, ChannelState(5.0), torch.Generator())
    with pytest.raises(SemlossError, match="decodes the symbols that it encoded last"):
        network.decode(symbols[:3], ChannelState(5.0), torch.Generator())
    monkeypatch.setattr("semloss.codecs.picture_files.features.check", lambda _: False)
    with pytest.raises(SemlossError, match="built without avif"):
        network_of(kind="avif")


# -- answers -----------------------------------------------------------------------------------


class Says(torch.nn.Module):
    """Logits of ten classes from the mean of the image's three bands."""

    def forward(self, images):
        return torch.nn.functional.pad(50 * images.mean(dim=(2, 3)), (0, 7), value=-9.0)


def test_label_and_confidence_arrive_as_they_were_rounded(tiles):
    codec = CODECS.parse({"kind": "onboard", "confidence_bits": 6}, "codec")
    nominal = codec.realise(1 / 6, SHAPE)
    at = codec.at(nominal, SHAPE, 5.0)
    assert at.k == math.ceil(14 / modcod("QPSK 4/5").efficiency)
    assert at.cr == at.k / math.prod(SHAPE) == at.cr_nominal
    assert codec.at(nominal, SHAPE, -9.0) == nominal
    network = codec.build(SHAPE, at, 0)
    network.attend(Says())
    images = as_tensor(tiles)
    got = sent(network, images, 5.0).softmax(1)
    truth = Says()(images).softmax(1)
    assert got.argmax(1).tolist() == truth.argmax(1).tolist()
    assert got.amax(1) == pytest.approx(truth.amax(1), abs=0.51 / 63)
    assert got.sum(1) == pytest.approx(1)
    lost = sent(network, images, 5.0, at_db=4.0).softmax(1)
    assert not network.delivered.any()
    assert lost == pytest.approx(0.1, abs=1e-6)
    few = CODECS.parse({"kind": "onboard", "label_bits": 3}, "codec").build(SHAPE, at, 0)
    few.attend(Says())
    with pytest.raises(SemlossError, match="too few for 10 classes"):
        few.encode(images, ChannelState(5.0))
