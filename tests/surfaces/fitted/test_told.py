"""What a person reads of a fit: whole lines, to their digits."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from known_surface import known

from semloss.errors import SemlossError
from semloss.surfaces.fitted.conventions import conventions
from semloss.surfaces.fitted.data import FitData
from semloss.surfaces.fitted.outcome import Outcome
from semloss.surfaces.fitted.told import least_for, value_at

SURFACE = known()
DOMAIN = "CR 1/40 … 1/4 and SNR -8 … 12 dB (convex hull of the measured cells)"
EVERY_CR = "cr: every CR is k/n (channel uses per source sample) in (0, 1]"
SNRS = "snr_db: give finite SNRs, Es/N0 in -1000 … 1000 dB"
BOTH = "predict: give either a frame or cr and snr_db, not both"
LACKING = "predict: give cr and snr_db, or a frame with these columns"
NO_DRAWS = (
    "method = 'bootstrap': the fit holds no draws; fit with bootstraps, or use method='delta'"
)
ONE_NUMBER = "give one number; contour() answers for many CRs"


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ({"cr": [0.1, -1], "snr_db": 1.0}, EVERY_CR),
        ({"cr": [0.1, 1.01], "snr_db": 1.0}, EVERY_CR),
        ({"cr": [1e-10, 0.1], "snr_db": 1.0}, EVERY_CR),
        ({"cr": [True, False], "snr_db": 4.0}, "cr: give numbers, k/n in (0, 1]"),
        ({"cr": 0.1, "snr_db": float("nan")}, SNRS),
        ({"cr": 0.1, "snr_db": [1.0, 1000.5]}, SNRS),
        ({"cr": 0.1, "snr_db": [-1000.5]}, SNRS),
        ({"cr": 0.1, "snr_db": "loud"}, "snr_db: give numbers, Es/N0 in dB"),
        ({"cr": [0.1, 0.2], "snr_db": [1.0, 2.0, 3.0]},
         "cr of shape (2,) and snr_db of shape (3,) do not match"),
        ({"cr": 0.1}, LACKING),
        ({"snr_db": 0.1}, LACKING),
        ({"cr": 0.1, "snr_db": 1.0, "interval": 1.0},
         "interval = 1.0: a confidence level lies in (0, 1)"),
        ({"cr": 0.1, "snr_db": 1.0, "interval": 0.0},
         "interval = 0.0: a confidence level lies in (0, 1)"),
        ({"cr": 0.1, "snr_db": 1.0, "band": "wide"},
         "band = 'wide': one of these-images, new-images, trained-again, measurement"),
        ({"cr": 0.1, "snr_db": 1.0, "method": "magic"},
         "method = 'magic': one of delta, bootstrap"),
        ({"cr": 0.1, "snr_db": 1.0, "method": "bootstrap"}, NO_DRAWS),
        ({"cr": 0.1, "snr_db": 1.0, "images": 50},
         "images: only a band='measurement' depends on test images"),
        ({"cr": 0.1, "snr_db": 1.0, "images": 0.5, "band": "measurement"},
         "images = 0.5: give 1 or more test images"),
        ({"cr": 0.1, "snr_db": 1.0, "images": np.inf, "band": "measurement"},
         "images = inf: give 1 or more test images"),
        ({"frame": pd.DataFrame({"CR": [0.1], "snr_db": [1.0]})},
         "the frame has no column 'cr'; it needs cr and snr_db"),
        ({"frame": {"cr": 0.1}}, "frame: give a pandas DataFrame with columns cr and snr_db"),
        ({"frame": pd.DataFrame(), "cr": 0.1}, BOTH),
        ({"frame": pd.DataFrame(), "snr_db": 0.1}, BOTH),
    ],
)  # fmt: skip
def test_a_prediction_that_cannot_be_is_told_in_this_line(question, told):
    with pytest.raises(SemlossError) as caught:
        SURFACE.predict(**question)
    assert str(caught.value) == told


def test_the_ends_of_what_may_be_asked_are_answered():
    SURFACE.predict(cr=[1e-9, 1.0], snr_db=[-1000.0, 1000.0])
    SURFACE.predict(cr=0.1, snr_db=1.0, band="measurement", images=1)


def test_noise_that_the_fit_does_not_know_is_told_in_this_line():
    for changes, images, told in (
        ({"images": None}, None, "the fit tells no number of test images; give images=…"),
        ({"images": None, "noise": "reported"}, 50,
         "images: the fit knows its noise but not for how many images; leave it out"),
        ({"noise": "none"}, 50,
         "images: the fit knows no noise that depends on test images; leave it out"),
    ):  # fmt: skip
        with pytest.raises(SemlossError) as caught:
            replace(SURFACE, **changes).predict(
                cr=0.1, snr_db=1.0, band="measurement", images=images
            )
        assert str(caught.value) == told


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ({"target": [0.5], "cr": 0.1}, f"target = [0.5]: {ONE_NUMBER}"),
        ({"target": "0.5", "cr": 0.1}, f"target = '0.5': {ONE_NUMBER}"),
        ({"target": None, "cr": 0.1}, "target = None: give one number"),
        ({"target": 0.5, "cr": [0.1, 0.2]}, f"cr = [0.1, 0.2]: {ONE_NUMBER}"),
        ({"target": float("nan"), "cr": 0.1}, "target = nan: give a finite number"),
        ({"target": 0.5, "cr": 0.1, "confidence": 0.5},
         "confidence = 0.5: it lies in (0.5, 1), e.g. 0.95"),
        ({"target": 0.5, "cr": 0.1, "confidence": 1.0},
         "confidence = 1.0: it lies in (0.5, 1), e.g. 0.95"),
        ({"target": 0.5, "cr": 0.1, "method": "bootstrap"}, NO_DRAWS),
        ({"target": 0.99, "cr": 0.05},
         "accuracy = 0.99 is not attainable at CR 1/20: the surface reaches at most 0.852 within "
         "the fitted range; raise --cr or relax --target"),
    ],
)  # fmt: skip
def test_a_least_snr_that_cannot_be_is_told_in_this_line(question, told):
    with pytest.raises(SemlossError) as caught:
        SURFACE.min_snr(**question)
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ({"target": 0.6, "snr_db": [1, 2]}, f"snr_db = [1, 2]: {ONE_NUMBER}"),
        ({"target": 0.99, "snr_db": 0},
         "accuracy = 0.99 is not attainable at SNR 0 dB: the surface reaches at most 0.7438 within "
         "the fitted range; raise --snr-db or relax --target"),
        ({"target": 0.74, "snr_db": 0, "confidence": 0.95},
         "accuracy = 0.74 is not attainable at SNR 0 dB with 95 % confidence: the surface reaches "
         "0.7438 within the fitted range, but its lower bound at most 0.7342; lower --confidence, "
         "measure more, raise --snr-db or relax --target"),
    ],
)  # fmt: skip
def test_a_least_cr_that_cannot_be_is_told_in_this_line(question, told):
    with pytest.raises(SemlossError) as caught:
        SURFACE.min_cr(**question)
    assert str(caught.value) == told


def test_a_requirement_is_told_to_its_digits():
    beyond = SURFACE.min_snr(target=0.85, cr=1 / 20)
    for answer, told in (
        (SURFACE.min_snr(target=0.6, cr=0.1),
         "accuracy (clean) = 0.6 needs SNR -1.43 dB at CR 1/10   "
          "[95 %, these images: -1.62 … -1.24 dB]"),
        (SURFACE.min_snr(target=0.6, cr=0.1, confidence=0.9),
         "accuracy (clean) = 0.6 with 90 % confidence needs SNR -1.30 dB at CR 1/10   "
         "[truly needed, 95 %, these images: -1.62 … -1.24 dB]"),
        (SURFACE.min_snr(target=0.6, cr=0.1, interval=None),
         "accuracy (clean) = 0.6 needs SNR -1.43 dB at CR 1/10"),
        (SURFACE.min_cr(target=0.6, snr_db=2.0),
         "accuracy (clean) = 0.6 needs CR 0.0341 at SNR 2 dB, met by 1/29   "
         "[95 %, these images: 0.0328 … 0.0356]"),
        (SURFACE.min_snr(target=0.11, cr=0.25),
         "accuracy (clean) = 0.11 needs SNR at most -8.00 dB at CR 1/4   "
          "[95 %, these images: -8.00 … -8.00 dB]\n"
         "the lowest measured value meets the target; less might do"),
        (SURFACE.min_cr(target=0.11, snr_db=12),
         "accuracy (clean) = 0.11 needs CR at most 0.0250 at SNR 12 dB, met by 1/40   "
         "[95 %, these images: 0.0250 … 0.0250]\n"
          "the lowest measured value meets the target; less might do"),
        (beyond,
         f"accuracy (clean) = 0.85 needs SNR {beyond.snr_db:.2f} dB at CR 1/20   "
         f"[95 %, these images: {beyond.low:.2f} … beyond the fitted range]"),
    ):  # fmt: skip
        assert answer.text() == told


def test_a_requirement_is_a_record():
    needed = SURFACE.min_snr(target=0.6, cr=0.1, confidence=0.9)
    assert needed.to_dict() == {
        "metric": "accuracy", "receiver": "clean", "task": "none", "cr": 0.1, "cr_text": "1/10",
        "snr_db": needed.snr_db, "interval": 0.95, "in_domain": True, "target": 0.6,
        "solved": "snr_db", "snr_db_low": needed.low, "snr_db_high": needed.high,
        "at_edge": False, "confidence": 0.9, "band": "these-images",
    }  # fmt: skip
    assert SURFACE.min_cr(target=0.6, snr_db=2.0).to_dict()["cr_fraction"] == "1/29"


def test_a_contour_says_with_which_confidence_it_meets_the_target():
    plain = SURFACE.contour(target=0.7, cr=["1/40", "1/12"])
    sure = SURFACE.contour(target=0.7, cr=["1/12"], confidence=0.9, interval=None)
    assert plain.text().splitlines() == [
        "accuracy (clean) = 0.7 needs",
        "  cr  snr_db      low    high  in_domain  at_edge",
        "1/40       –        –       –  no         no",
        "1/12    1.09  0.87724  1.2928  yes        no",
    ]
    assert sure.text().splitlines()[0] == "accuracy (clean) = 0.7 with 90 % confidence needs"
    assert sure.snr_db[0] > plain.snr_db[1]
    told = sure.to_dict()
    assert {key: told[key] for key in told if key != "points"} == {
        "metric": "accuracy", "receiver": "clean", "task": "none", "target": 0.7,
        "interval": None, "confidence": 0.9, "band": "these-images",
    }  # fmt: skip


def test_a_prediction_is_told_with_its_domain_and_how_the_fit_ended():
    line = "accuracy (clean) = 0.8079 at CR 1/10, SNR 4 dB   [95 %, these images: 0.8001 … 0.8158]"
    for fit, cr, told in (
        (SURFACE, 0.1, f"{line}\ninside the fitted domain, {DOMAIN}"),
        (SURFACE, 0.5,
         "accuracy (clean) = 0.8616 at CR 1/2, SNR 4 dB   [95 %, these images: 0.854 … 0.8692]\n"
         f"OUTSIDE the fitted domain, {DOMAIN}"),
        (replace(SURFACE, message="a note"), 0.1,
         f"{line}\ninside the fitted domain, {DOMAIN}\na note"),
        (replace(SURFACE, outcome=Outcome.BOUND_HIT, message="gap_db rests"), 0.1,
         f"{line}\ninside the fitted domain, {DOMAIN}\n"
         "the fit is flagged as bound hit: gap_db rests"),
    ):  # fmt: skip
        assert value_at(fit, cr, 4.0).text() == told
    answer = value_at(SURFACE, 0.1, 4.0)
    assert (answer.met, answer.in_domain) == (None, True)
    assert (answer.place, answer.domain) == ("CR 1/10 at SNR 4.00 dB", DOMAIN)
    assert answer.rows() == [answer.to_dict()]
    assert value_at(SURFACE, 0.5, 4.0).in_domain is False
    many = SURFACE.predict(cr=["1/24", "1/12"], snr_db=[0.0, 4.0], interval=0.9)
    assert many.text().splitlines() == [
        "accuracy (clean) = 0.561 at CR 1/24, SNR 0 dB   [90 %, these images: 0.5515 … 0.5705]",
        "accuracy (clean) = 0.7983 at CR 1/12, SNR 4 dB   [90 %, these images: 0.7919 … 0.8048]",
    ]


def test_a_least_point_is_told_with_the_metric_there():
    for answer, solved, line in (
        (least_for(SURFACE, 0.6, cr=0.1), "snr_db",
         "accuracy (clean) = 0.6 needs SNR -1.43 dB at CR 1/10   "
          "[95 %, these images: -1.62 … -1.24 dB]"),
        (least_for(SURFACE, 0.6, snr_db=2.0, interval=0.9, confidence=0.95), "cr",
         "accuracy (clean) = 0.6 with 95 % confidence needs CR 0.0354 at SNR 2 dB, met by 1/28   "
         "[truly needed, 90 %, these images: 0.0330 … 0.0354]"),
    ):  # fmt: skip
        assert answer.text() == f"{line}\ninside the fitted domain, {DOMAIN}"
        told = answer.to_dict()
        assert (answer.met, told["solved"], told["target"]) == (True, solved, 0.6)
        assert told["value"] == pytest.approx(0.6, abs=0.01)
        point = SURFACE.predict(cr=told["cr"], snr_db=told["snr_db"], interval=told["interval"])
        assert (told["value"], told["low"], told["high"]) == (point.value, point.low, point.high)


def test_the_conventions_say_what_each_number_means():
    assert conventions(SURFACE) == {
        "cr": "CR = k/n: complex channel uses per real source sample, 0 < CR <= 1",
        "snr_db": "Es/N0 in dB per complex symbol, average transmit power 1 per symbol",
        "value": "accuracy of the task model (clean), mean over the test images of a cell; "
                 "higher is better",
        "floor": "accuracy when nothing gets through: 0.1, known",
        "ceiling": "accuracy at its best (clean images): unknown, fitted as a parameter",
        "hull": "[ln CR, snr_db] vertices of the convex hull of the fitted cells",
    }  # fmt: skip
    other = conventions(replace(SURFACE, metric="mse", receiver="none", direction="lower"))
    assert other["value"] == "mse, mean over the test images of a cell; lower is better"


def test_a_fit_tells_its_ranges_and_the_level_of_its_intervals():
    assert SURFACE.cr_range == pytest.approx((1 / 40, 1 / 4))
    assert SURFACE.snr_db_range == (-8.0, 12.0)
    for confidence, level in ((0.9, 0.9), (1.0, 0.95), (0.0, 0.95), ("0.9", 0.95), (None, 0.95)):
        fit: FitData = replace(SURFACE, quality={"confidence": confidence})
        assert fit.interval_level == level
    assert replace(SURFACE, quality={}).interval_level == 0.95
