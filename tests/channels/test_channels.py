"""Channels against theory: noise power, error rates, fading statistics, and what a seed fixes.

Closed forms: Proakis & Salehi, Digital Communications, 5th ed., sections 4.3 and 13.3.
Every statistical bound is five standard errors or more, at fixed seeds.
"""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy.special import erfc
from scipy.stats import rice
from symbols import qpsk, seeded

from semloss.channels import (
    CHANNELS,
    Amplifier,
    Awgn,
    Carrier,
    Channel,
    LandMobile,
    Quantised,
    Rayleigh,
    Rician,
    ShadowedRician,
)  # fmt: skip
from semloss.errors import SemlossError

ALL = [
    Awgn(),
    *(
        kind(fading=fading, equaliser=equaliser)
        for kind in (Rayleigh, Rician)
        for fading in ("slow", "fast")
        for equaliser in ("none", "zf", "mmse")
    ),
]
# of these the generic properties of fading are asked too; symbols are changed otherwise by the rest
ALL += [
    ShadowedRician(),
    ShadowedRician(fading="fast", equaliser="none"),
    LandMobile(),
    LandMobile(fading="fast", equaliser="none"),
]
OTHERS = [
    Amplifier(input_back_off_db=2.0),
    Amplifier(input_back_off_db=-1.0, model="saleh", roll_off=0.5),
    Carrier(),
    Quantised(bits=6),
    Rician(csi_error_db=-10.0),
]
BY_LABEL = {"ids": lambda channel: channel.label}
EVERY_CHANNEL = pytest.mark.parametrize("channel", ALL + OTHERS, **BY_LABEL)
EVERY_FLAT_ONE = pytest.mark.parametrize("channel", ALL, **BY_LABEL)
EVERY_SMOOTH_ONE = pytest.mark.parametrize(
    "channel", [one for one in ALL + OTHERS if not isinstance(one, Quantised)], **BY_LABEL
)
NO_NOISE_DB = math.inf


def bit_errors(sent: torch.Tensor, received: torch.Tensor) -> torch.Tensor:
    """Bit error rate of hard decisions, per image (B,)."""
    wrong_i = (sent.real > 0) != (received.real > 0)
    wrong_q = (sent.imag > 0) != (received.imag > 0)
    return (wrong_i.double() + wrong_q.double()).mean(dim=1) / 2


def within_five_sigma(per_image: torch.Tensor, expected: float) -> bool:
    """Mean over images against theory; images are independent even where symbols are not."""
    se = float(per_image.std()) / math.sqrt(per_image.numel())
    assert se < 0.05 * expected, "the sample is too small to tell"
    return abs(float(per_image.mean()) - expected) < 5 * se


def q(x: float) -> float:
    return 0.5 * float(erfc(x / math.sqrt(2)))


def linear(db: float) -> float:
    return 10 ** (db / 10)


def gains(channel: Channel, images: int, length: int) -> torch.Tensor:
    """Channel gain h of each symbol, read off a link without noise or equaliser."""
    sent = qpsk(images, length)
    return channel.transmit(sent, NO_NOISE_DB, seeded()) / sent


# --- Noise power -------------------------------------------------------------------------------


@pytest.mark.parametrize("snr_db", [-8.0, -1.0, 0.0, 4.0, 10.0, 20.0])
def test_awgn_snr_is_es_over_n0_per_complex_symbol(snr_db: float) -> None:
    """The label is the truth: not 3.01 dB off, as when N0 is halved per real dimension wrongly."""
    sent = qpsk(200, 1000)
    noise = Awgn().transmit(sent, snr_db, seeded()) - sent
    power = sent.abs().square().mean() / noise.abs().square().mean()
    assert float(10 * power.log10()) == pytest.approx(snr_db, abs=0.05)


