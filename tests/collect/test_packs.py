"""What a GPU changes in collecting, as far as it shows without one."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from semloss.cli import main
from semloss.collect import work
from semloss.collect.collecting import resolve_device
from semloss.collect.engines import ENGINES, Workers
from semloss.collect.engines.base import pack_of
from semloss.collect.experiment import read_experiment
from semloss.collect.stages import bench
from semloss.collect.stages.chain import images_at
from semloss.collect.units import Lesson, Unit
from semloss.errors import SemlossError
from semloss.training import Recipe, Streamed


def unit(name, stage="codec", steps=100, batch_size=64):
    lesson = Lesson(Recipe(steps=steps, batch_size=batch_size)) if steps else None
    return Unit(stage, "cell", name, name, lesson=lesson)


def names(units):
    return [one.name for one in units]


def test_a_pack_is_of_one_stage_and_batch_size_and_of_like_lengths():
    ready = [
        unit("a"), unit("b", stage="receiver"), unit("c", steps=900), unit("d", batch_size=16),
        unit("e", steps=120), unit("f"),
    ]  # fmt: skip
    assert names(pack_of(ready, 8)) == ["a", "f", "e", "c"]
    assert names(pack_of(ready, 3)) == ["a", "f", "e"]
    assert names(pack_of(ready, 1)) == ["a"]
    assert names(pack_of(ready, 8, workers=2)) == ["a", "f"]
    cells = [unit(name, stage="measured", steps=0) for name in "xyz"]
    assert names(pack_of([*cells, *ready], 8)) == ["x", "y", "z"]


@pytest.mark.parametrize("name", ["serial", "processes"])
def test_a_gpu_has_one_worker_that_takes_packs(name):
    for device, workers, taken in (("cpu", {"serial": 1, "processes": 3}[name], 1), ("cuda", 1, 3)):
        engine = ENGINES[name](Workers(3, 1, device))
        try:
            assert engine.jobs == workers
            assert len(engine.take([unit(one) for one in "abcd"])) == taken
        finally:
            engine.close()


@pytest.mark.parametrize("engine", ["serial", "processes"])
def test_without_a_gpu_cuda_is_one_line(monkeypatch, capfd, engine):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for built, reason in ((None, "built for the CPU alone"), ("13.0", "no GPU with a working")):
        monkeypatch.setattr(torch.version, "cuda", built)
        command = ["collect", "--device", "cuda", "--engine", engine, "--jobs", "8", "--dry-run"]
        assert main(command) == 2
        (line,) = capfd.readouterr().err.splitlines()
        assert reason in line
        assert "--device cpu" in line
        assert resolve_device("auto") == "cpu"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (RuntimeError("CUDA error: unspecified launch failure\nmore"), "the GPU gave up (CUDA err"),
        (torch.OutOfMemoryError("CUDA out of memory"), "one: out of GPU memory; lower the batch"),
    ],
)
def test_a_gpu_that_goes_or_is_too_small_is_one_line(monkeypatch, error, says):
    def fails(doings):
        raise error

    monkeypatch.setattr(work, "carry_out", fails)
    compute = SimpleNamespace(threads=torch.get_num_threads())
    job = SimpleNamespace(
        unit=unit("one"), device="cuda", experiment=SimpleNamespace(compute=compute)
    )
    with pytest.raises(SemlossError) as told:
        work.do_pack([job])
    assert says in str(told.value)
    assert "\n" not in str(told.value)


def test_what_an_experiment_says_of_gpus_counts_there_alone(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("[cuda.train]\nindependent = { steps = 7 }\n[train]\nretries = 1\n")
    here, there = (read_experiment(file, "eurosat", [], 1.0, one) for one in ("cpu", "cuda"))
    assert here.train.strategy == "warm"
    assert here.train.independent == read_experiment(None, "eurosat", []).train.independent
    assert there.train.strategy == "independent"
    assert there.train.independent.steps == 7
    assert there.train.independent.batch_size == 64
    assert here.train.retries == there.train.retries == 1
    changed = read_experiment(file, "eurosat", ["train.strategy=warm"], 1.0, "cuda")
    assert changed.train.strategy == "warm"


def test_images_in_memory_are_those_of_the_file():
    device = torch.device("cpu")
    pixels = np.random.default_rng(0).integers(0, 256, (9, 6, 5, 3), dtype=np.uint8)
    some = np.array([7, 0, 7, 3])
    for positions in (some, torch.from_numpy(some)):
        found = images_at(torch.from_numpy(pixels), positions, device)
        assert torch.equal(found, images_at(pixels, positions, device))
        assert found.shape == (4, 3, 6, 5)
        assert found.is_contiguous(memory_format=torch.channels_last)


def test_a_run_whose_images_are_streamed_gives_the_same_table(
    monkeypatch, world, reference, tmp_path
):
    # As on a GPU that does not hold the images; what it holds is less than the training set.
    monkeypatch.setattr(
        bench, "pixels_of", lambda images, device: Streamed(images.images, 40, device)
    )
    monkeypatch.setenv("SEMLOSS_CACHE", str(tmp_path / "cache"))  # the task model is trained anew
    command = ["collect", str(world / "tiny.toml"), "--out", str(tmp_path / "run")]
    assert main([*command, "--engine", "serial"]) == 0
    assert (tmp_path / "run/metrics.csv").read_text() == (reference / "metrics.csv").read_text()
