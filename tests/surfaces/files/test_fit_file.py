"""The fit file: exact, self-explaining, and harmless whatever is in it."""

import base64
import json
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_surface import drawn, known

import semloss
from semloss.errors import SemlossError
from semloss.surfaces.files import fit_file as fitfile
from semloss.surfaces.files.fit_keys import KEYS, MAX_DRAWS
from semloss.surfaces.forms import FORMS

FIT = drawn(
    known(
        dof=60,
        model_error_sd=0.004,
        replicate_sd=0.01,
        noise_sd=0.02,
        ceiling=0.93,
        intervals={"sharpness": (0.7, float("inf")), "shift_db": (1.1, 2.6)},
        bounds=np.array([[0.1, 0.1], [-np.inf, np.inf]] + [[-60.0, 60.0]] * 6),
    ),
    200,
)


@pytest.fixture
def path(tmp_path):
    fitfile.save(FIT, tmp_path / "fit.json")
    return tmp_path / "fit.json"


def rewritten(path, change):
    """The file after an edit by someone who also mends the checksum."""
    document = json.loads(path.read_text())
    del document["checksum"]
    change(document)
    path.write_text(json.dumps({**document, "checksum": fitfile._checksum(document)}))
    return path


def refused(path, says):
    """The one line with which a file is refused."""
    with pytest.raises(SemlossError, match=says) as caught:
        fitfile.load(path)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 400
    assert caught.value.exit_code == 2
    return line


# ---------------------------------------------------------------- what is kept


def test_a_fit_survives_the_file_to_the_last_bit(path):
    loaded = semloss.load(path)
    for field in fields(FIT):
        if field.name == "band":
            continue  # what an answer is about is asked, not kept
        before, after = getattr(FIT, field.name), getattr(loaded, field.name)
        if isinstance(before, np.ndarray):
            np.testing.assert_array_equal(before, after)
        else:
            assert before == after
    cr, snr_db = np.geomspace(0.01, 0.9, 7), np.linspace(-20.0, 30.0, 7)
    for ask in ({}, {"method": "bootstrap"}, {"band": "measurement", "images": 50}):
        one = FIT.predict(cr=cr, snr_db=snr_db, **ask)
        other = loaded.about(FIT.band).predict(cr=cr, snr_db=snr_db, **ask)
        np.testing.assert_array_equal(one.low, other.low)


@pytest.mark.parametrize("form", FORMS)
def test_a_bare_fit_of_any_form_survives_too(form, tmp_path):
    bare = known(form, images=500, draws=None, bounds=None, floor=None)
    fitfile.save(replace(bare, images=None), tmp_path / "fit.json")
    loaded = semloss.load(tmp_path / "fit.json")
    np.testing.assert_array_equal(loaded.parameters, bare.parameters)
    assert (loaded.draws, loaded.bounds, loaded.dof, loaded.images) == (None, None, None, None)


def test_draws_are_compact_and_keep_seven_digits(tmp_path):
    exact = replace(FIT, draws=np.random.default_rng(0).normal(1.0, 0.1, (1000, 8)))
    fitfile.save(exact, tmp_path / "fit.json")
    np.testing.assert_allclose(semloss.load(tmp_path / "fit.json").draws, exact.draws, rtol=1e-7)
    assert (tmp_path / "fit.json").stat().st_size < 60_000


def test_the_same_fit_gives_the_same_bytes_and_replaces_the_old_file(path):
    before = path.read_bytes()
    path.write_text("old")
    fitfile.save(FIT, path)
    assert path.read_bytes() == before
    fitfile.save(semloss.load(path), path)
    assert path.read_bytes() == before


def test_the_file_explains_itself(path):
    document = json.loads(path.read_text())
    assert (document["schema"], document["version"]) == ("semloss-fit", 5)
    told = document["conventions"]
    assert "complex channel uses per real source sample" in told["cr"]
    assert told["value"] == (
        "accuracy of the task model (clean), mean over the test images of a cell; higher is better"
    )
    assert told["floor"].endswith("0.1, known")
    assert document["draws"]["encoding"] == "base64 float32 little-endian"
    assert document["draws"]["shape"] == [200, 8]
    assert document["intervals"]["sharpness"] == [0.7, None]


def test_every_key_of_the_file_has_a_meaning(path):
    assert all(key.meaning for key in KEYS)
    keys = [key.name for key in KEYS]
    assert list(json.loads(path.read_text())) == ["schema", "version", *keys, "checksum"]


def test_a_fit_that_no_file_may_hold_is_refused_when_written(tmp_path):
    for broken, says in (
        (replace(FIT, model_error_sd=float("nan")), "model_error_sd"),
        (replace(FIT, hull=FIT.hull + np.array([5.0, 0.0])), "CR above 1"),
        (replace(FIT, quality={"rmse": float("inf")}), "quality"),
        (replace(FIT, draws=np.zeros((MAX_DRAWS + 1, 8))), "5000 at most"),
    ):
        with pytest.raises(SemlossError, match=says):
            fitfile.save(broken, tmp_path / "fit.json")
    assert not any(tmp_path.iterdir())


