"""Models of timm: names, weights from files, what is refused. Skipped where timm is not."""

import importlib
import importlib.util
from contextlib import suppress

import numpy as np
import pytest
import torch
from collecting_case import collected
from safetensors.torch import save_file
from tiny_experiment import TINY

from semloss.errors import SemlossError
from semloss.sources import ImageSet
from semloss.tasks import Timm

MODEL = "test_resnet"


@pytest.fixture(scope="module")
def timm():
    """The library. Beside a torch for CPUs alone a torchvision for GPUs lacks two operators."""
    for package in ("timm", "torchvision"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed: python -m pip install 'semloss[timm]'")
    operators = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms(Tensor a, Tensor b, float c) -> Tensor", "qnms(Tensor a) -> Tensor"):
        with suppress(RuntimeError):  # it is there already
            operators.define(name)
    return importlib.import_module("timm")


def images(side=32):
    pixels, labels = np.zeros((4, side, side, 3), np.uint8), np.array([0, 1, 2, 2])
    return ImageSet(pixels, labels, ("a", "b", "c"), ("r", "g", "b"), "mine", {})


def test_weights_follow_from_the_seed_and_images_of_any_bands_are_taken(timm):
    one, again, other = (Timm(model=MODEL).build(5, 3, seed).eval() for seed in (1, 1, 2))
    sent = torch.rand(2, 5, 32, 32)
    with torch.inference_mode():
        assert torch.equal(one(sent), again(sent))
        assert not torch.equal(one(sent), other(sent))
        assert one(sent).shape == (2, 3)


def test_weights_of_a_file_are_those_that_training_starts_from(timm, tmp_path):
    file = tmp_path / "mine.safetensors"
    source = Timm(model=MODEL).build(3, 3, seed=7)
    save_file(source.net.state_dict(), file)
    task = Timm(model=MODEL, weights=str(file))
    assert task.label == "timm-test_resnet-mine"
    task.check(images())
    network = task.build(3, 3, seed=0)
    task.start(network)
    assert all(map(torch.equal, network.state_dict().values(), source.state_dict().values()))
    # the content counts, not the name
    before = task.identity()
    save_file(Timm(model=MODEL).build(3, 3, seed=8).net.state_dict(), file)
    assert task.identity() != before
    # of other classes: refused, or with a head of its own
    save_file(Timm(model=MODEL).build(3, 10, seed=7).net.state_dict(), file)
    with pytest.raises(SemlossError, match="for other classes: set"):
        task.check(images())
    Timm(model=MODEL, weights=str(file), new_head=True).check(images())


def test_a_run_end_to_end(timm, tmp_path):
    experiment = TINY.replace("[task]", f'[task]\nkind = "timm"\nmodel = "{MODEL}"')
    few = ["--set", "grid.cr=1/6", "--set", "grid.snr_db=[10]"]
    table = collected(tmp_path, experiment, *few)
    rows = table[table.metric == "accuracy"]
    assert set(rows.task) == {f"timm-{MODEL}"}
    assert set(rows.receiver) == {"clean", "matched"}


def test_what_cannot_be_is_one_line(timm, tmp_path, monkeypatch):
    def refused(line, **options):
        with pytest.raises(SemlossError, match=line) as error:
            Timm(**({"model": MODEL} | options)).check(images())
        assert "\n" not in str(error.value)

    refused(r"timm knows no such model; did you mean resnet50\?", model="resnet5O")
    refused("No such file", weights=str(tmp_path / "none.safetensors"))
    junk = tmp_path / "junk.safetensors"
    junk.write_bytes(b"\x80\x04K\x01.")
    refused("is no whole safetensors file", weights=str(junk))
    save_file(timm.create_model("test_vit").state_dict(), junk)
    refused("these are weights of another model than test_resnet", weights=str(junk))
    refused("takes no images of 32×32 .* set task.side", model="vit_tiny_patch16_224")
    create = timm.create_model

    def unreachable(name, pretrained=False, **options):
        if pretrained:
            raise OSError("We couldn't connect to 'https://huggingface.co'. Check your connection")
        return create(name, **options)

    monkeypatch.setattr(timm, "create_model", unreachable)
    refused("timm cannot get the weights of test_resnet", weights="pretrained")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ModuleNotFoundError("No module named 'timm'", name="timm"), r"'semloss\[timm\]'"),
        (RuntimeError("operator torchvision::nms does not exist"), "--no-deps torchvision"),
    ],
)
def test_a_library_that_does_not_import_names_the_mend(monkeypatch, error, line):
    def fails(name):
        raise error

    monkeypatch.setattr(importlib, "import_module", fails)
    with pytest.raises(SemlossError, match=line) as told:
        Timm(model=MODEL).check(images())
    assert "\n" not in str(told.value)
