"""Codecs that send no image go through `collect` beside one that does."""

import json

import numpy as np
import pandas as pd
import pytest
from collecting_case import collected, value
from PIL import Image
from tiny_experiment import TINY

import semloss
from semloss.cli import main
from semloss.errors import SemlossError
from semloss.sources import SOURCES

IMAGES = TINY[: TINY.index("[task]")].replace("[codec]", "[[codec]]").replace(
    '["1/24", "1/6"]', '["1/6"]'
)  # fmt: skip
MAPS = '[[codec]]\nkind = "feature_maps"\nwidth = 8\n[[codec]]\nkind = "onboard"\n'
TASKS = """
[[task]]
kind = "resnet8"
width = 4
uses = ["clean", "matched", "deployable"]
clean = {steps = 60, batch_size = 16}
adapted = {steps = 4, batch_size = 16}
matched = {steps = 2, batch_size = 16}
deployable = {steps = 2, batch_size = 16}
matched_steps_per_db = 0
[[task]]
kind = "vgg"
width = 4
uses = ["clean"]
unseen = true
clean = {steps = 10, batch_size = 16}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps")
    collected(folder, IMAGES + TASKS)
    trained = {path: path.stat().st_mtime_ns for path in folder.rglob("*.safetensors")}
    table = collected(folder, IMAGES + MAPS + TASKS)
    return folder / "run", table, trained


def test_maps_are_judged_by_the_model_that_makes_them(run):
    _, table, trained = run
    assert {path: path.stat().st_mtime_ns for path in trained} == trained
    rows = table[table.codec == "feature_maps"]
    assert set(rows.task) == {"none", "resnet8-width4"}
    assert set(rows[rows.task == "none"].metric) == {"papr_db"}
    assert set(rows.objective) == {"maps"}
    for receiver in ("clean", "matched", "deployable"):
        assert len(value(rows, "accuracy", receiver)) == 2
    # an image is read by both
    assert set(table[table.codec == "deepjscc"].task) == {"none", "resnet8-width4", "vgg-width4"}


def test_one_training_serves_all_snr(run):
    folder, _, _ = run
    (record,) = folder.glob("bases/feature_maps*/codec.json")
    told = json.loads(record.read_text())
    assert told["losses"][-1] < told["losses"][0]
    assert 0 < told["validation_map_error"] < 1
    cells = pd.read_csv(folder / "cells.csv")
    maps = cells[cells.codec == "feature_maps"]
    assert set(maps.strategy) == {"range"}
    assert set(maps.k) == {1152}
    # what is run on board is the model and more
    answer = cells[cells.codec == "onboard"].iloc[0]
    assert (maps.encoder_macs > answer.encoder_macs).all()


def test_a_loaded_codec_is_the_one_that_was_measured(run, tmp_path, capsys):
    folder, table, _ = run
    split = json.loads((folder / "split.json").read_text())
    source = SOURCES.parse({"kind": "scenes", "size": 48, "per_class": 12}, "source").load()
    tiles, labels = source.images[split["test"]], source.labels[split["test"]]
    codec = semloss.load_codec(folder, snr_db=10, where={"codec": "feature_maps"})
    heard = codec.transmit(codec.encode(tiles), 60.0)
    said, sure = codec.answer(heard, "clean")
    assert ((sure > 0) & (sure <= 1)).all()
    accuracy = np.mean([codec.classes[at] for at in labels] == np.array(said))
    measured = value(table[table.codec == "feature_maps"], "accuracy", "clean")
    # other noise, and less of it: within five standard errors of so many images
    assert accuracy == pytest.approx(measured[1 / 6, 10.0], abs=5 * 0.5 / len(labels) ** 0.5)
    onboard = semloss.load_codec(folder, snr_db=10, where={"codec": "onboard"})
    images = semloss.load_codec(folder, snr_db=10, where={"codec": "deepjscc"})
    answered, _ = onboard.answer(onboard.transmit(onboard.encode(tiles)), "clean")
    assert answered == images.classify(tiles, "clean")[0]


def test_an_image_asked_from_maps_is_one_line(run, tmp_path, capsys):
    folder, *_ = run
    codec = semloss.load_codec(folder, snr_db=10, where={"codec": "feature_maps"})
    tile = np.zeros((1, 48, 48, 3), np.uint8)
    for asked in (lambda: codec.decode(codec.transmit(codec.encode(tile))),
                  lambda: codec.classify(tile)):  # fmt: skip
        with pytest.raises(
            SemlossError, match="codec feature_maps-width8 sends no image: it deliv"
        ):
            asked()
    Image.fromarray(tile[0]).save(tmp_path / "tile.png")
    words = ["--where", "codec=feature_maps", "--snr-db", "10", "--out", str(tmp_path / "got")]
    assert main(["send", str(folder), str(tmp_path / "tile.png"), *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "got").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({'width = 8\n[[': 'layer = "stages.1.conv1"\n[['}, "something goes round it"),
        ({'width = 8\n[[': 'task = "vgg-width4"\n[['}, "which is kept from all that is trained"),
        ({'width = 8\n[[': 'task = "vgg"\n[['}, "codec.task = 'vgg': no such task model"),
        ({"[[codec]]\nstem = 4\nwidth = 8\ndepth = 0\n": '[[objective]]\nkind = "features"\n'},
         "objective features reads what delivers image, and no codec here does"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_on_board_is_one_line(tmp_path, capfd, change, message):
    text = IMAGES + MAPS + TASKS
    for old, new in change.items():
        assert old in text
        text = text.replace(old, new)
    collected(tmp_path, text, code=2)
    said = capfd.readouterr().err.strip().splitlines()[-1]
    assert message in said


# -- known tasks beside new ones ---------------------------------------------------------------


def test_known_tasks_stand_beside_new_ones(run, capsys):
    folder, table, _ = run
    assert main(["compare", str(folder), "--new-tasks", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["tasks"] == {"resnet8-width4": "known", "vgg-width4": "new"}
    rows = {(row["codec"].partition("-")[0], row["task"]): row for row in told["links"]}
    assert len(rows) == 3 * 2
    own = table[(table.metric == "accuracy") & (table.task == "resnet8-width4")]
    for codec, receiver, known in (
        ("deepjscc", "matched", False),
        ("feature_maps", "matched", True),
        ("onboard", "clean", True),
    ):
        row = rows[codec, "resnet8-width4"]
        of = own[(own.codec == codec) & (own.receiver == receiver)]
        assert row["value"] == pytest.approx(of.value.mean())
        assert (row["receiver"], row["known_to_link"], row["cells"]) == (receiver, known, 2)
    assert rows["deepjscc", "vgg-width4"]["receiver"] == "clean"
    for codec in ("feature_maps", "onboard"):
        row = rows[codec, "vgg-width4"]
        assert (row["value"], row["without"]) == (None, "sends no image")


def test_new_tasks_as_text(run, capsys):
    folder, *_ = run
    command = ["compare", str(folder), "--new-tasks", "--cr", "1/6", "--snr-db", "10"]
    assert main(command) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.index("known: resnet8-width4") < head.index("new: vgg-width4")
    assert sum("none: sends no image" in line for line in lines) == 2
    onboard = next(line for line in lines if line.startswith("onboard"))
    assert "1/987" in onboard  # at the CR that its message takes
    assert "*" in onboard
    assert main([*command[:3], "--receiver", "deployable"]) == 0
    assert "onboard" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--cr", "1/5"], "--cr 1/5 is not measured; there are 1/6"),
        (["--metric", "psnr_db"], "no task model judges what is asked for"),
        (["--by", "codec"], "--new-tasks contradicts --by"),
        (["."], "give one RUN"),
    ],
)
def test_new_tasks_asked_wrongly_are_one_line(run, capsys, words, message):
    assert main(["compare", str(run[0]), *words, "--new-tasks"]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
