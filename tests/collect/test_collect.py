"""`collect` as its users meet it: tables, engines, interruption, extension, damage, divergence."""

import json
import random
import re
import resource
import shutil
import signal
import time
import tomllib
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tomli_w
import torch
from collecting_case import GOES_ON, started
from tiny_experiment import TINY

import semloss
from semloss.cli import main
from semloss.collect.run import Run, UnitFolder
from semloss.collect.stages.attempts import Attempts
from semloss.collect.stages.bench import Bench
from semloss.collect.summary import not_monotone
from semloss.collect.work import carry_out
from semloss.outcomes import key_of, read_outcomes
from semloss.training import Recipe
from semloss.training import member as training


def collect(world, out, *options, engine="serial"):
    command = ["collect", str(world / "tiny.toml"), "--out", str(out), "--engine", engine]
    return main([*command, *options])


def tables(run):
    """The table of a run, and the outcomes of single images beside it."""
    return [(run / f"metrics.{kind}").read_bytes() for kind in ("csv", "outcomes.npz")]


def test_the_table_holds_every_cell_metric_and_task(reference):
    table = semloss.load_table(reference)
    assert set(table.cr) == {1 / 24, 1 / 6}
    assert set(table.snr_db) == {0.0, 10.0}
    assert set(table.metric) == {
        "psnr_db", "psnr_mean_mse_db", "ssim", "ms_ssim_3", "papr_db",
        "accuracy", "macro_f1", "semantic_loss", "worst_class_accuracy", "flip_rate", "ece",
        "accuracy_at_coverage_80", "accuracy_at_coverage_90",
    }  # fmt: skip
    assert not table.duplicated(["cell", "snr_db", "receiver", "metric"]).any()
    assert len(table) == 4 * (5 + 2 * 8)
    assert set(table[table.metric == "accuracy"].receiver) == {"clean", "matched"}
    # 30 % of 12 tiles, rounded to 4, in each of ten classes
    assert (table.n == np.where(table.metric == "worst_class_accuracy", 4, 40)).all()
    assert (table.snr_db == table.train_snr_db).all()
    accuracy = table[table.metric == "accuracy"]
    assert (accuracy.floor == 0.1).all()
    pd.testing.assert_series_equal(table.se, table.sd / table.n**0.5, check_names=False)


def test_the_outcomes_of_single_images_average_to_the_table(reference):
    table, told = semloss.load_table(reference), read_outcomes(reference / "metrics.outcomes.npz")
    assert len(told.of) == len(table)
    assert len(set(told.image)) == 40
    assert dict(Counter(told.label)) == dict.fromkeys(set(told.label), 4)
    for row in table.to_dict("records"):
        values = told.of[key_of(row)]
        assert len(values) == 40
        hits = row["metric"] in ("accuracy", "flip_rate")
        assert values.dtype == (bool if hits else np.float32)
        exact = values[np.isfinite(values)].astype(float)
        assert len(exact) == row["n"]
        assert exact.mean() == pytest.approx(row["value"], rel=1e-6, abs=1e-6)
        spread = exact.std(ddof=0 if row["receiver"] != "none" else 1)
        assert spread == pytest.approx(row["sd"], rel=1e-4, abs=1e-6)


def test_what_the_images_of_a_run_share_is_known_to_its_points(reference):
    shared = semloss.select(semloss.load_table(reference), "psnr_db").image_correlation
    # every link finds the same tiles hard
    assert (shared[np.triu_indices(4, 1)] > 0.5).all()
    assert np.linalg.eigvalsh(shared).min() > 0


def test_two_runs_on_the_same_images_know_them_again(world, reference, tmp_path):
    """Other cells, another split that shares some test images: the same names for the same."""
    few = ["--set", "grid.cr=1/6", "--set", "grid.snr_db=[10]"]
    assert collect(world, tmp_path / "same", *few, "--set", "task.clean.steps=11") == 0
    assert collect(world, tmp_path / "other", *few, "--set", "split.seed=1") == 0
    first, same, other = (
        read_outcomes(run / "metrics.outcomes.npz").image.tolist()
        for run in (reference, tmp_path / "same", tmp_path / "other")
    )
    assert first == same
    assert 0 < len({*first} & {*other}) < 40


def test_both_averages_of_psnr_are_there_and_differ(reference):
    table = semloss.load_table(reference).query("task == 'none'")
    table = table.set_index(["cell", "metric"]).value.unstack()
    assert (table.psnr_db > table.psnr_mean_mse_db).all()  # Jensen


