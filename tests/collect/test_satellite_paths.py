"""Channels of a satellite path through `collect`: what they add to CR and to the tables."""

import pandas as pd
import pytest
from collecting_case import collected
from tiny_experiment import TINY

CHANNELS = """
[[channel]]
kind = "amplifier"
input_back_off_db = 0
[[channel]]
kind = "carrier"
pilot_every = 8
"""


def test_an_amplifier_tells_what_it_spreads_and_pilots_count_in_the_rate(tmp_path):
    experiment = TINY.replace("[codec]", "[codec]\npapr_db = 2") + CHANNELS
    few = ["--set", "grid.cr=1/6", "--set", "grid.snr_db=10", "--set", "task.kind=none"]
    table = collected(tmp_path, experiment, *few, "--set", 'metrics.names=["psnr_db"]')
    amplified = table[table.channel == "rapp-ibo0dB"].set_index("metric")
    assert set(amplified.index) == {"psnr_db", "papr_db", "acpr_dbc"}
    assert amplified.cr.unique() == pytest.approx(1 / 6)
    assert -60 < amplified.value["acpr_dbc"] < -15
    assert amplified.direction["acpr_dbc"] == "lower"
    assert amplified.value["papr_db"] <= 2.001
    cells = pd.read_csv(tmp_path / "run" / "cells.csv").set_index("channel")
    followed = cells.loc["carrier-lw0.0001-cfo0.0001-pilot8"]
    # 14 filters of 72 symbols, a pilot before each 8 of them and one at the end: 1/6 of 6,912 is
    # 1,152 uses, and this is the nearest number below
    assert followed.setting == "filters=14"
    assert followed.k == 1008 + 126 + 1
    assert followed.cr == pytest.approx(followed.k / 6912)
    assert followed.cr_nominal == pytest.approx(1 / 6)
