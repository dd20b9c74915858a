"""The amplifier against its formulas, and what it sends into the channel beside its own."""

import math

import pytest
import torch
from symbols import gaussian, qpsk, seeded

from semloss.channels import CHANNELS, Amplifier


def test_far_below_saturation_it_is_white_noise_alone():
    """30 dB of back-off leave a link 30 dB below the SNR at saturation, and nothing else."""
    sent = gaussian(50, 400)
    clear = Amplifier(input_back_off_db=50).propagate(sent, math.inf, seeded())
    torch.testing.assert_close(clear.symbols, sent, atol=1e-4, rtol=1e-4)
    noisy = Amplifier(input_back_off_db=30).propagate(sent, 33.0, seeded())
    assert 20 * math.log10(abs(complex(noisy.gain.mean()))) == pytest.approx(-30, abs=0.01)
    noise = (noisy.symbols - sent).abs().square().mean(1)
    expected = 10 ** (-0.3)
    assert float(noise.mean()) == pytest.approx(expected, abs=5 * expected / math.sqrt(50 * 400))


@pytest.mark.parametrize("roll_off", [0.05, 0.25, 1.0])
def test_the_waveform_has_the_power_of_the_symbols(roll_off):
    sent = gaussian(4, 37)
    sent = sent / sent.abs().square().mean(1, True).sqrt()
    waves = Amplifier(input_back_off_db=40, roll_off=roll_off).amplified(sent, 40.0)
    power = waves.abs().square().mean(1)
    torch.testing.assert_close(power, torch.full((4,), 1e-4), rtol=1e-3, atol=0)


@pytest.mark.parametrize("drive_db", [-12.0, 0.0, 6.0])
def test_a_steady_tone_follows_the_formulas(drive_db):
    # equal symbols are one unmodulated carrier of that amplitude
    tone = torch.ones(1, 16, dtype=torch.complex64)
    u = 10 ** (drive_db / 20)
    rapp = Amplifier(input_back_off_db=0, smoothness=3.0).amplified(tone, -drive_db)
    torch.testing.assert_close(
        rapp, torch.full_like(rapp, u / (1 + u**6) ** (1 / 6)), atol=1e-5, rtol=1e-5
    )
    # Saleh's own units: his tube gives most, 1.006, at an amplitude of 0.932
    r = u * 0.9318
    amplitude = 2.1587 * r / (1 + 1.1517 * r**2) / 1.00577
    phase = 4.0033 * r**2 / (1 + 9.1040 * r**2)
    saleh = Amplifier(input_back_off_db=0, model="saleh").amplified(tone, -drive_db)
    assert float(saleh.abs().mean()) == pytest.approx(amplitude, rel=1e-3)
    assert float(saleh.angle().mean()) == pytest.approx(phase, rel=1e-3)


# power beside the own channel in dBc, Rapp's p = 2 and a roll-off of a quarter, by back-off:
# simulated apart from this code, with filters cut off in time, over 60,000 symbols
BESIDE = {
    "gaussian": {-4: -18.5, -2: -20.1, 0: -22.1, 2: -24.6, 4: -27.9, 6: -31.9, 8: -36.9},
    "qpsk": {-4: -20.5, -2: -22.7, 0: -25.8, 2: -30.1, 4: -35.7, 6: -42.1, 8: -48.9},
}


@pytest.mark.parametrize("kind", BESIDE)
def test_the_neighbours_power_is_that_of_another_simulation(kind):
    sent = gaussian(30, 1000) if kind == "gaussian" else qpsk(30, 1000)
    for back_off_db, expected in BESIDE[kind].items():
        found = Amplifier(input_back_off_db=back_off_db).measures(sent)["acpr_dbc"]
        assert found.shape == (30,)
        assert float(found.mean()) == pytest.approx(expected, abs=0.75)


def test_a_cubic_spreads_two_decibels_for_each_decibel_of_drive():
    # r / sqrt(1 + r²) is r - r³/2 where r is small: what leaves the channel goes with the cube
    sent = gaussian(8, 512)
    far, near = (
        float(Amplifier(input_back_off_db=db, smoothness=1.0).measures(sent)["acpr_dbc"].mean())
        for db in (30.0, 25.0)
    )
    assert near - far == pytest.approx(10, abs=0.3)


def test_a_constant_envelope_spreads_least():
    sent = qpsk(8, 512)
    peaky = gaussian(8, 512)
    at = Amplifier(input_back_off_db=3.0)
    assert float((at.measures(sent)["acpr_dbc"] - at.measures(peaky)["acpr_dbc"]).max()) < -2


@pytest.mark.parametrize("model", ["rapp", "saleh"])
def test_under_a_limit_each_image_is_backed_off_as_far_as_it_has_to_be(model):
    peaky, calm = gaussian(6, 600), qpsk(6, 600)
    sent = torch.cat([peaky, calm])
    limited = Amplifier(input_back_off_db=0.0, model=model, acpr_limit_dbc=-30.0)
    told = limited.measures(sent)
    assert float(told["acpr_dbc"].max()) <= -30.0
    back_off_db = told["input_back_off_db"]
    assert float(back_off_db[:6].min()) > float(back_off_db[6:].max()) > 0
    # no further than it has to be
    short = limited.acpr_dbc(sent, back_off_db[:, None] - 0.1)
    assert float(short.min()) > -30.0
    # it is sent as by an amplifier that is set so
    heard = limited.transmit(sent[:1], 10.0, seeded())
    alone = Amplifier(input_back_off_db=float(back_off_db[0]), model=model)
    torch.testing.assert_close(heard, alone.transmit(sent[:1], 10.0, seeded()), atol=1e-4, rtol=0)
    # a limit that is kept anyhow changes nothing
    free = Amplifier(input_back_off_db=20.0, model=model)
    idle = Amplifier(input_back_off_db=20.0, model=model, acpr_limit_dbc=-20.0)
    assert torch.equal(idle.transmit(sent, 10.0, seeded()), free.transmit(sent, 10.0, seeded()))
    assert "input_back_off_db" not in free.measures(sent)


@pytest.mark.parametrize("model", ["rapp", "saleh"])
@pytest.mark.parametrize("back_off_db", [-2.0, 4.0, 30.0])
def test_what_signal_is_lost_is_known_before(model, back_off_db):
    table = {"kind": "amplifier", "model": model, "input_back_off_db": back_off_db}
    channel = CHANNELS.parse(table, "channel")
    symbols = gaussian(8, 4096)
    gain = channel.propagate(symbols, 60.0, seeded(4)).gain
    # its mean over 32,768 symbols: 0.05 dB is five standard errors
    assert -20 * gain.abs().log10().mean() == pytest.approx(channel.loss_db, abs=0.05)
    if back_off_db == 30.0:
        assert channel.loss_db == pytest.approx(
            30.0 if model == "rapp" else 30 - 20 * math.log10(2), abs=0.05
        )


def test_a_sender_trained_elsewhere_is_told_what_it_would_meet_there():
    table = {"kind": "amplifier", "input_back_off_db": 30.0}
    assert CHANNELS.parse(table, "channel").told_db(7.0) == 7.0
    over_awgn = CHANNELS.parse(table | {"trained_over": {"kind": "awgn"}}, "channel")
    assert over_awgn.told_db(40.0) == pytest.approx(10.0, abs=0.05)
    itself = CHANNELS.parse(table | {"trained_over": table}, "channel")
    assert itself.told_db(7.0) == pytest.approx(7.0)
