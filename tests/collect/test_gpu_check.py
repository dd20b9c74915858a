"""The check of a machine with a GPU, at tiny size on a CPU: what it asks and tells is the same."""

import csv
import shutil
import sys
from pathlib import Path

import pytest
import torch


@pytest.fixture
def check(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    import gpu_check

    yield gpu_check
    for name in ("gpu_check", "training_time"):
        del sys.modules[name]


def test_without_a_gpu_it_says_so_and_writes_nothing(check, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["gpu_check", "--out", str(tmp_path / "out.csv")])
    assert check.main() == 0
    assert "skipped, there is no GPU here" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_every_way_is_read_and_a_target_that_is_missed_fails_the_check(check, tmp_path, capsys):
    device, path = torch.device("cpu"), tmp_path / "out.csv"
    pixels = torch.randint(0, 256, (32, 64, 64, 3), dtype=torch.uint8)
    packs = ((2, 1, None), (2, 2, 1e12))
    assert not check.told(check.rates(device, pixels, 5, 5, packs), path)
    rows = list(csv.DictReader(path.open()))
    assert [row["what"] for row in rows] == [
        "plain fp32 loop, batch 16", "step by step, batch 16, 1 codec",
        "pack, batch 2, 1 codec", "pack, batch 2, 2 codecs",
    ]  # fmt: skip
    assert [row["met"] for row in rows] == ["", "", "", "False"]
    assert "NOT MET" in capsys.readouterr().out


def test_steps_by_hand_are_those_of_a_pack(check):
    device = torch.device("cpu")
    pixels = torch.randint(0, 256, (16, 64, 64, 3), dtype=torch.uint8)
    packs = [check.members(device, pixels, 2, 4, 6) for _ in range(2)]
    check.step_by_step(packs[0])
    check.train_pack(packs[1])
    for one, other in zip(*packs, strict=True):
        for name, value in one.network.state_dict().items():
            assert torch.equal(value, other.network.state_dict()[name]), name


def test_a_grid_is_collected_as_a_user_does_it(check, world, reference, tmp_path):
    shutil.copytree(reference, tmp_path / "run")  # so that nothing is left to be trained
    wall_s, table = check.collected("cpu", tmp_path / "run", str(world / "tiny.toml"))
    assert wall_s > 0
    assert table.cell.nunique() == 4
    means = check.means(table)
    assert list(means.index) == sorted(means.index)
