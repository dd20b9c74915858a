"""MODCODs through an amplifier: what noise and distortion together leave is the threshold."""

import numpy as np
import pytest
import torch
from symbols import seeded

from semloss.channels import Amplifier
from semloss.codecs.constellations import constellation
from semloss.codecs.modems import BACK_OFFS_DB, amplified_modcods, distorted, modem_losses
from semloss.errors import SemlossError, TargetNotAttainable
from semloss.modcods import DVB_S2, DVB_S2X, Modcods, modcod

RAPP = Amplifier(input_back_off_db=0.0)
SOME = Modcods("some", tuple(map(modcod, ("QPSK 1/2", "8PSK 3/4", "16APSK 3/4", "32APSK 4/5"))))


@pytest.mark.parametrize("name", ["QPSK 1/2", "16APSK 3/4", "32APSK 9/10"])
def test_far_below_saturation_back_off_is_all_that_is_lost(name):
    needed = distorted(RAPP, name).needed_db(modcod(name).es_n0_db)
    assert needed[-1] == pytest.approx(modcod(name).es_n0_db + BACK_OFFS_DB[-1], abs=0.15)


@pytest.mark.parametrize("name", ["8PSK 3/4", "16APSK 3/4", "32APSK 4/5"])
def test_with_noise_the_demodulator_has_its_threshold(name):
    """Sent with noise at the SNR that is needed, error over signal is the threshold."""
    (one,) = modem_losses(RAPP, Modcods("one", (modcod(name),)))
    points = torch.tensor(constellation(name), dtype=torch.complex64)
    n = 20_000
    sent = points[torch.randint(len(points), (1, n), generator=seeded())]
    sent = sent / sent.abs().square().mean().sqrt()
    at = Amplifier(input_back_off_db=one["back_off_db"])
    error = (at.propagate(sent, one["snr_needed_db"], seeded()).symbols - sent).abs().square()
    # five standard errors of a mean of n powers, and of the 4,096 that told the distortion
    found = float(-10 * torch.log10(error.mean()))
    assert found == pytest.approx(one["threshold_db"], abs=5 * 4.3 / np.sqrt(4096))


def test_what_has_more_rings_loses_more_and_keeps_further_back():
    losses = modem_losses(RAPP, SOME)
    assert [one["modcod"] for one in losses] == [one.name for one in SOME.entries]
    assert np.all(np.diff([one["loss_db"] for one in losses]) > 0)
    assert np.all(np.diff([one["back_off_db"] for one in losses]) >= 0)
    # against the decibel that a PSK chain was taken to back off by
    assert 0.3 < losses[0]["loss_db"] < 1.0


@pytest.mark.parametrize("model", ["rapp", "saleh"])
def test_no_best_back_off_lies_where_the_search_ends(model):
    for one in modem_losses(Amplifier(input_back_off_db=0.0, model=model), DVB_S2):
        assert BACK_OFFS_DB[0] < one["back_off_db"] < BACK_OFFS_DB[-1]


def test_a_limit_is_kept_and_costs():
    free, kept = modem_losses(RAPP, SOME), modem_losses(RAPP, SOME, -30.0)
    for one, other in zip(free, kept, strict=True):
        assert other["acpr_dbc"] <= -30
        assert other["loss_db"] > one["loss_db"]
    table = amplified_modcods(SOME, kept)
    assert [one.es_n0_db for one in table.entries] == [one["snr_needed_db"] for one in kept]
    with pytest.raises(TargetNotAttainable, match="no MODCOD keeps -200 dBc"):
        modem_losses(RAPP, SOME, -200.0)


def test_rings_that_are_not_known_are_refused():
    with pytest.raises(SemlossError, match="only the rings of DVB-S2's constellations"):
        modem_losses(RAPP, DVB_S2X)
    assert len(modem_losses(Amplifier(input_back_off_db=0.0, model="saleh"), DVB_S2)) == 28