def test_noise_is_circular() -> None:
    """N0/2 in each real dimension and no correlation between them."""
    noise = Awgn().transmit(torch.zeros(100, 2000, dtype=torch.complex64), 3.0, seeded())
    per_dimension = 1 / (2 * linear(3.0))
    assert float(noise.real.square().mean()) == pytest.approx(per_dimension, rel=0.02)
    assert float(noise.imag.square().mean()) == pytest.approx(per_dimension, rel=0.02)
    assert abs(float((noise.real * noise.imag).mean())) < 0.02 * per_dimension


@pytest.mark.parametrize("kind", [Rayleigh, Rician])
@pytest.mark.parametrize("snr_db", [0.0, 10.0])
def test_fading_snr_is_the_average_received_one(kind: type[Channel], snr_db: float) -> None:
    """E|h|^2 = 1, and the noise added to h x has power N0."""
    channel = kind(fading="fast", equaliser="none")
    sent = qpsk(200, 2000)
    faded = channel.transmit(sent, NO_NOISE_DB, seeded())
    noise = channel.transmit(sent, snr_db, seeded()) - faded
    snr = faded.abs().square().mean() / noise.abs().square().mean()
    assert float(10 * snr.log10()) == pytest.approx(snr_db, abs=0.05)


@EVERY_CHANNEL
def test_every_channel_obeys_its_snr(channel: Channel) -> None:
    """The argument is not decoration: noise moves the output less as the SNR rises."""
    sent = qpsk(500, 64)
    clean = channel.transmit(sent, NO_NOISE_DB, seeded())
    moved = [
        float((channel.transmit(sent, snr_db, seeded()) - clean).abs().mean())
        for snr_db in (-20.0, -10.0, 0.0, 10.0, 20.0)
    ]
    assert all(less < more for more, less in pairwise(moved))


@EVERY_CHANNEL
def test_an_snr_per_image_is_each_images_own(channel: Channel) -> None:
    sent = qpsk(4, 256)
    ladder = torch.tensor([-10.0, 0.0, 10.0, 30.0])
    mixed = channel.transmit(sent, ladder, seeded())
    for image, snr_db in enumerate(ladder.tolist()):
        alone = channel.transmit(sent, snr_db, seeded())
        assert torch.allclose(mixed[image], alone[image], rtol=1e-5, atol=1e-6)


def test_an_snr_per_symbol_is_refused() -> None:
    with pytest.raises(RuntimeError):
        Awgn().transmit(qpsk(4, 8), torch.zeros(8), seeded())


# --- Error rates -------------------------------------------------------------------------------


@pytest.mark.parametrize("snr_db", [0.0, 4.0, 8.0])
def test_qpsk_over_awgn_is_on_the_q_function(snr_db: float) -> None:
    """Bit error rate Q(sqrt(Es/N0)); symbol error rate 1 - (1 - Q)^2."""
    sent = qpsk(1000, 1000)
    received = Awgn().transmit(sent, snr_db, seeded())
    rate = q(math.sqrt(linear(snr_db)))
    assert within_five_sigma(bit_errors(sent, received), rate)
    right = ((sent.real * received.real) > 0) & ((sent.imag * received.imag) > 0)
    assert within_five_sigma(1 - right.double().mean(dim=1), 1 - (1 - rate) ** 2)


@pytest.mark.parametrize("equaliser", ["zf", "mmse"])
@pytest.mark.parametrize(("fading", "shape"), [("slow", (200_000, 4)), ("fast", (500, 1000))])
@pytest.mark.parametrize("snr_db", [0.0, 12.0])
def test_qpsk_over_rayleigh_is_on_the_closed_form(
    equaliser: str, fading: str, shape: tuple[int, int], snr_db: float
) -> None:
    """(1 - sqrt(g / (1 + g))) / 2 with g = Eb/N0 = Es/N0 / 2, for either coherent equaliser."""
    sent = qpsk(*shape)
    received = Rayleigh(fading=fading, equaliser=equaliser).transmit(sent, snr_db, seeded())
    ebno = linear(snr_db) / 2
    expected = 0.5 * (1 - math.sqrt(ebno / (1 + ebno)))
    assert within_five_sigma(bit_errors(sent, received), expected)


