"""Both chains along a pass: images that are counted by hand, and what each cannot do."""

from dataclasses import replace

import numpy as np
import pytest
from planning_case import accuracy, link

from semloss.errors import SemlossError
from semloss.modcods import DVB_S2X, best_modcod
from semloss.planning.budget.question import Question
from semloss.planning.digital.against import Chain
from semloss.planning.digital.over_pass import race_over
from semloss.planning.digital.rate_curve import RateCurve
from semloss.planning.passes.delivery import adaptive
from semloss.planning.passes.orbit import circular_pass

TARGET = 0.6
CURVE = RateCurve(
    np.array([0.02, 0.1, 0.3, 0.8, 2.0]), np.array([0.15, 0.45, 0.65, 0.8, 0.88]),
    "accuracy", "clean",
)  # fmt: skip
PASS = circular_pass(500.0, 60.0, step_s=5.0)
STRONG = {"power_dbw": 8.0, "obo_db": 6.0, "margin_db": 1.0, "frame_efficiency": 0.9}


def raced(chain=Chain(), **changes):  # noqa: B008 - frozen
    asked = Question(accuracy(), link(**STRONG | changes), TARGET)
    return race_over(asked, CURVE, chain, PASS)


def test_the_digital_chain_delivers_what_its_modcods_carry():
    """50 Msym/s, each image 64 x 64 px at the curve's bits a pixel, whole steps only."""
    found = raced()
    spared = 5.0  # 6 dB of back-off of DeepJSCC, 1 dB of PSK
    chosen = [best_modcod(s, 1.0 - spared) for s in found.schedule.snr_db.tolist()]
    bits = float(CURVE.rate_for(TARGET)) * 64 * 64
    rate = np.array([0.0 if m is None else 50e6 * m.efficiency / bits for m in chosen])
    images = np.sum(np.minimum(rate[1:], rate[:-1]) * np.diff(PASS.time_s))
    assert found.digital_images[-1] == pytest.approx(images)
    assert found.modcods == tuple("off" if m is None else m.name for m in chosen)
    assert found.ratio == pytest.approx(found.schedule.images_delivered / images)


def test_deepjscc_delivers_what_the_adaptive_plan_says():
    found = raced()
    asked = Question(accuracy(), link(**STRONG), TARGET)
    run = adaptive(asked, [PASS], single=True).runs[0][1]
    assert found.schedule.images_delivered == run.images_delivered
    low, high = run.images_between
    assert low < run.images_delivered < high
    assert found.to_dict()["images_low"] == low


def test_following_the_snr_never_delivers_less_than_one_modcod():
    found = raced()
    assert found.fixed_images <= found.digital_images[-1]
    one = raced(Chain("QPSK 3/4"))
    assert one.fixed_modcod == "QPSK 3/4"
    assert one.fixed_images <= found.fixed_images
    more = raced(Chain(modcods=DVB_S2X))
    assert more.digital_images[-1] >= found.digital_images[-1]
    kept = raced(Chain(margin_db=3.0))
    assert kept.digital_images[-1] < found.digital_images[-1]


def test_a_codec_that_never_reaches_the_target_delivers_nothing():
    poor = replace(CURVE, value=CURVE.value / 2)
    asked = Question(accuracy(), link(**STRONG), TARGET)
    found = race_over(asked, poor, Chain(), PASS)
    assert found.digital_images[-1] == 0.0
    assert found.ratio is None
    assert found.met is True  # by DeepJSCC
    assert "does not reach the target at any rate" in found.text()


def test_apsk_at_a_back_off_for_psk_is_remarked():
    assert any("--digital-obo-db" in line for line in raced().warnings)
    assert not any("--digital-obo-db" in line for line in raced(Chain(obo_db=3.0)).warnings)


def test_without_a_target_no_image_counts():
    with pytest.raises(SemlossError, match="--target is missing"):
        race_over(Question(accuracy(), link()), CURVE, Chain(), PASS)


def test_crs_that_no_codec_was_trained_at_are_named():
    fit = replace(accuracy(), data={"cr": [1 / 12, 1 / 24]})
    asked = Question(fit, link(**STRONG), TARGET)
    usual = race_over(asked, CURVE, Chain(), PASS)
    assert "no codec was trained at" in usual.text()
    measured = race_over(asked, CURVE, Chain(), PASS, crs="measured")
    assert "no codec was trained at" not in measured.text()
    assert measured.schedule.images_delivered <= usual.schedule.images_delivered
