"""Channels of a satellite path through `collect`: what they add to CR and to the tables."""

import json

import pandas as pd
import pytest
from collecting_case import collected
from tiny_experiment import TINY

from semloss.cli import main

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


BACKED_OFF = """
[[channel]]
kind = "awgn"
[[channel]]
kind = "amplifier"
input_back_off_db = 4
trained_over = { kind = "awgn" }
[[channel]]
kind = "amplifier"
input_back_off_db = 40
trained_over = { kind = "awgn" }
"""


@pytest.mark.parametrize("codec", ["deepjscc", "adaptive"])
def test_a_codec_trained_over_one_channel_is_measured_over_another(tmp_path, codec):
    few = ["--set", "grid.cr=1/6", "--set", "grid.snr_db=10", "--set", "task.kind=none"]
    few += ["--set", "train.independent={steps = 60, batch_size = 8, lr = 0.02}"]
    experiment = TINY.replace("[codec]", f'[codec]\nkind = "{codec}"') + BACKED_OFF
    table = collected(tmp_path, experiment, *few, "--set", 'metrics.names=["psnr_db"]')
    psnr = table[table.metric == "psnr_db"].set_index("channel").value
    assert set(psnr.index) == {"awgn", "rapp-ibo4dB-from-awgn", "rapp-ibo40dB-from-awgn"}
    # at 40 dB of back-off what arrives is 30 dB below the noise that 10 dB of SNR leaves
    assert psnr["awgn"] > psnr["rapp-ibo40dB-from-awgn"] + 0.5
    trunks = [folder.name for folder in (tmp_path / "run" / "trunks").iterdir()]
    assert len(trunks) == 1
    assert "awgn" in trunks[0]


def test_the_best_back_off_of_a_run_is_planned(tmp_path, capsys):
    channels = '[[channel]]\nkind = "awgn"\n' + "".join(
        f'[[channel]]\nkind = "amplifier"\ninput_back_off_db = {back_off}\n{over}'
        for back_off, over in ((0, ""), (6, ""), (6, 'trained_over = { kind = "awgn" }\n'))
    )
    experiment = TINY.replace("[codec]", '[codec]\nkind = "adaptive"') + channels
    few = ["--set", "task.kind=none", "--set", 'metrics.names=["psnr_db"]']
    few += ["--set", "train.independent={steps = 60, batch_size = 8, lr = 0.02}"]
    collected(tmp_path, experiment, *few)
    capsys.readouterr()
    asked = ["plan", "amplifier", str(tmp_path / "run"), "--metric", "psnr_db", "--link",
             "eo-leo-x-band", "--cr", "1/6", "--json"]  # fmt: skip
    assert main(asked) == 0
    rows = [row for row in json.loads(capsys.readouterr().out)["rows"] if "codec" in row]
    through = {(row["codec"].partition("depth0")[2], row["back_off_db"]) for row in rows[1:-1]}
    assert through == {("", 0.0), ("", 6.0), (" trained over awgn", 6.0)}
    assert all(row["acpr_dbc"] < -15 for row in rows[1:-1])
    assert rows[-1]["amplifier"] == "by rule"