@pytest.mark.parametrize("k_db", [0.0, 6.0])
@pytest.mark.parametrize("snr_db", [0.0, 6.0])
def test_qpsk_over_rician_is_the_q_function_averaged_over_the_envelope(
    k_db: float, snr_db: float
) -> None:
    k = linear(k_db)
    envelope = rice(b=math.sqrt(2 * k), scale=math.sqrt(1 / (2 * (k + 1))))
    expected, _ = integrate.quad(lambda r: q(r * math.sqrt(linear(snr_db))) * envelope.pdf(r), 0, 6)
    sent = qpsk(1000, 1000)
    channel = Rician(k_db=k_db, fading="fast", equaliser="zf")
    assert within_five_sigma(bit_errors(sent, channel.transmit(sent, snr_db, seeded())), expected)


def test_a_slow_fade_hits_a_whole_image_and_a_fast_one_hits_all_images_alike() -> None:
    """Same mean error rate, utterly different spread between images."""
    sent = qpsk(2000, 200)
    slow, fast = (
        bit_errors(sent, Rayleigh(fading=fading).transmit(sent, 5.0, seeded()))
        for fading in ("slow", "fast")
    )
    assert float(slow.std()) > 4 * float(fast.std())


# --- The fading gain ---------------------------------------------------------------------------


@pytest.mark.parametrize("channel", [Rayleigh(equaliser="none"), Rician(equaliser="none", k_db=3)])
def test_slow_fading_has_one_gain_per_image_and_its_own_for_each(channel: Channel) -> None:
    """Neither one gain for a whole batch nor a gain that drifts inside an image."""
    h = gains(channel, 64, 32)
    assert torch.allclose(h, h[:, :1].expand_as(h), atol=1e-6)
    distance = (h[:, 0, None] - h[None, :, 0]).abs() + torch.eye(64)
    assert float(distance.min()) > 1e-4


@pytest.mark.parametrize("kind", [Rayleigh, Rician])
def test_fast_fading_has_a_gain_per_symbol(kind: type[Channel]) -> None:
    """Neighbouring scatter is uncorrelated, within and across images."""
    h = gains(kind(fading="fast", equaliser="none"), 100, 1000)
    scatter = h - h.mean()
    power = float(scatter.abs().square().mean())
    for lagged in (scatter[:, 1:] * scatter[:, :-1].conj(), scatter[1:] * scatter[:-1].conj()):
        assert abs(complex(lagged.mean())) < 5 * power / math.sqrt(lagged.numel())


@pytest.mark.parametrize("k_db", [-20.0, 0.0, 10.0, 20.0])
def test_rician_moments(k_db: float) -> None:
    """Mean sqrt(K/(K+1)) at phase zero, E|h|^2 = 1, scatter 1/(K+1) split over both dimensions."""
    k = linear(k_db)
    h = gains(Rician(k_db=k_db, fading="fast", equaliser="none"), 200, 1000)
    n = h.numel()
    five_se = 5 / math.sqrt(n * 2 * (k + 1))
    assert float(h.real.mean()) == pytest.approx(math.sqrt(k / (k + 1)), abs=five_se)
    assert float(h.imag.mean()) == pytest.approx(0.0, abs=five_se)
    # var |h|^2 = (2K + 1) / (K + 1)^2
    assert float(h.abs().square().mean()) == pytest.approx(
        1.0, abs=5 * math.sqrt((2 * k + 1) / n) / (k + 1)
    )
    for part in (h.real, h.imag):
        assert float(part.var()) == pytest.approx(1 / (2 * (k + 1)), rel=5 * math.sqrt(2 / n))


