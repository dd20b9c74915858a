"""What a person reads of a solved link, and of one that cannot be solved: whole lines."""

import pytest
from known_surface import known
from planning_case import link

from semloss.errors import SemlossError
from semloss.planning.budget.solving import solve

SURFACE = known()
STRONG = link(power_dbw=5.0)
DOMAIN = "CR 1/40 … 1/4 and SNR -8 … 12 dB (convex hull of the measured cells)"


@pytest.mark.parametrize(
    ("unknown", "asked", "line"),
    [
        # The link has 7.32 dB more than the −1.06 dB that 0.6 takes: 5 − 7.32 = −2.32 dBW.
        ("power_dbw", {},
         "smallest power_dbw = -2.32214 dBW (0.5858 W)   [95 %: -2.52701 … -2.12057]"),
        ("power_dbw", {"confidence": 0.9},
         "smallest power_dbw = -2.18994 dBW (0.604 W)   [95 %: -2.52701 … -2.12057]"),
        ("eirp_dbw", {}, "smallest eirp_dbw = 2.17786 dBW   [95 %: 1.97299 … 2.37943]"),
        ("rx_dish_m", {"interval": 0.9},
         "smallest rx_dish_m = 1.29126 m   [90 %: 1.26598 … 1.31669]"),
        # 60 MHz · 10^0.732 and 1694.6 km · 10^0.366
        ("bandwidth_mhz", {}, "largest bandwidth_mhz = 323.866 MHz   [95 %: 309.178 … 339.51]"),
        ("range_km", {}, "largest range_km = 3937 km   [95 %: 3846.69 … 4030.97]"),
        ("snr_db", {}, "smallest snr_db = -1.05521 dB   [95 %: -1.26008 … -0.85364]"),
    ],
)  # fmt: skip
def test_a_solution_is_told_with_its_interval(unknown, asked, line):
    told = solve(STRONG, unknown, SURFACE, 0.6, **asked).text().splitlines()
    sure = " with 90 % confidence" if "confidence" in asked else ""
    assert told[0] == line.replace(" %: ", " %, these images: ")
    assert told[1] == f"for accuracy (clean) at least 0.6{sure}"
    there = "0.6067 at CR 1/12, SNR -0.92 dB" if sure else "0.6 at CR 1/12, SNR -1.06 dB"
    assert told[2] == f"there accuracy = {there}"
    assert told[3] == f"inside the fitted domain, {DOMAIN}"


def test_a_solution_at_the_end_of_the_search_says_so():
    told = solve(STRONG, "elevation_deg", SURFACE, 0.6).text().splitlines()
    assert told[0] == (
        "smallest elevation_deg = 0 deg, where the fit or the search ends   "
        "[95 %, these images: 0 … 0]"
    )


def test_a_solution_is_a_record():
    answer = solve(STRONG, "power_dbw", SURFACE, 0.6)
    told = answer.to_dict()
    assert told["power_w"] == pytest.approx(10 ** (told["value"] / 10))
    assert {key: told[key] for key in ("unknown", "unit", "sense", "at_edge", "metric", "receiver",
                                       "task", "target", "confidence", "interval", "cr_text",
                                       "in_domain", "margin_db", "warnings")} == {
        "unknown": "power_dbw", "unit": "dBW", "sense": "smallest", "at_edge": False,
        "metric": "accuracy", "receiver": "clean", "task": "none", "target": 0.6,
        "confidence": None, "interval": 0.95, "cr_text": "1/12", "in_domain": True,
        "margin_db": 0.0, "warnings": list(answer.warnings),
    }  # fmt: skip
    assert told["low"] < told["value"] < told["high"]
    assert told["metric_low"] < told["metric_value"] < told["metric_high"]


@pytest.mark.parametrize(
    ("asked", "unknown", "target", "told"),
    [
        (STRONG, "luck", 0.6,
         "cannot solve for luck: choose one of snr_db, cr, eirp_dbw, power_dbw, obo_db, "
         "tx_dish_m, rx_dish_m, bandwidth_mhz, range_km, elevation_deg, availability_percent"),
        (STRONG, "power_dbw", 0.99,
         "accuracy = 0.99 is not attainable at CR 1/12: the surface reaches at most 0.8884 within "
         "the fitted range; raise --cr or relax --target"),
        (STRONG, "power_dbw", "at most 0.6",
         "target = 'at most 0.6': accuracy is better higher, so a target is met by \"at least\"; "
         'write "at least 0.6"'),
        (link(images_per_s=1e6), "bandwidth_mhz", 0.6,
         "accuracy at least 0.6 is not attainable by bandwidth_mhz, because 1e+06 images/s at CR "
         "1/12 take 1229 MHz, which leaves SNR -17.85 dB where -1.06 dB is needed; lower "
         "images_per_s or the CR, or strengthen the link"),
        (link(images_per_s=1e7, cr=None), "bandwidth_mhz", 0.6,
         "accuracy at least 0.6 is not attainable by bandwidth_mhz, because no CR of 1/40 … 1/4 "
         "leaves SNR enough at 1e+07 images/s; lower images_per_s or strengthen the link"),
        (link(power_dbw=-30.0), "elevation_deg", 0.6,
         "accuracy at least 0.6 is not attainable by elevation_deg, because it needs SNR -1.06 dB "
         "at CR 1/12 and elevation_deg = 90 deg gives -18.13 dB: nearest is accuracy = 0.1258; "
         "raise the CR, strengthen another part of the link or relax the target"),
        (link(c_over_i_db=-15.0), "power_dbw", 0.6,
         "accuracy at least 0.6 is not attainable by power_dbw, because it needs SNR -1.06 dB at "
         "CR 1/12 and power_dbw = 60 dBW gives -15.00 dB (interference, c_over_i_db = -15, alone "
         "keeps it below): nearest is accuracy = 0.148; raise the CR, strengthen another part of "
         "the link or relax the target"),
    ],
)  # fmt: skip
def test_a_link_that_cannot_be_solved_is_told_in_this_line(asked, unknown, target, told):
    with pytest.raises(SemlossError) as caught:
        solve(asked, unknown, SURFACE, target)
    assert str(caught.value) == told
