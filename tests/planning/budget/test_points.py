"""Many points at once: those that are out of reach are NaN, and say no more than that."""

import numpy as np
import pytest
from known_surface import known
from planning_case import link

from semloss.errors import SemlossError
from semloss.planning.budget.points import Defaults, evaluate

SURFACE = known()


def test_points_out_of_reach_are_no_number_and_are_not_met():
    asked = {"target": np.array([0.6, 0.999, 0.7])}
    found = evaluate(asked, Defaults(SURFACE, cr=1 / 12))
    for name in ("snr_db", "value", "low", "high", "required_snr_db", "snr_margin_db"):
        assert found[name].dtype == float
        assert np.isnan(found[name]).tolist() == [False, True, False]
    assert found["value"][[0, 2]] == pytest.approx([0.6, 0.7])
    for name in ("met", "in_domain"):
        assert found[name].dtype == bool
        assert found[name].tolist() == [True, False, True]
    assert found["snr_margin_db"][[0, 2]] == pytest.approx([0, 0], abs=1e-6)
    nothing = evaluate({"target": np.array([0.999])}, Defaults(SURFACE, cr=1 / 12))
    assert {name for name, column in nothing.items() if np.isnan(column).all()} == {
        "snr_db", "value", "low", "high", "required_snr_db", "snr_margin_db",
    }  # fmt: skip
    assert (nothing["met"].tolist(), nothing["in_domain"].tolist()) == ([False], [False])


def test_the_margin_that_a_link_keeps_is_kept():
    needed = SURFACE.min_snr(target=0.6, cr=1 / 12).snr_db
    bare = float(link().budget().snr_db)
    for spare_db, keep_db, met in ((2.0, 1.9, True), (2.0, 2.1, False), (-0.1, 0.0, False)):
        there = link(power_dbw=-6.0 + needed - bare + spare_db, margin_db=keep_db)
        found = evaluate({}, Defaults(SURFACE, there, target=0.6))
        assert found["snr_margin_db"] == pytest.approx([spare_db])
        assert found["met"].tolist() == [met]
    solved = evaluate({}, Defaults(SURFACE, cr=1 / 12, target=0.6))
    assert solved["snr_db"] == pytest.approx([needed])


def test_images_a_second_follow_the_size_of_the_image_and_the_frame():
    # 50 Msym/s; 3 x 64 x 64 / 12 = 1024 symbols an image, 4096 of one of 128 x 128.
    asked = {"height_px": np.array([64, 128]), "width_px": np.array([64, 128])}
    found = evaluate(asked, Defaults(SURFACE, link()))
    assert found["images_per_s"] == pytest.approx([50e6 / 1024, 50e6 / 4096])
    half = evaluate({"frame_efficiency": np.array([0.5])}, Defaults(SURFACE, link()))
    assert half["images_per_s"] == pytest.approx([25e6 / 1024])
    assert half["c_n0_dbhz"] == pytest.approx([float(link().budget().c_n0_dbhz)])


@pytest.mark.parametrize(
    ("given", "defaults", "told"),
    [
        ({"power_dbw": np.array([1.0])}, {"cr": 0.1, "snr_db": 1.0},
         "power_dbw is a field of the link, and no link is given"),
        ({}, {"cr": 0.1}, "a point takes two of cr, snr_db (or a link) and target"),
        ({}, {"target": 0.6}, "a point takes two of cr, snr_db (or a link) and target"),
        ({}, {"link": link(bandwidth_mhz=None, bit_rate_mbps=1.5, required_eb_n0_db=5.0)},
         "the link gives no SNR: give bandwidth_mhz, or snr_db"),
    ],
)  # fmt: skip
def test_too_little_is_told_in_this_line(given, defaults, told):
    with pytest.raises(SemlossError) as caught:
        evaluate(given, Defaults(SURFACE, **defaults))
    assert str(caught.value) == told
