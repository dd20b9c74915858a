"""The doors, further: a network for the whole plane, maps in place of images, maps as truth."""

import json

import pandas as pd
import pytest
import torch
from collecting_case import collected, value
from tiny_experiment import TINY
from torch import nn

from semloss import facts
from semloss.codecs import CODECS
from semloss.codecs.adaptive import AdaptiveNetwork
from semloss.codecs.base import Codec, CodecNetwork, Realisation, from_symbols, nearest, to_symbols
from semloss.codecs.deepjscc import DeepJSCC, DeepJSCCNetwork
from semloss.metrics import mean_measurement
from semloss.outcomes import read_outcomes
from semloss.tasks import TASKS, Task

# -- one network for all SNR and all CR --------------------------------------------------------

ADAPTIVE = TINY.replace("[codec]", '[codec]\nkind = "adaptive"').replace(
    'independent = {steps = 40, batch_size = 8, optimiser = "adam", lr = 5e-3, clip_norm = 1.0}',
    "independent = {steps = 60, batch_size = 8, lr = 0.02}",
)


def test_one_training_serves_all_snr_and_all_cr(tmp_path, monkeypatch):
    seen = []  # CR of every image that was trained

    def encode(self, images, state):
        if state.cr is not None:
            seen.extend(state.cr.tolist())
        return encoded(self, images, state)

    encoded = AdaptiveNetwork.encode
    monkeypatch.setattr(AdaptiveNetwork, "encode", encode)
    options = ["--set", "train.range_cr=['1/48', '1/6']", "--set", "train.range_snr_db=[0,10]"]
    table = collected(tmp_path, ADAPTIVE, *options)
    assert len(value(table, "psnr_db")) == len(value(table, "accuracy", "matched")) == 4
    assert table.train_snr_db.isna().all()
    assert 1 / 48 <= min(seen) < 1 / 40
    assert 1 / 7 < max(seen) <= 1 / 6
    run = tmp_path / "run"
    assert len(list((run / "trunks").iterdir())) == 1
    assert not (run / "bases").exists()
    assert len(list((run / "receivers").iterdir())) == 2  # one for each CR
    keys = {json.loads(p.read_text())["key"] for p in (run / "receivers").glob("*/receiver.json")}
    assert len(keys) == 2
    cells = pd.read_csv(run / "cells.csv")
    assert set(cells.setting) == {"maps=4", "maps=16"}
    assert cells.encoder_weights.nunique() == cells.encoder_macs.nunique() == 1
    assert (cells.encoder_cpu_ms > 0).all()
    # another CR costs its receivers and a measurement
    trained = len(seen)
    table = collected(tmp_path, ADAPTIVE, *options, "--set", "grid.cr=1/12")
    assert len(value(table, "psnr_db")) == 6
    assert len(seen) == trained


def test_a_network_for_the_plane_that_diverges_flags_every_cell(tmp_path):
    wild = ["train.independent.lr=1e9", "train.independent.clip_norm=1e9", "train.retries=0"]
    options = [word for change in wild for word in ("--set", change)]
    collected(tmp_path, ADAPTIVE, *options, code=2)  # nothing to fit: told, not passed over
    assert pd.read_csv(tmp_path / "run" / "metrics.csv").empty
    cells = pd.read_csv(tmp_path / "run" / "cells.csv")
    assert len(cells) == 4
    assert set(cells.status) == {"diverged"}


class Forgetful(DeepJSCC):
    """A network that never takes back what it saved."""

    def build(self, shape, realisation, seed):
        network = super().build(shape, realisation, seed)
        network.__class__ = ForgetfulNetwork
        return network


class ForgetfulNetwork(DeepJSCCNetwork):
    def load_state_dict(self, *state, **options):
        raise RuntimeError("no such key")


def test_weights_that_never_come_back_end_the_run(tmp_path, capfd):
    CODECS.register("forgetful")(Forgetful)
    experiment = TINY.replace("[codec]", '[codec]\nkind = "forgetful"')
    few = ["--set", "grid.cr=1/6", "--set", "grid.snr_db=[10]"]
    collected(tmp_path, experiment, *few, code=2)
    assert "its weights are damaged however often" in capfd.readouterr().err.splitlines()[-1]


# -- a codec that rebuilds no image ------------------------------------------------------------


