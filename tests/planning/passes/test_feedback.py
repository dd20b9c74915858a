"""Layers until sure over a pass: known curves, closed forms of rate, delay and return link."""

from dataclasses import replace

import numpy as np
import pytest
from planning_case import accuracy, distance, link

from semloss.errors import SemlossError, TargetNotAttainable
from semloss.planning.budget.budget import images_per_s
from semloss.planning.budget.question import Question
from semloss.planning.passes.feedback import LIGHT_KM_S, ReturnLink, SureCurve, until_sure
from semloss.planning.passes.orbit import circular_pass

HEAD = "# codec: layered\nsnr_db,target,accuracy,accuracy_se,cr,cr_se,layers,layers_most\n"
PASS = circular_pass(500.0, 60.0, 10.0, 5.0)
CR, LAYERS, MOST = 1 / 40, 2.4, 8


def curve(folder, rows, name="sure.csv"):
    lines = (",".join(f"{x:.10g}" for x in row) for row in rows)
    (folder / name).write_text(HEAD + "\n".join(lines) + "\n")
    return SureCurve.from_csv(folder / name)


def ways(snr_db, scale=1.0):
    return [
        (snr_db, 0, 0.7, 0.01, 0.02 * scale, 0.001, 2, MOST),
        (snr_db, 0, 0.8, 0.01, 0.04 * scale, 0.001, 3, MOST),
        (snr_db, 0, 0.9, 0.01, 0.12 * scale, 0.001, 5, MOST),
    ]


@pytest.fixture
def even(tmp_path):
    """One CR at every SNR, above and below those of the pass."""
    rows = [(snr, 0.6, 0.6, 0.01, CR, 0.001, LAYERS, MOST) for snr in (-40, 40)]
    return curve(tmp_path, rows)


def asked(fit=None, target=0.6, **changes):
    return Question(fit or accuracy(), link(**changes), target)


def test_two_ways_to_stop_take_turns(tmp_path):
    found = curve(tmp_path, ways(0.0))
    for target, cr, layers in ((0.65, 0.02, 2), (0.8, 0.04, 3), (0.75, 0.03, 2.5), (0.85, 0.08, 4)):
        assert found.least(target) == (pytest.approx([cr]), pytest.approx([layers]))
    assert np.isnan(found.least(0.95)[0])
    # a standard error more of accuracy and one less of symbols
    assert found.least(0.81, errors=1.0)[0] == pytest.approx([0.039])


def test_between_snrs_the_log_of_the_rate_is_straight(tmp_path):
    found = curve(tmp_path, [*ways(0.0), *ways(4.0, 0.25), (-4.0, 0, 0.5, 0.01, 0.1, 0.001, 4, 8)])
    snr_db = np.array([-9.0, -4.0, -2.0, 0.0, 2.0, 4.0, 30.0])
    cr, layers = found.along(0.8, snr_db)
    expected = [np.nan, np.nan, np.nan, 0.04, 0.02, 0.01, 0.01]
    np.testing.assert_allclose(cr, expected, rtol=1e-12)
    np.testing.assert_allclose(layers[3:], 3.0)


def test_the_way_back_costs_memory_and_the_end_alone(even):
    plain = until_sure(asked(), even, PASS, ReturnLink(processing_s=0.0))
    rate = float(images_per_s(link(), CR))
    there_and_back = 2 * PASS.range_km / LIGHT_KM_S
    np.testing.assert_allclose(plain.round_trip_s, there_and_back)
    tail_s = (MOST - 1) * there_and_back[-1]
    assert plain.tail_s == pytest.approx(tail_s)
    contact = PASS.time_s[-1]
    assert plain.images_delivered == pytest.approx(rate * (contact - tail_s))
    np.testing.assert_allclose(plain.waiting, rate * LAYERS * there_and_back)
    np.testing.assert_allclose(plain.return_kbps, rate * LAYERS / 1e3)
    slow = until_sure(asked(), even, PASS, ReturnLink(processing_s=1.0))
    lost = plain.images_delivered - slow.images_delivered
    assert lost == pytest.approx(rate * (MOST - 1))
    assert slow.images[5] == plain.images[5]
    low, high = plain.images_between
    assert low < plain.images_delivered < high


def test_a_slow_return_link_limits_and_says_so(even):
    bits, kbps = 4.0, 5.0
    back = ReturnLink(kbps, 0.0, bits)
    found = until_sure(asked(), even, PASS, back)
    assert found.images[10] == pytest.approx(1e3 * kbps / (bits * LAYERS) * PASS.time_s[10])
    assert any("keeps images back" in note for note in found.warnings)
    enough = until_sure(asked(), even, PASS, ReturnLink(1e6, 0.0, bits))
    assert not any("keeps images back" in note for note in enough.warnings)
    # each tile of an image stops by itself
    tiled = asked(height_px=128, width_px=192, tile_px=64)
    each = until_sure(tiled, even, PASS, back)
    assert each.return_kbps.max() == pytest.approx(kbps)
    assert each.images[10] == pytest.approx(found.images[10] / 6)


def test_images_of_the_other_ways_are_those_of_the_adaptive_plan(even):
    found = until_sure(asked(), even, PASS)
    told = found.to_dict()
    assert told["images_adaptive"] >= told["best_fixed_images"] > 0
    assert told["gain_over_fixed"] == pytest.approx(
        told["images_until_sure"] / told["best_fixed_images"]
    )
    assert not any("the curve is of codec" in note for note in found.warnings)
    fit = replace(accuracy(), provenance={"codec_label": "deepjscc"})
    (note,) = (n for n in until_sure(asked(fit), even, PASS).warnings if "the curve is" in n)
    assert note.startswith("the curve is of codec layered, the fit of deepjscc")
    # with a margin to keep, the curve is read below the link's SNR
    assert until_sure(asked(margin_db=90.0 - 45), even, PASS).images_delivered == 0


def test_what_cannot_be_asked_is_one_line(even, tmp_path):
    with pytest.raises(TargetNotAttainable, match=r"reaches an accuracy of 0.7: the most is 0.6"):
        until_sure(asked(target=0.7), even, PASS)
    with pytest.raises(SemlossError, match="the fit is of lpips"):
        until_sure(asked(distance(), 0.5), even, PASS)
    (tmp_path / "other.csv").write_text("snr_db,accuracy\n1,2\n")
    with pytest.raises(SemlossError, match="no curve until sure: write one with semloss sure"):
        SureCurve.from_csv(tmp_path / "other.csv")
    (tmp_path / "torn.csv").write_text(HEAD + "1,2,x,0,1,0,1,8\n")
    with pytest.raises(SemlossError, match="write it anew with semloss sure --csv"):
        SureCurve.from_csv(tmp_path / "torn.csv")
