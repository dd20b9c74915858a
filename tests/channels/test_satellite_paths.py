"""Shadowing, a carrier half followed, few bits, a gain known badly: against their closed forms.

Statistical bounds are five standard errors or more, at fixed seeds.
"""

import math

import numpy as np
import pytest
import torch
from scipy import integrate
from scipy.special import hyp1f1
from scipy.stats import norm
from symbols import gaussian, qpsk, seeded

from semloss.channels import Awgn, Carrier, LandMobile, Quantised, Rayleigh, Rician, ShadowedRician

N = 200_000


def powers(channel, n=N):
    """|h|² of n images, in double precision."""
    gains = channel.gains((n, 1), seeded(5), torch.device("cpu"))
    return gains.abs().double().square().flatten().numpy()


def share_below(density, level):
    return integrate.quad(density, 0, level, limit=200)[0]


@pytest.mark.parametrize(("m", "k_db"), [(0.739, -21.5), (10.1, 5.2), (19.4, 6.1), (1.0, 3.0)])
def test_shadowed_rician_is_that_of_abdi(m, k_db):
    found, k = powers(ShadowedRician(m=m, k_db=k_db)), 10 ** (k_db / 10)
    b0, omega = 1 / (2 * (k + 1)), k / (k + 1)
    share = 2 * b0 * m / (2 * b0 * m + omega)

    def density(s):
        # eq. 6 of the paper, of the power rather than the amplitude
        inner = omega * s / (2 * b0 * (2 * b0 * m + omega))
        return share**m / (2 * b0) * math.exp(-s / (2 * b0)) * hyp1f1(m, 1, inner)

    for level in (0.05, 0.3, 1.0, 2.5):
        expected = share_below(density, level)
        five_se = 5 * math.sqrt(expected * (1 - expected) / N)
        assert np.mean(found < level) == pytest.approx(expected, abs=five_se)
    assert found.mean() == pytest.approx(1, abs=5 * found.std() / math.sqrt(N))
    second = (2 + 4 * k + k**2 * (1 + 1 / m)) / (k + 1) ** 2
    spread = 5 * (found**2).std() / math.sqrt(N)
    assert (found**2).mean() == pytest.approx(second, abs=spread)


def test_shadowed_rician_without_shadow_is_rician():
    clear = powers(ShadowedRician(m=1e4, k_db=6.0))
    rician = powers(Rician(k_db=6.0))
    assert clear.std() == pytest.approx(rician.std(), rel=0.02)


def test_land_mobile_is_the_mixture_of_lutz():
    channel = LandMobile(shadowed=0.4, k_db=8.0, shadow_db=-10.0, shadow_spread_db=4.0)
    found, k = powers(channel), 10**0.8
    scale = channel.mean_power

    def in_view(level):  # Marcum's Q as the noncentral chi square that it is
        from scipy.stats import ncx2

        return ncx2.cdf(2 * k * level, 2, 2 * k)

    def in_shadow(level):  # a Rayleigh of each mean power, averaged over the lognormal
        def integrand(z):
            mean = 10 ** ((-10 + 4 * z) / 10)
            return norm.pdf(z) * (1 - math.exp(-level / mean))

        return integrate.quad(integrand, -8, 8)[0]

    for level in (0.01, 0.1, 0.5, 1.0, 2.0):
        expected = 0.6 * in_view(level) + 0.4 * in_shadow(level)
        five_se = 5 * math.sqrt(expected * (1 - expected) / N)
        assert np.mean(found * scale < level) == pytest.approx(expected, abs=five_se)
    assert found.mean() == pytest.approx(1, abs=5 * found.std() / math.sqrt(N))


def test_land_mobile_keeps_an_image_in_one_state():
    channel = LandMobile(fading="fast", equaliser="none", shadow_db=-40, shadow_spread_db=0)
    dark = channel.gains((300, 50), seeded(), torch.device("cpu")).abs() < 0.2
    share = dark.float().mean(1)
    assert ((share < 0.2) | (share > 0.9)).all()
    assert float((share > 0.5).float().mean()) == pytest.approx(0.25, abs=5 * 0.025)


def test_pilots_are_counted():
    assert Carrier(pilot_every=32).on_air(320) == 320 + 10 + 1
    assert Carrier(pilot_every=32).on_air(321) == 321 + 11 + 1
    assert Awgn().on_air(320) == 320