class Thumbnails(Codec):
    """Maps of 8x8 instead of an image."""

    training = "none"
    delivers = "maps"

    def realise(self, cr, shape, where="cr"):
        k = shape[0] * 32
        n = shape[0] * shape[1] * shape[2]
        return nearest([Realisation(cr, k / n, k, {"side": 8})], shape, where)

    def build(self, shape, realisation, seed):
        return ThumbnailNetwork()


class ThumbnailNetwork(CodecNetwork):
    def encode(self, images, state):
        return to_symbols(nn.functional.adaptive_avg_pool2d(images, 8))

    def decode(self, symbols, state, generator):
        return from_symbols(symbols, (3, 8, 8))


def test_what_cannot_read_a_delivery_is_left_out_by_name(tmp_path, capfd):
    CODECS.register("thumbnails")(Thumbnails)
    options = "[codec]\nstem = 4\nwidth = 8\ndepth = 0"
    experiment = TINY.replace(options, '[codec]\nkind = "thumbnails"')
    table = collected(tmp_path, experiment, "--set", "grid.cr=1/72")
    assert set(table.metric) == {"papr_db"}
    said = capfd.readouterr().err
    assert "thumbnails delivers maps: left out with it is psnr_db" in said
    assert "task resnet8" in said
    assert not (tmp_path / "run" / "tasks").exists()


@pytest.mark.parametrize(
    ("delivers", "objective", "message"),
    [
        ("answer", "mse", "codec thumbnails delivers answer, and no objective reads that"),
        ("maps", "features", "objective features reads what delivers image, and no codec here"),
    ],
)
def test_an_objective_refuses_what_it_cannot_judge(
    tmp_path, monkeypatch, capfd, delivers, objective, message
):
    monkeypatch.setattr(Thumbnails, "training", "cell")
    monkeypatch.setattr(Thumbnails, "delivers", delivers)
    CODECS.register("thumbnails")(Thumbnails)
    options = "[codec]\nstem = 4\nwidth = 8\ndepth = 0"
    experiment = TINY.replace(options, '[codec]\nkind = "thumbnails"')
    experiment += f'\n[objective]\nkind = "{objective}"\n'
    collected(tmp_path, experiment, "--set", "grid.cr=1/72", code=2)
    assert message in capfd.readouterr().err.splitlines()[-1]


# -- truth that is a map -----------------------------------------------------------------------


class Luminance(Task):
    """The mean over bands of every pixel, which the first guess of the network is already."""

    def truth(self, images):
        return images.images.mean(axis=3).astype("float32") / 255

    def build(self, bands, n_classes, seed):
        layer = nn.Conv2d(bands, 1, 1)
        with torch.no_grad():
            layer.weight.fill_(1 / bands)
            layer.bias.zero_()
        return layer

    def loss(self, outputs, truth):
        return (outputs.float().squeeze(1) - truth).square().mean()

    def answers(self, outputs):
        return outputs.float().squeeze(1)

    def measure(self, truth, answers, clean, n_classes):
        away = torch.from_numpy(abs(answers - truth))
        of_images = mean_measurement("luminance_error", away.mean(dim=(1, 2)))
        return [of_images, mean_measurement("pixel_error", away.flatten())]


@pytest.fixture
def luminance(monkeypatch):
    TASKS.register("luminance")(Luminance)
    monkeypatch.setattr(facts.metric, "METRICS", dict(facts.METRICS))
    monkeypatch.setattr(facts.metric, "_SPELLED", dict(facts.metric._SPELLED))
    for name in ("luminance_error", "pixel_error"):
        facts.register(facts.Metric(name, direction="lower"))


def test_a_map_of_truth_turns_with_its_image(tmp_path, luminance):
    experiment = TINY.replace("[task]", '[task]\nkind = "luminance"')
    few = ["--set", "grid.cr=1/6", "--set", "grid.snr_db=[10]", "--set", "task.clean.lr=1e-9"]
    table = collected(tmp_path, experiment, *few)
    assert set(table[table.metric == "luminance_error"].receiver) == {"clean", "matched"}
    # what is measured on other items than images has no outcomes of images
    outcomes = read_outcomes(tmp_path / "run" / "metrics.outcomes.npz")
    told = {metric for *_, metric in outcomes.of}
    assert set(table.metric) - told == {"pixel_error"}
    assert len(outcomes.image) == table[table.metric == "luminance_error"].n.iloc[0]
    (record,) = (tmp_path / "run" / "tasks").glob("*/task.json")
    assert max(json.loads(record.read_text())["losses"]) < 1e-4