def test_the_folder_explains_itself(reference):
    names = {path.name for path in reference.iterdir()}
    assert names >= {
        "README.md", "experiment.toml", "environment.json", "source.json", "split.json", "log.txt",
        "tasks", "bases", "receivers", "cells", "metrics.csv", "cells.parquet",
    }  # fmt: skip
    environment = json.loads((reference / "environment.json").read_text())
    assert environment["packages"]["torch"]
    split = json.loads((reference / "split.json").read_text())
    parts = [set(split[part]) for part in ("train", "validation", "test")]
    assert len(set.union(*parts)) == sum(map(len, parts))
    assert "1/24" in (reference / "README.md").read_text()


def test_the_snapshot_is_the_experiment(world, reference):
    again = ["collect", str(reference / "experiment.toml"), "--out", str(reference), "--dry-run"]
    assert main([*again, "--json"]) == 0


def test_a_finished_run_is_left_alone(world, reference, capfd):
    before = tables(reference)
    weights = {p: p.stat().st_mtime_ns for p in reference.rglob("*.safetensors")}
    assert collect(world, reference, "--json") == 0
    summary = json.loads(capfd.readouterr().out)
    assert summary["finished"] == summary["cells"] == 4
    assert tables(reference) == before
    assert weights == {p: p.stat().st_mtime_ns for p in reference.rglob("*.safetensors")}


def test_dry_run_trains_nothing_and_tells_the_cells(world, capfd):
    assert collect(world, world / "dry", "--dry-run", "--json") == 0
    plan = json.loads(capfd.readouterr().out)
    assert [u["kind"] for u in plan["units"]].count("cell") == 4
    assert plan["estimate_s"] > 0
    cached = {unit["kind"] for unit in plan["units"] if unit["cached"]}
    assert cached <= {"task"}  # shared by all runs on the same images
    assert not (world / "dry").exists()
    # pilots are channel uses here as in the tables: one before each 32 symbols, and a last one
    pilots = ["--set", "channel.kind=carrier", "--set", "grid.cr=1/24"]
    assert collect(world, world / "dry", "--dry-run", "--json", *pilots) == 0
    units = json.loads(capfd.readouterr().out)["units"]
    ks = {(unit["k"], round(48 * 48 * 3 * unit["cr"])) for unit in units if unit["kind"] == "cell"}
    assert ks == {(288 + 9 + 1, 298)}


def test_a_grid_grows_in_place(world, reference, tmp_path):
    out = tmp_path / "grown"
    shutil.copytree(reference, out)
    old = {p.name for p in (out / "cells").iterdir()}
    assert collect(world, out, "--set", "grid.snr_db=0,5,10", "--set", "grid.mismatch=true") == 0
    table = semloss.load_table(out)
    assert old < {p.name for p in (out / "cells").iterdir()}
    assert len(table.groupby(["cell", "snr_db"])) == 2 * 3 * 3
    kept = semloss.load_table(reference).set_index(["cell", "snr_db", "receiver", "metric"]).value
    grown = table.set_index(["cell", "snr_db", "receiver", "metric"]).value
    pd.testing.assert_series_equal(grown.loc[kept.index], kept)


