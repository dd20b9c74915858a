"""What a person reads of both chains, and of a chain that cannot be: whole lines."""

# ruff: noqa: E501 - the answer's own lines
import math

import numpy as np
import pytest
from known_surface import known
from planning_case import link

from semloss.errors import SemlossError
from semloss.planning.budget.question import Question
from semloss.planning.digital.against import Chain, against
from semloss.planning.digital.rate_curve import RateCurve

SURFACE = known()
CURVE = RateCurve(
    bits_per_pixel=np.array([0.01, 0.03, 0.1, 0.3, 0.6, 1.2, 3.2]),
    value=[0.2, 0.35, 0.55, 0.75, 0.83, 0.87, 0.89], metric="accuracy", receiver="clean",
)  # fmt: skip
HEAD = "accuracy (clean): DeepJSCC against source codec over DVB-S2, VCM, -8 … 12 dB"
OWN = "a MODCOD's efficiency counts its own"


def parts(answer):
    """The lines of the head, what is assumed, and the lines of the body."""
    assert answer.text().startswith(answer.head)
    assert answer.text().endswith(answer.body)
    return answer.head.splitlines(), answer.assumed, answer.body.splitlines()


def asked(chain, curve=CURVE, target=0.6, **about):
    return against(Question(SURFACE, link(**about), target), curve, chain, cr=1 / 12)


def test_both_chains_are_told_where_each_is_ahead():
    answer = asked(Chain(), power_dbw=5.0)
    # 8PSK 3/5 carries 1.779991 bit a symbol: over 3 / 12 symbols a pixel, 0.445 bit/pixel.
    # 50 Msym/s over 12288 samples at CR 0.025408: 160,147 images/s.
    head, assumed, body = parts(answer)
    assert head == [
        "accuracy (clean) at least 0.6 at the link's SNR: DeepJSCC 160,147 images/s (CR 0.02541), digital 165,913 images/s (CR 0.02452), 0.97 for each",
        "at SNR 6.27 dB, CR 1/12: DeepJSCC accuracy = 0.8438, digital 0.8010 (8PSK 3/5, 0.445 bit/pixel); ahead: DeepJSCC",
    ]
    assert body == [
        HEAD,
        "CR   1/12  DeepJSCC first, digital from -2.35 dB, DeepJSCC from -1.31 dB, digital from -1.24 dB, DeepJSCC from 0.62 dB, digital from 1.00 dB, DeepJSCC from 1.58 dB, digital from 2.23 dB, DeepJSCC from 2.35 dB",
    ]
    assert assumed["back-off"] == "0 dB DeepJSCC, 0 dB digital (PSK, assumed; --digital-obo-db)"
    assert assumed["frame"] == f"DeepJSCC's carries image in 100 % of its symbols, {OWN}"
    assert (answer.met, answer.in_domain) == (True, True)
    told = answer.to_dict()["race"]
    assert told["images_per_s_deepjscc"] == pytest.approx(50e6 / 12288 / told["cr_deepjscc"])
    assert told["images_per_s_digital"] == pytest.approx(50e6 / 12288 / told["cr_digital"])
    assert told["ratio"] == pytest.approx(told["cr_digital"] / told["cr_deepjscc"])


