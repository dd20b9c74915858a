"""Several task models in one experiment: each trained once, each a judge of every cell."""

import json
import tomllib

import numpy as np
import pandas as pd
import pytest
from collecting_case import collected, value
from tiny_experiment import TINY

from semloss.collect.experiment import Experiment
from semloss.collect.schedule import units_of
from semloss.collect.summary import _choice
from semloss.errors import SemlossError
from semloss.sending import load_codec, send_scene

TRAINING = TINY[TINY.index("clean = {") :]
SMALL = '[[task]]\nkind = "resnet8"\nwidth = 4\n' + TRAINING
OTHER = SMALL.replace("width = 4", "width = 6")
BEFORE = TINY[: TINY.index("[task]")].replace('["1/24", "1/6"]', '["1/6"]')
IDENTITY = {"images": "i", "split": "s", "device": "cpu", "bf16": False, "procedure": 1}


def units(text):
    return units_of(Experiment.from_tables(tomllib.loads(text)), (3, 48, 48), IDENTITY)


def keys(text, *stages):
    return {(one.id, one.key) for one in units(text) if one.stage in stages}


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A run with one task model, and the same run after two were asked for in all uses."""
    folder = tmp_path_factory.mktemp("several")
    uses = 'uses = ["clean", "matched", "deployable"]\ndeployable = {steps = 3, batch_size = 16}\n'
    alone = collected(folder, BEFORE + SMALL)
    trained = {path: path.stat().st_mtime_ns for path in folder.rglob("codec.safetensors")}
    both = BEFORE + SMALL.replace("width = 4\n", "width = 4\n" + uses)
    table = collected(folder, both + OTHER.replace("width = 6", "width = 6\nunseen = true"))
    return folder / "run", alone, table, trained


def test_another_task_model_costs_its_training_and_a_measurement(grown):
    run, alone, table, trained = grown
    assert trained == {path: path.stat().st_mtime_ns for path in run.rglob("codec.safetensors")}
    assert set(table.task) == {"none", "resnet8-width4", "resnet8-width6"}
    accuracy = table[table.metric == "accuracy"]
    assert accuracy.groupby(["task", "receiver"]).size().to_dict() == {
        ("resnet8-width4", "clean"): 2,
        ("resnet8-width4", "matched"): 2,
        ("resnet8-width4", "deployable"): 2,
        ("resnet8-width6", "clean"): 2,
        ("resnet8-width6", "matched"): 2,
    }
    # what was measured of the first stays as it was, to the bit
    before = alone[alone.metric == "accuracy"]
    first = accuracy[accuracy.task == "resnet8-width4"]
    for receiver in ("clean", "matched"):
        assert value(first, "accuracy", receiver).equals(value(before, "accuracy", receiver))


def test_each_task_model_brings_its_own_clean_accuracy(grown):
    run, _, table, _ = grown
    records = [json.loads(path.read_text()) for path in run.glob("tasks/*/task.json")]
    assert len(records) == 2
    rows = table[table.metric == "accuracy"].groupby("task").ceiling.unique()
    assert sorted(one for (one,) in rows) == sorted(r["clean"]["accuracy"] for r in records)
    text = (run / "README.md").read_text()
    assert "task model resnet8-width6 trained on clean images" in text
    assert "fine-tuned on the receptions of the whole grid" in text


def test_one_model_is_trained_for_the_whole_grid(grown):
    run, _, _, _ = grown
    (record,) = run.glob("receivers/*grid*/receiver.json")
    assert json.loads(record.read_text())["steps"] == 3
    assert pd.read_csv(run / "cells.csv").receiver_cpu_s.gt(0).all()


def test_the_first_task_model_is_what_a_single_one_was():
    single = BEFORE + SMALL.replace("[[task]]", "[task]")
    several = BEFORE + SMALL + OTHER
    assert keys(single, "codec", "measured", "task", "receiver") <= keys(
        several, "codec", "measured", "task", "receiver"
    )
    assert keys(single, "codec", "measured") == keys(several, "codec", "measured")
    # what it is asked for is no part of it
    asked = several.replace("width = 4\n", 'width = 4\nuses = ["deployable"]\n')
    assert keys(asked, "codec", "measured") == keys(single, "codec", "measured")


def test_a_larger_grid_has_another_model_for_all_of_it():
    text = BEFORE + SMALL.replace("width = 4\n", 'width = 4\nuses = ["deployable"]\n')
    small, large = (
        {u.name for u in units(one) if "grid" in u.name}
        for one in (text, text.replace("[0, 10]", "[0, 10, 20]"))
    )
    assert len(small) == len(large) == 1
    assert small != large


def test_a_loaded_codec_has_all_its_classifiers(grown):
    run, *_ = grown
    codec = load_codec(run, snr_db=10)
    other = {f"{use} resnet8-width6" for use in ("clean", "matched")}
    assert set(codec.receivers) == {"clean", "matched", "deployable", *other}
    assert len({id(one) for one in codec.receivers.values()}) == 5


def test_what_is_kept_over_a_link_is_judged_by_the_model_that_speaks(grown):
    codec = load_codec(grown[0], snr_db=10)
    tiles = np.random.default_rng(0).random((3, 48, 48, 3), np.float32)
    for tile in tiles:
        sent = send_scene(codec, tile)
        row = sent.row()
        for task, name in (("", ""), ("resnet8-width6", " resnet8-width6")):
            before = codec.classify(tile[None], f"clean{name}")[0]
            assert [row[f"answer_sent{name}"]] == before
            for use in ("clean", "matched"):
                said = sent.answers[use, task]
                assert row[f"kept_{use}{name}"] == (said == before)


def test_what_collect_says_to_type_next_chooses_among_task_models(grown):
    rows = grown[2].to_dict("records")
    assert _choice(rows) == " --group-by task"
    assert _choice([row for row in rows if row["task"] in ("none", "resnet8-width4")]) == ""
    assert _choice([row for row in rows if row["task"] == "none"]) == " --metric psnr_db"


@pytest.mark.parametrize(("codec", "senders"), [("deepjscc", 4), ("adaptive", 1)])
def test_a_model_for_the_whole_grid_waits_for_all_that_send_there(codec, senders):
    text = TINY[: TINY.index("[codec]")] + f'[codec]\nkind = "{codec}"\n'
    text += TINY[TINY.index("[grid]") : TINY.index("[task]")]
    text += SMALL.replace("width = 4\n", 'width = 4\nuses = ["deployable"]\n')
    (flown,) = (unit for unit in units(text) if "grid" in unit.name)
    codecs = [need for role, need in flown.needs.items() if role.startswith("codec ")]
    assert len(codecs) == 4
    assert len(set(codecs)) == senders


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        (SMALL + SMALL, "task: resnet8-width4 stands twice"),
        (SMALL + '[[task]]\nkind = "oracle"\n', r"task\[1\]\.kind = 'oracle'"),
        (SMALL.replace("width = 4", 'uses = ["dreamt"]'), r"task\[0\]\.uses\[0\] = 'dreamt'"),
    ],
)
def test_complaints_name_the_task(tasks, message):
    with pytest.raises(SemlossError, match=message):
        Experiment.from_tables(tomllib.loads(BEFORE + tasks))


def test_a_task_model_trained_otherwise_is_refused(grown, capfd):
    run, *_ = grown
    changed = OTHER.replace("clean = {steps = 10", "clean = {steps = 11")
    collected(run.parent, BEFORE + SMALL + changed, code=2)
    assert "another experiment: task resnet8-width6.clean was" in capfd.readouterr().err


def test_receivers_of_a_shared_codec_know_their_channel():
    over = 'trained_over = { kind = "awgn" }\n'
    channels = '[[channel]]\nkind = "awgn"\n' + "".join(
        f'[[channel]]\nkind = "quantised"\nbits = {bits}\n{over}' for bits in (4, 8)
    )
    found = units(BEFORE + SMALL + channels)
    assert len({one.key for one in found if one.kind in ("trunk", "base")}) == 2
    adapted = [one for one in found if one.kind == "receiver"]
    assert len(adapted) == 3
    assert len({one.key for one in adapted}) == 3