def test_a_smaller_question_loses_nothing(world, reference, tmp_path, capfd):
    out = tmp_path / "smaller"
    shutil.copytree(reference, out)
    few = ["--set", "grid.snr_db=[0]", "--set", "metrics.names=['psnr_db']", "--json"]
    assert collect(world, out, *few) == 0
    summary = json.loads(capfd.readouterr().out)
    assert (summary["cells"], summary["finished"], summary["in_folder"]) == (2, 2, 4)
    assert tables(out) == tables(reference)
    # the snapshot still describes the whole folder
    assert main(["collect", str(out / "experiment.toml"), "--out", str(out), "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["cells"] == 4


def test_a_metric_added_later_is_measured_and_the_rest_kept(world, tmp_path):
    out = tmp_path / "later"
    one = ["--set", "grid.cr=1/6", "--set", "metrics.names=['psnr_db']"]
    assert collect(world, out, *one) == 0
    before = semloss.load_table(out)
    assert collect(world, out, "--set", "grid.cr=1/6", "--set", "metrics.names=['mse']") == 0
    after = semloss.load_table(out)
    assert set(after.metric) == set(before.metric) | {"mse"}
    kept = after[after.metric != "mse"].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, before.reset_index(drop=True))


def test_a_run_of_before_outcomes_is_read_and_completed(world, reference, tmp_path, capfd):
    """It is left as it is, said so, and the mend that is named trains nothing."""
    out = tmp_path / "before"
    shutil.copytree(reference, out)
    (out / "metrics.outcomes.npz").unlink()
    records = list((out / "cells").glob("*/measured.json"))
    for path in records:
        record = json.loads(path.read_text())
        for row in record["rows"]:
            del row["outcomes"]
        path.write_text(json.dumps(record))
    shutil.rmtree(records[0].parent)  # not all of it was measured
    times = {path: path.stat().st_mtime_ns for path in records[1:]}
    assert collect(world, out) == 0
    assert "none of 3 cells, which were measured before they were kept" in capfd.readouterr().out
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())
    assert tables(out)[0] == tables(reference)[0]
    points = semloss.select(semloss.load_table(out), "psnr_db")
    assert points.image_correlation is None
    assert points.notes[0].startswith("outcomes of single images are there for 1 of 4 measurements")
    weights = {p: p.stat().st_mtime_ns for p in out.rglob("*.safetensors")}
    for path in records[1:]:
        path.unlink()
    assert collect(world, out) == 0
    assert "before they were kept" not in capfd.readouterr().out
    assert tables(out) == tables(reference)
    assert weights == {p: p.stat().st_mtime_ns for p in out.rglob("*.safetensors")}


def test_damaged_outcomes_are_told_and_written_anew_by_the_mend(world, reference, tmp_path, capfd):
    out = tmp_path / "damaged"
    shutil.copytree(reference, out)
    victim = out / "metrics.outcomes.npz"
    victim.write_bytes(victim.read_bytes()[:-100])
    assert main(["fit", str(out), "--metric", "psnr_db", "--out", str(tmp_path / "f.json")]) == 2
    told = capfd.readouterr().err.strip().splitlines()
    assert len(told) == 1
    assert f"{victim} holds no outcomes of images" in told[0]
    assert "delete it" in told[0]
    victim.unlink()
    assert collect(world, out) == 0
    assert tables(out) == tables(reference)


def test_a_record_whose_outcomes_are_none_is_left_out_by_name(world, reference, tmp_path, capfd):
    out = tmp_path / "record"
    shutil.copytree(reference, out)
    victim = next(out.rglob("measured.json"))
    record = json.loads(victim.read_text())
    record["rows"][0]["outcomes"] = "f32:AAAA"
    victim.write_text(json.dumps(record))
    assert collect(world, out) == 0
    assert f"{victim} is no measurement and is left out" in capfd.readouterr().err
    assert semloss.load_table(out).cell.nunique() == 3
    shutil.rmtree(victim.parent)
    assert collect(world, out) == 0
    assert tables(out) == tables(reference)


def test_another_precision_is_another_experiment(world, reference, tmp_path, capfd):
    out = tmp_path / "precision"
    shutil.copytree(reference, out)
    identity = json.loads((out / "identity.json").read_text())
    identity["bf16"] = not identity["bf16"]  # as if resumed on another processor
    (out / "identity.json").write_text(json.dumps(identity))
    assert collect(world, out) == 2
    assert "identity.bf16" in capfd.readouterr().err


