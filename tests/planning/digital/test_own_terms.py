"""Each chain on its own terms: back-off, framing, and the unit of its measured values."""

import numpy as np
import pytest
from planning_case import accuracy, link

from semloss.errors import SemlossError
from semloss.planning.budget.question import Question
from semloss.planning.digital.against import PSK_OBO_DB, Chain, against
from semloss.planning.digital.equal_target import race
from semloss.planning.digital.rate_curve import RateCurve
from semloss.planning.digital.separation import compare

RATES = np.array([0.02, 0.1, 0.3, 0.8, 2.0])
CURVE = RateCurve(RATES, np.array([0.15, 0.45, 0.65, 0.8, 0.88]), "accuracy", "clean")
STRONG = {"power_dbw": 14.0, "elevation_deg": 30.0}


def test_without_a_back_off_of_its_own_a_psk_chain_has_one_decibel():
    asked = Question(accuracy(), link(**STRONG, obo_db=8.25), 0.6)
    by_default, told = (against(asked, CURVE, Chain(obo_db=obo)) for obo in (None, PSK_OBO_DB))
    shared = against(asked, CURVE, Chain(obo_db=8.25))
    assert by_default.to_dict()["race"] == told.to_dict()["race"]
    assert by_default.race.cr_digital[0] < shared.race.cr_digital[0]
    assert by_default.race.cr_deepjscc[0] == shared.race.cr_deepjscc[0]
    assert "back-off 8.25 dB DeepJSCC, 1 dB digital (PSK, assumed" in by_default.text()
    assert by_default.to_dict()["digital_obo_db"] == 1.0


def test_a_link_that_backs_off_less_gives_the_digital_chain_no_more():
    answer = against(Question(accuracy(), link(**STRONG, obo_db=0.5)), CURVE, Chain())
    assert answer.to_dict()["digital_obo_db"] == 0.5


def test_under_a_given_eirp_both_chains_have_it():
    keys = {"power_dbw": None, "tx_gain_dbi": None, "tx_line_loss_db": 0.0, "eirp_dbw": 20.0}
    answer = against(Question(accuracy(), link(**keys)), CURVE, Chain())
    assert answer.to_dict()["digital_obo_db"] is None
    assert answer.assumed["back-off"].startswith("in the EIRP")


def test_a_modcods_efficiency_counts_its_own_frame():
    options = {"target": 0.6, "snr_db": [6.0], "bands": 3, "symbols_per_s": 50e6,
               "samples_per_image": 12288.0}  # fmt: skip
    whole, framed = (race(accuracy(), CURVE, frame_efficiency=f, **options) for f in (1.0, 0.8))
    assert framed.images_per_s_digital == pytest.approx(whole.images_per_s_digital)
    assert framed.images_per_s_deepjscc == pytest.approx(0.8 * whole.images_per_s_deepjscc)
    assert framed.ratio == pytest.approx(0.8 * whole.ratio)
    grid = {"snr_db": [6.0], "cr": [1 / 12], "bands": 3}
    plain, shared = (compare(accuracy(), CURVE, frame_efficiency=f, **grid) for f in (1.0, 0.8))
    assert shared.bits_per_pixel == pytest.approx(plain.bits_per_pixel / 0.8)
    assert shared.deepjscc == pytest.approx(plain.deepjscc)


def test_a_curve_in_percent_is_refused_for_a_share():
    with pytest.raises(SemlossError, match=r"accuracy = 70 lies outside 0 … 1; write fractions"):
        RateCurve(np.array([0.1, 0.5, 2.0]), np.array([70.0, 80.0, 88.0]), "accuracy", "matched")