def test_a_chain_of_its_own_back_off_margin_and_frame():
    chain = Chain("QPSK 1/2", margin_db=1.0, obo_db=2.0)
    answer = asked(chain, power_dbw=5.0, obo_db=6.0, margin_db=1.0, frame_efficiency=0.9)
    head, assumed, body = parts(answer)
    assert head == [
        "accuracy (clean) at least 0.6 at the link's SNR with 1 dB to spare: DeepJSCC 51,176 images/s (CR 0.07156), digital 110,762 images/s (CR 0.03674), 0.46 for each",
        "at SNR 0.27 dB, CR 1/12: DeepJSCC accuracy = 0.664, digital 0.7774 (QPSK 2/3, 0.367 bit/pixel); ahead: the digital chain",
    ]
    assert body == [
        HEAD,
        "CR   1/12  DeepJSCC first, digital from -5.35 dB, DeepJSCC from 5.57 dB, digital from 5.97 dB, DeepJSCC from 6.32 dB",
    ]
    assert assumed["back-off"] == "6 dB DeepJSCC, 2 dB digital (PSK)"
    assert assumed["frame"] == f"DeepJSCC's carries image in 90 % of its symbols, {OWN}"
    assert assumed["digital chain"] == "source codec over DVB-S2, 1 dB kept to each threshold"
    told = answer.to_dict()
    assert {key: told[key] for key in ("metric", "receiver", "task", "codec", "fixed_modcod",
                                       "note", "digital_obo_db", "snr_db", "modcod_margin_db")} == {
        "metric": "accuracy", "receiver": "clean", "task": "none", "codec": "source codec",
        "fixed_modcod": "QPSK 1/2", "note": None, "digital_obo_db": 2.0, "snr_db": [-8.0, 12.0],
        "modcod_margin_db": 1.0,
    }  # fmt: skip
    (row,) = told["by_cr"]
    assert (row["cr_text"], row["ahead_first"], row["ahead_last"]) == (
        "1/12",
        "deepjscc",
        "deepjscc",
    )
    assert math.isnan(row["digital_ahead_from_db"])
    # QPSK 1/4 closes at -2.35 dB: 4 dB less back-off and 1 dB of margin bring it to -5.35 dB.
    assert row["crossings"][0] == {"snr_db": pytest.approx(-5.35), "winner": "digital"}


def test_a_link_that_neither_chain_closes():
    answer = asked(Chain(), power_dbw=-20.0, obo_db=6.0)
    assert parts(answer)[0] == [
        "accuracy (clean) at least 0.6 at the link's SNR: DeepJSCC does not reach it, digital does not reach it",
        "at SNR -24.73 dB, CR 1/12, OUTSIDE the fitted domain: DeepJSCC accuracy = 0.1069, digital 0.1000 (no MODCOD closes, 0.000 bit/pixel); ahead: DeepJSCC",
    ]
    assert (answer.met, answer.in_domain) == (False, False)


def test_without_a_curve_it_is_told_what_each_chain_may_send():
    answer = asked(Chain(), curve=None, target=None, power_dbw=5.0)
    head, _, lines = parts(answer)
    assert lines[1:8] == [
        "  -8.00 dB  no MODCOD closes  0.000 bit/symbol of 0.212 (Shannon)",
        "  -4.75 dB  no MODCOD closes  0.000 bit/symbol of 0.417 (Shannon)",
        "  -1.25 dB  QPSK 1/4          0.490 bit/symbol of 0.807 (Shannon)",
        "   2.00 dB  QPSK 1/2          0.989 bit/symbol of 1.370 (Shannon)",
        "   5.25 dB  QPSK 5/6          1.655 bit/symbol of 2.121 (Shannon)",
        "   8.75 dB  8PSK 3/4          2.228 bit/symbol of 3.087 (Shannon)",
        "  12.00 dB  16APSK 5/6        3.300 bit/symbol of 4.075 (Shannon)",
    ]
    assert head[-1] == (
        "at SNR 6.27 dB, CR 1/12: DeepJSCC accuracy = 0.8438; the digital chain may spend "
        "8PSK 3/5, 0.445 bit/pixel"
    )
    assert answer.met is None
    assert answer.to_dict()["race"] is None


@pytest.mark.parametrize(
    ("chain", "told"),
    [
        (Chain(margin_db=31.0), "--modcod-margin-db 31: lies in 0 … 30 dB"),
        (Chain(margin_db=-1.0), "--modcod-margin-db -1: lies in 0 … 30 dB"),
        (Chain(obo_db=31.0), "--digital-obo-db 31: lies in 0 … 30 dB"),
        (Chain("QPSK 9/9"),
         "modcod = 'QPSK 9/9': DVB-S2 has none of this name; write e.g. \"8PSK 5/6\""),
    ],
)  # fmt: skip
def test_a_chain_that_cannot_be_is_told_in_this_line(chain, told):
    with pytest.raises(SemlossError) as caught:
        asked(chain)
    assert str(caught.value) == told