def test_rician_without_line_of_sight_is_rayleigh() -> None:
    sent = qpsk(10, 50)
    rician = Rician(k_db=-100.0).transmit(sent, 5.0, seeded())
    rayleigh = Rayleigh().transmit(sent, 5.0, seeded())
    assert torch.allclose(rician, rayleigh, atol=1e-4)


@pytest.mark.parametrize("equaliser", ["none", "zf"])
def test_rician_without_scatter_is_awgn(equaliser: str) -> None:
    sent = qpsk(200, 1000)
    noise = Rician(k_db=100.0, equaliser=equaliser).transmit(sent, 5.0, seeded()) - sent
    assert float(noise.abs().square().mean()) == pytest.approx(1 / linear(5.0), rel=0.01)
    assert abs(complex(noise.mean())) < 0.01


@EVERY_FLAT_ONE
def test_fading_turns_and_scales_and_leaves_the_input_alone(channel: Channel) -> None:
    """A true complex product: h(ax + by) = a hx + b hy, and |hx| = |h||x| for every phase of x."""
    first, second = qpsk(8, 32, seed=1), qpsk(8, 32, seed=2)
    untouched = first.clone()

    def send(symbols: torch.Tensor) -> torch.Tensor:
        return channel.transmit(symbols, NO_NOISE_DB, seeded())

    h = send(torch.ones_like(first))
    assert torch.allclose(send(first), h * first, atol=1e-5)
    assert torch.allclose(send(first).abs(), h.abs(), atol=1e-5)
    assert torch.allclose(send(1j * first + second), 1j * send(first) + send(second), atol=1e-5)
    assert torch.equal(first, untouched)


# --- The equalisers ----------------------------------------------------------------------------


@EVERY_FLAT_ONE
def test_an_equaliser_undoes_the_fade_when_there_is_no_noise(channel: Channel) -> None:
    sent = qpsk(50, 50)
    undone = torch.allclose(channel.transmit(sent, NO_NOISE_DB, seeded()), sent, atol=1e-4)
    assert undone != channel.label.endswith("none")


def test_zero_forcing_is_unbiased_and_mmse_is_the_closest_on_average() -> None:
    """MMSE trades a bias |h|^2 / (|h|^2 + N0) for the smallest squared error, E[N0/(|h|^2+N0)]."""
    sent, n0 = qpsk(400, 1000), 1.0
    h = gains(Rayleigh(fading="fast", equaliser="none"), 400, 1000)
    zf, mmse = (
        Rayleigh(fading="fast", equaliser=equaliser).transmit(sent, 0.0, seeded())
        for equaliser in ("zf", "mmse")
    )
    strong = h.abs() > 0.5
    assert float((zf * sent.conj()).real[strong].mean()) == pytest.approx(1.0, abs=0.02)
    gain = h.abs().square() / (h.abs().square() + n0)
    assert float((mmse * sent.conj()).real.mean()) == pytest.approx(float(gain.mean()), abs=0.01)
    error = float((mmse - sent).abs().square().mean())
    assert error == pytest.approx(float((1 - gain).mean()), rel=0.02)
    assert error < 0.8 * float((zf - sent).abs().square().mean())


# --- Draws, gradients, options -----------------------------------------------------------------


@EVERY_CHANNEL
def test_the_generator_decides_every_draw(channel: Channel) -> None:
    sent = qpsk(3, 100)
    torch.manual_seed(1)
    first = channel.transmit(sent, 5.0, seeded(7))
    torch.manual_seed(2)
    assert torch.equal(first, channel.transmit(sent, 5.0, seeded(7)))
    assert not torch.equal(first, channel.transmit(sent, 5.0, seeded(8)))
    generator = seeded(7)
    assert torch.equal(first, channel.transmit(sent, 5.0, generator))
    assert not torch.equal(first, channel.transmit(sent, 5.0, generator))