def test_reading_and_predicting_need_neither_scipy_nor_pandas(path):
    code = (
        "import sys, semloss; fit = semloss.load(sys.argv[1]);"
        "fit.predict(cr='1/12', snr_db=3, method='bootstrap'); fit.contour(target=0.5);"
        "fit.min_snr(target=0.5, cr=0.1, confidence=0.9); fit._repr_html_();"
        "heavy = {'scipy', 'pandas', 'lmfit', 'sklearn', 'torch', 'matplotlib', 'pydantic'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)


# ---------------------------------------------------------------- what is refused


def nested(depth):
    value = {}
    for _ in range(depth):
        value = {"deeper": value}
    return value


def packed(draws):
    data = base64.b64encode(np.asarray(draws, "<f4").tobytes()).decode()
    return {"encoding": "base64 float32 little-endian", "shape": [len(draws), 8], "data": data}


TYPICAL = FIT.draws[:2]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d.update(version=6), "version 6 is newer than the 5.*update semloss"),
        (lambda d: d.update(version=1), "schema version 1, but this.*reads 2 to 5; make it anew"),
        (lambda d: d.update(version=True), "no version"),
        (lambda d: d.update(version="2"), "no version"),
        (lambda d: d.update(version=10**400), "no version"),
        (lambda d: d.update(schema="weather"), "not a semloss fit file"),
        (lambda d: d.update(form="__import__('os')"), "unknown form"),
        (lambda d: d.update(form=["capped"]), "unknown form"),
        (lambda d: d.update(extra=1), "unknown key 'extra'"),
        (lambda d: d.pop("hull"), "key 'hull' is missing"),
        (lambda d: d["parameters"].pop("floor"), "the parameters of form capped are"),
        (lambda d: d.update(parameters=[0.1] * 8), "the parameters of form capped are"),
        (lambda d: d["parameters"].update(sharpness=-1.0), "sharpness = -1 is out of its bounds"),
        (lambda d: d["parameters"].update(floor="0"), "parameters is no number"),
        (lambda d: d["parameters"].update(floor=10**400), "not finite or too large"),
        (lambda d: d["parameters"].update(ceiling=1e300), "not finite or too large"),
        (lambda d: d["covariance"].pop(), "covariance is not made of 8x8"),
        (lambda d: d["covariance"][3].pop(), "covariance is not made of 8"),
        (lambda d: d["covariance"][2].__setitem__(2, -1.0), "a variance is negative"),
        (lambda d: d["covariance"][2].__setitem__(3, 0.5), "not symmetric"),
        (
            lambda d: [d["covariance"][i].__setitem__(j, 9.0) for i, j in ((2, 3), (3, 2))],
            "not positive semidefinite",
        ),
        (lambda d: d.update(hull=[[0.5, 1.0], [1.0, 2.0]]), "CR above 1"),
        (lambda d: d.update(hull=[[-1.0, 1e9]]), "no link has"),
        (lambda d: d.update(hull=[[-1.0, 1.0]] * 20_000), "impossible number of vertices"),
        (lambda d: d.update(hull=[]), "impossible number of vertices"),
        (lambda d: d.update(hull={"a": 1}), "impossible number of vertices"),
        (lambda d: d.update(direction="up"), "direction is none of higher, lower"),
        (lambda d: d.update(direction=[]), "direction is none of"),
        (lambda d: d.update(dof=0), "dof"),
        (lambda d: d.update(dof=12.5), "dof"),
        (lambda d: d.update(outcome="perfect"), "outcome is none of converged"),
        (lambda d: d.update(metric=5), "metric is no text"),
        (lambda d: d.update(metric="m" * 20_000), "metric is no text"),
        (lambda d: d.update(metric="\x1b[31maccuracy"), "cannot be printed"),
        (lambda d: d.update(task="\ud800"), "cannot be printed"),
        (lambda d: d.update(message="two\nlines"), "cannot be printed"),
        (lambda d: d.update(floor=True), "floor is no number"),
        (lambda d: d.update(model_error_sd=-0.1), "model_error_sd is negative"),
        (lambda d: d.update(replicate_sd=None), "replicate_sd is no number"),
        (lambda d: d.update(noise="loud"), "noise is none of binomial"),
        (lambda d: d.update(images=0), "images is no positive count"),
        (lambda d: d.update(intervals={"colour": [0, 1]}), "intervals names other parameters"),
        (lambda d: d.update(intervals={"floor": [1, 0]}), "the low end lies above"),
        (lambda d: d.update(intervals={"floor": 1}), "no pair"),
        (lambda d: d.update(bounds=[[0, 1]]), "bounds is not made of 8 ranges"),
        (lambda d: d.update(quality=[]), "quality is no object"),
        (lambda d: d.update(quality=nested(20)), "quality is nested too deeply"),
        (lambda d: d.update(data={"\x07": 1}), "cannot be printed"),
        (lambda d: d.update(draws=[[0.0] * 8]), "other keys than encoding"),
        (lambda d: d["draws"].update(encoding="pickle"), "encoding of draws is none of"),
        (lambda d: d["draws"].update(shape=[10**9, 8]), r"shape of draws is not \[1 … 5000, 8\]"),
        (lambda d: d["draws"].update(shape=[200, True]), "shape of draws"),
        (lambda d: d["draws"].update(shape=[199, 8]), "data of draws has another length"),
        (lambda d: d["draws"].update(data="?" * 8), "not base64"),
        (lambda d: d["draws"].update(data="é" * 8), "not base64"),
        (lambda d: d["draws"].update(data=8), "data of draws is no text"),
        (lambda d: d.update(draws=packed(TYPICAL * np.nan)), "not finite"),
        (lambda d: d.update(draws=packed(-TYPICAL)), "draws holds a parameter out of its bounds"),
    ],
)
def test_a_file_that_cannot_be_a_fit_is_refused_in_one_line(path, change, says):
    refused(rewritten(path, change), says)


