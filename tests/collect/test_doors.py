"""The doors: what is new is one file and one registration, and `collect` runs it end to end."""

import json
import math
from typing import Literal

import pandas as pd
import pytest
import torch
from collecting_case import collected, value
from PIL import Image
from tiny_experiment import TINY
from torch import nn

import semloss
from semloss import facts
from semloss.cli import main
from semloss.codecs import CODECS
from semloss.codecs.base import (
    Codec,
    CodecNetwork,
    Realisation,
    from_symbols,
    nearest,
    to_symbols,
)  # fmt: skip
from semloss.codecs.deepjscc import DeepJSCC, DeepJSCCNetwork
from semloss.collect.engines import ENGINES
from semloss.collect.engines.serial import Serial
from semloss.metrics import mean_measurement
from semloss.objectives import OBJECTIVES, Judge, Objective
from semloss.sources import SOURCES
from semloss.tasks import TASKS, Task
from semloss.training import member

# -- a codec without training ------------------------------------------------------------------


class Decimation(Codec):
    """Every image on a coarser grid, each pixel repeated; mean and contrast travel beside it."""

    training = "none"

    def realise(self, cr, shape, where="cr"):
        n = math.prod(shape)
        ways = []
        for step in (1, 2, 4, 8):
            k = math.ceil(shape[0] * (shape[1] // step) * (shape[2] // step) / 2)
            ways.append(Realisation(cr, k / n, k, {"step": step}))
        return nearest(ways, shape, where)

    def build(self, shape, realisation, seed):
        return DecimationNetwork(shape, realisation.setting["step"])


class DecimationNetwork(CodecNetwork):
    def __init__(self, shape, step):
        super().__init__()
        self.small, self.step = (shape[0], shape[1] // step, shape[2] // step), step

    def encode(self, images, state):
        small = nn.functional.avg_pool2d(images, self.step)
        self.mean = small.mean(dim=(1, 2, 3), keepdim=True)
        self.size = (small - self.mean).flatten(1).square().mean(1).sqrt().view(-1, 1, 1, 1)
        return to_symbols(small - self.mean)

    def decode(self, symbols, state, generator):
        small = from_symbols(symbols, self.small) * self.size / 2**0.5 + self.mean
        return small.repeat_interleave(self.step, 2).repeat_interleave(self.step, 3).clamp(0, 1)


def test_a_codec_without_training(tmp_path):
    CODECS.register("decimation")(Decimation)
    options = "[codec]\nstem = 4\nwidth = 8\ndepth = 0"
    experiment = TINY.replace(options, '[codec]\nkind = "decimation"')
    experiment = experiment.replace('["1/24", "1/6"]', '["1/32", "1/8"]')
    experiment = experiment.replace("[0, 10]", "[0, 10, 40]")
    table = collected(tmp_path, experiment)
    psnr = value(table, "psnr_db")
    assert len(psnr) == 6
    assert psnr[1 / 8, 40.0] > psnr[1 / 8, 0.0] > 15
    assert psnr[1 / 8, 40.0] > psnr[1 / 32, 40.0]
    assert len(value(table, "accuracy", "matched")) == 6
    assert table.train_snr_db.isna().all()
    cells = pd.read_csv(tmp_path / "run" / "cells.csv")
    assert set(cells.setting) == {"step=2", "step=4"}
    assert set(cells.strategy) == {"none"}
    assert (cells.steps == 0).all()
    run = tmp_path / "run"
    assert not (run / "trunks").exists()
    assert not list((run / "cells").glob("*/codec.json"))
    # the table is a table like any other
    assert main(["fit", str(run), "--metric", "psnr_db", "--form", "additive"]) == 0


# -- a codec that is trained once for all SNR --------------------------------------------------


class KnowsItsSnr(DeepJSCC):
    """DeepJSCC whose decoder is told the SNR of each image."""

    training = "range"

    def build(self, shape, realisation, seed):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return KnowingNetwork(self, shape, realisation.setting["filters"])

    def check(self, trial):
        return super().check(trial) | {"bits": trial.bits}


class KnowingNetwork(DeepJSCCNetwork):
    """Scales what it hears by the SNR that it is told."""

    def __init__(self, options, shape, filters):
        super().__init__(options, shape, filters)
        self.scale = nn.Parameter(torch.zeros(()))

    def decode(self, symbols, state, generator):
        snr_db = torch.as_tensor(state.snr_db, dtype=torch.float32).reshape(-1, 1)
        assert len(snr_db) in (1, len(symbols))
        return super().decode(symbols * torch.sigmoid(self.scale * snr_db), state, generator)


def test_a_codec_trained_once_for_all_snr_is_measured_at_many(tmp_path):
    CODECS.register("knowing")(KnowsItsSnr)
    experiment = TINY.replace("[codec]", '[codec]\nkind = "knowing"')
    experiment = experiment.replace("[0, 10]", "[-5, 0, 5, 10, 15]")
    experiment += '\n[metrics]\nnames = ["psnr_db"]\n'
    ends = ["--set", "train.range_snr_db=[-5,15]"]
    table = collected(tmp_path, experiment, *ends)
    assert len(value(table, "psnr_db")) == 2 * 5
    assert table.train_snr_db.isna().all()
    run = tmp_path / "run"
    records = [json.loads(path.read_text()) for path in (run / "bases").glob("*/codec.json")]
    # One training for each CR, judged in the middle of its SNRs: 5 dB, log2(1 + 3.1623) = 2.0574.
    symbols = pd.read_csv(run / "cells.csv").k.unique()
    assert sorted(r["bits"] for r in records) == pytest.approx(sorted(2.0574 * symbols), rel=1e-4)
    assert len(records) == 2
    assert not list((run / "cells").glob("*/codec.safetensors"))
    before = {path: path.stat().st_mtime_ns for path in (run / "bases").rglob("*")}
    # another SNR costs a measurement
    collected(tmp_path, experiment, *ends, "--set", "grid.snr_db=[7]")
    assert len(value(semloss.load_table(run), "psnr_db")) == 2 * 6
    assert {p: p.stat().st_mtime_ns for p in (run / "bases").rglob("*")} == before


# -- an objective that owns a second network ---------------------------------------------------


class Adversarial(Objective):
    """Squared error, and a critic that learns to tell what arrived from what was sent."""

    weight: float = 0.01

    def build(self, bands, tasks, seed):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return Critic(bands, self.weight)


class Critic(Judge):
    def __init__(self, bands, weight):
        super().__init__()
        self.look = nn.Sequential(nn.Conv2d(bands, 4, 5, stride=4), nn.ReLU(), nn.Conv2d(4, 1, 3))
        self.weight = weight

    def forward(self, batch, arrived):
        away = (arrived - batch.images).square().mean(dim=(1, 2, 3))
        return away + self.weight * nn.functional.softplus(-self.score(arrived))

    def own_loss(self, batch, arrived):
        assert not arrived.requires_grad
        real, made = self.score(batch.images), self.score(arrived)
        return (nn.functional.softplus(-real) + nn.functional.softplus(made)).mean()

    def score(self, images):
        return self.look(images).mean(dim=(1, 2, 3))


def test_an_objective_with_a_network_of_its_own(tmp_path, monkeypatch):
    OBJECTIVES.register("adversarial")(Adversarial)
    experiment = TINY.replace(
        "[grid]", '[[objective]]\nkind = "mse"\n[[objective]]\nkind = "adversarial"\n[grid]'
    )
    few = ["--set", "grid.cr=1/6", "--set", "grid.snr_db=[10]"]
    table = collected(tmp_path, experiment, *few)
    psnr = table[table.metric == "psnr_db"].set_index("objective").value
    assert set(psnr.index) == {"mse", "adversarial"}
    assert psnr["mse"] != psnr["adversarial"]
    assert any("adversarial" in name for name in table.cell)

    # stopped in the middle of a training it goes on to the same bits, the critic's included
    monkeypatch.setattr(member, "CHECKPOINT_EVERY_S", -1.0)
    monkeypatch.setattr(member, "LOOK_EVERY", 1)
    calls = []

    def stops(self, batch, arrived):
        calls.append(1)
        if len(calls) == 20:
            raise KeyboardInterrupt
        return own_loss(self, batch, arrived)

    own_loss = Critic.own_loss
    monkeypatch.setattr(Critic, "own_loss", stops)
    again = tmp_path / "again"
    again.mkdir()
    collected(again, experiment, *few, code=130)
    assert list((again / "run" / "trunks").glob("*adversarial*/training-codec.safetensors"))
    collected(again, experiment, *few)
    both = [(place / "run" / "metrics.csv").read_bytes() for place in (tmp_path, again)]
    assert both[0] == both[1]


def test_an_objective_is_given_the_task_models_that_it_reads(tmp_path):
    seen, progress = [], []

    class Answers(Objective):
        """Difference of what the task model says."""

        reads_tasks = True
        reduce: Literal["mean", "log"] = "log"

        def build(self, bands, tasks, seed):
            (network,) = tasks.values()
            assert not any(one.requires_grad for one in network.parameters())
            seen.extend(tasks)
            return Listening(network)

    class Listening(Judge):
        def __init__(self, network):
            super().__init__()
            self.network = network

        def forward(self, batch, arrived):
            progress.append(float(batch.progress))
            away = self.network(arrived) - self.network(batch.images)
            pixels = (arrived - batch.images).square().mean(dim=(1, 2, 3))
            return 0.001 * away.square().mean(1) + pixels

    OBJECTIVES.register("answers")(Answers)
    experiment = TINY + '\n[objective]\nkind = "answers"\n'
    table = collected(tmp_path, experiment, "--set", "grid.cr=1/6", "--set", "grid.snr_db=[10]")
    assert set(table.objective) == {"answers"}
    assert set(seen) == {"resnet8"}
    # a schedule is run through by the trunk; the 5 steps of the base and 4 of the cell go on
    *_, told = (progress[i : i + 49] for i in range(len(progress) - 48) if progress[i] == 0)
    assert told == pytest.approx([step / 40 for step in range(40)] + [1.0] * 9)


# -- a task that is not a classification -------------------------------------------------------


class Brightness(Task):
    """How bright an image is: a number, not a class."""

    def truth(self, images):
        return images.images.mean(axis=(1, 2, 3)).astype("float32") / 255

    def build(self, bands, n_classes, seed):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(bands, 1))

    def loss(self, outputs, truth):
        return (outputs.squeeze(1) - truth).square().mean()

    def answers(self, outputs):
        return outputs.squeeze(1).float()

    def measure(self, truth, answers, clean, n_classes):
        away = torch.from_numpy(abs(answers - truth))
        ceiling = float(abs(clean - truth).mean())
        return [mean_measurement("brightness_error", away, ceiling=ceiling)]


def test_a_task_that_is_no_classification(tmp_path, monkeypatch):
    TASKS.register("brightness")(Brightness)
    monkeypatch.setattr(facts.metric, "METRICS", dict(facts.METRICS))
    facts.register(facts.Metric("brightness_error", direction="lower"))
    table = collected(tmp_path, TINY.replace("[task]", '[task]\nkind = "brightness"'))
    rows = table[table.metric == "brightness_error"]
    assert set(rows.receiver) == {"clean", "matched"}
    assert set(rows.task) == {"brightness"}
    assert len(rows) == 2 * 4
    assert (rows.direction == "lower").all()
    assert not set(table.metric) & {"accuracy", "macro_f1", "semantic_loss"}


def test_without_a_task_images_alone_are_measured(tmp_path):
    source = SOURCES.parse({"kind": "scenes", "size": 48, "per_class": 4}, "source").load()
    folder = tmp_path / "images" / "all"
    folder.mkdir(parents=True)
    for index, image in enumerate(source.images):
        Image.fromarray(image).save(folder / f"{index}.png")
    experiment = TINY.replace(
        'kind = "scenes"\nsize = 48\nper_class = 12', f'kind = "folder"\npath = "{folder.parent}"'
    ).replace("[task]", '[task]\nkind = "none"')
    table = collected(tmp_path, experiment, "--set", "grid.cr=1/6")
    assert set(table.task) == set(table.receiver) == {"none"}
    assert set(table.metric) >= {"psnr_db", "ssim", "papr_db"}
    assert not (tmp_path / "run" / "tasks").exists()
    assert json.loads((tmp_path / "run" / "source.json").read_text())["classes"] == ["all"]
    # with a task the same images are refused, and the mend is named
    refused = experiment.replace('kind = "none"', 'kind = "resnet8"')
    collected(tmp_path, refused, code=2)


# -- an engine that takes several units at once ------------------------------------------------


class Threes(Serial):
    """Up to three units of one stage as a pack."""

    packs: list  # set by the test

    def take(self, ready):
        return [unit for unit in ready if unit.stage == ready[0].stage][:3]

    def submit(self, pack):
        self.packs.append([job.unit.id for job in pack])
        return super().submit(pack)


def test_an_engine_that_takes_several_units_at_once(tmp_path):
    Threes.packs = []
    ENGINES["threes"] = lambda workers: Threes()
    collected(tmp_path, TINY, engine="threes")
    assert max(map(len, Threes.packs)) == 3
    assert all(len({one.rsplit("/", 1)[1] for one in pack}) == 1 for pack in Threes.packs)
    alone = tmp_path / "alone"
    alone.mkdir()
    collected(alone, TINY)
    both = [(place / "run" / "metrics.csv").read_bytes() for place in (tmp_path, alone)]
    assert both[0] == both[1]


def test_an_unknown_engine_is_one_line(tmp_path, capfd):
    collected(tmp_path, TINY, engine="steam", code=2)
    assert "--engine steam: no such engine; there are" in capfd.readouterr().err