@EVERY_SMOOTH_ONE
def test_gradients_reach_the_symbols(channel: Channel) -> None:
    symbols = qpsk(2, 3).to(torch.complex128).requires_grad_()
    snr_db = torch.tensor([0.0, 10.0])
    assert torch.autograd.gradcheck(
        lambda z: channel.transmit(z, snr_db, seeded()), symbols, eps=1e-4, atol=1e-4
    )


@EVERY_CHANNEL
def test_shape_and_type_survive(channel: Channel) -> None:
    received = channel.transmit(qpsk(5, 7), 3.0, seeded())
    assert received.shape == (5, 7)
    assert received.dtype == torch.complex64
    assert received.isfinite().all()


@EVERY_CHANNEL
def test_options_survive_the_experiment_file(channel: Channel) -> None:
    assert CHANNELS.parse(CHANNELS.dump(channel), where="channel") == channel


def test_labels_tell_all_channels_apart() -> None:
    assert len({channel.label for channel in ALL + OTHERS}) == len(ALL + OTHERS)
    assert Rician(k_db=7.5, fading="fast", equaliser="zf").label == "rician-k7.5dB-fast-zf"


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({"kind": "awgm"}, "awgm"),
        ({"kind": "rician", "kdb": 3}, "k_db"),
        ({"kind": "rician", "k_db": math.nan}, r"channel\.k_db"),
        ({"kind": "rayleigh", "fading": "block"}, r"channel\.fading"),
        ({"kind": "awgn", "equaliser": "zf"}, r"channel\.equaliser"),
        ({"kind": "amplifier"}, r"channel\.input_back_off_db: this key is required"),
        ({"kind": "amplifier", "input_back_off_db": 2, "roll_off": 0}, r"channel\.roll_off = 0"),
        ({"kind": "amplifier", "input_back_off_db": 2, "roll_off": 1.5}, r"channel\.roll_off"),
        ({"kind": "amplifier", "input_back_off_db": 2, "acpr_limit_dbc": -90}, "acpr_limit_dbc"),
        ({"kind": "quantised", "bits": 0}, r"channel\.bits"),
        ({"kind": "carrier", "offset": 0.7}, r"channel\.offset"),
    ],
)
def test_bad_options_end_in_one_line_that_names_the_key(
    table: dict[str, object], complaint: str
) -> None:
    with pytest.raises(SemlossError, match=complaint) as caught:
        CHANNELS.parse(table, where="channel")
    assert "\n" not in str(caught.value)


@given(
    snr_db=st.floats(-30, 60),
    seed=st.integers(0, 2**31),
    index=st.integers(0, len(ALL + OTHERS) - 1),
)
@settings(max_examples=100, deadline=None)
def test_any_snr_gives_finite_symbols(snr_db: float, seed: int, index: int) -> None:
    assert (ALL + OTHERS)[index].transmit(qpsk(2, 16), snr_db, seeded(seed)).isfinite().all()


def test_a_label_names_distribution_speed_and_equaliser():
    assert Awgn().label == "awgn"
    assert Rayleigh().label == "rayleigh-slow-mmse"
    assert Rician().label == "rician-k20dB-slow-mmse"


def test_a_channel_of_training_has_none_of_its_own():
    awgn = {"kind": "awgn"}
    both = CHANNELS.parse({"kind": "quantised", "bits": 6, "trained_over": awgn}, "channel")
    assert both.full_label == "quantised-6bit-from-awgn"
    assert CHANNELS.parse(CHANNELS.dump(both), "channel") == both
    for wrong, said in [({"kind": "awgm"}, "no such channel"), (CHANNELS.dump(both), "drop it")]:
        with pytest.raises(SemlossError, match=said):
            CHANNELS.parse({"kind": "awgn", "trained_over": wrong}, "channel")
    told = r"^channel\.trained_over = \{ kind = 'awgn', trained_over = \{ kind = 'awgn' \} \}: a"
    with pytest.raises(SemlossError, match=told):
        CHANNELS.parse(awgn | {"trained_over": awgn | {"trained_over": awgn}}, "channel")
