"""Codecs trained for what task models make of their images, and judged by models they never saw."""

import json

import pytest
from collecting_case import collected
from tiny_experiment import TINY

from semloss.cli import main

BEFORE = TINY[: TINY.index("[task]")].replace('["1/24", "1/6"]', '["1/6"]')
BEFORE = BEFORE.replace("[0, 10]", "[10]")
TASKS = """
[[task]]
kind = "resnet8"
width = 4
uses = ["clean", "deployable"]
clean = {steps = 10, batch_size = 16}
deployable = {steps = 2, batch_size = 16}
[[task]]
kind = "vgg"
width = 4
uses = ["clean"]
clean = {steps = 10, batch_size = 16}
[[task]]
kind = "resnet8"
width = 6
unseen = true
uses = ["clean"]
clean = {steps = 10, batch_size = 16}
"""
OBJECTIVES = """
[[objective]]
kind = "mse"
[[objective]]
kind = "sum"
parts = [{kind = "mse"}, {kind = "features", weight = 3e-3}]
[[objective]]
kind = "sum"
parts = [{kind = "mse"}, {kind = "importance", weight = [0.0, 1e-3], permuted = true}]
[[objective]]
kind = "answers"
tasks = "vgg-width4"
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("objectives")
    return folder / "run", collected(folder, BEFORE + TASKS + OBJECTIVES)


def test_every_objective_is_judged_by_every_model(run):
    folder, table = run
    assert set(table.objective) == {
        "mse", "mse+0.003features", "mse+0to0.001importance-permuted",
        "answers-tasksvgg-width4",
    }  # fmt: skip
    accuracy = table[table.metric == "accuracy"]
    assert len(accuracy) == 4 * (3 + 1)
    assert (accuracy.groupby("task").ceiling.nunique() == 1).all()
    assert len({path.name for path in folder.glob("cells/*mse+0.003features*")}) == 1


def test_only_models_that_may_be_seen_are_waited_for(run):
    folder, _ = run
    labels = {path.name.rsplit("-", 1)[0] for path in folder.glob("tasks/*")}
    assert labels == {"resnet8", "vgg"}
    # a model that nobody sees is no part of what a codec depends on
    text = BEFORE + TASKS.replace("width = 6", "width = 8") + OBJECTIVES
    before = {path: path.stat().st_mtime_ns for path in folder.glob("cells/*/codec.safetensors")}
    collected(folder.parent, text)
    assert before == {
        path: path.stat().st_mtime_ns for path in folder.glob("cells/*/codec.safetensors")
    }


def test_objectives_are_compared_within_the_run(run, capsys):
    folder, _ = run
    assert (
        main(["compare", str(folder), "--by", "objective", "--metric", "accuracy", "--json"]) == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert "mse+0.003features" in json.dumps(told)
    assert main(["compare", str(folder), "--by", "objective", "--metric", "psnr_db"]) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("parts=[{kind='features', layers='stages.9'}]", "has no layer stages.9 that gives maps"),
        ("parts=[{kind='features', tasks='vgg-width4,oracle'}]", "oracle is no task model that"),
        ("parts=[{kind='answers', tasks='resnet8-width6'}]", "resnet8-width6 is no task model"),
    ],
)
def test_what_an_objective_does_not_find_is_one_line(tmp_path, capfd, change, message):
    text = BEFORE + TASKS + '\n[objective]\nkind = "sum"\n'
    collected(tmp_path, text, "--set", f"objective.{change}", code=2)
    assert message in capfd.readouterr().err.strip().splitlines()[-1]