@pytest.mark.parametrize("linewidth", [1e-4, 1e-3])
def test_what_pilots_leave_of_the_phase_is_that_of_a_bridge(linewidth):
    sent, every = qpsk(400, 640), 32
    channel = Carrier(linewidth=linewidth, offset=2e-3, pilot_every=every)
    left = (channel.transmit(sent, math.inf, seeded()) * sent.conj()).angle().double()
    per_image = left.square().mean(1)
    expected = math.pi * linewidth * (every + 2) / 3
    five_se = 5 * float(per_image.std()) / math.sqrt(400)
    assert five_se < 0.1 * expected
    assert float(per_image.mean()) == pytest.approx(expected, abs=five_se)


def test_pilots_noise_costs_a_third_of_it():
    sent, n0 = qpsk(400, 640), 1e-3
    channel = Carrier(linewidth=0.0, offset=1e-3, pilot_every=32)
    error = (channel.transmit(sent, 30.0, seeded()) - sent).abs().double().square().mean(1)
    five_se = 5 * float(error.std()) / math.sqrt(400)
    assert float(error.mean()) == pytest.approx(n0 * (1 + 1 / 3), abs=five_se + 0.02 * n0)


def test_a_still_carrier_is_awgn():
    sent = qpsk(4, 64)
    found = Carrier(linewidth=0.0, offset=0.0).transmit(sent, math.inf, seeded())
    torch.testing.assert_close(found, sent, atol=1e-4, rtol=0)


@pytest.mark.parametrize(("bits", "full_scale"), [(8, 3.9), (6, 3.3), (6, 2.0), (4, 3.9), (1, 1.6)])
def test_few_bits_lose_what_theory_says_of_gaussian_numbers(bits, full_scale):
    sent = gaussian(200, 2000)
    channel = Quantised(bits=bits, full_scale=full_scale)
    step = 2 * full_scale / 2**bits
    inner = -full_scale + step * np.arange(1, 2**bits)
    edges = np.concatenate([[-np.inf], inner, [np.inf]])
    levels = -full_scale + step * (np.arange(2**bits) + 0.5)
    low, high = edges[:-1], edges[1:]
    first, share = norm.pdf(low) - norm.pdf(high), norm.cdf(high) - norm.cdf(low)
    expected = 1 - 2 * (levels * first).sum() + (levels**2 * share).sum()
    # without noise the receiver hears numbers of power one half in each of I and Q
    lost = (channel.transmit(sent, math.inf, seeded()) - sent).abs().double().square().mean(1)
    five_se = 5 * float(lost.std()) / math.sqrt(200)
    assert float(lost.mean()) == pytest.approx(expected, abs=five_se)


def test_many_bits_are_awgn():
    sent = qpsk(5, 300)
    rounded = Quantised(bits=16, full_scale=8.0).transmit(sent, 5.0, seeded())
    torch.testing.assert_close(rounded, Awgn().transmit(sent, 5.0, seeded()), atol=1e-3, rtol=0)


def test_rounding_learns_as_if_it_were_not_there_and_clipping_does_not():
    symbols = torch.tensor([[0.3 + 0.2j, 5.0 + 0.1j]], requires_grad=True)
    heard = Quantised(bits=3, full_scale=2.0).transmit(symbols, math.inf, seeded())
    heard.real.sum().backward()
    torch.testing.assert_close(symbols.grad.real, torch.tensor([[1.0, 0.0]]))


def test_a_gain_known_badly_is_known_so_badly():
    sent = qpsk(20_000, 4)
    exact = Rayleigh().propagate(sent, 10.0, seeded())
    rough = Rayleigh(csi_error_db=-12.0).propagate(sent, 10.0, seeded())
    error = (rough.gain - exact.gain).abs().double().square()
    five_se = 5 * 10**-1.2 / math.sqrt(20_000)
    assert float(error.mean()) == pytest.approx(10**-1.2, abs=five_se)
    # a steady gain of one, zero-forced by 1 + e: the symbols come back times 1 / (1 + e)
    rough = Rician(k_db=100, equaliser="zf", csi_error_db=-30.0).propagate(sent, math.inf, seeded())
    torch.testing.assert_close(rough.symbols, sent / rough.gain, atol=1e-4, rtol=0)
    away = (rough.symbols - sent).abs().double().square().mean(1)
    five_se = 5 * float(away.std()) / math.sqrt(20_000)
    assert float(away.mean()) == pytest.approx(1e-3, abs=five_se + 1e-5)
