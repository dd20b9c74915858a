"""What `semloss fit` prints, on a fit whose figures are given."""

# ruff: noqa: E501 - a table is as wide as the meanings in it
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from known_surface import CR, SNR_DB, known

from semloss.selection import Points
from semloss.surfaces.fitting.summary import FitsSummary, FitSummary


def row(parameters, rmse, **more):
    return {
        "parameters": parameters, "rmse": rmse, "aicc": -210.26, "bic": -200.04,
        "leave_cr_out": 0.02, "leave_snr_out": 0.016, "edge_out": None, "k_fold": 0.0124,
        "held_out": 0.0128, "outcome": "converged",
    } | more  # fmt: skip


QUALITY = {
    "points": 66, "range": 0.8, "rmse": 0.0123, "held_out": 0.02, "chosen_by": "the least error",
    "candidates": {
        "constant": row(1, 0.2, aicc=None),
        "capped": row(7, 0.0123),
        "reference": row(None, 0.01, aicc=None, bic=None, held_out=None),
    },
}  # fmt: skip
POINTS = Points(
    "accuracy", "clean", "higher", CR, SNR_DB, np.full(66, 0.5), np.zeros(66), noise="binomial",
    group={"metric": "accuracy", "receiver": "clean"},
)  # fmt: skip
FIT = known(
    quality=QUALITY, intervals={"sharpness": (0.7, float("inf"))}, draws=np.zeros((1, 8)),
    provenance={"codec": "deepjscc", "semloss": "0.1.0"},
)  # fmt: skip
SUMMARY = FitSummary(FIT, POINTS, Path("fits/a.json"))

# 0.0123 of a range of 0.8 is 1.54 %, 0.0128 is 1.60 %.
TEXT = """\
accuracy (clean): 66 points, 6 CR × 11 SNR, noise binomial
form     capped, 7 parameters: converged
error    RMSE 0.0123 (1.5 %), held out 0.02 (2.5 %)

   % of range  par  RMSE   held out  CR out  SNR out  edges  10-fold  AICc    BIC     outcome
   constant    1    25.00  1.60      2.50    2.00     –      1.55     –       -200.0  converged
 * capped      7    1.54   1.60      2.50    2.00     –      1.55     -210.3  -200.0  converged
   reference   –    1.25   –         2.50    2.00     –      1.55     –       –       converged
chosen   the least error

   floor          0.1  known      metric               metric when nothing gets through
   ceiling        0.9  known      metric               metric at its best
   ln_cr_half     -4   known      ln CR                ln of the CR of half gain
   rate_exponent  1.5  known      1                    power of CR with which the rate's limit is lifted
   snr_half_db    -3   known      dB                   SNR of half gain at CR 1/12
   slope_per_db   0.3  known      1/dB                 steepness of the rise with SNR
   shift_db       2    known      dB per e-fold of CR  SNR that an e-fold of CR is worth
   sharpness      1.5  0.7 … inf  1                    how abruptly rate limit and channel limit hand over at CR 1/12

fit file fits/a.json"""


def test_a_fit_is_told_with_the_forms_it_was_chosen_from():
    assert SUMMARY.text() == TEXT


def test_a_named_form_is_told_alone():
    alone = QUALITY | {"candidates": {"capped": row(1, 0.1)}, "held_out": None}
    told = replace(SUMMARY, fit=replace(FIT, quality=alone, message="a note", draws=None)).text()
    assert told.splitlines()[:6] == [
        "accuracy (clean): 66 points, 6 CR × 11 SNR, noise binomial",
        "form     capped, 1 parameter: converged",
        "         a note",
        "error    RMSE 0.0123 (1.5 %), held out –",
        "",
        "   floor          0.1             metric               metric when nothing gets through",
    ]


def test_a_metric_without_a_range_is_told_in_its_own_unit():
    flat = replace(SUMMARY, fit=replace(FIT, quality=QUALITY | {"range": 0.0}))
    assert "error    RMSE 0.0123 (1.2 %), held out 0.02 (2 %)" in flat.text()
    assert " * capped      7    1.23   1.28" in flat.text()


def test_a_fit_is_a_record():
    assert SUMMARY.rows() == [
        {"metric": "accuracy", "receiver": "clean", "task": "none", "form": "capped",
         "follows": None, "outcome": "converged", "points": 66, "range": 0.8, "rmse": 0.0123, "held_out": 0.02,
         "out": "fits/a.json"}
    ]  # fmt: skip
    told = SUMMARY.to_dict()
    assert told["group"] == {"metric": "accuracy", "receiver": "clean"}
    assert told["provenance"] == {"codec": "deepjscc", "semloss": "0.1.0"}
    assert told["parameters"]["snr_half_db"] == -3.0
    assert told["intervals"] == {"sharpness": [0.7, float("inf")]}
    assert (told["out"], told["form"], told["message"]) == ("fits/a.json", "capped", "")
    assert (told["model_error_sd"], told["outcome"]) == (0.0, "converged")
    assert {key: told[key] for key in QUALITY} == QUALITY


@pytest.mark.parametrize("shared", [None, Path("fits/shared.json")])
def test_several_fits_are_told_line_by_line(shared):
    unnamed = replace(SUMMARY, points=replace(POINTS, group={"metric": "none"}))
    several = FitsSummary([SUMMARY, unnamed], shared)
    lines = [
        "                  points  form    RMSE            held out      outcome    fit file",
        "accuracy, clean   66      capped  0.0123 (1.5 %)  0.02 (2.5 %)  converged  fits/a.json",
        "accuracy (clean)  66      capped  0.0123 (1.5 %)  0.02 (2.5 %)  converged  fits/a.json",
    ]
    if shared:
        lines.append("shared   fits/shared.json: give it to --prior for a new group of few points")
    assert several.text().splitlines() == lines
    assert several.rows() == SUMMARY.rows() * 2
    told = several.to_dict()
    assert told["fits"] == [SUMMARY.to_dict(), unnamed.to_dict()]
    assert told.get("shared") == (str(shared) if shared else None)