@pytest.mark.parametrize("name", ["identity.json", "measured.json", "experiment.toml"])
def test_the_mend_that_a_message_names_works(world, reference, tmp_path, capfd, name):
    out = tmp_path / "run"
    shutil.copytree(reference, out)
    victim = next(out.rglob(name))
    victim.write_bytes(victim.read_bytes()[: len(victim.read_bytes()) // 2])
    code = collect(world, out)
    told = capfd.readouterr().err
    if name == "identity.json":
        assert code == 2
        assert "delete it to have it made anew" in told
        victim.unlink()
        assert collect(world, out, "--set", "source.seed=1") == 2  # still another experiment
        assert collect(world, out) == 0
        assert json.loads(victim.read_text()) == json.loads((reference / name).read_text())
    elif name == "experiment.toml":
        assert code == 2
        assert "choose another --out" in told
        out = tmp_path / "another"
        assert collect(world, out) == 0
    else:
        assert code == 0
    assert tables(out) == tables(reference)


@pytest.mark.parametrize(
    ("left", "missing"), [("", "[grid], [train], [task]"), ("[train]", "[train], [task]")]
)
def test_a_snapshot_that_was_cut_short_is_no_other_experiment(
    world, reference, tmp_path, capfd, left, missing
):
    out = tmp_path / "run"
    shutil.copytree(reference, out, ignore=shutil.ignore_patterns("*.safetensors"))
    snapshot = out / "experiment.toml"
    snapshot.write_text(snapshot.read_text().partition(left)[0] if left else "")
    assert collect(world, out) == 2
    told = capfd.readouterr().err.strip().splitlines()[-1]
    assert f"{snapshot} was cut short or edited: {missing} is missing" in told
    assert "choose another --out" in told
    assert tables(out) == tables(reference)


@pytest.mark.parametrize("content", ["5", "[]", '{"images": '])
@pytest.mark.parametrize("names", [["identity.json"], ["source.json"], ["split.json"]])
def test_a_record_of_a_run_that_is_none_is_made_anew_once_deleted(
    world, reference, tmp_path, capfd, names, content
):
    out = tmp_path / "run"
    shutil.copytree(reference, out, ignore=shutil.ignore_patterns("*.safetensors"))
    (out / "identity.json").unlink()  # the others are read where it is lost
    victim = out / names[0]
    victim.write_text(content)
    assert collect(world, out) == 2
    told = capfd.readouterr().err.strip().splitlines()[-1]
    assert f"{victim} " in told
    assert "delete it to have it made anew" in told
    victim.unlink()
    assert collect(world, out) == 0
    assert json.loads(victim.read_text()) == json.loads((reference / victim.name).read_text())


def test_a_record_that_tells_of_no_images_does_not_speak_against_them(world, reference, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(reference, out, ignore=shutil.ignore_patterns("*.safetensors"))
    (out / "identity.json").unlink()
    (out / "source.json").write_text('{"name": "scenes"}')
    assert collect(world, out) == 0
    assert tables(out) == tables(reference)


def test_a_damaged_cell_that_is_not_asked_for_is_left_out_until_it_is(
    world, reference, tmp_path, capfd
):
    out = tmp_path / "run"
    shutil.copytree(reference, out)
    victim = next(one for one in out.rglob("measured.json") if "snr10" in str(one))
    victim.write_text("[]")
    assert collect(world, out, "--set", "grid.snr_db=[0]") == 0
    told = capfd.readouterr().err
    assert f"{victim} is no measurement and is left out" in told
    assert "collect its cell again, or delete its folder" in told
    copy = tmp_path / "copy"
    shutil.copytree(out, copy)
    assert collect(world, out) == 0  # the first mend
    assert tables(out) == tables(reference)
    shutil.rmtree(copy / victim.relative_to(out).parent)  # the second
    capfd.readouterr()
    assert collect(world, copy, "--set", "grid.snr_db=[0]") == 0
    assert "no measurement" not in capfd.readouterr().err


def test_decoded_images_that_have_gone_are_back_with_the_same_command(
    world, reference, tmp_path, capfd, monkeypatch
):
    out, cache = tmp_path / "run", tmp_path / "cache"
    shutil.copytree(world / "cache", cache)
    monkeypatch.setenv("SEMLOSS_CACHE", str(cache))

    def gone(*_):
        shutil.rmtree(cache / "sources")
        return reads(*_)

    reads = Bench.__init__
    with monkeypatch.context() as patch:
        patch.setattr(Bench, "__init__", gone)
        assert collect(world, out) == 2
    told = capfd.readouterr().err.strip().splitlines()[-1]
    assert "have gone; run the same command again" in told
    assert collect(world, out) == 0
    assert tables(out) == tables(reference)


def test_images_to_look_at_come_first(reference):
    assert (reference / "images.png").read_bytes().startswith(b"\x89PNG")


def test_an_endless_step_is_not_waited_for(world, tmp_path, capfd, monkeypatch):
    monkeypatch.setattr("semloss.collect.estimate.LONGEST_S", 0.0)
    assert collect(world, tmp_path / "long", "--dry-run") == 0
    assert "estimate: at least " in capfd.readouterr().out
    assert collect(world, tmp_path / "long", "--dry-run", "--json") == 0
    assert json.loads(capfd.readouterr().out)["estimate_is_at_least"] is True


def test_of_a_codec_too_slow_to_time_no_step_is_trained(world, tmp_path, monkeypatch):
    monkeypatch.setattr("semloss.collect.estimate.LONGEST_S", 0.0)
    monkeypatch.setattr("semloss.collect.estimate.CodecLoss", None)
    monkeypatch.setattr("semloss.collect.estimate.adapted_loss", None)
    assert collect(world, tmp_path / "long", "--dry-run") == 0


def test_the_quick_preset_rises_with_both(tmp_path, capfd):
    short = ["--set", "task.clean.steps=5", "--set", "task.adapted.steps=2"]  # the task is not read
    out = str(tmp_path / "quick")
    assert main(["collect", "--preset", "quick", "--out", out, "--engine", "serial", *short]) == 0
    assert "TOY" in capfd.readouterr().out
    table = semloss.load_table(tmp_path / "quick")
    psnr = table[table.metric == "psnr_db"].pivot(index="cr", columns="snr_db", values="value")
    assert (psnr.diff().dropna() > 0).all(axis=None)
    assert (psnr.T.diff().dropna() > 0).all(axis=None)


def test_the_same_ratio_written_otherwise_is_the_same_cell(world, reference, tmp_path):
    out = tmp_path / "ratio"
    shutil.copytree(reference, out)
    assert collect(world, out, "--set", "grid.cr=[0.1695, 0.0413]") == 0
    assert tables(out) == tables(reference)


def test_two_collects_on_one_run_share_the_work(world, reference, tmp_path):
    with started(world, tmp_path, "serial") as other:
        next(line for line in other.stderr if "to go" in line)  # its first unit comes next
        assert collect(world, tmp_path / "run") == 0
        _, errors = other.communicate(timeout=300)
    assert other.returncode == 0, errors
    assert tables(tmp_path / "run") == tables(reference)


@pytest.mark.parametrize("engine", ["serial", "processes"])
def test_stopped_at_random_it_says_so_and_resumes_to_the_same_table(
    world, reference, tmp_path, engine
):
    out = tmp_path / "run"
    dice = random.Random(1)
    stops = [signal.SIGKILL, signal.SIGTERM, *([signal.SIGINT] if engine == "serial" else [])]
    for stop in dice.sample(stops, len(stops)):
        with started(world, tmp_path, engine) as process:
            for _ in range(dice.randrange(1, 7)):  # lines; of 18 units at least three are left
                process.stderr.readline()
            time.sleep(dice.uniform(0, 0.05))
            process.send_signal(stop)
            rest = process.stderr.read()
            code = process.wait(timeout=30)
        if stop == signal.SIGKILL:
            assert code == -signal.SIGKILL
            continue
        assert code == 130
        assert "Traceback" not in rest
        assert rest.splitlines()[-1] == GOES_ON
    assert collect(world, out, engine=engine) == 0
    assert tables(out) == tables(reference)
    assert semloss.load_table(out).cell.nunique() == 4


@pytest.mark.parametrize("what", ["codec.safetensors", "measured.json", "receiver.safetensors"])
def test_a_damaged_cell_is_done_again_and_the_rest_kept(world, reference, tmp_path, capfd, what):
    out = tmp_path / "damaged"
    shutil.copytree(reference, out)
    victim = sorted((out / "cells").glob(f"*/{what}"))[0]
    victim.write_bytes(victim.read_bytes()[:100])
    if what != "measured.json":  # finished cells are not read again: ask for another look
        (victim.parent / "measured.json").unlink()
    assert collect(world, out) == 0
    if what != "measured.json":
        assert "damaged" in capfd.readouterr().err
    assert tables(out) == tables(reference)


@pytest.mark.parametrize("kind", ["trunks", "bases", "receivers", "tasks"])
def test_what_cells_start_from_is_trained_again_when_damaged(world, reference, tmp_path, kind):
    out = tmp_path / "base"
    shutil.copytree(reference, out)
    shutil.rmtree(out / "cells")
    if kind == "trunks":
        shutil.rmtree(out / "bases")
    victim = sorted((out / kind).glob("*/*.safetensors"))[0]
    victim.write_bytes(victim.read_bytes()[:-10])
    assert collect(world, out) == 0
    assert tables(out) == tables(reference)


def test_another_experiment_is_not_mixed_in(world, reference, capfd):
    before = tables(reference)
    assert collect(world, reference, "--set", "train.trunk.lr=1e-3") == 2
    line = capfd.readouterr().err.strip().splitlines()[-1]
    assert "holds another experiment: train.trunk" in line
    assert "--out" in line
    assert collect(world, reference, "--set", "source.per_class=13") == 2
    assert "identity.images" in capfd.readouterr().err
    assert tables(reference) == before


def test_a_folder_of_something_else_is_refused(world, tmp_path, capfd):
    (tmp_path / "thesis.tex").write_text("mine")
    assert collect(world, tmp_path) == 2
    assert "holds no run" in capfd.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_folder_in_the_place_of_the_lock_is_told(world, tmp_path, capfd):
    (tmp_path / ".lock").mkdir()
    assert collect(world, tmp_path) == 2
    assert f"{tmp_path / '.lock'} is a folder" in capfd.readouterr().err


def test_divergence_is_retried_then_flagged_and_never_averaged_in(world, tmp_path, capfd):
    # a rate at which the decoder saturates: no attempt learns more than the mean image
    out = tmp_path / "diverged"
    wild = ["--set", "train.trunk.lr=1e4", "--set", "train.trunk.clip_norm=1e9",
            "--set", "train.retries=1"]  # fmt: skip
    assert collect(world, out, *wild, "--json") == 2
    told = capfd.readouterr()
    summary = json.loads(told.out)
    assert len(summary["diverged"]) == 4
    assert "nothing to fit: all 4 cells diverged" in told.err.splitlines()[-1]
    cells = pd.read_csv(out / "cells.csv")
    assert set(cells.status) == {"diverged"}
    assert cells.attempts.str.contains("base diverged").all()
    base = json.loads(next((out / "trunks").glob("*/codec.json")).read_text())
    assert len(base["attempts"]) == 2
    assert "lr 10000" in base["attempts"][0]
    assert "lr 5000" in base["attempts"][1]
    assert pd.read_csv(out / "metrics.csv").empty


def test_a_clean_task_model_that_does_not_train_is_one_line(world, tmp_path, capfd):
    assert collect(world, tmp_path / "task", "--set", "task.clean.lr=1e30") == 2
    line = capfd.readouterr().err.strip().splitlines()[-1]
    assert "the task model resnet8 does not train" in line
    assert "lower task.clean.lr, in another folder (--out)" in line
    # the message's mend: the same folder would be refused
    assert collect(world, tmp_path / "task", "--set", "task.clean.lr=1e-3") == 2
    lower = ["--set", "task.clean.lr=1e-3", "--set", "grid.cr=1/6", "--set", "grid.snr_db=[10]"]
    assert collect(world, tmp_path / "another", *lower) == 0


def test_a_matched_task_model_that_diverges_flags_its_cells(world, tmp_path, capfd):
    out = tmp_path / "matched"
    options = ["--set", "task.matched.lr=1e30", "--set", "grid.cr=1/6", "--json"]
    assert collect(world, out, *options) == 2
    assert len(json.loads(capfd.readouterr().out)["diverged"]) == 2
    cells = pd.read_csv(out / "cells.csv")
    assert cells.attempts.str.contains("task model at lr").all()
    assert pd.read_csv(out / "metrics.csv").empty


def test_an_interrupted_retry_goes_on_with_the_retry(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_EVERY_S", -1.0)
    folder, made = UnitFolder(tmp_path, "key"), []
    steps_seen = []

    def make(key):
        made.append(key)
        torch.manual_seed(0)
        return torch.nn.Linear(3, 1)

    def teach(network, key):
        first = len(made) == 1

        def loss(positions, draws):
            steps_seen.append(len(made))
            if len(made) == 2 and len(steps_seen) > 100:
                raise KeyboardInterrupt
            x = torch.rand(len(positions), 3, generator=draws.channel)
            return network(x).square().mean() * (float("nan") if first else 1.0)

        return loss, None

    def go():
        recipe = Recipe(steps=400, batch_size=4, optimiser="adam")
        attempts = Attempts(Run(tmp_path), folder, "codec", recipe, retries=2, n_items=20)
        return carry_out([attempts.train(make, teach, lambda network, key: {})])[0]

    with pytest.raises(KeyboardInterrupt):
        go()
    before = len(steps_seen)
    made.append("resumed")  # from here on nothing interrupts
    record = go()
    assert record["status"] == "retried"
    assert record["attempts"] == ["lr 0.012: the loss was no longer finite at step 25"]
    assert made[-1] == made[1]  # the second attempt again, not the first
    assert len(steps_seen) - before < 400 - 50  # and not from its beginning
    assert {p.name for p in tmp_path.iterdir()} == {"codec.json", "codec.safetensors", "log.txt"}


def test_independent_cells_train_alone(world, tmp_path):
    out = tmp_path / "independent"
    options = ["--set", "train.strategy=independent", "--set", "grid.snr_db=[10]"]
    assert collect(world, out, *options) == 0
    assert not (out / "bases").exists()
    cells = pd.read_csv(out / "cells.csv")
    assert set(cells.strategy) == {"independent"}
    assert (cells.steps == 40).all()


def test_lpips_is_measured_when_weights_are_given_and_missing_otherwise(world, reference, tmp_path):
    from safetensors.torch import save_file

    from semloss.metrics.perceptual import weight_shapes

    # random weights: not the published distance, but the whole path from file to table
    weights = {key: torch.rand(shape) / 100 for key, shape in weight_shapes().items()}
    save_file(weights, tmp_path / "lpips.safetensors")
    out = tmp_path / "run"
    options = ["--set", f"metrics.lpips_weights={tmp_path / 'lpips.safetensors'}",
               "--set", "grid.cr=1/6", "--set", "grid.snr_db=[10]"]  # fmt: skip
    assert collect(world, out, *options) == 0
    table = semloss.load_table(out)
    assert (table[table.metric == "lpips"].value > 0).all()
    assert (table[table.metric == "lpips"].direction == "lower").all()
    assert not (semloss.load_table(reference).metric == "lpips").any()


def test_replicates_and_channels_are_axes_of_the_grid(world, tmp_path):
    experiment = TINY.replace("[grid]", '[[channel]]\nkind = "awgn"\n[[channel]]\n'
                              'kind = "rician"\n[grid]\nseeds = [0, 1]')  # fmt: skip
    (tmp_path / "axes.toml").write_text(experiment)
    out = tmp_path / "run"
    command = ["collect", str(tmp_path / "axes.toml"), "--out", str(out), "--engine", "serial",
               "--set", "grid.cr=1/6", "--set", "grid.snr_db=10"]  # fmt: skip
    assert main(command) == 0
    table = semloss.load_table(out)
    psnr = table[table.metric == "psnr_db"].set_index(["channel", "seed"]).value
    assert len(psnr) == psnr.nunique() == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("grid.cr=0", r"grid.cr[0] = 0: CR is k/n"),
        ("grid.cr=1/500", "grid.cr[0] = 1/500: no number of filters realises it"),
        ("grid.cr=1/90,1/96", "both realised as 1/96"),
        ("grid.snr_db=[]", "grid.snr_db = []: the list is empty"),
        ("grid.snr_db=[nan]", "grid.snr_db[0]"),
        ("train.base_snr_db=[5,1]", "write the lower end first"),
        ("grid.snr_bd=3", "grid.snr_bd: unknown key; did you mean snr_db?"),
        ("gird.cr=1/6", "gird: unknown key; did you mean grid?"),
        ("train.base.lr=-1", "train.base.lr = -1"),
        ("source.kind=moon", "source.kind = 'moon'"),
        ("channel.kind=rician", None),
        ("metrics.names=['psnr']", "did you mean psnr_db?"),
        ("split.test=0.9", "exceed 1"),
        ("metrics.lpips_weights=none.safetensors", "none.safetensors: no such file"),
        ("source.per_class=2", "class"),
        ("grid", "write key=value"),
    ],
)
def test_bad_configuration_is_one_line_and_exit_2(world, tmp_path, capfd, change, message):
    code = collect(world, tmp_path / "none", "--set", change, "--dry-run")
    errors = capfd.readouterr().err
    if message is None:
        assert code == 0
        return
    assert code == 2
    assert message in errors.strip().splitlines()[-1]
    assert "Traceback" not in errors
    assert not (tmp_path / "none").exists()


def test_a_missing_or_broken_file_is_one_line(tmp_path, capfd):
    assert main(["collect", str(tmp_path / "none.toml")]) == 2
    assert "none.toml" in capfd.readouterr().err
    (tmp_path / "broken.toml").write_text("[grid\n")
    assert main(["collect", str(tmp_path / "broken.toml")]) == 2
    assert "is not TOML" in capfd.readouterr().err


def test_the_presets_state_scores_and_what_says_their_time(capfd):
    assert main(["collect", "--preset", "list"]) == 0
    text = capfd.readouterr().out
    assert "demo" in text
    assert "PSNR 34 dB" in text
    assert "--dry-run says how long one takes on this machine" in text
    assert not re.search(r"\d+ (min|s|h)\b", text)  # no time but a measured one
    assert main(["collect", "--preset", "nope"]) == 2


@pytest.mark.parametrize("most_bytes", [0, 20_000])
def test_a_full_disk_is_one_line_and_nothing_is_half_written(
    world, reference, tmp_path, capsys, most_bytes
):
    out = tmp_path / "run"
    shutil.copytree(reference / "tasks", out / "tasks")
    (out / "experiment.toml").write_text((reference / "experiment.toml").read_text())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, limits[1]))
    try:
        code = collect(world, out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    told = capsys.readouterr().err
    assert code == 2
    assert "Traceback" not in told
    assert re.search(r"semloss: cannot write .*: File too large; free or choose", told)
    assert not list(out.rglob(".writing-*"))
    for record in out.rglob("*.json"):
        json.loads(record.read_text())  # what is there is whole
    assert collect(world, out) == 0
    assert tables(out) == tables(reference)


def test_a_fall_beyond_doubt_is_named():
    def row(cr, snr_db, value):
        return {"codec_label": "c", "objective": "mse", "channel": "a", "seed": 0,
                "task": "none", "receiver": "none", "metric": "psnr_db",
                "cr": cr, "snr_db": snr_db, "train_snr_db": snr_db, "value": value,
                "se": 0.1}  # fmt: skip

    assert not_monotone([row(0.1, 0, 25.0), row(0.1, 5, 24.8), row(0.2, 0, 26.0)]) == []
    found = not_monotone([row(0.1, 0, 25.0), row(0.1, 5, 24.0), row(0.2, 0, 24.1)])
    assert len(found) == 2


def test_real_tiles_collect(world, real_data, tmp_path):
    out = tmp_path / "real"
    options = ["--set", "source.kind=eurosat", "--set", f"source.path={real_data / 'eurosat-rgb'}",
               "--set", "source.per_class=12", "--set", "grid.cr=1/6"]  # fmt: skip
    assert collect(world, out, *options) == 0
    source = json.loads((out / "source.json").read_text())
    assert len(source["classes"]) == 10
    assert Path(out / "metrics.csv").exists()


def test_thirteen_bands_go_all_the_way(world, real_data, tmp_path):
    out = tmp_path / "bands"
    options = ["--set", "source.kind=geotiff", "--set", f"source.path={real_data / 'eurosat-ms'}",
               "--set", "grid.cr=1/6", "--set", "grid.snr_db=[10]",
               "--set", "train.trunk.steps=150"]  # fmt: skip
    assert collect(world, out, *options) == 0
    source = json.loads((out / "source.json").read_text())
    assert source["shape"] == [64, 64, 13]
    assert source["bands"][0] == "B01"
    cells = pd.read_csv(out / "cells.csv")
    # 69 filters of 16x16 maps, two features a symbol, over 64x64x13 samples
    assert cells.k.tolist() == [69 * 16 * 16 // 2]
    assert cells.cr.tolist() == pytest.approx([69 * 128 / (64 * 64 * 13)])
    assert semloss.load_table(out).metric.eq("psnr_db").any()


def in_old_words(record):
    """A measurement as it was written before receivers, objectives and settings had names."""
    cell = record["cell"]
    _, _, filters = cell.pop("setting").partition("=")
    cell |= {"codec": cell.pop("codec_label"), "filters": int(filters)}
    del cell["objective"]
    for row in record["rows"]:
        row["task"] = row.pop("receiver")
    return record


def test_a_run_of_the_old_words_is_taken_up(world, reference, tmp_path):
    out = tmp_path / "old"
    shutil.copytree(reference, out)
    for path in (out / "cells").glob("*/measured.json"):
        path.write_text(json.dumps(in_old_words(json.loads(path.read_text()))))
    snapshot = tomllib.loads((out / "experiment.toml").read_text())
    del snapshot["objective"], snapshot["train"]["range_snr_db"]
    (out / "experiment.toml").write_text(tomli_w.dumps(snapshot))
    weights = {p: p.stat().st_mtime_ns for p in out.rglob("*.safetensors")}
    assert collect(world, out) == 0
    assert tables(out) == tables(reference)
    assert weights == {p: p.stat().st_mtime_ns for p in out.rglob("*.safetensors")}
    # one metric more is measured on top of what is there
    assert collect(world, out, "--set", "metrics.names=['psnr_db', 'mse']") == 0
    table = semloss.load_table(out)
    assert set(semloss.load_table(reference).metric) | {"mse"} == set(table.metric)
    assert not table.duplicated(["cell", "snr_db", "receiver", "metric"]).any()