def test_an_edited_number_is_noticed(path):
    document = json.loads(path.read_text())
    document["parameters"]["ceiling"] += 1e-9
    path.write_text(json.dumps(document))
    refused(path, "edited by hand")


def test_a_key_named_twice_is_refused(path):
    text = path.read_text().replace('"floor": 0.1,', '"floor": 0.1, "floor": 0.2,', 1)
    path.write_text(text)
    refused(path, "key 'floor' is named twice")


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"[]", b"null", b"7", b"\xff\xfe", b"\x00" * 100, b"[" * 100_000, b'{"a": NaN}',
        b'{"schema": "semloss-fit", "version": 2, "checksum": "", "a": 1e999}',
        b'{"schema": "semloss-fit", "version": 2, "a": ' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"schema": "semloss-fit", "version": ' + b"9" * 5000 + b"}",
        json.dumps({"schema": "semloss-fit"}).encode("utf-16"),
    ],
)  # fmt: skip
def test_what_is_no_fit_file_at_all_is_refused(tmp_path, raw):
    path = tmp_path / "fit.json"
    path.write_bytes(raw)
    refused(path, r"fit\.json")


def test_a_missing_or_huge_file_or_a_folder_is_refused(tmp_path):
    refused(tmp_path / "none.json", "cannot read")
    refused(tmp_path, "cannot read")
    refused("fit\0.json", "cannot read")
    (tmp_path / "huge.json").write_bytes(b" " * 5_000_000)
    refused(tmp_path / "huge.json", "larger than any fit file")
    (tmp_path / "loop.json").symlink_to(tmp_path / "loop.json")
    refused(tmp_path / "loop.json", "cannot read")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs an endless file")
def test_an_endless_file_is_not_read_to_the_end(tmp_path):
    (tmp_path / "endless.json").symlink_to("/dev/zero")
    refused(tmp_path / "endless.json", "larger than any fit file")


@given(keep=st.floats(0.0, 1.0, exclude_max=True))
@settings(max_examples=30, deadline=None)
def test_a_file_cut_short_anywhere_is_refused(tmp_path_factory, keep):
    path = tmp_path_factory.mktemp("cut") / "fit.json"
    fitfile.save(FIT, path)
    raw = path.read_bytes().rstrip()
    path.write_bytes(raw[: int(keep * len(raw))])
    refused(path, "cut short")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_value_under_any_key_gives_a_usable_surface_or_one_line(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.json"
    fitfile.save(FIT, path)
    key = data.draw(st.sampled_from(sorted(set(json.loads(path.read_text())) - {"checksum"})))
    value = data.draw(JSON.filter(lambda v: "Infinity" not in json.dumps(v)))
    rewritten(path, lambda d: d.update({key: value}))
    try:
        loaded = fitfile.load(path)
    except SemlossError:
        refused(path, "any.json")
        return
    assert np.isfinite(loaded.predict(cr=0.1, snr_db=0.0).high)
    assert "<svg" in loaded._repr_html_()


def test_a_file_of_version_2_is_read_its_task_was_the_receiver(tmp_path):
    old = Path(__file__).parent / "data" / "version-2.json"
    fit, told = semloss.load(old), json.loads(old.read_text())
    assert (fit.receiver, fit.task, fit.provenance["receiver"]) == ("matched", "unknown", "matched")
    semloss.save(fit, tmp_path / "fit.json")
    new = json.loads((tmp_path / "fit.json").read_text())
    assert new["version"] == 5
    renamed = {"version", "correction", "receiver", "task", "provenance", "checksum"}
    assert {k: v for k, v in new.items() if k not in renamed} == {
        k: v for k, v in told.items() if k not in renamed
    }


def test_a_file_of_version_4_keeps_the_doubt_that_it_told(tmp_path):
    fit = semloss.load("eurosat-psnr")
    fitfile.save(fit, path := tmp_path / "fit.json")
    rewritten(path, lambda d: (d.update(version=4), d["correction"].pop("power")))
    old, ask = semloss.load(path), {"cr": [1 / 12, 1 / 12], "snr_db": [17.0, 22.0]}
    assert old.correction.power == 1.0
    (within, narrow), (same, wide) = (
        one.predict(**ask).high - one.predict(**ask).low for one in (old, fit)
    )
    assert within == same
    assert wide > narrow
